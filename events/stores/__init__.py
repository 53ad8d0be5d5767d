"""Where logs are kept: in memory, or in an embedded file that many runs share."""
