"""The life of loans after they are bought: coupons, valuations, exits, defaults, recoveries, the end of the fund."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from fundclock.events.bus import Output, Rejected
from fundclock.events.commands import CollectRecovery, SellLoan
from fundclock.events.facts import (
    BookValued,
    CommandCancelled,
    CommandScheduled,
    LoanDefaulted,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    NavShocked,
)
from fundclock.events.facts.loans import ExitKind, RecoveryKind
from fundclock.events.parts import Commands, Part, Reactions
from fundclock.events.record import Fact, Record
from fundclock.events.state.loan_book import DEFAULTED, PERFORMING, LoanTerms, grown
from fundclock.handlers.context import Context
from fundclock.handlers.loans.claims import flat_share_of_gain, net_sale, simple_interest, tiered_share_of_gain
from fundclock.handlers.loans.exits import CHUNK, Ending, ExitClock, interest_starts
from fundclock.handlers.loans.values import PropertyValues
from fundclock.handlers.risk.exposure import Exposure, make_marks, share_at


class _Loan(NamedTuple):
    """One loan on one day; interest and claim in cents, property value and net sale in cents before rounding."""

    row: int
    terms: LoanTerms
    interest: int
    claim: int
    value: float
    net: float


class _Paid(TypedDict):
    """The fields that exits and recoveries share."""

    loan_id: str
    zone: str
    proceeds_cents: int
    principal_cents: int
    interest_cents: int
    gain_cents: int
    claim_cents: int
    property_value_cents: int
    carried_interest_cents: int
    carried_gain_cents: int
    coupons_cents: int
    held_days: int


class Marks(NamedTuple):
    """Loans at a valuation, by row: cents owed and worth, the property's value as it is (not rounded)."""

    principal: NDArray[np.int64]
    interest: NDArray[np.int64]
    values: NDArray[np.float64]
    claim: NDArray[np.int64]
    worth: NDArray[np.int64]

    @property
    def ltv(self) -> NDArray[np.float64]:
        """What is owed of principal and interest, over the property's value."""
        return (self.principal + self.interest) / self.values


class ValuationWatch(Protocol):
    """Who is told what loans are worth at a valuation, chunk by chunk."""

    def begin_valuation(self, day: int) -> None:
        """All loans are about to be marked."""

    def mark(
        self,
        rows: NDArray[np.intp],
        worth: NDArray[np.int64],
        claims: NDArray[np.int64],
        ltv: NDArray[np.float64],
    ) -> None:
        """Some of the living loans: cents that they are worth and owe, and loan-to-value; same length as ``rows``."""


class _Totals:
    """Sums of a valuation: loans, principal, claims and worth by zone, and what it changes in the books."""

    def __init__(self, zones: int) -> None:
        self.by_zone = np.zeros((4, zones), np.int64)
        self.interest_change = 0
        self.gain_change = 0


class Lifecycle(Part):
    """Turns endings into facts. Remembers, by row, what the books carry for each loan since its last valuation."""

    def __init__(
        self,
        context: Context,
        values: PropertyValues,
        clock: ExitClock,
        exposure: Exposure,
        watch: ValuationWatch | None = None,
    ) -> None:
        """``watch`` sees every valuation too."""
        self._watch = watch
        self._marks_at = 1.0
        self._sold: set[int] = set()
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._values = values
        self._clock = clock
        self._exposure = exposure
        self._carried_interest = np.zeros(256, np.int64)
        self._carried_gain = np.zeros(256, np.int64)

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            NavShocked: [self.note_nav_shock],
            LoanDefaulted: [self.schedule_recovery_on_loan_defaulted],
        }

    def commands(self) -> Commands:
        """The commands that it carries out."""
        return {
            CollectRecovery: self.collect_recovery,
            SellLoan: self.sell,
        }

    def next_day(self) -> int:
        """The next day on which loans may end."""
        return self._clock.next_day()

    def end_loans(self, day: int, backwards: bool = False) -> Iterator[Output]:
        """Exits and defaults of a day, each an episode of its own."""
        endings = self._clock.take(day)
        for ending in reversed(endings) if backwards else endings:
            if ending.row in self._sold:
                continue
            if ending.kind == "default":
                yield [self._default(ending, day)]
            else:
                yield [self._exit(ending, day)]

    def sell(self, day: int, command: SellLoan) -> Output | Rejected:
        """A sale to someone else is settled: what the loan would pay today, less the haircut."""
        row = self._state.book.row_of[command.loan_id]
        if self._state.book.status().item(row) != PERFORMING:
            return Rejected(f"{command.loan_id} does not pay any more")
        self._sold.add(row)
        return [self._pay_off(row, day, "secondary_sale", command.haircut)]

    def schedule_recovery_on_loan_defaulted(self, _record: Record, fact: LoanDefaulted) -> Output:
        """The wait for a recovery is a promise."""
        return [CommandScheduled(due_day=fact.recovery_due_day, command=CollectRecovery(loan_id=fact.loan_id))]

    def collect_recovery(self, day: int, command: CollectRecovery) -> Output:
        """A recovery has come in."""
        return [self._recover(self._state.book.row_of[command.loan_id], day, "foreclosure", 0.0)]

    def wind_down(self, day: int) -> Iterator[Output]:
        """The fund's last day: what lives is sold, pending recoveries too, at the wind-down discount."""
        book = self._state.book
        discount = self._settings.fund.wind_down_discount
        promises = {command.loan_id: seq for seq, command in self._state.agenda.promises(CollectRecovery)}
        status = book.status()
        for row in sorted(book.living_rows().tolist(), key=book.ids.__getitem__):
            loan_id = book.ids[row]
            if status.item(row) == PERFORMING:
                yield [self._pay_off(row, day, "fund_end", discount)]
            else:
                yield [
                    self._recover(row, day, "fund_end", discount),
                    CommandCancelled(scheduled_seq=promises[loan_id], reason="fund_end"),
                ]

    def collect_interest(self, day: int) -> Iterator[Output]:
        """Coupons of loans with cash interest, for the month that ends today."""
        book = self._state.book
        rows = book.performing_rows()
        rows = rows[book.column("pays_cash")[rows]]
        if len(rows) == 0:
            return
        interest = self._interest(rows, day)
        self._cover(len(book))
        carried = int(self._carried_interest[rows].sum())
        self._carried_interest[rows] = 0
        sums = interest @ _indicators(book.column("zone")[rows], len(book.zones))
        by_zone = dict(zip(book.zones, sums.tolist(), strict=True))
        amount = sum(by_zone.values())
        if amount or carried:
            yield [LoanInterestPaid(amount_cents=amount, carried_interest_cents=carried, by_zone=by_zone)]

    def value_book(self, day: int) -> Iterator[Sequence[Fact]]:
        """A valuation: accrued interest and unrealised gain of every living loan."""
        book = self._state.book
        rows = book.living_rows()
        self._cover(len(book))
        totals = _Totals(len(book.zones))
        if self._exposure.open:
            self._exposure.begin_valuation()
        if self._watch is not None:
            self._watch.begin_valuation(day)
        for first in range(0, len(rows), CHUNK):
            self._value_rows(rows[first : first + CHUNK], day, totals)
        loans, principal, claim, worth = (dict(zip(book.zones, sums, strict=True)) for sums in totals.by_zone.tolist())
        yield [
            BookValued(
                loans=loans,
                principal_cents=principal,
                claim_cents=claim,
                value_cents=worth,
                interest_change_cents=totals.interest_change,
                gain_change_cents=totals.gain_change,
            )
        ]

    def marks(self, rows: NDArray[np.intp], day: int) -> "Marks":
        """These living loans as a valuation of a day would mark them; nothing is marked."""
        book = self._state.book
        principal = book.column("principal_cents")[rows]
        interest = self._interest(rows, day)
        values = self._values.of_rows(rows, day)
        owed = principal + interest + self._share_of_gain(rows, values)
        net = net_sale(values, self._settings.loans.selling_cost, book.column("senior_debt_cents")[rows])
        worth = np.rint(np.minimum(owed, net) * self._marks_at).astype(np.int64)
        claim = np.rint(owed).astype(np.int64)
        for place in (book.status()[rows] == DEFAULTED).nonzero()[0].tolist() if book.in_recovery else ():
            row = rows.item(place)
            default = book.defaults[row]
            claim[place] = default.claim_cents
            interest[place] = default.interest_cents
            worth[place] = self._recovery(book.terms(row).zone, default.claim_cents, net.item(place))
        return Marks(principal, interest, values, claim, worth)

    def carried_cents(self, rows: NDArray[np.intp]) -> int:
        """What the books carry these loans at, above their principal."""
        self._cover(len(self._state.book))
        return int(self._carried_interest[rows].sum() + self._carried_gain[rows].sum())

    def _value_rows(self, rows: NDArray[np.intp], day: int, totals: "_Totals") -> None:
        book = self._state.book
        marks = self.marks(rows, day)
        principal, interest, values, claim, worth = marks
        ltv = marks.ltv
        gain = worth - principal - interest
        totals.interest_change += int(np.add.reduce(interest - self._carried_interest[rows]))
        totals.gain_change += int(np.add.reduce(gain - self._carried_gain[rows]))
        self._carried_interest[rows] = interest
        self._carried_gain[rows] = gain
        columns = np.empty((4, len(rows)), np.int64)
        columns[0] = 1
        columns[1:] = principal, claim, worth
        zones = book.column("zone")[rows]
        totals.by_zone += columns @ _indicators(zones, len(book.zones))
        if self._exposure.open:
            self._expose(rows, zones, claim, ltv, values)
        if self._watch is not None:
            self._watch.mark(rows, worth, claim, ltv)

    def note_nav_shock(self, _record: Record, fact: NavShocked) -> Output:
        """Scale later valuations; cash flows are unchanged."""
        self._marks_at *= 1 + fact.change
        return None

    def _exit(self, ending: Ending, day: int) -> LoanExited:
        assert ending.kind != "default"
        kind = self._clock.kind_of_exit(ending) if ending.kind == "exit" else ending.kind
        return self._pay_off(ending.row, day, kind, 0.0)

    def _loan(self, row: int, day: int) -> "_Loan":
        book = self._state.book
        terms = book.terms(row)
        since = terms.bought_day
        if terms.pays_cash:
            since = max(since, book.interest_paid_day)
        interest = round(simple_interest(terms.principal_cents, terms.coupon, day - since))
        value = self._values.of_row(row, terms.zone, day)
        opening = terms.property_value_cents
        if terms.share == terms.share:
            gain = flat_share_of_gain(opening, value, terms.share)
        else:
            gain = tiered_share_of_gain(opening, value, self._settings.loans.tiers())
        net = net_sale(value, self._settings.loans.selling_cost, terms.senior_debt_cents)
        return _Loan(row, terms, interest, terms.principal_cents + interest + round(gain), value, net)

    def _pay_off(self, row: int, day: int, kind: ExitKind, discount: float) -> LoanExited:
        loan = self._loan(row, day)
        proceeds = self._known_proceeds(row, day)
        if proceeds is None:
            proceeds = round(min(loan.claim, loan.net) * (1 - discount))
        return LoanExited(exit_kind=kind, **self._paid(loan, day, proceeds, loan.interest, loan.claim, day))

    def _recover(self, row: int, day: int, kind: RecoveryKind, discount: float) -> LoanRecovered:
        loan = self._loan(row, day)
        default = self._state.book.defaults[row]
        proceeds = self._known_proceeds(row, day)
        if proceeds is None:
            proceeds = round(self._recovery(loan.terms.zone, default.claim_cents, loan.net) * (1 - discount))
        paid = self._paid(loan, day, proceeds, default.interest_cents, default.claim_cents, default.day)
        return LoanRecovered(exit_kind=kind, waited_days=day - default.day, **paid)

    def _known_proceeds(self, row: int, day: int) -> int | None:
        known = self._state.book.known_endings.get(row)
        return known.proceeds_cents if known is not None and known.day == day else None

    def _paid(self, loan: "_Loan", day: int, proceeds: int, interest: int, claim: int, accrued_until: int) -> "_Paid":
        """The fields that exits and recoveries share; interest comes before gain, after principal."""
        terms = loan.terms
        coupons = 0
        if terms.pays_cash:
            whole = simple_interest(terms.principal_cents, terms.coupon, accrued_until - terms.bought_day)
            coupons = max(0, round(whole) - interest)
        received = min(interest, max(0, proceeds - terms.principal_cents))
        if loan.row >= len(self._carried_gain):
            self._cover(loan.row + 1)
        return {
            "loan_id": self._state.book.ids[loan.row],
            "zone": self._state.book.zones[terms.zone],
            "proceeds_cents": proceeds,
            "principal_cents": terms.principal_cents,
            "interest_cents": received,
            "gain_cents": proceeds - terms.principal_cents - received,
            "claim_cents": claim,
            "property_value_cents": round(loan.value),
            "carried_interest_cents": self._carried_interest.item(loan.row),
            "carried_gain_cents": self._carried_gain.item(loan.row),
            "coupons_cents": coupons,
            "held_days": day - terms.bought_day,
        }

    def _default(self, ending: Ending, day: int) -> Fact:
        row = ending.row
        loan = self._loan(row, day)
        known = self._state.book.known_endings.get(row)
        due = self._calendar.add_months(day, self._settings.exits.foreclosure_months) if known is None else known.day
        expected = self._recovery(loan.terms.zone, loan.claim, loan.net)
        self._cover(row + 1)
        gain = expected - loan.terms.principal_cents - loan.interest
        fact = LoanDefaulted(
            loan_id=ending.loan_id,
            zone=self._state.book.zones[loan.terms.zone],
            principal_cents=loan.terms.principal_cents,
            interest_cents=loan.interest,
            claim_cents=loan.claim,
            property_value_cents=round(loan.value),
            expected_recovery_cents=expected,
            interest_change_cents=loan.interest - self._carried_interest.item(row),
            gain_change_cents=gain - self._carried_gain.item(row),
            recovery_due_day=due,
        )
        self._carried_interest[row] = loan.interest
        self._carried_gain[row] = gain
        return fact

    def _recovery(self, zone: int, claim: int, net: float) -> int:
        """What a defaulted loan recovers where a sale would leave ``net`` for it."""
        rate = self._settings.zones[self._state.book.zones[zone]].recovery_rate
        if self._settings.exits.recovery_basis == "claim":
            return round(min(rate * claim, net))
        return round(min(claim, rate * net))

    def _interest(self, rows: NDArray[np.intp], day: int) -> NDArray[np.int64]:
        book = self._state.book
        days = (day - interest_starts(book, rows)).astype(np.float64)
        principal = book.column("principal_cents")[rows].astype(np.float64)
        interest: NDArray[np.int64] = np.rint(simple_interest(principal, book.column("coupon")[rows], days)).astype(
            np.int64
        )
        return interest

    def _share_of_gain(self, rows: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
        opening = self._state.book.column("property_value_cents")[rows].astype(np.float64)
        shares = self._state.book.column("share")[rows]
        owed = flat_share_of_gain(opening, values, shares)
        if not isinstance(self._settings.loans.appreciation_share, float):
            tiered = tiered_share_of_gain(opening, values, self._settings.loans.tiers())
            owed = np.where(np.isnan(shares), tiered, owed)
        rounded: NDArray[np.float64] = np.rint(owed)
        return rounded

    def _expose(
        self,
        rows: NDArray[np.intp],
        zones: NDArray[np.int16],
        claim: NDArray[np.int64],
        ltv: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> None:
        """Mark these loans: what they owe and what they may still earn (a defaulted one nothing)."""
        book = self._state.book
        opening, shares = book.column("property_value_cents")[rows], book.column("share")[rows]
        if not isinstance(self._settings.loans.appreciation_share, float):
            shares = share_at(values / opening - 1, shares, self._settings.loans.tiers())
        marks = make_marks(claim, ltv, book.column("coupon")[rows], shares * values * (values >= opening))
        if book.in_recovery:
            marks[3:, book.status()[rows] == DEFAULTED] = 0
        self._exposure.mark(rows, zones, marks)

    def _cover(self, count: int) -> None:
        self._carried_interest = grown(self._carried_interest, count)
        self._carried_gain = grown(self._carried_gain, count)


def _indicators(zones: NDArray[np.int16], count: int) -> NDArray[np.int64]:
    """Ones where a row is in a zone; shape (rows, zones). Whole numbers, so that sums are exact."""
    return np.eye(count, dtype=np.int64).take(zones, axis=0)
