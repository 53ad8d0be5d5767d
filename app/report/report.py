"""The report of a run: one HTML page that opens anywhere, without a network."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from fundclock.app.drawing import draw, written_numbers
from fundclock.app.labels import DEBT_METRICS, METRICS, SECTIONS, ZONES, label, metric, number
from fundclock.events.units import from_cents
from fundclock.scenarios.charts.figures import GROUPS, chart_data, figures_of
from fundclock.scenarios.files.changes import leaves
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.audit import Audit, audit
from fundclock.scenarios.timing.promises import FATES

MAX_ROWS = 400
"""Numbers of a figure that are listed on the page; all of them are in the figure."""


class Rows(NamedTuple):
    """A table: heads and cells."""

    heads: Sequence[str]
    cells: Sequence[Sequence[str]]


def report_html(run: RecordedRun) -> str:
    """The page: summary, figures with their numbers, covenants, timing audit with the ladder, manifest.

    A run that is not finished has no ladder. Figures that a run can't have are left out, and so are sections without.
    """
    audited = audit(run, ladder=run.state.results.finished)
    drawn: dict[str, Any] = {}
    possible = figures_of(run)
    groups = []
    for anchor, names in GROUPS.items():
        shown = []
        for name in names:
            if name not in possible:
                continue
            data = chart_data(run, name)
            if not any(series["x"] for series in data["series"]) if "series" in data else not data["rows"]:
                continue
            plain = data["form"] == "table"  # a table is read as one
            if not plain:
                drawn[name] = json.loads(draw(data).to_json())
            shown.append({"name": name, "title": data["title"], "plain": plain, "numbers": _numbers(data)})
        if shown:
            groups.append((anchor, SECTIONS[anchor], shown))
    covenants = _covenants(run)
    sections = [
        ("summary", "Summary"),
        *((anchor, heading) for anchor, heading, _ in groups),
        *([("covenants", "Covenants")] if covenants else []),
        ("audit", "Timing audit"),
        ("manifest", "Manifest"),
    ]
    labels = {**METRICS, **(DEBT_METRICS if run.state.facilities.by_name else {})}
    page: str = _template().render(
        title=f"{run.manifest.name}, seed {run.manifest.seed}",
        manifest=run.manifest,
        records=number(len(run.log), "count"),
        head_hash=run.head_hash,
        parent=run.parent,
        divergence_seq=run.divergence_seq and number(run.divergence_seq, "count"),
        sections=sections,
        tiles=[
            (found.text, metric(name, run.metrics[name]))
            for name, found in labels.items()
            if run.metrics[name] is not None
        ],
        zones=_zones(run),
        warnings=run.warnings,
        groups=groups,
        covenants=covenants,
        audit=_audit(audited),
        audit_notes=_notes(audited),
        made_from=_made_from(run),
        settings=_settings(run),
        plotly=Markup(get_plotlyjs()),
        drawn=_script_safe(drawn),
    )
    return page


def _script_safe(value: Any) -> Markup:
    """JSON that can stand in a script: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


@cache
def _template() -> Any:
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["table"] = _table
    return environment.get_template("report.html")


def _table(heading: str, rows: Rows) -> Markup:
    parts = [f"<h3>{escape(heading)}</h3>" if heading else "", '<div class="scroll"><table><thead><tr>']
    parts += [f'<th scope="col">{escape(head)}</th>' for head in rows.heads]
    parts.append("</tr></thead><tbody>")
    for cells in rows.cells:
        parts.append("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in cells) + "</tr>")
    parts.append("</tbody></table></div>")
    return Markup("".join(parts))


def _cell(cell: str) -> str:
    text = str(escape(cell))
    return f'<span class="fail">{text}</span>' if cell == "failed" else text


def _numbers(data: Mapping[str, Any]) -> Rows:
    heads, rows = written_numbers(data)
    return Rows(heads, rows[:MAX_ROWS])


def _zones(run: RecordedRun) -> Rows:
    return Rows(
        ("Zone", *(found.text for found in ZONES.values())),
        [
            [label(zone, "zone"), *(metric(name, row[name]) for name in ZONES)]
            for zone, row in run.metrics["zones"].items()
        ],
    )


def _covenants(run: RecordedRun) -> Rows | None:
    calendar, cells = calendar_of(run.manifest), []
    for record in run.log.read(kinds=["covenant.tested/1"]):
        fact, date = record.payload, calendar.date(record.day).isoformat()
        for test, passed in fact.passed.items():
            if fact.trigger == "quarter_end" or not passed:
                measured = [number(fact.value[test], "ratio"), number(fact.limit[test], "ratio")]
                headroom = number(from_cents(fact.headroom_cents[test]), "money")
                result = "passed" if passed else "failed"
                about = [label(fact.facility), date, label(fact.trigger), label(test)]
                cells.append([*about, *measured, headroom, result, str(record.seq)])
    heads = ("Facility", "Date", "Trigger", "Test", "Value", "Limit", "Headroom", "Result", "Seq")
    return Rows(heads, cells) if cells else None


def _audit(found: Audit) -> list[tuple[str, Rows]]:
    data = found.as_json()
    tables = [
        ("Where the dollar-days went", _days(found, data)),
        ("Waits that are not cash", _waits(data["waits"])),
        ("Promised and kept", _promises(data["promises"])),
    ]
    if found.ladder is not None:
        tables.insert(1, ("What timing cost", _steps(data["steps"])))
    if data["latencies"]["events"]:
        tables.append(("When did we know?", _latencies(data["latencies"]["events"])))
    return tables


def _days(found: Audit, data: Mapping[str, Any]) -> Rows:
    total, cells = found.dollar_days.total or 1, []
    for reason, cents in found.dollar_days.by_reason().items():
        money = [number(data[key][reason], "money") for key in ("dollar_days", "indicative_carry")]
        cells.append([label(reason, "reason"), money[0], number(cents / total, "share", 1), money[1]])
    cells.append(["All cash and reserve", number(data["cash_integral"], "money"), "", ""])
    return Rows(("Reason", "Dollar-days", "Share", "Indicative cost of waiting"), cells)


def _steps(steps: Iterable[Mapping[str, Any]]) -> Rows:
    cells = []
    for row in steps:
        rate = number(row["net_irr"], "share", 4)
        step = "" if row["delta_net_cash"] is None else number(row["delta_net_cash"], "money")
        money = [number(row["net_cash"], "money"), step, number(row["future_value"], "money")]
        cells.append([label(row["name"], "rung"), *money, rate, row["reason"] or ""])
    return Rows(("Rung", "LP net cash", "Step", "Future value", "Net IRR", ""), cells)


def _waits(waits: Mapping[str, Mapping[str, Any]]) -> Rows:
    cells = [
        [
            label(name, "wait"),
            number(row["items"], "count"),
            number(row["mean_days"], "days"),
            number(row["dollar_days"], "money"),
        ]
        for name, row in waits.items()
        if row["items"]
    ]
    return Rows(("", "Items", "Mean days", "Dollar-days"), cells)


def _promises(promises: Mapping[str, Mapping[str, Any]]) -> Rows:
    counts = ("promises", *FATES)
    cells = [
        [kind, *(number(row[name], "count") for name in counts), number(row["mean_days_ahead"], "days")]
        for kind, row in promises.items()
    ]
    return Rows(("Command", *(label(name, "fate") for name in counts), "Days ahead"), cells)


def _latencies(events: Iterable[Mapping[str, Any]]) -> Rows:
    keys = ("true_since", "seen", "over", "days_to_see", "days_to_cure")
    cells = [
        [label(row["condition"], "condition"), label(row["about"]), *(number(row[key], "text") for key in keys)]
        for row in events
    ]
    return Rows(("Condition", "About", *map(label, keys)), cells)


def _notes(found: Audit) -> list[str]:
    data = found.as_json()
    lines = [
        f"The dollar-days add up to the integral of cash and reserve: {number(data['dollar_days_total'], 'money')}."
    ]
    if found.ladder is None:
        return [*lines, "The run is not finished, so that it can't be held against whole ones."]
    rate = f"{number(data['future_value_rate'], 'share')} on {data['future_value_date']}"
    return [
        *lines,
        f"Each rung stands on those before it; residual {data['residual']}.",
        f"Future value at {rate}; conditions of scripts {data['conditions']}.",
    ]


def _made_from(run: RecordedRun) -> Rows:
    manifest = run.manifest
    cells = [
        ["Scenario", manifest.name],
        ["Seed, replication", f"{manifest.seed}, {manifest.replication}"],
        ["Run", run.name or "in memory"],
        ["Head hash", run.head_hash],
        ["Lock file", manifest.lock_digest or "–"],
        ["Python script", manifest.python or "–"],
        *([f"Input {key}", digest] for key, digest in manifest.inputs.items()),
        *([f"Version of {name}", version] for name, version in manifest.versions.items()),
    ]
    return Rows(("", ""), cells)


def _settings(run: RecordedRun) -> Rows:
    defaults = leaves("", ScenarioConfig().model_dump(mode="json"))
    mine = leaves("", dict(run.manifest.scenario))
    kept = {key: value for key, value in mine.items() if value is not None and value != defaults.get(key)}
    return Rows(("Key", "Value", "Default"), [[key, str(value), str(defaults.get(key))] for key, value in kept.items()])
