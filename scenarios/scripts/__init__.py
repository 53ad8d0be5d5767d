"""Scripts: conditions, the state that they can name, commands, and entries that join them."""
