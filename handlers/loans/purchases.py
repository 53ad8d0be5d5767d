"""Buying loans: which loans an amount buys, by shares of the zones."""

from typing import Literal, NamedTuple

from events.dates import Calendar
from events.facts import LoanOriginated
from events.state import State
from handlers.loans.generator import LoanGenerator
from handlers.settings import Settings


class Purchase(NamedTuple):
    """What an amount buys: the facts, what they cost by zone, and why something is left, if it is."""

    loans: list[LoanOriginated]
    by_zone: dict[str, int]
    left_cents: int
    remainder: Literal["none", "indivisible", "batch_limit"]

    @property
    def spent_cents(self) -> int:
        """The sum of the principals."""
        return sum(self.by_zone.values())


class Purchases:
    """Plans purchases from the loans on offer; the caller records them."""

    def __init__(self, state: State, settings: Settings, calendar: Calendar, generator: LoanGenerator) -> None:
        self._state = state
        self._settings = settings
        self._calendar = calendar
        self._generator = generator

    def plan(
        self,
        day: int,
        amount_cents: int,
        shares: dict[str, float],
        source: Literal["deployment", "reinvestment"],
        limit: int | None = None,
    ) -> Purchase:
        """Loans for at most ``amount_cents``, each in the zone that is furthest below its share of the amount.

        The last loan is cut to what is left where that is at least the minimum size.
        """
        config = self._settings.loans
        zones = [zone for zone in shares if shares[zone] > 0]
        gaps = [shares[zone] * amount_cents for zone in zones]
        spent = [0] * len(zones)
        entities = {zone: self._state.book.next_entity[zone, source] for zone in zones}
        letter = "r" if source == "reinvestment" else ""
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
                LoanOriginated.model_validate(
                    {
                        "loan_id": f"{zone}-{letter}{entity + 1:05d}",
                        "zone": zone,
                        "source": source,
                        "entity": entity,
                        "principal_cents": principal,
                        "property_value_cents": value,
                        "senior_debt_cents": round(config.senior_ltv * value),
                        "coupon": offer.coupon,
                        "pays_cash": pays_cash,
                        "appreciation_share": share,
                        "first_age_days": 0,
                        "maturity_day": maturity,
                        "exit_threshold": offer.exit_threshold,
                        "default_threshold": offer.default_threshold,
                        "kind_draw": offer.kind_draw,
                    }
                )
            )
            entities[zone] = entity + 1
            spent[place] += principal
            gaps[place] -= principal
            left -= principal
        remainder: Literal["none", "indivisible", "batch_limit"] = "none"
        if left:
            remainder = "batch_limit" if left >= minimum and loans else "indivisible"
        return Purchase(loans, dict(zip(zones, spent, strict=True)), left, remainder)
