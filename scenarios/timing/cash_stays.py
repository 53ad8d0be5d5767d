"""Every night of every cent of cash: a fold that moves slices of cash as the log does, with a reason for each night."""

from collections.abc import Callable
from typing import Any

from fundclock.events.facts import (
    BreakerReset,
    BreakerTripped,
    CapitalContributed,
    CapitalDeployed,
    CapitalDistributed,
    CapitalReinvested,
    CarryReturned,
    CashInterestReceived,
    DebtServicePaid,
    DeploymentDeferred,
    DrawLent,
    FacilityDrawn,
    FacilityRepaid,
    FeesPaid,
    LoanExited,
    LoanInterestPaid,
    LoanOriginated,
    LoanRecovered,
    OriginationFeeReceived,
    ProceedsCarried,
    ProceedsReleased,
    ReinvestmentDeclined,
    ReinvestmentPeriodEnded,
    ReinvestmentResumed,
    ReserveDrawn,
    ReserveFilled,
    ReserveReleased,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state.capital import LENT, Capital
from fundclock.events.state.facilities import Facilities
from fundclock.events.state.folding import Mutator
from fundclock.scenarios.timing.idle_cash import (
    CALLED,
    DRAWN,
    HELD,
    OTHER,
    PROCEEDS,
    Book,
    Slice,
    cents_of,
)

MARKS = {
    "below_minimum": "below_minimum",
    "indivisible": "indivisible_remainder",
    "batch_limit": "batch_limit",
    "suspended": "declined",
    "no_zone": "declined",
    "risk_multiplier": "declined",
    "insufficient_cash": "declined",
}
"""What a check has said of the cash that it left; the others are seen from the state of the night."""


LOT_SOURCES = {"exit": "exit", "recovery": "recovery", "interest": "coupon", "call": "call_deployment"}
"""What brought a lot, in the words of the fund's facts and in ours."""

INCOME: dict[type[Fact], str] = {
    CashInterestReceived: "yield",
    OriginationFeeReceived: "origination_fee",
    CarryReturned: "clawback",
}
"""Sources of cash that no loan, partner or lender has brought."""


class CashStays:
    """The fold: moves slices as the log moves cash, and gives each night's reason by that day's state."""

    def __init__(self, scenario: Any) -> None:
        self.book = Book()
        fund = scenario["fund"]
        self._pays_in_period = fund["recycle"] != "all" or fund["recycling_cap"] is not None
        self._capital = Capital()
        self._facilities = Facilities()
        self._folds: dict[type[Fact], list[Mutator]] = {}
        for fold in (self._capital, self._facilities) if scenario["leverage"] else (self._capital,):
            for fact, mutator in fold.on().items():
                self._folds.setdefault(fact, []).append(mutator)
        self.facts = tuple(dict.fromkeys([*HANDLERS, *self._folds]))
        self._released: dict[int, None] = {}
        self._manual_sources: set[str] | None = None
        self._period_over = False
        self._kept = 0
        self._day = 0
        self._changed = False

    def apply(self, record: Record) -> None:
        """Fold one record."""
        if record.day != self._day:
            self._close()
            self._day = record.day
        fact = record.payload
        for mutator in self._folds.get(type(fact), ()):
            mutator(record, fact)
            self._changed = True
        handler = HANDLERS.get(type(fact))
        if handler is not None:
            handler(self, record, fact)
            self._changed = True

    def finish(self, day: int) -> None:
        """The log's end, on this day: what is still there is held."""
        self._close()
        for parts in (*self.book.proceeds.values(), *self.book.pools.values()):
            self.book.use(parts, HELD, day, 0)

    def _close(self) -> None:
        """The evening: pools as the state has them, the lenders' part of them, then the reasons of the night."""
        if not self._changed:
            return
        self._changed = False
        self._reconcile()
        lines = self._facilities
        if lines.by_name:
            if lines.holds_cash_back != self.book.holding:
                self.book.holding = lines.holds_cash_back
                self.book.touch_all()
            self._keep(lines.kept_cents)
        self.book.close(self._day)

    def _reconcile(self) -> None:
        """Cash that facts have moved between uses without a flow: pools become what the state says they are."""
        book, capital = self.book, self._capital
        wanted = {
            CALLED: max(0, capital.undeployed_cents) + capital.returning_cents,
            DRAWN: max(0, self._facilities.unlent_cents),
        }
        for pool, cents in wanted.items():
            over = book.cents[pool] - cents
            if over > 0:
                book.shift(pool, OTHER, over)
            elif over < 0:
                book.shift(OTHER, pool, -over)

    def _keep(self, kept: int) -> None:
        """What is kept for lenders: other cash first, the oldest, then proceeds that may be lent, then any."""
        if not kept and not self._kept:
            return
        self._kept = kept
        book = self.book
        left = self._buffer(book.pools[OTHER], kept)
        eligible = [(key, parts) for key, parts in book.proceeds.items() if parts[0].released]
        waiting = [(key, parts) for key, parts in book.proceeds.items() if not parts[0].released]
        for _, parts in (*eligible, *waiting):
            left = self._buffer(parts, left)

    def _buffer(self, parts: list[Slice], kept: int) -> int:
        """Mark so many cents off the front of a list as the lenders'; how many are still missing."""
        place = 0
        while place < len(parts):
            part = parts[place]
            buffered = kept > 0
            if buffered and part.cents > kept:
                parts.insert(place + 1, self.book.divide(part, kept))
            if part.buffered != buffered:
                part.buffered = buffered
                self.book.touch(part)
            kept = max(0, kept - part.cents) if buffered else 0
            place += 1
        return kept

    def paid_off(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        """A loan has paid."""
        source = "exit" if isinstance(fact, LoanExited) else "recovery"
        self._proceeds(record, source, fact.proceeds_cents)

    def interest(self, record: Record, fact: LoanInterestPaid) -> None:
        """Coupons have been paid."""
        self._proceeds(record, "coupon", fact.amount_cents)

    def _proceeds(self, record: Record, source: str, cents: int) -> None:
        part = self.book.add(record.seq, source, cents, OTHER if self._period_over else PROCEEDS)
        if part is not None:
            part.awaiting = self._period_over

    def contributed(self, record: Record, fact: CapitalContributed) -> None:
        """Partners have paid a call."""
        self.book.add(record.seq, f"call_{fact.purpose}", fact.amount_cents, CALLED if fact.purpose in LENT else OTHER)

    def drawn(self, record: Record, fact: FacilityDrawn) -> None:
        """A lender has paid a draw."""
        pool = CALLED if fact.purpose == "bridge" else OTHER if self._period_over else DRAWN
        self.book.add(record.seq, f"draw_{fact.facility}", fact.amount_cents, pool)

    def income(self, record: Record, fact: Any) -> None:
        """Cash has come in that is for fees, or for the partners."""
        part = self.book.add(record.seq, INCOME[type(fact)], fact.amount_cents, OTHER)
        if part is not None:
            part.awaiting = self._period_over or self._pays_in_period

    def declined(self, _record: Record, fact: ReinvestmentDeclined) -> None:
        """A check, or a due lot, led to no loan."""
        if fact.lot is not None:  # no loan will be made of it
            parts = self.book.cut_lots([(fact.lot, fact.amount_cents)])
            self.book.move(parts, OTHER, awaiting=True)
        elif fact.trigger != "manual":
            self._clear_marks()
            if fact.reason in MARKS:
                self._mark_lots(0, fact.amount_cents, MARKS[fact.reason])

    def _clear_marks(self, *marks: str) -> None:
        """A check looks at all that may be lent; what the last one has said (or these marks alone) is over."""
        for parts in self.book.proceeds.values():
            for part in parts:
                if part.mark is not None and (not marks or part.mark in marks):
                    part.mark = None
                    self.book.touch(part)

    def _mark_lots(self, skip: int, cents: int, mark: str, sources: set[str] | None = None) -> None:
        """What has been left of so many cents, after the first ``skip``, in the order of release."""
        for key in list(self._released):
            parts = self.book.proceeds.get(key)
            if parts is None:
                del self._released[key]
                continue
            place = 0
            while place < len(parts) and cents > 0:
                part = parts[place]
                place += 1
                if sources is not None and part.source not in sources:
                    continue
                limit = skip or cents
                if part.cents > limit:
                    parts.insert(place, self.book.divide(part, limit))
                if skip:
                    skip -= part.cents
                    continue
                cents -= part.cents
                part.mark = mark
                self.book.touch(part)

    def released(self, _record: Record, fact: ProceedsReleased) -> None:
        """A delay is over."""
        self._released[fact.lot] = None
        for part in self.book.proceeds.get(fact.lot, ()):
            part.released = True
            self.book.touch(part)

    def reserve_filled(self, record: Record, fact: ReserveFilled) -> None:
        """Cash has gone into the reserve."""
        book = self.book
        if fact.source == "call":
            parts = book.cut(book.pools[CALLED], fact.amount_cents)
            book.move(parts, PROCEEDS, key=record.seq)
            lots = [(record.seq, fact.amount_cents)]
        else:
            lots = fact.lots
        for key, _ in lots:
            self._released.setdefault(key)
            for part in book.proceeds.get(key, ()):
                part.released = part.reserved = True
                book.touch(part)

    def reserve_released(self, _record: Record, fact: ReserveReleased) -> None:
        """Cash has left the reserve."""
        if fact.purpose == "reinvestment":
            return  # spent on the day
        if not fact.lots:  # a call for a reserve that there is not any more
            self._unreserve([(key, cents_of(parts)) for key, parts in self.book.proceeds.items()], fact.amount_cents)
        elif fact.purpose == "distribution":
            parts = self.book.cut_lots(fact.lots)
            self.book.move([part for part in parts if not _called(part)], OTHER, awaiting=True)
            self.book.move([part for part in parts if _called(part)], CALLED, awaiting=True)
        else:
            self._unreserve(fact.lots, fact.amount_cents)

    def _unreserve(self, lots: list[tuple[int, int]], cents: int) -> None:
        for key, part_cents in lots:
            left = min(part_cents, cents)
            parts = self.book.proceeds.get(key, [])
            for part in [part for part in parts if part.reserved]:
                if left <= 0:
                    break
                if part.cents > left:
                    parts.append(self.book.divide(part, left))
                left -= part.cents
                cents -= part.cents
                part.reserved = False
                self.book.touch(part)

    def reserve_drawn(self, _record: Record, fact: ReserveDrawn) -> None:
        """The reserve pays for something."""
        self._unreserve(fact.lots, fact.amount_cents)

    def reinvested(self, record: Record, fact: CapitalReinvested) -> None:
        """A check has bought loans."""
        self.book.use(self.book.cut_lots(fact.lots), "loans", record.day, record.seq)
        self._manual_sources = {LOT_SOURCES[name] for name in fact.by_source} if fact.trigger == "manual" else None
        if fact.trigger != "manual":
            self._clear_marks()
            self._mark_lots(fact.offered_cents - fact.amount_cents, fact.refused_cents, "declined")

    def period_ended(self, _record: Record, _fact: ReinvestmentPeriodEnded) -> None:
        """What lots still hold goes to the partners."""
        self._period_over = True
        book = self.book
        parts = book.cut_lots([(key, cents_of(parts)) for key, parts in book.proceeds.items()])
        book.move([part for part in parts if not _called(part)], OTHER, awaiting=True)
        book.move([part for part in parts if _called(part)], CALLED, awaiting=True)
        drawn = book.cut(book.pools[DRAWN], book.cents[DRAWN])
        book.move(drawn, OTHER, awaiting=True)
        for part in book.pools[OTHER]:
            if part.source in ("yield", "origination_fee") and not part.awaiting:
                part.awaiting = True
                book.touch(part)

    def originated(self, record: Record, fact: LoanOriginated) -> None:
        """A loan was bought with called or drawn cash."""
        if fact.source != "reinvestment":
            pool = DRAWN if fact.source == "leverage" else CALLED
            self.book.pay(fact.principal_cents, (pool,), "loans", record.day, record.seq)

    def deployed(self, _record: Record, _fact: CapitalDeployed) -> None:
        """A call was spent; the loans that follow take what they cost."""
        self._mark(CALLED, "indivisible_remainder")

    def deferred(self, _record: Record, fact: DeploymentDeferred) -> None:
        """Called capital was not spent, and why."""
        self._mark(CALLED, MARKS.get(fact.reason))

    def lent(self, _record: Record, fact: DrawLent) -> None:
        """A draw was lent, but what is kept for the lender."""
        kept = self.book.cut(self.book.pools[DRAWN], fact.kept_cents)
        self.book.move(kept, OTHER)
        self._mark(DRAWN, MARKS.get(fact.reason) if fact.reason else "indivisible_remainder")

    def _mark(self, pool: str, mark: str | None) -> None:
        for part in self.book.pools[pool]:
            part.mark = mark
            self.book.touch(part)

    def fees_paid(self, record: Record, fact: FeesPaid) -> None:
        """Fees were paid."""
        book, day, seq = self.book, record.day, record.seq
        left = fact.amount_cents - book.use(book.cut_lots(fact.lots), "fees", day, seq)
        if fact.undeployed_cents:
            left -= book.use(book.cut(book.pools[CALLED], fact.undeployed_cents), "fees", day, seq)
        self._pay(left, "fees", record, lambda part: (part.awaiting, part.buffered))

    def service_paid(self, record: Record, fact: DebtServicePaid) -> None:
        """Interest and fees of a facility were paid."""
        left = fact.interest_cents + fact.fee_cents
        left -= self.book.use(self.book.cut_lots(fact.lots), "debt_service", record.day, record.seq)
        self._pay(left, "debt_service", record, lambda part: (not part.buffered,))

    def repaid(self, record: Record, fact: FacilityRepaid) -> None:
        """Principal was repaid."""
        book, day, seq = self.book, record.day, record.seq
        left = fact.amount_cents - book.use(book.cut_lots(fact.lots), "repayment", day, seq)
        if fact.reason == "call":
            left -= book.use(book.cut(book.pools[CALLED], left), "repayment", day, seq)
        left -= book.use(book.cut(book.pools[DRAWN], min(left, fact.unlent_cents)), "repayment", day, seq)
        self._pay(left, "repayment", record, lambda part: (part.buffered,))

    def distributed(self, record: Record, fact: CapitalDistributed) -> None:
        """Partners were paid."""
        book = self.book
        book.pools[CALLED].sort(key=lambda part: not part.awaiting)
        left = fact.amount_cents
        left -= book.use(book.cut(book.pools[CALLED], fact.undeployed_cents), "distribution", record.day, record.seq)
        self._pay(left, "distribution", record, lambda part: (part.buffered, not part.awaiting))
        for part in book.pools[OTHER]:  # what a payment day leaves is for fees
            if part.awaiting:
                part.awaiting = False
                book.touch(part)

    def _pay(self, cents: int, use: str, record: Record, order: Callable[[Slice], tuple[bool, ...]]) -> None:
        """Other cash pays, in this order and then the oldest first; what it lacks comes from wherever it is."""
        if cents > 0:
            parts = self.book.pools[OTHER]
            parts.sort(key=lambda part: (*order(part), part.origin))
            self.book.pay(cents, (), use, record.day, record.seq)
            parts.sort(key=lambda part: part.origin)

    def breaker(self, _record: Record, fact: BreakerTripped | BreakerReset) -> None:
        """The circuit breaker has tripped or reset."""
        tripped = isinstance(fact, BreakerTripped)
        if self.book.tripped != tripped:
            self.book.tripped = tripped
            self.book.touch_all()

    def carried(self, _record: Record, fact: ProceedsCarried) -> None:
        """A check has left something of its offer, and why."""
        self._mark_lots(0, fact.amount_cents, MARKS[fact.reason], self._manual_sources)

    def resumed(self, _record: Record, _fact: ReinvestmentResumed) -> None:
        """What was refused because reinvestment was suspended waits for the next check now."""
        self._clear_marks("declined")


def _called(part: Slice) -> bool:
    return part.source.startswith("call_")


HANDLERS: dict[type[Fact], Callable[[CashStays, Record, Any], None]] = {
    LoanExited: CashStays.paid_off,
    LoanRecovered: CashStays.paid_off,
    LoanInterestPaid: CashStays.interest,
    CapitalContributed: CashStays.contributed,
    FacilityDrawn: CashStays.drawn,
    CashInterestReceived: CashStays.income,
    OriginationFeeReceived: CashStays.income,
    CarryReturned: CashStays.income,
    ReinvestmentDeclined: CashStays.declined,
    ProceedsReleased: CashStays.released,
    ReserveFilled: CashStays.reserve_filled,
    ReserveReleased: CashStays.reserve_released,
    ReserveDrawn: CashStays.reserve_drawn,
    CapitalReinvested: CashStays.reinvested,
    ProceedsCarried: CashStays.carried,
    ReinvestmentPeriodEnded: CashStays.period_ended,
    LoanOriginated: CashStays.originated,
    CapitalDeployed: CashStays.deployed,
    DeploymentDeferred: CashStays.deferred,
    DrawLent: CashStays.lent,
    FeesPaid: CashStays.fees_paid,
    DebtServicePaid: CashStays.service_paid,
    FacilityRepaid: CashStays.repaid,
    CapitalDistributed: CashStays.distributed,
    BreakerTripped: CashStays.breaker,
    BreakerReset: CashStays.breaker,
    ReinvestmentResumed: CashStays.resumed,
}
"""What each fact does to the slices."""

KINDS = tuple(
    str(fact.model_fields["kind"].default) for fact in dict.fromkeys([*HANDLERS, *Capital().on(), *Facilities().on()])
)
"""The records that say how cash moved and why it lay."""
