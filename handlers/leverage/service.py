"""Debt service: interest and fees accrue by quarter and are paid on the first business day after it."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from fundclock.events.bus import Output
from fundclock.events.day_counts import DAY_COUNTS, days_between
from fundclock.events.facts import (
    DebtServicePaid,
    FacilityDrawn,
    FacilityInterestAccrued,
    FacilityRepaid,
    FacilityWrittenOff,
    PaymentDefaulted,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state import State
from fundclock.events.state.facilities import Facility
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.purse import Payment, own_cash, repayment, service_payment
from fundclock.handlers.leverage.interest import Segment, compounded_interest, posted, simple_interest
from fundclock.handlers.settings.leverage import GreenSleeveConfig, RampLineConfig

Line = GreenSleeveConfig | RampLineConfig


class _Exact:
    """Interest and fees of a facility so far, to the fraction of a cent, and what of them has been posted."""

    def __init__(self) -> None:
        self.interest = Fraction(0)
        self.fee = Fraction(0)
        self.interest_posted = 0
        self.fee_posted = 0
        self.period: list[tuple[int, int, int]] = []
        self.period_posted = Fraction(0)


class DebtService:
    """Accrues and pays what facilities cost."""

    def __init__(self, context: Context, partners: Partners) -> None:
        self._partners = partners
        self._last_day = context.last_day
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._market = context.market
        self._exact = {name: _Exact() for name in context.settings.leverage.lines()}

    @property
    def _lines(self) -> dict[str, Line]:
        return self._settings.leverage.lines()

    def due_day(self, day: int) -> int:
        """When what accrues until a period's end is paid: the first business day after it.

        The day after a period's end is the first of a month, so that following and modified following agree.
        """
        return self._calendar.add_business_days(day + 1, 0)

    def accrue_all(self, day: int) -> Iterator[Output]:
        """A period ends: interest and fees of each facility, until today."""
        facts = [self.accrue(name, day) for name in self._state.facilities.by_name]
        yield [fact for fact in facts if fact is not None]
        for exact in self._exact.values():
            exact.period, exact.period_posted = [], Fraction(0)

    def accrue(self, name: str, day: int, due_day: int | None = None) -> FacilityInterestAccrued | None:
        """Interest and fees of a facility since it last accrued, due on the next payment day; None if it is 0."""
        facility, line, exact = self._state.facilities.by_name[name], self._lines[name], self._exact[name]
        steps = [*facility.steps, (day, 0, 0)]
        rows: list[tuple[int, int, int, int, float]] = []
        for (first, balance, commitment), (last, _, _) in pairwise(steps):
            undrawn = max(0, commitment - balance)
            if first < last and (balance or undrawn):
                rows += self._rows(facility, line, exact, first, last, balance, undrawn)
        if not rows:
            return None
        unused = [Segment(first, last, undrawn, facility.commitment_fee) for first, last, _, undrawn, _ in rows]
        exact.fee += simple_interest(unused, self._calendar, line.day_count)
        if line.interest == "simple":
            segments = [Segment(first, last, balance, rate) for first, last, balance, _, rate in rows]
            exact.interest += simple_interest(segments, self._calendar, line.day_count)
        interest, fee = posted(exact.interest, exact.interest_posted), posted(exact.fee, exact.fee_posted)
        exact.interest_posted += interest
        exact.fee_posted += fee
        return FacilityInterestAccrued(
            facility=name,
            from_day=rows[0][0],
            to_day=day,
            due_day=self.due_day(day) if due_day is None else due_day,
            interest_cents=interest,
            fee_cents=fee,
            segments=rows,
        )

    def _rows(
        self, facility: Facility, line: Line, exact: _Exact, first: int, last: int, balance: int, undrawn: int
    ) -> list[tuple[int, int, int, int, float]]:
        """Segments of a stretch in which the balance stood still; adds compounded interest to what is exact."""
        if not balance:
            return [(first, last, 0, undrawn, self.rate(facility, line, first))]
        if line.interest == "simple":
            changes = [*self._fixings(line, first, last), (last, 0.0)]
            return [
                (since, until, balance, undrawn, max(line.rate_floor, rate) + facility.spread)
                for (since, rate), (until, _) in pairwise(changes)
            ]
        year = DAY_COUNTS[line.day_count]
        exact.period.append((first, last, balance))
        growth = compounded_interest(exact.period, self._compounding(line, exact.period[0][0], last), year)
        total = sum(map(Fraction, growth), Fraction(0))
        grown = total - exact.period_posted
        exact.period_posted = total
        days = days_between(self._calendar, first, last, line.day_count)
        exact.interest += grown + balance * Fraction(facility.spread) * days / year
        rate = float(grown) * year / (balance * days) if days else 0.0
        return [(first, last, balance, undrawn, rate + facility.spread)]

    def _fixings(self, line: Line, first: int, last: int) -> list[tuple[int, float]]:
        """(day, base rate) of the first day and of each change before ``last``, as the facility looks them up."""
        if not line.lookback_business_days:
            return self._market.rate_changes(first, last)
        found: list[tuple[int, float]] = []
        for day in range(first, last):
            rate = self._market.rate(self._looked_up(line, day))
            if not found or rate != found[-1][1]:
                found.append((day, rate))
        return found

    def _compounding(self, line: Line, first: int, last: int) -> list[tuple[int, int, float]]:
        """(day, next day, rate) from one business day to the next."""
        business = [day for day in range(first + 1, last) if self._calendar.is_business_day(day)]
        days = [first, *business, last]
        return [
            (day, later, max(line.rate_floor, self._market.rate(self._looked_up(line, day))))
            for day, later in pairwise(days)
        ]

    def _looked_up(self, line: Line, day: int) -> int:
        """The day whose fixing applies on a day; days without one go with the business day before them."""
        while line.lookback_business_days and not self._calendar.is_business_day(day):
            day -= 1
        for _ in range(line.lookback_business_days):
            day -= 1
            while not self._calendar.is_business_day(day):
                day -= 1
        return day

    def rate(self, facility: Facility, line: Line, day: int) -> float:
        """What the facility charges on a day, as an annual decimal."""
        return max(line.rate_floor, self._market.rate(self._looked_up(line, day))) + facility.spread

    def rates(self, day: int) -> dict[str, float]:
        """The rate of each facility on a day."""
        lines = self._state.facilities.by_name
        return {name: self.rate(facility, self._lines[name], day) for name, facility in lines.items()}

    def next_service_cents(self, day: int) -> int:
        """Interest and fees of the next three months at unchanged balances and rates."""
        days = self._calendar.add_months(day + 1, 3) - day - 1  # from a quarter's end on, the next quarter
        total = 0.0
        for name, facility in self._state.facilities.by_name.items():
            yearly = facility.undrawn_cents * facility.commitment_fee
            if facility.balance_cents:
                yearly += facility.balance_cents * self.rate(facility, self._lines[name], day)
            total += yearly * days / DAY_COUNTS[self._lines[name].day_count]
        return round(total)

    def call_ahead(self, day: int) -> Iterator[Output]:
        """Call the shortfall of the next payment day: cash and proceeds against what is owed and still accrues."""
        facilities = self._state.facilities
        multiple = max(1.0, self._settings.leverage.optimization.min_cash_buffer)
        needed = facilities.owed_cents + round(multiple * self.next_service_cents(day))
        missing = needed - max(0, own_cash(self._state)) - self._state.lots.cents
        if any("liquidity" in line.breaches or "payment" in line.breaches for line in facilities.by_name.values()):
            missing -= self._partners.on_the_way_cents("cure")
        amount = min(missing, self._partners.callable_for_fees_cents())
        due = self._partners.call_due(day)
        if amount > 0 and due < self._last_day and not self._partners.on_the_way_cents("debt_service"):
            yield [self._partners.call(amount, "debt_service", due)]

    def call_on_drawn(self, record: Record, fact: FacilityDrawn) -> Output:
        """A bridge raises debt service and is spent in full; other draws keep back what they need for it."""
        return next(self.call_ahead(record.day), None) if fact.purpose == "bridge" else None

    def pay_all(self, _day: int) -> Iterator[Output]:
        """A payment day: what is owed is paid; a shortfall is a payment default."""
        for name, facility in self._state.facilities.by_name.items():
            if facility.owed_cents:
                yield self.pay(name)
                if facility.owed_cents:
                    yield [PaymentDefaulted(facility=name, what="service", unpaid_cents=facility.owed_cents)]

    def pay(self, name: str) -> list[Fact]:
        """Facts that pay what a facility is owed as far as the cash goes: fees first."""
        facility = self._state.facilities.by_name[name]
        payment = service_payment(self._state, facility.owed_cents)
        if not payment.amount_cents:
            return []
        fee = min(facility.fees_owed_cents, payment.amount_cents)
        paid = DebtServicePaid(
            facility=name, interest_cents=payment.amount_cents - fee, fee_cents=fee, lots=payment.lots
        )
        return [*payment.before, paid]

    def close(self, day: int) -> Iterator[Output]:
        """The fund's last day: all is paid as far as the cash goes; the rest is the lenders' loss."""
        yield from self.pay_all(day)
        for name, facility in self._state.facilities.by_name.items():
            payment = repayment(self._state, facility.balance_cents, keep_buffer=False)
            if payment.amount_cents:
                yield repaid(self._state, name, payment, "fund_end")
            if facility.balance_cents + facility.owed_cents:
                if facility.balance_cents:
                    yield [PaymentDefaulted(facility=name, what="principal", unpaid_cents=facility.balance_cents)]
                yield [
                    FacilityWrittenOff(
                        facility=name,
                        principal_cents=facility.balance_cents,
                        interest_cents=facility.interest_owed_cents,
                        fee_cents=facility.fees_owed_cents,
                    )
                ]


def repaid(state: State, name: str, payment: Payment, reason: str) -> list[Fact]:
    """The facts of a repayment."""
    facility = state.facilities.by_name[name]
    left, draws = payment.amount_cents, []
    for day, cents in facility.draws:
        if not left:
            break
        part = min(cents, left)
        draws.append((day, part))
        left -= part
    fact = FacilityRepaid.model_validate(
        {
            "facility": name,
            "reason": reason,
            "amount_cents": payment.amount_cents,
            "balance_cents": facility.balance_cents - payment.amount_cents,
            "unlent_cents": payment.unlent_cents,
            "lots": payment.lots,
            "draws": draws,
        }
    )
    return [*payment.before, fact]
