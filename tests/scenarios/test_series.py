from datetime import date, timedelta

import pytest

from fundclock import InvalidInput, Scenario
from fundclock.scenarios.files.series import check_cover, read_indices, read_rates

MONTHS = [f"{year}-{month:02d}-01" for year in (2025, 2026, 2027, 2028) for month in range(1, 13)]


def rates(text):
    return read_rates(text.encode() if isinstance(text, str) else text, "r.csv", "market.rate_file")


def refused(read):
    with pytest.raises(InvalidInput) as caught:
        read()
    return [str(problem) for problem in caught.value.problems]


def test_rates_are_per_cent_and_empty_values_are_no_fixings():
    dates, values = rates("observation_date,DFF\n2026-01-01,4.25\n2026-01-02,.\n2026-01-03,\n2026-01-04,-0.5\n")
    assert dates == [date(2026, 1, 1), date(2026, 1, 4)]
    assert values == pytest.approx([0.0425, -0.005])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "r.csv: is empty"),
        ("observation_date,DFF\n", "has a header but no rows"),
        ("date,rate\n2026-01-01,4", "r.csv:1: expected the header observation_date,SERIES, got date,rate"),
        ("observation_date,X\n2026-13-01,4", "r.csv:2: market.rate_file: '2026-13-01' is not a date"),
        ("observation_date,X\n2026-01-01,four", "r.csv:2: market.rate_file: 'four' is not a number"),
        ("observation_date,X\n2026-01-01,nan", "'nan' is not a number"),
        ("observation_date,X\n2026-01-01,4\n2026-01-01,4", "r.csv:3: market.rate_file: 2026-01-01 appears twice"),
        ("observation_date,X\n2026-01-02,4\n2026-01-01,4", "dates must be in ascending order"),
        ("observation_date,X\n2026-01-02,4,5", "expected 2 columns, got 3"),
        ("observation_date,X\r\n2026-01-02,4\n2026-01-03,4\n", "mixes line endings (1 CRLF, 2 LF)"),
        (b"observation_date,X\n\xff\xfe,4", "is not UTF-8 text"),
        ("observation_date,X\n\x00,4", "contains a NUL character"),
    ],
)
def test_a_bad_rate_file_is_refused_with_its_lines(text, says):
    assert says in refused(lambda: rates(text))[0]


def test_all_bad_rows_are_listed():
    text = "observation_date,X\n2026-01-01,4\nfoo,4\n2026-01-03,bar\n2026-01-03\n"
    assert len(refused(lambda: rates(text))) == 3


def test_windows_line_ends_are_fine_when_they_are_all_so():
    assert rates("observation_date,X\r\n2026-01-02,4\r\n")[1] == [0.04]


def cover(dates, start="2026-01-01", end="2028-06-30", **options):
    check_cover(
        [date.fromisoformat(d) if isinstance(d, str) else d for d in dates],
        date.fromisoformat(start),
        date.fromisoformat(end),
        "r.csv",
        "market.rate_file",
        **{"may_end_early": False, "what": "fixings", **options},
    )


def test_a_series_that_covers_the_life_passes():
    cover(MONTHS)
    cover(
        [
            date(2025, 12, 1) + timedelta(days=d)
            for d in range(1000)
            if (date(2025, 12, 1) + timedelta(days=d)).weekday() < 5
        ]
    )


def test_a_missing_month_is_a_hole_with_its_dates():
    [line] = refused(lambda: cover([m for m in MONTHS if m != "2027-03-01"]))
    assert "fixings have a gap between 2027-02-01 and 2027-04-01" in line


def test_daily_fixings_may_miss_a_long_weekend_but_not_a_week():
    days = [date(2025, 12, 30) + timedelta(days=d) for d in range(1000)]
    long_weekend = [d for d in days if not date(2026, 4, 3) <= d <= date(2026, 4, 6)]
    cover(long_weekend)
    week = [d for d in days if not date(2026, 4, 3) <= d <= date(2026, 4, 8)]
    assert "gap between 2026-04-02 and 2026-04-09" in refused(lambda: cover(week))[0]


def test_a_hole_outside_the_life_does_not_matter():
    cover([m for m in MONTHS if m != "2025-03-01"])


def test_a_late_start_and_an_early_end_are_told_with_dates():
    found = refused(lambda: cover(MONTHS[14:24]))
    assert "fixings begin at 2026-03-01, after the fund's start 2026-01-01" in found[0]
    assert "fixings end at 2026-12-01, before the fund's end 2028-06-30" in found[1]
    cover(MONTHS[:24], may_end_early=True)


def test_indices_are_read_at_quarter_ends_by_name():
    text = "state,yr,qtr,index_nsa,index_sa\nTX,2026,1,100,101\nTX,2026,2,110,111\nCA,2026,1,50,51\n"
    found = read_indices(text.encode(), "i.csv", "market.index_file", ["TX"], adjusted=False)
    assert found == {"TX": {date(2026, 3, 31): 100.0, date(2026, 6, 30): 110.0}}
    assert read_indices(text.encode(), "i.csv", "k", ["CA"], adjusted=True) == {"CA": {date(2026, 3, 31): 51.0}}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("TX,2026,5,1,1", "is not a year and a quarter"),
        ("TX,2026,1,0,1", "'0' is not an index level above 0"),
        ("TX,2026,1,1,1\nTX,2026,1,1,1", "TX 2026 Q1 appears twice"),
        ("TX,2026,1,1", "expected 5 columns, got 4"),
        ("CA,2026,1,1,1", "has no series 'TX'; it has CA"),
    ],
)
def test_a_bad_index_file_is_refused(rows, says):
    text = f"state,yr,qtr,index_nsa,index_sa\n{rows}\n"
    assert any(says in line for line in refused(lambda: read_indices(text.encode(), "i.csv", "k", ["TX"], False)))


def scenario_with(tmp_path, dates, **settings):
    path = tmp_path / "rates.csv"
    path.write_text("observation_date,X\n" + "".join(f"{d},{2 + i / 100}\n" for i, d in enumerate(dates)))
    fund = {"term_years": 2, "reinvestment_period_years": 1, "size": 2e6}
    return Scenario.from_dict({"fund": fund, "market": {"rate_file": str(path), **settings}})


def test_after_the_end_of_a_file_the_last_fixing_holds_or_the_model_goes_on(tmp_path):
    short = MONTHS[:18]
    assert "before the fund's end" in refused(scenario_with(tmp_path, short).plan)[0]

    def monthly(**settings):
        run = scenario_with(tmp_path, short, **settings).run()
        return [r.payload.base_rate for r in run.log.read(kinds=["market.moved/1"])]

    hold, model = monthly(after_end="hold"), monthly(after_end="model")
    assert hold[:6] == model[:6]
    assert set(hold[6:]) == {0.0217}
    assert len(set(model[6:])) > 15


def test_real_sofr_has_a_hole_that_is_told_and_not_bridged(real_series):
    scenario = Scenario.load("base").with_(
        set={"fund.start_date": "2019-01-01", "fund.term_years": 5, "market.rate_file": str(real_series / "sofr.csv")}
    )
    [line] = refused(scenario.plan)
    assert "fixings have a gap between 2020-10-19 and 2021-08-09" in line
    later = scenario.with_(
        set={"fund.start_date": "2022-01-03", "fund.term_years": 4, "fund.reinvestment_period_years": 2}
    ).run()
    first = next(iter(later.log.read(kinds=["market.moved/1"])))
    assert first.payload.base_rate == pytest.approx(0.0005)


def test_the_historical_fund_plays_on_published_series(real_series):
    files = {
        "market.index_file": str(real_series / "fhfa_hpi_state.csv"),
        "market.rate_file": str(real_series / "fedfunds_monthly.csv"),
    }
    run = Scenario.load("historical").with_(seed=7, set=files).run()
    moved = {r.day: r.payload for r in run.log.read(kinds=["market.moved/1"])}
    quarter = moved[(date(2006, 9, 30) - date(2004, 1, 1)).days]
    # Nevada: 275.35 at the end of September 2006, 175.81 at the end of 2003, all that is known on the first day
    assert quarter.indices["red"] == pytest.approx(275.35 / 175.81, rel=1e-12)
    assert moved[0].indices == {"green": 1.0, "orange": 1.0, "red": 1.0}
    assert moved[0].base_rate == pytest.approx(0.01)
    assert run.metrics["nav"] == "0.00"
    late = (date(2007, 10, 1) - date(2004, 1, 1)).days
    earned = {}
    for record in run.log.read(kinds=["loan.exited/1", "loan.recovered/1"]):
        if record.day >= late:
            cost, proceeds = earned.get(record.payload.zone, (0, 0))
            earned[record.payload.zone] = (
                cost + record.payload.principal_cents,
                proceeds + record.payload.proceeds_cents,
            )
    returns = {zone: proceeds / cost - 1 for zone, (cost, proceeds) in earned.items()}
    assert max(returns["orange"], returns["red"]) < returns["green"] - 0.05  # prices fell in CA and NV, not in TX
    assert run.metrics["loans_defaulted"] > 0


def test_a_series_that_is_not_in_the_file_is_named(real_series):
    files = {
        "market.index_file": str(real_series / "fhfa_hpi_state.csv"),
        "market.rate_file": str(real_series / "fedfunds_monthly.csv"),
        "zones.red.series": "ZZ",
    }
    assert "has no series 'ZZ'" in refused(Scenario.load("historical").with_(set=files).plan)[0]
