"""Buying loans: which loans an amount buys, by shares of the zones."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from fundclock.events.facts import FeeAccrued, FeesPaid, LoanOriginated, OriginationFeeReceived
from fundclock.events.record import Fact
from fundclock.handlers.context import Context
from fundclock.handlers.loans.generator import LoanGenerator


class Purchase(NamedTuple):
    """What an amount buys: the facts, what they cost by zone, and why something is left, if it is."""

    loans: list[LoanOriginated]
    by_zone: dict[str, int]
    shortfall: dict[str, int]
    remainder: Literal["none", "indivisible", "batch_limit"]

    @property
    def spent_cents(self) -> int:
        """The sum of the principals."""
        return sum(self.by_zone.values())


class Purchases:
    """Plans purchases from the loans on offer; the caller records them."""

    def __init__(self, context: Context, generator: LoanGenerator) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._generator = generator

    def affordable(self, cents: int) -> int:
        """What loans may cost where the fund itself pays the origination fee on them out of ``cents``."""
        fees = self._settings.fees
        return cents if fees.origination_payer == "borrower" else int(cents / (1 + fees.origination))

    def fee_on(self, cents: int) -> int:
        """The origination fee that the fund pays on loans of ``cents``."""
        fees = self._settings.fees
        return 0 if fees.origination_payer == "borrower" else round(fees.origination * cents)

    def smallest_cents(self) -> int:
        """The smallest loan that can be bought."""
        return self._generator.minimum_cents()

    def origination_fees(
        self, purchase: Purchase, day: int, lots: list[tuple[int, int]], *, called: bool = False
    ) -> list[Fact]:
        """The fee on these loans: income where borrowers pay it, else an expense, paid at once.

        It comes out of ``lots``, or where the loans are ``called`` capital's, out of that.
        """
        fees = self._settings.fees
        amount = round(fees.origination * purchase.spent_cents)
        if not amount:
            return []
        if fees.origination_payer == "borrower":
            return [OriginationFeeReceived(amount_cents=amount, loans=len(purchase.loans))]
        return [
            FeeAccrued(
                fee="origination", amount_cents=amount, base_cents=purchase.spent_cents, from_day=day, to_day=day
            ),
            FeesPaid(
                amount_cents=amount,
                by_fee={"origination": amount},
                lots=lots,
                undeployed_cents=amount if called else 0,
            ),
        ]

    def reach(self, cents: int, limit: int) -> int:
        """Upper bound on the cost of so many loans: min(cents, limit × mean size)."""
        return min(cents, limit * self._generator.mean_cents("reinvestment"))

    def plan(
        self,
        day: int,
        amount_cents: int,
        shares: dict[str, float],
        source: Literal["deployment", "reinvestment", "leverage"],
        earlier: Mapping[str, int],
        limit: int | None = None,
    ) -> Purchase:
        """Loans for at most ``amount_cents``, each in the zone that is furthest below its share of what can be spent.

        What a zone got too little (or much) of ``earlier`` amounts counts, so that small amounts, which buy a loan
        or two each, keep to the shares over time. The last loan is cut to what is left where that is at least the
        minimum size.
        """
        config = self._settings.loans
        zones = [zone for zone in shares if shares[zone] > 0]
        whole = amount_cents if limit is None else self.reach(amount_cents, limit)
        gaps = [shares[zone] * whole + earlier.get(zone, 0) for zone in zones]
        spent = [0] * len(zones)
        entities = {zone: self._state.book.next_entity[zone, source] for zone in zones}
        letter = {"reinvestment": "r", "leverage": "d"}.get(source, "")
        maturity = self._calendar.add_months(day, config.term_years * 12)
        flat = config.appreciation_share
        share = flat if isinstance(flat, float) else None
        pays_cash = config.interest_payment == "cash"
        minimum = self._generator.minimum_cents()
        left = amount_cents
        loans: list[LoanOriginated] = []
        while left >= minimum and zones and (limit is None or len(loans) < limit):
            place = gaps.index(max(gaps))
            zone = zones[place]
            entity = entities[zone]
            offer = self._generator.offer(zone, source, entity)
            principal = min(offer.principal_cents, left)
            value = round(principal / offer.ltv)
            loans.append(
                LoanOriginated(
                    loan_id=f"{zone}-{letter}{entity + 1:05d}",
                    zone=zone,
                    source=source,
                    entity=entity,
                    principal_cents=principal,
                    property_value_cents=value,
                    senior_debt_cents=round(config.senior_ltv * value),
                    coupon=offer.coupon,
                    pays_cash=pays_cash,
                    appreciation_share=share,
                    first_age_days=0,
                    maturity_day=maturity,
                    exit_threshold=offer.exit_threshold,
                    default_threshold=offer.default_threshold,
                    kind_draw=offer.kind_draw,
                )
            )
            entities[zone] = entity + 1
            spent[place] += principal
            gaps[place] -= principal
            left -= principal
        remainder: Literal["none", "indivisible", "batch_limit"] = "none"
        if left:
            remainder = "batch_limit" if left >= minimum and loans else "indivisible"
        by_zone = dict(zip(zones, spent, strict=True))
        total = amount_cents - left
        shortfall = {zone: earlier.get(zone, 0) + round(shares[zone] * total) - by_zone[zone] for zone in zones}
        return Purchase(loans, by_zone, shortfall, remainder)
