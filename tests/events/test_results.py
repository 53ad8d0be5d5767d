"""Results hold cents and are written as text."""

from dataclasses import dataclass, field

from fundclock.events.results import as_json


@dataclass(frozen=True)
class Inner:
    gain_cents: int
    return_: float | None


@dataclass(frozen=True)
class Outer:
    name: str
    nav_cents: int
    owed_cents: int | None
    by_zone_cents: dict[str, int]
    steps_cents: list[int]
    count: int
    inner: dict[str, Inner] = field(default_factory=dict)


def test_cents_become_text_also_inside_mappings_and_lists():
    made = Outer("a", -5, None, {"green": 100, "red": 1}, [123456, 0], 7, {"x": Inner(99, None)})
    assert as_json(made) == {
        "name": "a",
        "nav": "-0.05",
        "owed": None,
        "by_zone": {"green": "1.00", "red": "0.01"},
        "steps": ["1234.56", "0.00"],
        "count": 7,
        "inner": {"x": {"gain": "0.99", "return": None}},
    }


def test_the_metrics_of_a_run_are_its_results_as_text(base_run):
    assert list(base_run.metrics)[:3] == ["net_irr", "gross_irr", "gross_levered_irr"]
    assert base_run.metrics["contributed"] == f"{base_run.results.contributed_cents / 100:.2f}"
    assert base_run.metrics["zones"]["green"]["return"] == base_run.results.zones["green"].return_
    assert base_run.metrics["irr"]["net"] == {"rate": base_run.results.net_irr, "status": "one", "roots": 1}
