"""What the fund decides: loans, reinvestment, calls, cash."""
