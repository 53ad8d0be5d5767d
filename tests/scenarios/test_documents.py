"""Scenario documents: what is refused, where it stands, and what was probably meant."""

import json
from itertools import pairwise

import pytest

from fundclock import InvalidInput, Scenario, shipped
from fundclock.app.cli.scenario_files import STARTER
from fundclock.app.explained import resolved_yaml
from fundclock.scenarios.files.documents import parse, parse_setting, validate
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.planning import warnings_of


def problems(text, **settings):
    with pytest.raises(InvalidInput) as caught:
        document = parse(text, "my.yaml")
        scenario = Scenario(document, "my")
        if settings:
            scenario = scenario.with_(set={k.replace("__", "."): v for k, v in settings.items()}, origin="--set")
        scenario.plan()
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fund: {sze: 1m}", "my.yaml:1:8: fund.sze: unknown key; did you mean 'size'?"),
        ("fnd: {}", "my.yaml:1:1: fnd: unknown key; did you mean 'fund'?"),
        ("fund:\n  size: lots", "my.yaml:2:3: fund.size: expected an amount (a number, optionally followed by 'k', 'm', 'bn'), got 'lots'"),
        ("fund:\n  size: true", "my.yaml:2:3: fund.size: expected an amount, got true"),
        ("fund: {size: -5m}", "my.yaml:1:8: fund.size: input should be greater than 0, got '-5m'"),
        ("fund: {size: .nan}", "my.yaml:1:8: fund.size: must be a finite number, got nan"),
        ("fund: {size: .inf}", "my.yaml:1:8: fund.size: must be a finite number, got inf"),
        ("fund: {term_years: 0.3}", "my.yaml:1:8: fund.term_years: expected a whole number of months, got 0.3 years"),
        ("fund: {start_date: tomorrow}", "fund.start_date: input should be a valid date"),
        ("fund: {calendar: MARS}", "fund.calendar: unknown holiday list 'MARS'"),
        ("fund: {deployment_months: 1.5}", "fund.deployment_months"),
        ("fund: {term_years: 3}", "reinvestment_period_years 5 is longer than term_years 3"),
        ("fund: 5", "my.yaml:1:1: fund: expected a mapping of keys, got 5"),
        ("zones: {}", "zones"),
        ("zones: {green: {target_allocation: 50%}}", "my.yaml:1:1: zones: target_allocation of all zones must sum to 1, got 0.5"),
        ("zones: {blue: {target_allocation: 1}}", "zones.blue.appreciation: is missing"),
        ("zones: {green-red: {target_allocation: 1}}", "zones.green-red"),
        ("zones: {green: {target_allocation: 1, default_rte: 1%}}", "did you mean 'default_rate'?"),
        ("market: {base_rate: {model: vasicec}}", "market.base_rate.model: expected 'vasicek', 'constant' or 'file', got 'vasicec'; did you mean 'vasicek'?"),
        ("market: {correlation: {green-orange: 0.9, green-red: -0.9, orange-red: 0.9}}", "not positive semi-definite, smallest eigenvalue -0.8"),
        ("market: {correlation: {green-orange: 1.2}}", "market.correlation.green-orange"),
        ("market: {correlation: {green-blue: 0.2}}", "market.correlation.green-blue: expected a pair of zones like 'green-red'"),
        ("market: {correlation: {green-red: 0.2, red-green: 0.3}}", "is given twice, also as"),
        ("market: {rate_file: nowhere.csv}", "market.rate_file: can't read nowhere.csv: No such file"),
        ("market: {base_rate: {model: file}}", "market.rate_file: is required when market.base_rate.model is 'file'"),
        ("market: {index_file: x.csv}", "market.index_file needs zones.<name>.series; missing for green, orange, red"),
        ("loans: {size: {min: 2m}}", "loans.size: min 2e+06 is above max 1e+06"),
        ("loans: {appreciation_share: 140%}", "loans.appreciation_share"),
        ("loans: {appreciation_share: {thresholds: [0.5, 0.2], shares: [0.1, 0.2, 0.3]}}", "thresholds must rise"),
        ("exits: {age_years: {sd: 0}}", "exits.age_years.sd: input should be greater than 0"),
        ("calls: {notice_business_days: 100}\nfund: {term_years: 0.25, reinvestment_period_years: 0, deployment_months: 1}", "my.yaml:1:9: calls.notice_business_days: 100 is longer than the fund's life"),
        ("reinvestment_engine: {reinvestment_delay: -1}", "reinvestment_engine.reinvestment_delay: input should be greater than or equal to 0"),
        ("reinvestment_engine: {cash_reserve_min: 20%}", "cash_reserve_min ≤ cash_reserve_target ≤ cash_reserve_max is broken"),
        ("reinvestment_engine: {zone_preference_multipliers: {blue: 1}}", "zone_preference_multipliers.blue: unknown zone; allowed: green, orange, red"),
        ("reinvestment_engine: {zone_preference_multipliers: {green: 0, orange: 0, red: 0}}", "at least one multiplier must be above 0"),
        ("leverage: {green_sleeve: {advance_rate: 1.2}}", "leverage.green_sleeve.advance_rate: input should be less than or equal to 1"),
        ("leverage: {ramp_line: {spread_bps: -1}}", "leverage.ramp_line.spread_bps: input should be greater than or equal to 0"),
        ("leverage: {green_sleeve: {term_months: 36}}", "leverage.green_sleeve: draw_end_months 48 is after the maturity, term_months 36"),
        ("leverage: {ramp_line: {draw_period_months: 40}}", "leverage.ramp_line: draw_period_months 40 is after the maturity, term_months 36"),
        ("leverage: {green_sleeve: {advance_rate: 0}}", "leverage.green_sleeve: advance_rate is 0: the facility would have no base"),
        ("leverage: {ramp_line: {limit_pct_commit: 0}}", "leverage.ramp_line: limit_pct_commit is 0: the facility would have no base"),
        ("leverage: {green_sleeve: {initial_commitment_mult: 2}}", "initial_commitment_mult 2 is above max_mult 1.5"),
        ("leverage: {optimization: {target_leverage: 0.7}}", "target_leverage ≤ max_leverage ≤ deleveraging_threshold is broken by 0.7, 0.65, 0.7"),
        ("market: {base_rate: {initial: 4%}}\nleverage: {interest_rate_model: {base_rate_initial: 5%}}", "leverage.interest_rate_model.base_rate_initial: is 0.05 here but 0.04 as market.base_rate.initial; both set the same rate"),
        ("leverage: {interest_rate_model: {volatility: -1}}", "leverage.interest_rate_model.volatility: input should be greater than or equal to 0"),
        ("script: [{at: 2026-05-01, do: {shock_prise: 5%}}]", "my.yaml:1:32: script.0.do.shock_prise: unknown command 'shock_prise'; did you mean 'shock_price'?"),
        ("script: [{at: 2025-05-01, do: {shock_price: 5%}}]", "script.0.at: 2025-05-01 is outside the fund's life, 2026-01-01 to 2035-12-31"),
        ("script: [{at: 2026-05-01, do: {shock_price: {zone: blue, change: 5%}}}]", "unknown zone 'blue'"),
        ("script: [{at: 2026-05-01, do: {shock_price: {change: -100%}}}]", "script.0.do.shock_price.change: input should be greater than -1"),
        ("script: [{at: 2026-05-01, do: {shock_price: {chnge: -10%}}}]", "did you mean 'change'?"),
        ("script: [{at: 2026-05-01, do: {set: {fund.size: 5m}}}]", "fund.size can't change during a run"),
        ("script: [{at: 2026-05-01, do: {set: {zones.green.volatility: 5}}}]", "zones.green.volatility can't change during a run"),
        ("script: [{at: 2026-05-01, do: {set: {exits.foo: 5}}}]", "unknown setting exits.foo"),
        ("script: [{at: 2026-05-01, do: {draw: {amount: 5}}}]", "unknown facility 'green_sleeve'; leverage is not enabled"),
        ("script: [{at: 2026-05-01, do: {trip_breaker: {now: 1}}}]", "now: unknown key"),
        ("script: [{at: 2026-05-01, do: {set_volatility: wild}}]", "expected 'low', 'medium', 'high', 'extreme' or 'market'"),
        ("script: [{at: 2026-05-01, do: {set_transaction_cost: -1}}]", "greater than or equal to 0, got -1"),
        ("sweep: {reinvestment_engine.reinvestment_dely: [1]}", "1:9: sweep.reinvestment_engine.reinvestment_dely: unknown setting"),
        ("sweep: {seed: []}", "1:9: sweep.seed: expected values like 0,1,3 or 1:500, got []"),
        ("sweep: {seed: '5:1'}", "expected a range like 1:500, got 5:1"),
        ("script: [{when: nav, do: {shock_price: 5%}}]", "1:11: script.0.when: expected a comparison"),
        ("script: [{when: nav < 5, at: 2027-01-01, do: {shock_price: 5%}}]", "has both a condition (when:) and a date (at:)"),
        ("script: [{at: 2027-01-01, repeat: true, do: {shock_price: 5%}}]", "repeat: needs when:"),
        ("script: [{when: nva < 5, do: {shock_price: 5%}}]", "unknown name 'nva' (character 1); did you mean 'nav'?"),
        ("script: [{at: 2026-05-01, do: {}}]", "expected one command, got none"),
        ("fund: {size: 1m}\nfund: {size: 2m}", "my.yaml:2:1: found duplicate key"),
        ("fund: {size: 1m, size: 2m}", "found duplicate key"),
        ("fund: [1, 2", "is not valid YAML"),
        ("fund: !!python/object:os.system {}", "my.yaml:1:1: fund: has a YAML tag; only plain values are allowed"),
        ("- a\n- b", "expected sections like 'fund:'"),
        ("just words", "expected sections like 'fund:'"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        ("x" * 300_001, "is larger than 300,000 bytes"),
        ("name: " + "[" * 60 + "]" * 60, "levels"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(text, expected):
    found = problems(text)
    assert any(expected in line for line in found), found
    assert all("my.yaml" in line or "can't read" in line for line in found)


def test_all_problems_are_listed_at_once():
    found = problems("fund: {sze: 1m, term_years: -2}\nzones: {green: {volatility: maybe}}\ncall: {}")
    assert len(found) == 4


def test_aliases_that_multiply_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "12,000 values" in problems("\n".join(lines))[0]


def test_a_setting_is_named_as_the_place_of_its_problem():
    [line] = problems("fund: {size: 1m}", fund__sise=5)
    assert line == "--set fund.sise: unknown key; did you mean 'size'?"
    with pytest.raises(InvalidInput, match="expected KEY=VALUE"):
        parse_setting("fund.size")


def test_settings_are_yaml_and_mappings_merge():
    assert parse_setting("a.b=[1, 2]") == ("a.b", [1, 2])
    assert parse_setting("a.b=25m") == ("a.b", "25m")
    assert parse_setting("a.b=null") == ("a.b", None)
    changed = Scenario.load("base").with_(set={"zones": {"green": {"volatility": "20%"}}}).resolve()
    assert changed.zones["green"].volatility == 0.2
    assert changed.zones["green"].appreciation == 0.06
    bare = Scenario.from_dict({}).with_(set={"zones.red.volatility": 0.3}).resolve()
    assert list(bare.zones) == ["green", "orange", "red"]


def test_base_spells_out_every_default():
    values = parse((Scenario.load.__globals__["LIBRARY"] / "base.yaml").read_bytes(), "base.yaml").values
    defaults = ScenarioConfig().model_dump(mode="json")
    resolved = Scenario.load("base").resolve().model_dump(mode="json")
    for section, default in defaults.items():
        if section not in ("name", "description"):
            assert resolved[section] == default, section
        if section not in ("leverage", "capital_allocation", "sweep"):
            assert section in values
    assert set(values["reinvestment_engine"]) == set(defaults["reinvestment_engine"])
    assert len(values["reinvestment_engine"]) == 19


@pytest.mark.parametrize("name", [name for name in shipped() if not name.startswith("historical")])
def test_shipped_scenarios_are_valid_and_ask_for_nothing_that_is_not_built(name):
    scenario = Scenario.load(name)
    scenario.plan()
    assert warnings_of(scenario.plan()) == []


def test_the_rate_model_of_leverage_is_the_base_rate_by_another_name():
    text = "leverage: {interest_rate_model: {base_rate_initial: 3%, volatility: 0.5%, mean_reversion: 0.1}}"
    scenario = Scenario(parse(text, "my.yaml"), "my")
    rate = scenario.resolve().market.base_rate
    assert (rate.initial, rate.volatility, rate.mean_reversion, rate.long_term_mean) == (0.03, 0.005, 0.1, 0.04)
    assert warnings_of(scenario.plan()) == []
    same = Scenario(parse(text + "\nmarket: {base_rate: {initial: 0.03, floor: 0.01}}", "my.yaml"), "my")
    assert same.resolve().market.base_rate.floor == 0.01
    run = scenario.run()
    assert next(iter(run.log.read(kinds=["market.moved/1"]))).payload.base_rate == 0.03
    assert run.manifest.scenario["leverage"] is None


@pytest.mark.parametrize("model", [{"base_rate_initial": 0.03}, {}])
def test_a_script_may_change_settings_beside_a_rate_model_of_leverage(model):
    script = [{"at": "2026-06-01", "do": {"set": {"reinvestment_engine.reinvestment_delay": 3}}}]
    values = {"leverage": {"interest_rate_model": model}, "market": {"base_rate": {"long_term_mean": 0.05}}}
    config = Scenario.from_dict({**values, "script": script}).plan().config
    assert config.market.base_rate.long_term_mean == 0.05


def test_what_has_no_effect_yet_is_said():
    scenario = Scenario.load("base").with_(set={"waterfall.pref_clock": "facility_draw"})
    assert warnings_of(scenario.plan()) == [
        "waterfall.pref_clock: has no effect without leverage.ramp_line, whose draws start the clock",
    ]


def test_json_is_accepted_and_explained_scenarios_load_again():
    config = Scenario.load("crash").resolve()
    as_json = validate(parse(json.dumps(config.model_dump(mode="json")), "crash.json"))
    as_yaml = validate(parse(resolved_yaml(config), "crash.yaml"))
    assert as_json == as_yaml == config


def test_explain_marks_what_differs_from_the_default():
    text = resolved_yaml(Scenario.load("instant").resolve())
    assert "reinvestment_delay: 0.0" in text
    assert "# default: 1.0" in text


def test_explain_puts_the_description_of_each_setting_above_it():
    text = resolved_yaml(Scenario.load("levered").resolve())
    lines = text.splitlines()
    assert "  # Business days of notice for draws on the subscription line and for its voluntary" in text
    assert lines[lines.index("  cash_reserve_target: 0.05") - 1] == (
        "  # Level of the cash reserve, as a share of `fund.size`, down to which checks lend it."
    )
    assert all(len(line) <= 110 for line in lines if line.lstrip().startswith("#"))
    bare = {
        line.strip().partition(":")[0]
        for above, line in pairwise(lines)
        if line and not line.lstrip().startswith("#") and not above.lstrip().startswith("#")
    }
    of_a_zone = {"target_allocation", "appreciation", "volatility", "default_rate", "recovery_rate", "series"}
    pairs = {"green-orange", "green-red", "orange-red"}
    assert bare == {"green", "orange", "red"} | of_a_zone | pairs  # the first zone's keys are described for all


@pytest.mark.parametrize(
    "values",
    [
        {"description": "two\nlines # and a mark"},
        {"fund": {"limited_partners": {"a": 0.5, "b": "50%"}}},
        {"loans": {"appreciation_share": {"thresholds": [0.2], "shares": [0.1, 0.3]}}},
        {"capital_allocation": {"strategy": "black_litterman", "views": {"green": "8%"}, "costs": {"red": 0.01}}},
        {"script": [{"when": "cash > 5m", "repeat": True, "do": {"suspend_reinvestment": {}}}], "sweep": {"seed": [1]}},
    ],
)
def test_what_explain_prints_means_the_same(values):
    config = Scenario.from_dict(values).resolve()
    assert validate(parse(resolved_yaml(config), "explained.yaml")) == config


def test_the_starter_is_a_valid_scenario():
    Scenario(parse(STARTER.read_text(), "starter.yaml"), "starter").plan()


def test_an_unknown_scenario_is_answered_with_what_there_is():
    with pytest.raises(InvalidInput, match="did you mean 'base'"):
        Scenario.load("bse")
    with pytest.raises(
        InvalidInput, match="shipped scenarios: base, crash, historical, historical-levered, instant, levered"
    ):
        Scenario.load("/nowhere/at/all.yaml")


@pytest.mark.parametrize("seed", [-1, 2**63, True])
def test_a_seed_outside_its_range_is_refused(seed):
    with pytest.raises(InvalidInput, match="must be a whole number from 0"):
        Scenario.load("base").with_(seed=seed)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("reinvestment_strategy", "oportunistic", "did you mean 'opportunistic'?"),
        ("min_reinvestment_amount", -1, "greater than or equal to 0"),
        ("reinvestment_frequency", "weekly", "expected 'on_exit', 'monthly', 'quarterly', 'semi_annual' or 'annual'"),
        ("reinvestment_delay", -0.5, "greater than or equal to 0"),
        ("reinvestment_batch_size", 0, "greater than or equal to 1"),
        ("reinvestment_batch_size", 2.5, "valid integer"),
        ("zone_preference_multipliers", {"green": -1}, "greater than or equal to 0"),
        ("zone_preference_multipliers", {"blue": 1}, "unknown zone; allowed: green, orange, red"),
        ("zone_preference_multipliers", {"green": 0, "orange": 0, "red": 0}, "at least one multiplier must be above 0"),
        ("opportunistic_threshold", 11, "less than or equal to 10"),
        ("rebalance_threshold", 1.5, "less than or equal to 1"),
        ("reinvestment_ltv_adjustment", -1, "greater than -1"),
        ("reinvestment_size_adjustment", -1, "greater than -1"),
        ("enable_dynamic_allocation", "yes", "valid boolean"),
        ("performance_lookback_period", 0, "greater than 0"),
        ("performance_weight", 1.1, "less than or equal to 1"),
        ("max_allocation_adjustment", -0.1, "greater than or equal to 0"),
        ("reinvestment_tracking_granularity", "daily", "expected 'monthly', 'quarterly' or 'annual', got 'daily'"),
        ("enable_cash_reserve", 1, "valid boolean"),
        ("cash_reserve_target", 0.01, "cash_reserve_min ≤ cash_reserve_target ≤ cash_reserve_max is broken by 0.02, 0.01, 0.1"),
        ("cash_reserve_target", 0.11, "is broken by 0.02, 0.11, 0.1"),
        ("cash_reserve_min", 0.06, "is broken by 0.06, 0.05, 0.1"),
        ("cash_reserve_min", 0.2, "is broken by 0.2, 0.05, 0.1"),
        ("cash_reserve_max", 0.04, "is broken by 0.02, 0.05, 0.04"),
        ("cash_reserve_min", {"enable_cash_reserve": True, "cash_reserve_min": 0.95, "cash_reserve_target": 0.95, "cash_reserve_max": 1},
         "0.95 is more than can be called for it, 1 − fund.fee_reserve (0.92)"),
        ("cash_reserve_max", 1.01, "less than or equal to 1"),
        ("reinvestment_dealy", 1, "did you mean 'reinvestment_delay'?"),
    ],
)  # fmt: skip
def test_a_reinvestment_setting_out_of_range_is_refused_with_its_place(key, value, expected):
    settings = value if isinstance(value, dict) and key in value else {key: value}
    text = f"reinvestment_engine: {json.dumps(settings)}\n"
    found = problems(text)
    assert any(expected in line for line in found), found
    assert all(line.startswith("my.yaml:") and "reinvestment_engine" in line for line in found)


def test_a_band_that_a_script_would_break_is_refused_too():
    text = "script: [{at: 2027-01-01, do: {set: {reinvestment_engine.cash_reserve_max: 0.04}}}]"
    assert "is broken by 0.02, 0.05, 0.04" in problems(text)[0]


@pytest.mark.parametrize("key", ["", " ", "[key]", "a b", "\x00", "é"])
def test_any_text_may_be_a_key_that_is_unknown(key):
    with pytest.raises(InvalidInput, match="unknown key"):
        Scenario.from_dict({key: {"": 1}}).plan()
    with pytest.raises(InvalidInput, match="unknown key"):
        Scenario.from_dict({"fund": {key: {"": 1}}}).plan()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("fund.sise", "--set fund.sise: unknown key; did you mean 'size'?"),
        ("reinvestment_engine.delay", "did you mean 'reinvestment_delay'?"),
        ("hurdle", "did you mean 'waterfall.hurdle'?"),
        ("size", "sections that have it: fund.size, loans.size"),
        ("green.volatility", "did you mean 'zones.green'?"),
        ("seed", "give the seed when the scenario is run (--seed)"),
        ("script.0.at", "script: expected a list, which is set as a whole"),
        ("zones.blue.volatility", "--set zones.blue.volatility: zones.blue.target_allocation: is missing"),
    ],
)
def test_a_setting_that_there_is_not_is_told_where_it_stands(key, said):
    with pytest.raises(InvalidInput) as caught:
        Scenario.load("base").with_(set={key: 0.2}, origin="--set").plan()
    assert said in str(caught.value)
