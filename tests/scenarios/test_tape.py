import pytest

from fundclock import InvalidInput
from funds import quiet

HEADER = "loan_id,zone,principal,property_value,coupon,term_years"
GOOD = "A,green,100000,250000,0.05,10"


def refused(tmp_path, text, **changes):
    path = tmp_path / "tape.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput) as caught:
        quiet(loans__tape=str(path), **changes).plan()
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "tape.csv: is empty"),
        (HEADER, "has a header but no rows"),
        ("loan_id,zone\nA,green", "tape.csv:1: is missing columns: principal, property_value, coupon, term_years"),
        (f"{HEADER},colour\n{GOOD},1", "unknown column 'colour'"),
        (f"{HEADER},age_year\n{GOOD},1", "did you mean 'age_years'?"),
        (f"{HEADER},zone\n{GOOD},green", "has a duplicate column"),
        (f"{HEADER}\n{GOOD}\n{GOOD}", "tape.csv:3: duplicate loan_id 'A', first on line 2"),
        (f"{HEADER}\n,green,1,2,0,10", "tape.csv:2: loan_id is empty"),
        (f"{HEADER}\nA,blue,1,2,0,10", "unknown zone 'blue'; allowed: green"),
        (f"{HEADER}\nA,green,x,2,0,10", "principal 'x' is not an amount of at least 1"),
        (f"{HEADER}\nA,green,-1,2,0,10", "principal '-1' is not an amount of at least 1"),
        (f"{HEADER}\nA,green,nan,2,0,10", "principal 'nan' is not an amount of at least 1"),
        (f"{HEADER}\nA,green,3,2,0,10", "principal 3 is above property_value 2"),
        (f"{HEADER}\nA,green,1,2,5,10", "coupon '5' is not a rate from 0 to 1"),
        (f"{HEADER}\nA,green,1,2,0,0", "term_years '0' is not years from 0 to 60"),
        (f"{HEADER}\nA,green,1,2,0", "expected 6 columns, got 5"),
        (f"{HEADER}\ngreen-00001,green,1,2,0,10", "loan_id 'green-00001' is reserved for loans that the fund makes"),
        (f"{HEADER},age_years\n{GOOD},10", "age_years 10 must be below term_years 10"),
        (f"{HEADER},interest_payment\n{GOOD},monthly", "interest_payment 'monthly' is neither capitalise nor cash"),
        (f"{HEADER},exit_on\n{GOOD},soon", "exit_on 'soon' is not a date"),
        (f"{HEADER},exit_on\n{GOOD},2026-01-01", "exit_on 2026-01-01 is not after the opening date 2026-01-01"),
        (f"{HEADER},exit_on,exit_kind\n{GOOD},2027-01-01,sail", "unknown exit_kind 'sail'; did you mean 'sale'?"),
        (f"{HEADER},exit_on,exit_kind\n{GOOD},,sale", "exit_kind and proceeds need exit_on"),
        (f"{HEADER}\r\n{GOOD}\n{GOOD}", "mixes line endings"),
        (b"\xff\xfe" + HEADER.encode(), "is not UTF-8"),
    ],
)
def test_a_bad_tape_is_refused_with_its_lines(tmp_path, text, says):
    assert any(says in line for line in refused(tmp_path, text))


def test_all_bad_rows_are_listed_and_nothing_is_loaded(tmp_path):
    rows = [f"L{i},green,{'x' if i % 2 else 1},2,0,10" for i in range(20)]
    assert len(refused(tmp_path, "\n".join([HEADER, *rows]))) == 10


def test_optional_columns_win_over_the_scenario(tmp_path):
    path = tmp_path / "tape.csv"
    path.write_text(
        f"{HEADER},appreciation_share,interest_payment,age_years\n{GOOD},0.1,cash,2\nB,green,100000,250000,0.05,10,,,\n"
    )
    run = quiet(loans__tape=str(path), fund__size=200_000, fund__fee_reserve=0).run()
    first, second = (r.payload for r in list(run.log.read(kinds=["loan.originated/1"]))[:2])
    assert (first.appreciation_share, first.pays_cash, first.first_age_days) == (0.1, True, 730)
    assert (second.appreciation_share, second.pays_cash, second.first_age_days) == (0.4, False, 0)
    assert second.maturity_day - first.maturity_day == 730  # 2034-01-01 and 2036-01-01
