"""What the tables of the terminal share: the console, titles, columns."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


def console(*, wide: bool = False) -> Console:
    """Where data for people goes: stdout, as wide as the terminal; elsewhere 130 columns, or as many as are needed."""
    made = Console()
    return made if made.is_terminal else Console(width=400 if wide else 130)


def titled(title: str, *heads: str, left: int = 1) -> Table:
    """A table whose first ``left`` columns hold words, which may fold; the others hold numbers."""
    table = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place < left else "right", no_wrap=place >= left)
    return table


def pairs(title: str) -> Table:
    """A table of names and values, without heads."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    return table


def narrow(title: str) -> Table:
    """A table that fits a narrow terminal."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
