"""The leverage engine: its parts, and what they react to and carry out."""

from fundclock.events import commands, facts
from fundclock.events.bus import CommandHandler, Reaction
from fundclock.events.commands import Command
from fundclock.events.dates import Calendar
from fundclock.events.record import Fact
from fundclock.events.state import State
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Settings
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.leverage.breaches import Monitor
from fundclock.handlers.leverage.bridge import Bridge
from fundclock.handlers.leverage.collateral import Collateral
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.optimiser import Optimiser
from fundclock.handlers.leverage.remedies import Cures
from fundclock.handlers.leverage.report import LeverageReport
from fundclock.handlers.leverage.service import DebtService
from fundclock.handlers.loans.purchases import Purchases
from fundclock.handlers.ports import MarketView


class LeverageEngine:
    """Made only where a facility is enabled; without it a run has no trace of leverage."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        calendar: Calendar,
        market: MarketView,
        partners: Partners,
        purchases: Purchases,
        targets: Targets,
        period_end: int,
        last_day: int,
    ) -> None:
        self.collateral = Collateral(state.book, settings)
        self.service = service = DebtService(state, settings, calendar, market, partners, last_day)
        self.lines = lines = Lines(state, settings, calendar, partners, self.collateral, service, last_day)
        self.monitor = Monitor(state, settings, calendar, self.collateral, lines, service, last_day)
        self.cures = Cures(state, settings, calendar, partners, lines, self.monitor, service, last_day)
        self.bridge = Bridge(state, settings, calendar, partners, lines, last_day)
        self.optimiser = Optimiser(
            state,
            settings,
            calendar,
            purchases,
            targets,
            lines,
            self.cures,
            service,
            min(period_end, last_day),
            last_day,
        )
        self.report = LeverageReport(state, settings, calendar, self.collateral, lines, self.monitor, service)

    def react(self, reactions: dict[type[Fact], list[Reaction]]) -> None:
        """Add this engine's reactions. A bridge is paid back before anything else is done with a call's cash."""
        added: dict[type[Fact], list[Reaction]] = {
            facts.LoanExited: [self.monitor.test_on_loan_exited, self.cures.sweep_on_inflow],
            facts.LoanDefaulted: [self.monitor.test_on_loan_defaulted],
            facts.LoanRecovered: [self.cures.sweep_on_inflow],
            facts.LoanInterestPaid: [self.cures.sweep_on_inflow],
            facts.FacilityDrawn: [
                self.bridge.spend_on_drawn,
                self.bridge.call_rest_on_drawn,
                self.optimiser.lend_on_drawn,
                self.service.call_on_drawn,
            ],
            facts.FacilityRepaid: [
                self.bridge.cancel_on_repaid,
                self.cures.end_sweep_on_paid,
                self.monitor.test_on_repaid,
            ],
            facts.DebtServicePaid: [self.cures.end_sweep_on_paid, self.monitor.test_on_service_paid],
            facts.PaymentDefaulted: [self.monitor.test_on_payment_defaulted],
            facts.FacilityMatured: [self.monitor.test_on_matured],
            facts.DrawPeriodEnded: [self.lines.sweep_on_draw_period_ended],
            facts.CovenantTested: [self.monitor.answer_tested, self.cures.call_on_tested],
            facts.DrawDeclined: [self.bridge.call_on_draw_declined],
            facts.SweepEnded: [self.lines.sweep_on_sweep_ended],
            facts.SweepBegun: [self.cures.sweep_on_sweep_begun],
        }
        for fact, handlers in added.items():
            reactions[fact] = [*reactions.get(fact, ()), *handlers]
        reactions[facts.CapitalContributed] = [
            self.bridge.repay_on_capital_contributed,
            self.cures.pay_on_capital_contributed,
            *reactions[facts.CapitalContributed],
        ]

    def handlers(self) -> dict[type[Command], CommandHandler]:
        """Who carries out which command."""
        return {
            commands.RequestDraw: self.lines.request,
            commands.DrawFacility: self.lines.draw,
            commands.LendDraw: self.optimiser.lend,
            commands.RequestRepayment: self.cures.request,
            commands.RepayFacility: self.cures.repay,
            commands.EndDraws: self.lines.end_draws,
            commands.MatureFacility: self.lines.mature,
            commands.CleanDown: self.bridge.clean_down,
            commands.CheckCleanDown: self.monitor.check_clean_down,
            commands.RemedyBreach: self.cures.remedy,
            commands.EndCure: self.monitor.end_cure,
            commands.SweepCash: self.cures.sweep,
        }
