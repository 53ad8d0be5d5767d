"""The language of conditions, by itself."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.scenarios.scripts.conditions import ConditionError, read_condition

KNOWN = {
    "cash": "number", "nav": "number", "ratio": "number", "tripped": "truth", "over": "truth", "today": "date",
    "mood": "state", "balance.line": "number",
}  # fmt: skip
VALUES = {
    "cash": 3e6, "nav": 100e6, "ratio": None, "tripped": False, "over": True, "today": date(2028, 3, 31),
    "mood": "high", "balance.line": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cash > 2.5m", True),
        ("cash > 3_000k", False),
        ("cash >= 3e6", True),
        ("cash < 5% * nav", True),
        ("cash <= 275bp * nav", False),
        ("cash == 3m", True),
        ("nav * 35% == 35m", True),
        ("nav * .5 == 50m", True),
        ("3. * 1m == cash", True),
        ("57% == .57", True),
        ("cash != 3m", False),
        ("nav - 2 * cash > 93m", True),
        ("nav - (2 - 1) * cash / 3 == 99m", True),
        ("2 - 1 - 1 == 0", True),  # from left to right
        ("12 / 2 / 3 == 2", True),
        ("-cash < -2m", True),
        ("- - 1 == 1", True),
        ("tripped or over", True),
        ("tripped and over", False),
        ("not tripped", True),
        ("not tripped and not over", False),
        ("not (tripped and over)", True),
        ("over or over and tripped", True),  # and before or
        ("tripped == false", True),
        ("today > 2028-03-30", True),
        ("today < 2028-03-31", False),
        ("2028-04-01 > today", True),
        ("mood >= medium", True),
        ("mood > high", False),
        ("mood != extreme", True),
        ("balance.line == 0", True),
        ("ratio > 0", False),  # undefined on the day: neither
        ("ratio <= 0", False),
        ("ratio + 1 > 0", False),
        ("cash / balance.line > 0", False),
        ("not ratio > 0", True),
    ],
)
def test_conditions_mean_what_they_say(text, expected):
    assert read_condition(text, KNOWN).holds(VALUES) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a name or a number, got the end (character 1)"),
        ("cash", "expected a comparison like cash > 5m; got a number (character 1)"),
        ("cash >", "expected a name or a number, got the end (character 7)"),
        ("cahs > 5", "unknown name 'cahs' (character 1)"),
        ("zzzzzz > 5", "unknown name 'zzzzzz'; allowed: cash, nav, ratio"),
        ("cash > 5 AND over", "unexpected 'AND' (character 10)"),
        ("cash > ٣", "unexpected '٣'"),
        ("cash = 5", "use == to compare, not = (character 6)"),
        ("cash > 5q", "unknown unit 'q'; allowed: %, bp, bps, k, m, bn (character 8)"),
        ("1 < cash < 5", "comparisons can't be chained; join them with 'and' (character 10)"),
        ("cash > today", "can't compare a number with a date (character 6)"),
        ("tripped > over", "'>' compares numbers, dates or volatility states (character 9)"),
        ("cash and over", "'and' joins conditions; got a number (character 6)"),
        ("not cash", "'not' needs a condition; got a number (character 1)"),
        ("tripped + 1 > 0", "'+' needs numbers; got a condition (character 9)"),
        ("(cash > 5", "expected ), got the end (character 10)"),
        ("cash > 5)", "unexpected ')' (character 9)"),
        ("cash > 5; import os", "unexpected ';' (character 9)"),
        ("__import__(1)", "unknown name '__import__'"),
        ("cash.__class__ > 1", "unknown name 'cash.__class__'"),
        ("today > 2028-02-30", "expected a date like 2028-03-31, got 2028-02-30 (character 9)"),
        ("(" * 60 + "cash", "has more than 50 levels"),
        ("not " * 60 + "over", "has more than 50 levels"),
        ("over and " * 200 + "over", "is longer than 1000 characters"),
    ],
)
def test_what_is_wrong_with_a_condition_is_said_with_its_place(text, message):
    with pytest.raises(ConditionError) as caught:
        read_condition(text, KNOWN)
    assert message in caught.value.message


def test_what_a_condition_names_is_known():
    condition = read_condition("cash > 5% * nav and today >= 2028-03-31 and cash > 1", KNOWN)
    assert condition.names == ("cash", "nav", "today")
    assert condition.dates == (date(2028, 3, 31),)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        read_condition(text, KNOWN).holds(VALUES)
    except ConditionError as error:
        assert "character" in error.message


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 50), st.sampled_from("+-*"), st.sampled_from("+-*/"))
def test_arithmetic_agrees_with_python(a, b, c, first, second):
    text = f"({a}) {first} ({b}) {second} ({c})"
    held = read_condition(f"{text} > cash", KNOWN).holds({"cash": 0.5})
    assert held == (eval(text) > 0.5)


def test_words_that_were_probably_meant_are_named():
    for text, word in (("mood > hgih", "high"), ("cash > 5 AND over", "and"), ("cahs > 5", "cash")):
        with pytest.raises(ConditionError) as caught:
            read_condition(text, KNOWN)
        assert caught.value.suggestion == word
        assert f"did you mean '{word}'?" in str(caught.value)
