"""Bridges between two runs: every step is what an account, or a reason, did; together they are the difference."""

from decimal import Decimal

import pytest

from fundclock import Scenario
from fundclock.scenarios.charts.bridges import dollar_days_bridge, net_cash_bridge
from fundclock.scenarios.comparisons.diff import diff

DELAY = {"reinvestment_engine.reinvestment_delay": 3}


@pytest.fixture(scope="module")
def pair(levered_run):
    return levered_run, levered_run.fork("2028-03-31", DELAY)


def steps_of(chart):
    (series,) = chart.series
    return dict(zip(series.x, (Decimal(str(value)) for value in series.y), strict=True))


@pytest.mark.parametrize("bridge", [net_cash_bridge, dollar_days_bridge])
def test_the_steps_lead_from_one_run_to_the_other_to_the_cent(pair, bridge):
    steps = steps_of(bridge(*pair))
    first, second = steps.pop("first run"), steps.pop("second run")
    assert first + sum(steps.values()) == second
    assert len(steps) > 3
    assert all(steps.values())


def test_net_cash_is_what_the_partners_got_less_what_they_paid(pair):
    steps = steps_of(net_cash_bridge(*pair))
    for run, place in zip(pair, ("first run", "second run"), strict=True):
        got = Decimal(run.metrics["distributed"]) - Decimal(run.metrics["contributed"])
        assert steps[place] == got
    money = {row["account"]: Decimal(row["delta"]) for row in diff(*pair).money() if Decimal(row["delta"])}
    for account, step in steps.items():
        if account in money:
            assert step == -money[account]  # what an account has more of, the partners have less of
    assert "Equity:LP:Distributions" not in steps


def test_dollar_days_are_those_of_the_audit(pair):
    steps = steps_of(dollar_days_bridge(*pair))
    for row in diff(*pair).timing():
        assert steps.get(row["reason"], 0) == Decimal(row["delta"])
    assert steps["first run"] == Decimal(pair[0].metrics["idle_dollar_days"])


def test_the_same_run_has_no_steps(levered_run):
    assert list(steps_of(net_cash_bridge(levered_run, levered_run))) == ["first run", "second run"]


def test_unfinished_and_other_funds_are_bridged_too(pair):
    steps = steps_of(net_cash_bridge(pair[0], Scenario.load("base").with_(seed=3).run()))
    assert steps.pop("first run") + sum(steps.values()) == 2 * steps.pop("second run")


def test_more_net_cash_is_good_and_more_dollar_days_are_bad(pair):
    cash, days = net_cash_bridge(*pair), dollar_days_bridge(*pair)
    assert {chart.form for chart in (cash, days)} == {"waterfall"}
    assert {chart.axis for chart in (cash, days)} == {"category"}
    assert (cash.x_names, cash.more_is_worse) == ("account", False)
    assert (days.x_names, days.more_is_worse) == ("reason", True)
