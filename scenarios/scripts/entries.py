"""Scripts: what ``script:`` entries ask for, as commands on their days and conditions that lead to commands."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fundclock.events.commands import (
    AnyCommand,
    ClearBreaker,
    Command,
    ResumeReinvestment,
    SetConfig,
    SetTransactionCost,
    SetVolatility,
    SuspendReinvestment,
    TripBreaker,
)
from fundclock.events.dates import Calendar
from fundclock.scenarios.files.documents import Document
from fundclock.scenarios.files.problems import InvalidInput, Path, Problem
from fundclock.scenarios.files.schema import ScenarioConfig, ScriptEntry, manual_body
from fundclock.scenarios.scripts.commands import arguments_of, command_of, settled
from fundclock.scenarios.scripts.conditions import Condition, ConditionError, read_condition
from fundclock.scenarios.scripts.vocabulary import names_of


class Act(NamedTuple):
    """A command on a day; ``source`` names the script entry."""

    day: int
    source: str
    command: AnyCommand


class Watch(NamedTuple):
    """A command on the day after the evening on which a condition is met: the first one, or each new one."""

    source: str
    condition: Condition
    command: AnyCommand
    repeat: bool


class Script(NamedTuple):
    """Entries that were read, each kind in the order of the script."""

    acts: Sequence[Act] = ()
    watches: Sequence[Watch] = ()

    def settings(self) -> set[str]:
        """Every setting that it may change."""
        commands = [*(act.command for act in self.acts), *(watch.command for watch in self.watches)]
        return {key for command in commands if isinstance(command, SetConfig) for key in command.changes}


def read_script(
    config: ScenarioConfig,
    document: Document,
    entries: Sequence[ScriptEntry] | None = None,
    place: Path = ("script",),
    beside: Sequence[Act] = (),
) -> Script:
    """The script of a scenario, or these entries, which stand at ``place`` in the document.

    They may not contradict each other or the acts ``beside`` them. Settings are validated in the order of their days,
    each on top of the earlier ones; under a condition, on their own.
    Raises InvalidInput with every entry that can't be carried out.
    """
    entries = config.script if entries is None else entries
    problems: list[Problem] = []
    acts: dict[int, Act] = {}
    watches: list[Watch] = []
    calendar, names = config.calendar(), names_of(config)
    dated: list[tuple[int, int]] = []
    start = config
    for number, entry in enumerate(entries):
        path = (*place, number)
        try:
            if entry.when is None:
                dated.append((_day_of(entry, path, config, calendar, document), number))
            else:
                condition = _condition_of(entry.when, (*path, "when"), config, calendar, names, document)
                command = command_of(entry.do, (*path, "do"), start, document)
                settled(command, entry.do, (*path, "do"), start, document)
                watches.append(Watch(_source(path), condition, command, entry.repeat))
        except InvalidInput as error:
            problems += error.problems
    for day, number in sorted(dated):
        path, do = (*place, number), entries[number].do
        try:
            command = command_of(do, (*path, "do"), config, document)
            config = settled(command, do, (*path, "do"), config, document)
        except InvalidInput as error:
            problems += error.problems
            continue
        acts[number] = Act(day, _source(path), command)
    if not problems:
        problems = [
            *_contradictions(
                [
                    *((None, act) for act in beside),
                    *((number, act) for number, act in sorted(acts.items())),
                ],
                place,
                document,
            ),
            *_contradictions(_conditional(entries, watches), place, document),
        ]
    if problems:
        raise InvalidInput(problems)
    return Script([acts[number] for number in sorted(acts)], watches)


def _source(path: Path) -> str:
    return f"{path[0]}[{path[-1]}]"


def _condition_of(
    text: str, path: Path, config: ScenarioConfig, calendar: Calendar, names: Any, document: Document
) -> Condition:
    try:
        condition = read_condition(text, names)
    except ConditionError as error:
        raise InvalidInput([document.problem(path, error.message, error.suggestion)]) from None
    last = calendar.date(config.last_day() - 1)
    for when in condition.dates:
        if not config.fund.start_date <= when <= last:
            message = f"{when} is outside the fund's life, {config.fund.start_date} to {last}"
            raise InvalidInput([document.problem(path, message)])
    return condition


OPPOSITES: dict[type[Command], type[Command]] = {
    SuspendReinvestment: ResumeReinvestment,
    ResumeReinvestment: SuspendReinvestment,
    TripBreaker: ClearBreaker,
    ClearBreaker: TripBreaker,
}
"""Commands that undo each other."""


def _conditional(entries: Sequence[ScriptEntry], watches: Iterable[Watch]) -> list[tuple[int, Watch]]:
    """Number and watch of each entry with a condition."""
    numbers = [number for number, entry in enumerate(entries) if entry.when is not None]
    return list(zip(numbers, watches, strict=True))


def _contradictions(read: Iterable[tuple[int | None, Act | Watch]], place: Path, document: Document) -> list[Problem]:
    """Entries that ask for what an earlier one of the same day, or of the same condition, asks otherwise.

    Those without a number stand elsewhere, and only others are held against them.
    """
    problems = []
    earlier: dict[Any, list[Act | Watch]] = {}
    for number, entry in read:
        when = entry.day if isinstance(entry, Act) else entry.condition.words
        for other in earlier.setdefault(when, []):
            difference = _difference(other.command, entry.command)
            if number is not None and difference is not None:
                same = "on the same day" if isinstance(entry, Act) else "under the same condition"
                problems.append(document.problem((*place, number), f"contradicts {other.source} {same}: {difference}"))
        earlier[when].append(entry)
    return problems


def _difference(first: Command, second: Command) -> str | None:
    """In what two commands contradict each other; None where they do not."""
    if OPPOSITES.get(type(first)) is type(second):
        return f"{first.kind.split('/')[0]} there, {second.kind.split('/')[0]} here"
    if isinstance(first, SetConfig) and isinstance(second, SetConfig):
        for key in first.changes.keys() & second.changes.keys():
            if first.changes[key] != second.changes[key]:
                return f"{key} is {first.changes[key]} there and {second.changes[key]} here"
    if isinstance(first, SetVolatility) and isinstance(second, SetVolatility) and first != second:
        return f"the volatility state is {first.state or 'market'} there and {second.state or 'market'} here"
    if isinstance(first, SetTransactionCost) and isinstance(second, SetTransactionCost) and first != second:
        return f"the level is {first.level:g} there and {second.level:g} here"
    return None


def _day_of(entry: ScriptEntry, path: Path, config: ScenarioConfig, calendar: Calendar, document: Document) -> int:
    """The day of an entry: its ``at``, or the year (and month) that the body of a manual reinvestment gives."""
    at = None if entry.at is None else calendar.day(entry.at)
    body = manual_body(entry.do)
    last = config.last_day()
    if body is None or body.get("year") is None:
        assert at is not None  # the schema has seen to it
        if not 0 <= at < last:
            message = f"{entry.at} is outside the fund's life, {config.fund.start_date} to {calendar.date(last - 1)}"
            raise InvalidInput([document.problem((*path, "at"), message)])
        return at
    path = (*path, "do", *(() if "command" in entry.do else ("reinvest",)))
    months = arguments_of("reinvest", body, path, document).months()
    day = calendar.add_months(0, months)
    if not 0 <= day < last:
        until = calendar.date(last - 1)
        raise InvalidInput(
            [
                document.problem(
                    (*path, "year"),
                    f"{calendar.date(day)} is outside the fund's life, {config.fund.start_date} to {until}",
                )
            ]
        )
    if at is not None and at != day:
        raise InvalidInput(
            [document.problem((*path, "year"), f"means {calendar.date(day)}, but at: is {entry.at}; give one of them")]
        )
    return day


def read_command(do: dict[str, Any], config: ScenarioConfig) -> AnyCommand:
    """The command that a Python script asks for, by the settings of the day. Raises InvalidInput."""
    if not isinstance(do, dict):
        message = f"expected a command like {{'shock_price': -0.2}}, got {do!r}"
        raise InvalidInput([Problem("do", message, "script")])
    if (manual_body(do) or {}).get("year") is not None:
        raise InvalidInput([Problem("do", "a Python script's commands are carried out at once; omit year", "script")])
    document = Document("script", {"do": do})
    command = command_of(do, ("do",), config, document)
    settled(command, do, ("do",), config, document)
    return command
