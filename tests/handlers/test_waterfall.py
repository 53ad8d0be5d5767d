import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.handlers.fund.waterfall import Account, distribute, preferred_balance

MILLION = 100_000_000


def test_full_catch_up_by_the_caia_example():
    # CAIA level II exam-prep problem, worked on AnalystForum (thread 124656, "How is the catch up rate calculated?"):
    # 50m in, 100m out a year later, hurdle 8 %, full catch-up, 80/20. LPs 50 + 4 + 36 = 90, GP 1 + 9 = 10.
    owed = preferred_balance([(0, 50 * MILLION)], 365, 0.08)
    assert owed == 54 * MILLION
    split = distribute(100 * MILLION, Account(50 * MILLION, owed - 50 * MILLION), catch_up=1.0, carry=0.2)
    assert split == (50 * MILLION, 4 * MILLION, 0, 1 * MILLION, 36 * MILLION, 9 * MILLION)
    assert (split.to_lps, split.to_carry) == (90 * MILLION, 10 * MILLION)


def test_full_catch_up_under_the_assumptions_of_eisneramper():
    # EisnerAmper, "GP Catch-Ups with Examples" (2024): 1,000 in, 2,000 out after a year, 8 %. The preferred return is 80,
    # the catch-up 80 · .2/.8 = 20, and the other 900 are split 720 and 180
    owed = preferred_balance([(0, 100_000)], 365, 0.08)
    split = distribute(200_000, Account(100_000, owed - 100_000), catch_up=1.0, carry=0.2)
    assert split == (100_000, 8_000, 0, 2_000, 72_000, 18_000)


@pytest.mark.parametrize(("earned", "manager"), [(5, 0), (8, 0), (9, 1), (10, 2), (20, 4), (60, 12)])
def test_full_catch_up_at_the_break_points_of_a_published_discussion(earned, manager):
    # AnalystForum, thread 154200 ("Catch-up rate"): to 8 % all to the investor, from 8 to 10 % all to the manager,
    # from 8 %/.8 = 10 % on everything 80/20
    split = distribute((100 + earned) * MILLION, Account(100 * MILLION, 8 * MILLION), catch_up=1.0, carry=0.2)
    assert split.to_carry == manager * MILLION


@pytest.mark.parametrize(("thirds", "manager"), [(24, 0), (30, 1), (36, 2), (40, 8 / 3), (60, 4)])
def test_half_catch_up_under_the_terms_of_a_published_lecture(thirds, manager):
    # Economic for All, "What is a 50/50 catch up?": 20 % carry over an 8 % pref with a 50 % catch-up; above 8 % the
    # sponsor gets half the profit until it has 20 %: at a return of 8 %·.5/.3 = 13 1/3 %
    amount = 100 * MILLION + thirds * MILLION // 3
    split = distribute(amount, Account(100 * MILLION, 8 * MILLION), catch_up=0.5, carry=0.2)
    assert split.to_carry == pytest.approx(manager * MILLION, abs=2)


def test_partial_catch_up_by_hand():
    # preferred 4m; the GP takes half of each further cent until it has a fifth of all profit:
    # x/2 = .2·(4 + x), x = 8/3m; of the remaining 46 − 8/3 a fifth goes to the GP: in all a fifth of 50m, as before
    split = distribute(100 * MILLION, Account(50 * MILLION, 4 * MILLION), catch_up=0.5, carry=0.2)
    assert split.catch_up_lps == pytest.approx(8 * MILLION / 6, abs=1)
    assert split.catch_up_carry == pytest.approx(8 * MILLION / 6, abs=1)
    assert split.to_carry == pytest.approx(10 * MILLION, abs=2)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (30, (30, 0, 0, 0, 0, 0)),
        (52, (50, 2, 0, 0, 0, 0)),
        (54, (50, 4, 0, 0, 0, 0)),
        (54.5, (50, 4, 0, 0.5, 0, 0)),
        (55, (50, 4, 0, 1, 0, 0)),
        (60, (50, 4, 0, 1, 4, 1)),
    ],
)
def test_a_shortfall_in_each_tier(amount, expected):
    split = distribute(round(amount * MILLION), Account(50 * MILLION, 4 * MILLION), catch_up=1.0, carry=0.2)
    assert split == tuple(round(part * MILLION) for part in expected)


def test_without_catch_up_the_hurdle_is_hard():
    split = distribute(100 * MILLION, Account(50 * MILLION, 4 * MILLION), catch_up=0, carry=0.2)
    assert (split.split_lps, split.split_carry) == (round(36.8 * MILLION), round(9.2 * MILLION))


def test_the_preferred_return_compounds_from_each_day():
    # 100 at 8 % for two years is 116.64, not 116; a payment of 50 after a year leaves (108 − 50)·1.08 = 62.64
    assert preferred_balance([(0, 10_000)], 730, 0.08) == 11_664
    assert preferred_balance([(0, 10_000), (365, -5_000)], 730, 0.08) == 6_264


@pytest.mark.parametrize("catch_up", [0.1, 0.2])
def test_a_catch_up_that_never_ends_is_refused(catch_up):
    with pytest.raises(ValueError, match="must be above carry"):
        distribute(1, Account(), catch_up=catch_up, carry=0.2)


cents = st.integers(0, 10**13)


@given(
    st.lists(cents, min_size=1, max_size=6),
    cents,
    cents,
    st.sampled_from([0, 0.5, 0.8, 1.0]),
    st.sampled_from([0, 0.1, 0.2, 0.3]),
)
def test_nothing_is_lost_and_the_carry_never_exceeds_its_share(amounts, capital, preferred, catch_up, carry):
    account = Account(capital, preferred)
    for amount in amounts:
        split = distribute(amount, account, catch_up=catch_up, carry=carry)
        assert sum(split) == split.to_lps + split.to_carry == amount
        assert min(split) >= 0
        profit = account.profit + amount - split.capital
        account = Account(
            account.unreturned_capital - split.capital,
            account.unpaid_preferred - split.preferred,
            profit,
            account.carry + split.to_carry,
        )
        assert account.carry <= carry * profit + 2 * len(amounts)
        if account.unreturned_capital or account.unpaid_preferred:
            assert split.to_carry == 0
