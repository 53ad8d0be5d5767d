"""Given loans and settings, when a script acts, then the log says so: a test as a story that the log tells.

::

    told = given(tmp_path, ROWS, reinvestment_engine__reinvestment_delay=6)
    told = told.when("2026-02-01", suspend_reinvestment={})
    told.then("reinvestment.suspended/1", on("2026-02-01"))
    told.then("capital.reinvested/1", until="2026-12-31")  # none at all
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, repeat
from typing import Any, NamedTuple

from fundclock import Run
from funds import CALENDAR, fund, of


class Said(NamedTuple):
    """A day, and what a record of that day says in the fields that matter to the test."""

    day: str
    fields: dict[str, Any]


def on(day: str, **fields: Any) -> Said:
    """A record of this day with these values in its payload; fields that are not named may have any value."""
    return Said(day, fields)


@dataclass(frozen=True)
class Story:
    """A small fund, what its script does, and (played when first asked for) its log."""

    folder: Any
    rows: tuple[str, ...]
    settings: dict[str, Any]
    script: tuple[dict[str, Any], ...] = ()

    def when(self, moment: str, **do: Any) -> "Story":
        """The same fund, in which a script also acts: on a date, or once a condition holds."""
        key = "at" if moment[:1].isdigit() else "when"
        return replace(self, script=(*self.script, {key: moment, "do": do}))

    def whenever(self, condition: str, **do: Any) -> "Story":
        """The same fund, in which a script also acts each time that a condition becomes true."""
        return replace(self, script=(*self.script, {"when": condition, "repeat": True, "do": do}))

    @cached_property
    def run(self) -> Run:
        script = {"script": list(self.script)} if self.script else {}
        return fund(self.folder, self.rows, **self.settings, **script)

    def then(self, kind: str, *expected: Said, until: str | None = None) -> "Story":
        """The first records of a kind are these; with ``until``, they are all of them up to that date.

        Days and the fields that a test names are compared together, so a failure shows both stories whole.
        """
        records = of(self.run, kind)
        if until is not None:
            records = [record for record in records if _date(record.day) <= until]
        else:
            records = records[: len(expected)]
        named = chain((said.fields for said in expected), repeat({}))
        found = [
            Said(_date(record.day), {name: getattr(record.payload, name) for name in names})
            for record, names in zip(records, named, strict=False)
        ]
        assert found == list(expected), kind
        return self


def _date(day: int) -> str:
    return CALENDAR.date(day).isoformat()


def given(folder: Any, rows: Any, **settings: Any) -> Story:
    """A quiet fund that holds just these loans of a tape; keys of settings are written with __ for dots."""
    return Story(folder, tuple(rows), settings)
