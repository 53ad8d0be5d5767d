"""The distribution waterfall: return of capital, preferred return, catch-up, carry split.

Pure functions on whole cents. The general partner's own commitment is not in here: it shares pari passu
before the waterfall. The tiers sum to the distribution exactly, to the cent.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from fundclock.events.day_counts import YEAR
from fundclock.events.state import State
from fundclock.events.units import split_pro_rata
from fundclock.handlers.settings.fund import WaterfallConfig


class Account(NamedTuple):
    """What has been distributed to the limited partners and as carry so far, in cents."""

    unreturned_capital: int = 0
    unpaid_preferred: int = 0
    profit: int = 0
    carry: int = 0

    """``profit`` is all that was distributed beyond capital, to both sides, carry included."""


class Split(NamedTuple):
    """A distribution by tiers, in cents; ``to_lps`` and ``to_carry`` are the sides' sums."""

    capital: int
    preferred: int
    catch_up_lps: int
    catch_up_carry: int
    split_lps: int
    split_carry: int

    @property
    def to_lps(self) -> int:
        """All that goes to the limited partners."""
        return self.capital + self.preferred + self.catch_up_lps + self.split_lps

    @property
    def to_carry(self) -> int:
        """All that is distributed as carry."""
        return self.catch_up_carry + self.split_carry


def distribute(amount: int, account: Account, *, catch_up: float, carry: float) -> Split:
    """Split ``amount`` cents by the tiers, given what went before.

    In the catch-up tier carry takes ``catch_up`` of each cent until it holds ``carry`` of all profit; from
    carry + catch_up·X = carry·(profit + X) the tier's size is X = (carry·profit − carried)/(catch_up − carry).
    With ``catch_up`` 0 there is none (a hard hurdle). Raises ValueError where 0 < catch_up ≤ carry: such a
    catch-up never ends.
    """
    if amount < 0:
        raise ValueError(f"amount must not be below 0, got {amount}")
    if carry > 0 and 0 < catch_up <= carry:
        raise ValueError(f"catch_up {catch_up:g} must be above carry {carry:g}, or 0")
    left = amount
    capital = min(left, account.unreturned_capital)
    left -= capital
    preferred = min(left, account.unpaid_preferred)
    left -= preferred
    catch_up_lps = catch_up_carry = 0
    behind = carry * (account.profit + preferred) - account.carry
    if left and catch_up > carry and behind > 0:
        tier = min(left, round(behind / (catch_up - carry)))
        catch_up_carry = min(tier, round(catch_up * tier))
        catch_up_lps = tier - catch_up_carry
        left -= tier
    split_carry = round(carry * left)
    return Split(capital, preferred, catch_up_lps, catch_up_carry, left - split_carry, split_carry)


def account_of(
    paid_in: Sequence[tuple[int, float]], paid_out: Sequence[tuple[int, float]], carry: int, day: int, hurdle: float
) -> Account:
    """The limited partners' account on a day, from all that they have paid in and got: (day, cents) each.

    Every distribution to them counts, whichever tier it came from: capital is unreturned until they have received all
    their contributions, preferred return unpaid until these have earned the hurdle.
    """
    invested, returned = round(sum(cents for _, cents in paid_in)), round(sum(cents for _, cents in paid_out))
    unreturned = max(0, invested - returned)
    owed = preferred_balance([*paid_in, *((when, -cents) for when, cents in paid_out)], day, hurdle)
    return Account(unreturned, max(0, owed - unreturned), max(0, returned + carry - invested), carry)


def preferred_balance(flows: Sequence[tuple[int, float]], day: int, hurdle: float) -> int:
    """Unreturned capital and unpaid preferred return on a day, in cents, rounded.

    ``flows`` are (day, cents): contributions above zero, distributions below. Each compounds by
    (1 + hurdle)^(days/365).
    """
    growth = 1 + hurdle
    return round(math.fsum(cents * growth ** ((day - when) / YEAR) for when, cents in flows))


def moved_to_draws(state: State, terms: WaterfallConfig, until: int) -> list[tuple[int, int]]:
    """Flows that move contributions back to the draws that they repaid by a day: (day, cents), summing to 0.

    Empty if preferred return runs from the contributions.
    """
    if terms.pref_clock == "contribution":
        return []
    share = [state.capital.lp_contributed_cents, state.capital.gp_contributed_cents]
    moves: list[tuple[int, int]] = []
    for drawn, paid, cents in state.facilities.bridged:
        if paid <= until:
            lps = split_pro_rata(cents, share)[0]
            moves += [(drawn, lps), (paid, -lps)]
    return moves
