"""Figures drawn from their data, and the report that holds them."""

import json
import re
from pathlib import Path

import pytest

from fundclock import Scenario, sweep
from fundclock.app.drawing import COLOURS, GRID, MUTED, ZONES, draw, numbers, written_numbers
from fundclock.app.labels import (
    LABELS,
    as_json,
    difference,
    head,
    label,
    named,
    number,
    short,
    signed,
    unit_of,
)
from fundclock.app.labels import (
    NAMES as CALLED,
)
from fundclock.app.report.report import report_html
from fundclock.scenarios.charts.chart import Chart, Column, DataTable, Series, Threshold, read
from fundclock.scenarios.charts.figures import GROUPS, NAMES
from fundclock.scenarios.timing.idle_cash import REASONS
from fundclock.scenarios.timing.non_cash_waits import TABLES
from fundclock.scenarios.timing.promises import FATES
from funds import interrupted

FULL = {"capital_allocation.strategy": "risk_parity", "reinvestment_engine.enable_cash_reserve": True}


@pytest.fixture(scope="module")
def full_run():
    """A run that has every figure."""
    return Scenario.load("levered").with_(seed=7, set=FULL).run()


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_draws_all_its_numbers(full_run, name):
    data = full_run.figure(name)
    figure = json.loads(draw(data).to_json())
    traces, found = figure["data"], read(data)
    assert figure["layout"]["title"]["text"] == data["title"]
    if isinstance(found, DataTable):
        assert found.as_json() == data
        if found.form == "sankey":
            assert len(traces[0]["link"]["value"]) == len(found.rows)
        else:
            assert len(traces[0]["cells"]["values"]) == len(found.columns)
            assert len(traces[0]["cells"]["values"][0]) == len(found.rows)
        return
    assert found.as_json() == data
    levels = [level for level in found.thresholds if level.y and level.drawn]
    assert len(traces) == len(found.series) + len(levels)
    for series, trace in zip(found.series, traces, strict=False):
        assert (trace["name"], trace["x"]) == (named(series), series.x)
        if found.form == "panels":
            assert trace["customdata"] == series.records  # what a click leads to
            assert [*trace["y"]] == series.y
    for level, trace in zip(levels, traces[len(found.series) :], strict=True):
        assert (trace["name"], trace["line"]["dash"]) == (named(level), "dash")
        assert set(trace["y"]) == set(level.y)


SAID = {
    "reinvestment_by_zone": {"axis": "category", "x_names": "zone"},
    "covenant_compliance": {"near_limits": True},
    "debt_structure": {"stacked": True},
    "stress_results": {"axis": "category", "x_names": "shock", "near_limits": True},
    "dollar_days": {"stacked": True},
    "timing_waterfall": {"form": "waterfall", "axis": "category", "x_names": "rung"},
    "cash_sankey": {"form": "sankey"},
}
"""What figures say of their drawing where it is not what most are drawn like."""

TESTS = ["base", "ltv", "liquidity", "dscr"]
MEASURES = ["average_ltv", "hhi_zone", "hhi_loan", "top5", "top10", "score"]
PANELS = {
    "allocation_comparison": [None, "gap"],
    "risk_before_after": MEASURES,
    "risk_impact": [*MEASURES, "diversification_impact", "risk_adjusted_return_impact", None],
    "risk_trend": [*MEASURES, "expected_return", None],
    "covenant_compliance": TESTS,
    "leverage_impact": ["net_asset_value", "tvpi", "net_irr"],
}
"""Panels that are not those of the units."""


@pytest.mark.parametrize("name", NAMES)
def test_figures_say_how_they_are_drawn(full_run, name):
    data = full_run.figure(name)
    plain = {"form": "panels" if "series" in data else "table", "axis": "date", "x_names": None, "stacked": False,
             "near_limits": False, "more_is_worse": False}  # fmt: skip
    assert {key: data[key] for key in plain if key in data and data[key] != plain[key]} == SAID.get(name, {})
    if "series" not in data:
        return
    assert list(dict.fromkeys(series["panel"] for series in data["series"])) == PANELS.get(name, [None])
    assert {level["panel"] for level in data["thresholds"]} <= {series["panel"] for series in data["series"]}


def test_series_say_whose_they_are_and_in_what_role(full_run):
    def said(name, part="series"):
        keys = ("zone", "facility", "reason", "measure", "role")
        return {one["name"]: tuple(one[key] for key in keys if one[key]) for one in full_run.figure(name)[part]}

    assert said("allocation_comparison") == {
        f"{zone} {what}": (zone, what) for zone in ZONES for what in ("target", "actual", "gap", "in the book")
    }
    fund = full_run.figure("allocation_comparison")["thresholds"]
    assert [(level["zone"], level["role"], level["drawn"]) for level in fund] == [(z, "target", False) for z in ZONES]
    assert said("allocation_drift") == {
        **{f"{zone} {what}": (zone, what) for zone in ZONES for what in ("share", "target")}, "largest drift": (),
    }  # fmt: skip
    assert said("cash_reserve", "thresholds") == {
        "target": ("reserve", "target"), "min": ("reserve", "minimum"), "max": ("reserve", "maximum"),
    }  # fmt: skip
    assert said("risk_before_after") == {f"{m} {when}": (m, when) for m in MEASURES for when in ("before", "after")}
    for name in ("risk_impact", "risk_trend"):
        assert {f"{zone} share": (zone, "share") for zone in ZONES}.items() <= said(name).items()
    lines = ("green_sleeve", "ramp_line")
    assert said("leverage_utilization") == {
        f"{name} {what}": (name, "base" if what == "borrowing base" else what)
        for name in lines
        for what in ("drawn", "available", "borrowing base")
    }
    assert said("leverage_utilization", "thresholds") == {f"{name} commitment": (name, "commitment") for name in lines}
    assert said("interest_expenses") == {
        f"{name} {what}": (name, what) for name in lines for what in ("interest", "fees", "rate")
    }
    assert said("debt_structure") == {**{name: (name,) for name in lines}, "average rate": ()}
    tests = said("covenant_compliance")
    assert tests == {name: tuple(name.split()) for name in tests}
    assert said("covenant_compliance", "thresholds") == {
        f"{name} limit": (*about, "limit") for name, about in tests.items()
    }
    assert said("stress_results", "thresholds") == {f"{t} limit": (t, "limit") for t in ("base", "ltv", "liquidity")}
    debt = said("leverage_impact")
    assert [role for _, role in debt.values()] == [*["with_debt"] * 3, *["without_debt"] * 3]
    assert [measure for measure, _ in debt.values()] == ["net_asset_value", "tvpi", "net_irr"] * 2
    assert all(about == (reason,) for reason, about in said("dollar_days").items())
    zones = [column["zone"] for column in full_run.figure("reinvestment_summary_table")["columns"]]
    assert zones == [*[None] * 4, *ZONES]
    assert [column["names"] for column in full_run.figure("cash_sankey")["columns"]] == ["flow", "flow", None]


WORDS = {"name", "text", "ticktext", "header", "label"}
"""What is written in a drawing, and says nothing of how it is drawn."""


def shape(value):
    """A drawing without its words."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items() if key not in WORDS}
    return [shape(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
def test_names_say_nothing_of_how_a_figure_is_drawn(full_run, name):
    data = full_run.figure(name)
    other = {**data, "name": "figure", "title": "a figure", "x_label": "place"}
    for key in ("series", "thresholds", "columns"):
        if key in data:
            other[key] = [{**one, "name": f"{key} {place}"} for place, one in enumerate(data[key])]
    drawn, again = (shape(json.loads(draw(one).to_json())) for one in (data, other))
    assert drawn == again


def chart(*series, levels=(), **fields):
    return Chart("c", "A chart", "date", list(series), list(levels), **fields)


def line(name="a", y=(1.0, 2.0), x=("2027-01-01", "2027-02-01"), unit="USD", kind="line", **about):
    return Series(name, unit, [*x], [*y], [[] for _ in x], kind, **about)


def drawing(*series, levels=(), **fields):
    return draw(chart(*series, levels=levels, **fields).as_json())


def titles_of(figure):
    return [note.text for note in figure.layout.annotations]


def test_what_has_the_same_panel_shares_an_axis_and_else_what_has_the_same_unit():
    figure = drawing(line(), line(unit="share"), line(panel="gap"), line(), line(panel="gap"), line(panel="ltv"))
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y3", "y", "y3", "y4"]
    assert [figure.layout[f"yaxis{at}"].title.text for at in ("", 2, 3)] == ["USD", "", "USD"]
    assert titles_of(figure) == ["Gap", "LTV"]
    assert figure.layout.height == 160 + 4 * 130
    assert figure.layout.margin.t == 64
    assert titles_of(drawing(line(), line(unit="share"))) == []
    with pytest.raises(ValueError, match="chart c: b is in share, its panel is not"):
        chart(line(panel="gap"), line("b", unit="share", panel="gap"))


def test_a_level_is_drawn_in_its_panel_over_the_whole_chart():
    levels = [
        Threshold("one", "USD", ["2026-01-01"], [5.0], panel="gap"),
        Threshold("two", "USD", ["2027-01-01", "2027-01-15"], [5.0, 6.0]),
        Threshold("not drawn", "USD", ["2027-01-01"], [5.0], drawn=False),
        Threshold("of no panel", "ratio", ["2027-01-01"], [5.0]),
        Threshold("empty", "USD", [], []),
    ]
    figure = drawing(line(), line(panel="gap"), levels=levels)
    one, two = figure.data[2:]
    assert (one.yaxis, two.yaxis) == ("y2", "y")
    assert ([*one.x], [*one.y]) == (["2027-01-01", "2027-02-01"], [5, 5])
    assert ([*two.x], [*two.y]) == (["2027-01-01", "2027-01-15", "2027-02-01"], [5, 6, 6])
    assert {(level.line.dash, level.line.color) for level in (one, two)} == {("dash", MUTED)}
    assert len(drawing(line(x=(), y=()), levels=levels[:2]).data) == 1


def colours(figure):
    return [(trace.line if trace.type == "scatter" else trace.marker).color for trace in figure.data]


def test_a_zone_has_one_colour_in_all_its_series():
    figure = drawing(line(zone="green"), line(zone="a"), line(zone="b", kind="bar"), line(), line(zone="a"))
    assert colours(figure) == [ZONES["green"], COLOURS[1], COLOURS[2], COLOURS[3], COLOURS[1]]
    assert colours(drawing(line("green share"), line("red"))) == [*COLOURS[:2]]  # a name is only a name


def test_roles_that_are_held_against_each_other_have_colours_and_what_was_to_be_is_dotted():
    roles = ("before", "after", "with_debt", "without_debt", "target", "actual", None)
    figure = drawing(*(line(role=role, panel=f"{place % 2}") for place, role in enumerate(roles)))
    assert colours(figure) == [COLOURS[at] for at in (0, 1, 0, 1, 4, 5, 6)]
    assert [trace.line.dash for trace in figure.data] == [*["solid"] * 4, "dot", "solid", "solid"]
    assert drawing(line("x target")).data[0].line.dash == "solid"


def test_a_series_is_drawn_by_its_kind():
    many = [f"2027-01-{day:02}" for day in range(1, 32)] * 2
    bar, step, long = drawing(line(kind="bar"), line(kind="step"), line(x=many, y=[1.0] * 62)).data
    assert (bar.type, step.line.shape, step.mode) == ("bar", "hv", "lines+markers")
    assert (long.line.shape, long.mode) == ("linear", "lines")


def test_parts_of_a_sum_are_stacked_and_others_stand_beside_each_other():
    bars = [line(kind="bar"), line(kind="bar")]
    assert drawing(*bars, stacked=True).layout.barmode == "stack"
    assert drawing(*bars).layout.barmode == "group"


def test_what_is_far_beyond_a_limit_is_cut_off_where_limits_are_what_matters():
    levels = [Threshold("limit", "ratio", ["2027-01-01"], [1.5])]
    far, near = line(y=(-1.0, 100.0), unit="ratio"), line(y=(0.5, 2.0), unit="ratio")
    assert drawing(far, levels=levels, near_limits=True).layout.yaxis.range == (-1, 6)
    assert drawing(near, levels=levels, near_limits=True).layout.yaxis.range == pytest.approx((0, 2.1))
    assert drawing(far, levels=levels).layout.yaxis.range is None
    assert drawing(far, near_limits=True).layout.yaxis.range is None


def test_dates_are_in_their_order_and_names_in_that_of_the_data():
    days = ("2027-02-01", "2027-01-01")
    bars = drawing(line(kind="bar", x=days)).layout.xaxis
    assert (bars.type, [*bars.categoryarray]) == ("category", sorted(days))
    assert drawing(line(x=days)).layout.xaxis.type is None  # a line has days of even width
    many = [f"2027-{month:02}" for month in range(1, 13)] * 2
    assert len(drawing(line(kind="bar", x=many, y=[1.0] * 24)).layout.xaxis.tickvals) == 6
    shocks = {"axis": "category", "x_names": "shock"}
    axis = drawing(line(x=("nav", "liquidity"), kind="bar"), **shocks).layout.xaxis
    assert (axis.title.text, [*axis.tickvals]) == ("Date", ["nav", "liquidity"])
    assert [*axis.ticktext] == ["NAV down", "Less liquidity"]
    for fields, order in (({}, sorted(days)), ({"axis": "category"}, [*days])):
        assert [row[0] for row in numbers(chart(line(x=days), **fields).as_json())[1]] == order
    level = Threshold("l", "USD", ["nav", "liquidity"], [1.0, 2.0])
    assert [*drawing(line(x=("nav", "liquidity")), levels=[level], **shocks).data[1].x] == ["nav", "liquidity"]


@pytest.mark.parametrize(
    ("unit", "values", "axis"),
    [
        ("share", (0.1, 0.5), {"tickformat": ".1%", "hoverformat": ",.2%"}),
        ("share", (0.001, 0.01), {"tickformat": ".2%"}),
        ("share", (0.501, 0.503), {"tickformat": ".2%"}),
        ("ratio", (1.0, 2.0), {"tickformat": ".2f", "hoverformat": ",.3f"}),
        ("index", (0.001, 0.002), {"tickformat": ".2~g", "hoverformat": ",.4f"}),
        ("number", (1.0, 9.0), {"tickformat": ",d", "rangemode": "tozero", "range": None}),
        ("number", (1.0, 2.0), {"dtick": 1, "range": (0, 6)}),
        ("EUR", (1.0, 2.0), {"exponentformat": "B", "hoverformat": ",.2f", "tickformat": None}),
        ("EUR × days", (1.0, 2.0), {"exponentformat": "B", "hoverformat": ",.2f"}),
    ],
)
def test_an_axis_is_labelled_by_its_unit(unit, values, axis):
    found = drawing(line(unit=unit, y=values)).layout.yaxis
    assert {key: found[key] for key in axis} == axis


def test_a_legend_names_what_no_title_says_and_has_its_room():
    figure = drawing(line(measure="top5", panel="top5"), line(measure="score", panel="score", role="before"))
    assert [trace.showlegend for trace in figure.data] == [False, None]
    few, many = (drawing(*(line() for _ in range(lines))) for lines in (6, 8))
    assert (few.layout.height, many.layout.height) == (340, 380)


def bridge(**fields):
    steps = Series("cash", "USD", ["a", "b", "c", "d"], [100.0, 20.0, -30.0, 90.0], [[]] * 4, "bar")
    return Chart("c", "A bridge", "step", [steps], form="waterfall", axis="category", **fields)


def test_a_step_up_is_good_unless_more_is_worse():
    good, bad = COLOURS[2], COLOURS[5]
    for chart, up, down in ((bridge(), good, bad), (bridge(more_is_worse=True), bad, good)):
        figure = draw(chart.as_json())
        [bars] = figure.data
        assert (bars.increasing.marker.color, bars.decreasing.marker.color) == (up, down)
        assert [*bars.measure] == ["absolute", "relative", "relative", "total"]
        assert ([*bars.y], [*bars.text]) == ([100, 20, -30, 0], ["100", "20", "-30", "90"])
        assert figure.layout.yaxis.range == (72, 138)
        assert (figure.layout.hovermode, figure.layout.showlegend) == (None, False)
        assert bars.connector.line.color == GRID
    named_so = draw(bridge(x_names="reason").as_json()).layout.xaxis
    assert [*named_so.ticktext] == ["A", "B", "C", "D"]
    assert draw(bridge().as_json()).layout.xaxis.ticktext is None


def test_a_fan_is_drawn_by_quantiles_whatever_their_order():
    quantiles = (0.5, 0.9, 0.1)
    lines = [line(str(q), y=(q, q), unit="decimal", measure="net_irr", quantile=q) for q in quantiles]
    figure = drawing(*lines, form="fan", axis="category")
    assert [(trace.name, trace.y[0]) for trace in figure.data] == [
        ("Net IRR, 10% quantile", 0.1), ("10% to 90%", 0.9), ("median", 0.5),
    ]  # fmt: skip
    assert figure.data[1].fill == "tonexty"
    assert figure.layout.hovermode == "x unified"


def test_a_sankey_leads_from_sources_to_uses():
    rows = [["exit", "fees", "1.50"], ["coupon", "fees", "2.00"], ["exit", "exit", "4.00"]]
    columns = [Column("source", "name", names="flow"), Column("use", "name", names="flow"), Column("amount", "EUR")]
    found = DataTable("t", "A table", columns, rows, [[]] * 3, form="sankey")
    [sankey] = draw(found.as_json()).data
    assert [*sankey.node.label] == ["Exits", "Coupons", "→ Exits", "→ Fees"]
    assert ([*sankey.link.source], [*sankey.link.target], [*sankey.link.value]) == ([0, 1, 0], [3, 3, 2], [1.5, 2, 4])
    assert (sankey.valuesuffix, sankey.valueformat) == (" EUR", ",.2f")
    table = draw({**found.as_json(), "form": "table"}).data[0]
    assert [*table.cells["values"][2]] == ["1.50", "2.00", "4.00"]


def test_data_of_an_older_version_is_drawn_too():
    series = {"name": "a b", "unit": "USD", "x": ["2027"], "y": [1.0], "records": [[1]], "kind": "bar"}
    data = {"schema": "fundclock.chart/1", "name": "n", "title": "t", "x_label": "year", "series": [series]}
    figure = draw({**data, "thresholds": [{"name": "l", "unit": "USD", "x": ["2027"], "y": [2.0]}]})
    assert [trace.name for trace in figure.data] == ["A b", "L"]


def test_the_waterfall_stands_on_the_run_and_ends_without_any_wait(full_run):
    data = full_run.figure("timing_waterfall")
    bars = draw(data).data[0]
    assert (bars.measure[0], bars.measure[-1]) == ("absolute", "total")
    assert sum(bars.y[:-1]) == pytest.approx(data["series"][0]["y"][-1])


def test_the_fan_has_a_band_for_each_pair_of_quantiles():
    found = sweep(
        Scenario.load("base").with_(
            set={"fund.term_years": 3, "fund.reinvestment_period_years": 2, "fund.size": "10m"}
        ),
        {"reinvestment_engine.reinvestment_delay": [0, 3], "seed": "1:3"},
        workers=1,
    )
    data = found.figure("sweep_fan")
    assert [(series["measure"], series["quantile"]) for series in data["series"]] == [
        ("net_irr", quantile) for quantile in (0.05, 0.25, 0.5, 0.75, 0.95)
    ]
    assert (data["form"], data["axis"], data["x_names"]) == ("fan", "category", None)
    traces = draw(data).data
    assert [trace.name for trace in traces if trace.showlegend is not False] == ["5% to 95%", "25% to 75%", "median"]


def test_what_a_series_is_about_is_called_by_its_labels():
    for about, text in (
        ({"name": "net asset value"}, "Net asset value"),
        ({"measure": "hhi_zone", "role": "before"}, "HHI by zone before"),
        ({"facility": "green_sleeve", "measure": "ltv", "role": "limit"}, "Green sleeve LTV limit"),
        ({"facility": "ramp_line", "measure": "base"}, "Ramp line borrowing base"),
        ({"zone": "nav", "role": "target"}, "Nav target"),  # a zone's name is its own
        ({"zone": "my_zone", "measure": "in the book"}, "My zone in the book"),
        ({"reason": "fee_float"}, "Kept for fees"),
        ({"measure": "tvpi", "role": "with_debt"}, "TVPI with debt"),
    ):
        assert named(line(**{"name": "x", **about})) == text
        assert head(line(**{"name": "x", **about})) == f"{text}, USD"
    assert head(line("share", unit="share")) == "Share"
    assert [head(one) for one in (Column("nav", "EUR"), Column("nav", "EUR", zone="nav"), Column("top5", "share"))] == [
        "NAV at the end, EUR", "Nav, EUR", "Five largest",
    ]  # fmt: skip


def test_every_number_is_written_by_its_unit():
    for value, unit, text in (
        (None, "share", "–"), (0.12345, "share", "12.35%"), (-0.00001, "share", "0.00%"), (12.5, "share", "1,250.00%"),
        ("1234567.891", "money", "1,234,567.89"), (1234.5, "money", "1,234.50"), ("90071992547409.93", "money", "90,071,992,547,409.93"),
        (-0.001, "money", "0.00"), (1.5, "multiple", "1.50"), (1.5, "ratio", "1.500"), (0.5, "index", "0.5000"),
        (1234, "count", "1,234"), (75.371, "days", "75.37"), ("reserve_max", "name", "reserve max"),
        ("2027_x", "text", "2027_x"),
    ):  # fmt: skip
        assert number(value, unit) == text, (value, unit)
    assert number(0.5432, "share", 0) == "54%"
    assert [short(value) for value in (0, 12.34, 999.9, 1234, -60_800_000, 1.39e9, 4.2e12)] == [
        "0", "12.3", "1k", "1.23k", "-60.8m", "1.39bn", "4,200bn",
    ]  # fmt: skip
    assert [signed(*of) for of in ((None, "share"), (0.0012, "share"), (-1e-8, "share"), ("-5.004", "money"), (0.4, "count"), (7, "count"))] == [
        "–", "+12.00 bp", "–", "-5.00", "–", "+7",
    ]  # fmt: skip
    assert [difference(*of) for of in ((None, "share"), (-0.0012, "share"), ("0.00", "money"), ("5", "money"), (0.001, "multiple"))] == [
        "–", "-0.12 pp", "0.00", "+5.00", "+0.00",
    ]  # fmt: skip
    units = {"decimal": "share", "number": "count", "USD": "money", "CHF × days": "money", "date": "text"}
    assert {text: unit_of(text) for text in units} == units
    for wrong in ("shares", "money ", "usd", "USD × nights", ""):
        with pytest.raises(ValueError, match="is no unit"):
            unit_of(wrong)


def test_whatever_people_see_has_a_label(full_run):
    figures = {name for name, value in full_run.metrics.items() if not isinstance(value, dict)}
    assert figures <= LABELS.keys()
    assert full_run.metrics["zones"]["green"].keys() <= LABELS.keys()
    seen = {
        "account": full_run.state.ledger.balances, "reason": REASONS, "wait": TABLES, "fate": ["promises", *FATES],
        "rung": full_run.figure("timing_waterfall")["series"][0]["x"],
        "flow": {name for row in full_run.figure("cash_sankey")["rows"] for name in row[:2]},
        "shock": full_run.figure("stress_results")["series"][0]["x"],
    }  # fmt: skip
    for kind, names in seen.items():
        called = [label(name, kind) for name in names]
        assert len(set(called)) == len(names), kind
        assert not [text for text in called if re.search(r"[_:]|^[a-z]", text)], kind
        assert set(names) <= CALLED[kind].keys()
        assert kind in ("account", "flow") or len(names) == len(CALLED[kind]), kind  # and of nothing else
    assert label("nav", "shock") != label("nav") == LABELS["nav"].text
    answer = as_json()
    assert {found["unit"] for found in answer["labels"].values()} <= answer["units"].keys()
    assert answer["labels"]["reason.fee_float"] == {"text": "Kept for fees", "unit": "text"}
    assert answer["units"]["decimal"] == answer["units"]["share"] == {"decimals": 2, "percent": True}


def test_numbers_of_a_figure_are_written_by_their_units(full_run):
    heads, rows = written_numbers(full_run.figure("reinvestment_by_zone"))
    assert heads == ["Zone", "Reinvested, USD", "Share"]
    raw = numbers(full_run.figure("reinvestment_by_zone"))[1]
    assert rows == [[zone.capitalize(), f"{money:,.2f}", f"{share:.2%}"] for zone, money, share in raw]
    heads, rows = written_numbers(full_run.figure("reinvestment_events_table"))
    assert rows[0][:2] == ["reinvestment-1", full_run.figure("reinvestment_events_table")["rows"][0][1]]
    assert {row[2] for row in rows} == {"check", "reserve max"}
    assert heads[5:8] == ["Amount, USD", "Carried, USD", "Loans"]


@pytest.mark.parametrize("name", ["cash", "reinvestment_by_zone", "reinvestment_summary_table"])
def test_the_numbers_of_a_figure_are_a_table(full_run, name):
    data = full_run.figure(name)
    heads, rows = numbers(data)
    assert all(len(row) == len(heads) for row in rows)
    if "series" in data:
        series = data["series"][0]
        by_x = {row[0]: row[1] for row in rows}
        assert by_x == dict(zip(series["x"], series["y"], strict=True))
    else:
        assert rows == data["rows"]


def test_the_report_has_everything_and_needs_nothing(full_run):
    page = report_html(full_run)
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NAMES)
    for name in NAMES:
        assert f'id="chart-{name}"' in page, name
    for heading in ("Summary", "Cash and time", "Reinvestment", "Risk", "Leverage", "Allocation", "Covenants",
                    "Timing audit", "Manifest", "Where the dollar-days went", "What timing cost"):  # fmt: skip
        assert f">{heading}<" in page
    assert full_run.head_hash in page
    outside = page.replace(page[page.index("<script>") : page.index("</script>")], "")  # but for the library itself
    assert not re.findall(r'(?:src|href)="(?!#)', outside)
    assert "http" not in re.sub(r"https?://www\.w3\.org/\S+", "", outside)


def test_names_can_not_break_the_page():
    act = {"reinvest": {"amount": 5, "source_details": {"why": "</script><b>x"}}}
    changes = {"fund.term_years": 3, "fund.reinvestment_period_years": 2, "fund.size": "5m"}
    script = [{"at": "2026-06-01", "do": act}]
    run = Scenario.load("base").with_(seed=1, set={**changes, "script": script}).run()
    page = report_html(run)
    assert "</script><b>" not in page
    assert "&lt;/script&gt;&lt;b&gt;x" in page
    assert page.count("<script>") == page.count("</script>") == 2


def test_a_report_of_an_unfinished_run_says_so(store):

    stopped = interrupted(store, Scenario.load("base").with_(seed=7), 900)
    page = report_html(stopped)
    assert "The run is not finished" in page
    assert 'id="chart-timing_waterfall"' not in page


def test_reports_from_the_command_line(fundclock, tmp_path):
    small = ["--set", "fund.size=4m", "--set", "fund.term_years=3", "--set", "fund.reinvestment_period_years=2"]
    code, _, err = fundclock("run", "base", *small, "--report", "one.html")
    assert (code, "wrote the report to one.html" in err) == (0, True)
    code, out, _ = fundclock("report", "last", "-o", "two.html")
    assert (code, "wrote the report of" in out) == (0, True)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    code, _, err = fundclock("report", "last", "-o", "two.html")
    assert (code, "already exists; use --force to overwrite it" in err) == (2, True)
    code, out, err = fundclock("run", "base", *small, "--report", "nowhere/one.html")
    assert (code, out, "parent directory does not exist" in err) == (2, "", True)


def test_the_page_of_figures_names_them_all_and_tests_that_are_there():
    page = (Path(__file__).resolve().parents[2] / "docs" / "figures.md").read_text()
    rows = re.findall(r"^\| `(\w+)` .*`(test_\w+\.py)::(test_\w+)` \|$", page, re.M)
    assert {name for name, _, _ in rows} == {*NAMES, "sweep_fan", "net_cash_bridge", "dollar_days_bridge"}
    texts = {path.name: path.read_text() for path in Path(__file__).resolve().parents[1].glob("*/test_*.py")}
    for file, test in re.findall(r"`(test_\w+\.py)::(test_\w+)`", page):
        assert f"def {test}(" in texts[file]
