"""Plans: what a new run and a re-run are made from, read and checked by the same steps."""

from pydantic import ValidationError

from fundclock.events.commands import Reinvest
from fundclock.events.facts import RunStarted
from fundclock.events.phases import PHASES
from fundclock.events.stores.store import InputFile
from fundclock.handlers.allocation.settings import CapitalSettings
from fundclock.scenarios.files.axes import DRAWS, axis_values
from fundclock.scenarios.files.changes import leaves
from fundclock.scenarios.files.documents import Document, validate
from fundclock.scenarios.files.inputs import Reader, by_digest, load_inputs
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.files.tape import read_tape
from fundclock.scenarios.runs.manifest import lock_digest, versions
from fundclock.scenarios.runs.market_paths import make_market
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.scripts.entries import read_script
from fundclock.sim.streams import Streams


def make_plan(document: Document, name: str, seed: int, replication: int, kept: Reader | None = None) -> Plan:
    """Everything read and checked, files too; ``kept`` finds the inputs of a stored run, by their digests.

    Raises InvalidInput with every problem found; nothing is written.
    """
    config = validate(document)
    script = read_script(config, document)
    _check_axes(config, document)
    inputs = load_inputs(config, kept)
    calendar = config.calendar()
    make_market(config, calendar, [0, config.last_day()], Streams(0), inputs)
    opening = None
    if "loans.tape" in inputs:
        tape = inputs["loans.tape"]
        opening = read_tape(tape.content, tape.name, config.zones, calendar, config.last_day())
    manifest = make_manifest(name, config, seed, replication, inputs)
    return Plan(config, seed, replication, inputs, opening, script, manifest)


def make_manifest(
    name: str, config: ScenarioConfig, seed: int, replication: int, inputs: dict[str, InputFile]
) -> RunStarted:
    """The first record of a run. Engines that are disabled are null in it."""
    resolved = by_digest(config, inputs).model_dump(mode="json", exclude={"name", "description", "sweep"})
    for engine in ("leverage", "capital_allocation"):
        if not resolved[engine]["enabled"]:
            resolved[engine] = None
    return RunStarted(
        name=name,
        seed=seed,
        replication=replication,
        start_date=config.fund.start_date.isoformat(),
        end_date=config.calendar().date(config.last_day()).isoformat(),
        scenario=resolved,
        inputs={key: item.digest for key, item in inputs.items()},
        phases=list(PHASES),
        versions=versions(),
        lock_digest=lock_digest(),
    )


def plan_again(manifest: RunStarted, kept: Reader) -> Plan:
    """The plan of a stored run, with its original manifest. Raises InvalidInput if an input is unavailable."""
    values = {key: value for key, value in manifest.scenario.items() if value is not None}
    document = Document(f"manifest of {manifest.name}", values)
    plan = make_plan(document, manifest.name, manifest.seed, manifest.replication, kept)
    return plan._replace(manifest=manifest)


def warnings_of(plan: Plan) -> list[str]:
    """One line for each request of a plan that has no effect."""
    return [*unused(plan.config), *_declined(plan)]


def unused(config: ScenarioConfig) -> list[str]:
    """One line for each setting that differs from its default and has no effect yet."""
    values, defaults = (made.model_dump(mode="json") for made in (config, ScenarioConfig()))
    found: list[str] = []
    if not config.capital_allocation.enabled and values["capital_allocation"] != defaults["capital_allocation"]:
        found.append("capital_allocation: has no effect because enabled is false")
    if config.waterfall.pref_clock == "facility_draw" and "ramp_line" not in config.leverage.lines():
        found.append("waterfall.pref_clock: has no effect without leverage.ramp_line, whose draws start the clock")
    return found


def _declined(plan: Plan) -> list[str]:
    """One line for each manual reinvestment on a day on which nothing is reinvested any more."""
    calendar = plan.config.calendar()
    period_end = calendar.add_months(0, plan.config.fund.reinvestment_period_years * 12)
    return [
        f"{place}: will be declined: {calendar.date(day)} is after the reinvestment period,"
        f" which ends on {calendar.date(period_end - 1)}"
        for day, place, act in plan.script.acts
        if isinstance(act, Reinvest) and day >= period_end
    ]


def with_environment(document: Document) -> Document:
    """The document with allocation settings from ``CAPITAL_*`` variables, where it allocates and does not set them.

    Manifests hold all settings, so that variables have no effect when a run is played again.
    """
    section = document.values.get("capital_allocation")
    if not isinstance(section, dict) or not ("strategy" in section or section.get("enabled") is True):
        return document
    try:
        from_environment = CapitalSettings()
    except ValidationError as error:
        raise InvalidInput(
            Problem(f"CAPITAL_{'_'.join(map(str, found['loc'])).upper() or '*'}", found["msg"], "environment")
            for found in error.errors()
        ) from None
    missing = from_environment.model_fields_set - set(section)
    if not missing:
        return document
    added = {name: getattr(from_environment, name) for name in missing}
    values = {**document.values, "capital_allocation": {**section, **added}}
    return Document(document.source, values, document.positions, document.origins)


def _check_axes(config: ScenarioConfig, document: Document) -> None:
    """Whether the scenario's own sweep can be read. Raises InvalidInput with every axis that can't."""
    known = leaves("", config.model_dump(mode="json", exclude={"script", "sweep"}))
    problems: list[Problem] = []
    for key, given in config.sweep.items():
        try:
            axis_values(key, given)
        except InvalidInput as error:
            problems += [document.problem(("sweep", key), problem.message) for problem in error.problems]
        if key not in (*known, *DRAWS) and not any(name.startswith(f"{key}.") for name in known):
            hint = closest(key, known)
            problems.append(document.problem(("sweep", key), "unknown setting", hint))
    if problems:
        raise InvalidInput(problems)
