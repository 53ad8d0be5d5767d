"""Files: scenarios, loan tapes and series as people write them, and what is wrong with them."""
