"""The runs of a store."""

from collections.abc import Iterable
from typing import Literal

from rich.table import Table

from fundclock.app.labels import number
from fundclock.events.stores.store import RunInfo


def runs_table(runs: Iterable[RunInfo], width: int) -> Table:
    """The runs of a store; on a narrow terminal without their heads."""
    table = Table()
    heads = ["Run", "Scenario", "Seed", "Status", "Records", *(["Head"] if width >= 100 else []), "Fork of"]
    for head in heads:
        justify: Literal["left", "right"] = "right" if head in ("Seed", "Records") else "left"
        table.add_column(head, justify=justify, no_wrap=head not in ("Fork of", "Scenario"))
    for info in runs:
        seq = "" if info.divergence_seq is None else f" from seq {number(info.divergence_seq, 'count')}"
        origin = "" if info.parent is None else f"{info.parent}{seq}"
        cells = [info.run, info.scenario, str(info.seed), info.status, number(info.records, "count")]
        table.add_row(*cells, *([info.head_hash[:12]] if width >= 100 else []), origin)
    return table
