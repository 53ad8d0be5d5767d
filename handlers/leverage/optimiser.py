"""How much debt is wanted: drawn toward the target, brought down from above the threshold, and lent.

The optimiser decides at each quarter's end, before the day's metrics are taken. Of the lines that stay drawn it draws
the cheapest, and the one that can be drawn longest among equals; it pays back the costliest first. A subscription line
only bridges calls: what it lends must be cleaned down.
"""

from collections.abc import Iterator
from typing import Literal

from fundclock.events.bus import Led, Output
from fundclock.events.commands import LendDraw, RepayFacility
from fundclock.events.facts import (
    BufferSet,
    CommandScheduled,
    DrawLent,
    FacilityDrawn,
    FacilityRaised,
    LeverageOptimized,
    SweepBegun,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state.facilities import Facility
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Context
from fundclock.handlers.fund.purse import own_cash, repayment
from fundclock.handlers.leverage.covenants import ratio
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.remedies import Remedies
from fundclock.handlers.leverage.service import DebtService
from fundclock.handlers.loans.purchases import Purchases
from fundclock.handlers.settings.leverage import GreenSleeveConfig


class Optimiser:
    """Draws and repays toward the target, keeps the buffer, and lends what was drawn."""

    def __init__(
        self,
        context: Context,
        purchases: Purchases,
        targets: Targets,
        lines: Lines,
        remedies: Remedies,
        service: DebtService,
    ) -> None:
        self._last_day = context.last_day
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._purchases = purchases
        self._targets = targets
        self._lines = lines
        self._remedies = remedies
        self._service = service
        self._period_end = min(context.period_end, context.last_day)

    def optimise(self, day: int) -> Iterator[Output]:
        """A quarter-end: the buffer for the next quarter, then the decision, if the optimiser is enabled."""
        buffer = self._buffer(day)
        if buffer is not None:
            yield [buffer]
        yield self._remedies.end_sweeps()
        if self._settings.leverage.optimization.enabled and not self._state.facilities.closed:
            yield self._decide(day)

    def _buffer(self, day: int) -> BufferSet | None:
        """The buffer for today's debt, where it is not what is kept already."""
        service = self._service.next_service_cents(day)
        kept = round(self._settings.leverage.optimization.min_cash_buffer * service)
        if kept == self._state.facilities.buffer_cents:
            return None
        return BufferSet(buffer_cents=kept, next_service_cents=service)

    def _decide(self, day: int) -> Output:
        config, facilities = self._settings.leverage.optimization, self._state.facilities
        nav = max(0, self._state.ledger.nav_cents())
        promised = sum(map(self._lines.promised_cents, facilities.by_name))
        debt = facilities.debt_cents + promised
        leverage = ratio(debt, nav)
        if debt > config.deleveraging_threshold * nav:
            return self._repay(day, leverage, debt - int(config.max_leverage * nav))
        wanted = int(config.target_leverage * nav) - debt
        if wanted <= 0:
            return self._fact(leverage, "hold", None, max(0, wanted), 0, "at or above the target")
        return self._draw(day, leverage, wanted)

    def _fact(
        self,
        leverage: float | None,
        action: Literal["draw", "repay", "hold"],
        name: str | None,
        asked: int,
        amount: int,
        reason: str,
    ) -> list[Fact]:
        return [
            LeverageOptimized(
                leverage_ratio=leverage,
                target=self._settings.leverage.optimization.target_leverage,
                action=action,
                facility=name,
                asked_cents=asked,
                amount_cents=amount,
                reason=reason,
            )
        ]

    def _draw(self, day: int, leverage: float | None, wanted: int) -> Output:
        """Ask the preferred line for what is missing; its commitment is raised where only that is in the way."""
        lines = self._state.facilities.by_name
        if self._state.conditions.tripped:
            return self._fact(leverage, "hold", None, wanted, 0, "the circuit breaker is tripped")
        stays = [name for name, line in lines.items() if line.facility_type == "nav"]
        names = sorted(stays, key=lambda name: (_margin(lines[name]), -lines[name].draw_end_day))
        reason = "no line stays drawn"
        for name in names:
            due = self._lines.notice_day(name, day)
            if due >= self._period_end:
                return self._fact(leverage, "hold", None, wanted, 0, "the reinvestment period is over")
            closed = self._lines.why_closed(name, due)
            if closed is not None:
                reason = closed
                continue
            line = lines[name]
            taken = line.balance_cents + self._lines.promised_cents(name)
            room = max(0, self._lines.base_cents(name, day) - taken)
            amount = self._can_be_lent(min(wanted, room, max(0, line.ceiling_cents - taken)))
            if amount - self._lacking(day, name, amount) < self._purchases.smallest_cents():
                reason = "less than a loan would be lent"
                continue
            facts: list[Fact] = []
            if taken + amount > line.commitment_cents:
                facts.append(self._raise(name, line, taken + amount))
            facts.append(self._lines.ask(name, day, amount, "target"))
            short = "to the target" if amount == wanted else "as far as the line goes"
            return Led(self._fact(leverage, "draw", name, wanted, amount, short)[0], facts)
        return self._fact(leverage, "hold", None, wanted, 0, reason)

    def _can_be_lent(self, cents: int) -> int:
        """What of a draw there is room for after all the cash that waits to be lent."""
        waiting = self._state.lots.eligible_cents + self._state.capital.undeployed_cents
        return max(0, self._targets.room_cents(waiting + cents) - waiting)

    def _lacking(self, day: int, name: str, amount: int) -> int:
        """What of a draw would be kept, because the cash at hand does not cover the buffer that it makes needed."""
        line, lines = self._state.facilities.by_name[name], self._state.facilities
        quarter = (self._service.rates(day)[name] - line.commitment_fee) * amount / 4
        multiple = self._settings.leverage.optimization.min_cash_buffer
        needed = lines.owed_cents + lines.buffer_cents + round(multiple * quarter)
        return max(0, needed - max(0, own_cash(self._state)) - self._state.lots.cents)

    def _raise(self, name: str, line: Facility, commitment: int) -> FacilityRaised:
        config = self._lines.config[name]
        assert isinstance(config, GreenSleeveConfig)
        fee = round((commitment - line.commitment_cents) * config.upfront_fee_bps / 10_000)
        return FacilityRaised(facility=name, commitment_cents=commitment, upfront_fee_cents=fee)

    def _repay(self, day: int, leverage: float | None, above: int) -> Output:
        """Give notice of what brings leverage down to its maximum; where the cash does not cover it, sweep."""
        lines = self._state.facilities.by_name
        names = sorted(lines, key=lambda name: (-_margin(lines[name]), lines[name].maturity_day))
        names = [name for name in names if lines[name].balance_cents and not self._remedies.locked_out(name, day)]
        if not names:
            return self._fact(leverage, "hold", None, above, 0, "no line may be paid back yet")
        name = names[0]
        wanted = min(above, lines[name].balance_cents)
        due = self._lines.notice_day(name, day)
        amount = repayment(self._state, wanted).amount_cents if due < self._last_day else 0
        facts: list[Fact] = []
        if amount == above:
            command = RepayFacility(facility=name, amount_cents=amount, reason="deleveraging")
            facts.append(CommandScheduled(due_day=due, command=command))
        elif name not in self._state.facilities.sweeps:
            facts.append(SweepBegun(facility=name, reason="deleveraging"))
        how = "down to the maximum" if amount == above else "as far as the cash goes; the rest is swept"
        return Led(self._fact(leverage, "repay", name, above, amount, how)[0], facts)

    def lend_on_drawn(self, record: Record, fact: FacilityDrawn) -> Output:
        """Drawn cash is lent on its day, whatever it was drawn for but a bridge, which deployment spends."""
        if fact.purpose == "bridge" or record.day >= self._period_end:
            return None
        return [CommandScheduled(due_day=record.day, command=LendDraw(facility=fact.facility))]

    def lend(self, day: int, command: LendDraw) -> Output:
        """Buy loans by target shares with drawn cash, but what the buffer for the new debt lacks."""
        facilities = self._state.facilities
        offered = facilities.unlent_cents
        buffer = self._buffer(day)
        kept_buffer = facilities.buffer_cents if buffer is None else buffer.buffer_cents
        lacking = max(0, facilities.owed_cents + kept_buffer - max(0, own_cash(self._state)) - self._state.lots.cents)
        kept = min(offered, lacking)
        targets = self._targets.shares()
        earlier = self._state.results.shortfall["leverage"]
        room = self._targets.room_cents(offered - kept)
        tripped = self._state.conditions.tripped
        reason: Literal["circuit_breaker", "risk_multiplier"] | None
        reason = "circuit_breaker" if tripped else "risk_multiplier" if room < offered - kept else None
        left = 0 if tripped else self._purchases.affordable(room)
        purchase = self._purchases.plan(day, left, targets, "leverage", earlier)
        fees = self._purchases.origination_fees(purchase, day, [])
        spent = purchase.spent_cents + self._purchases.fee_on(purchase.spent_cents)
        lent = DrawLent(
            facility=command.facility,
            offered_cents=offered,
            kept_cents=kept,
            amount_cents=purchase.spent_cents,
            carried_cents=offered - kept - spent,
            loans=len(purchase.loans),
            shortfall=purchase.shortfall,
            reason=reason,
        )
        return Led(lent, [*purchase.loans, *fees], [] if buffer is None else [buffer])


def _margin(line: Facility) -> float:
    """What a drawn cent costs more than an undrawn one, above the base rate."""
    return line.spread - line.commitment_fee
