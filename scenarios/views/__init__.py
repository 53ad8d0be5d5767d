"""Views: what a run's log says about one subject, as rows."""
