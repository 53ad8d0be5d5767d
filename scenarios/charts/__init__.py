"""Charts: the data of every figure, with its units, panels and limits, before anyone draws it."""
