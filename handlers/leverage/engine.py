"""The leverage engine: its parts, and what they react to and carry out."""

from fundclock.events import commands, facts
from fundclock.events.parts import Commands, Part, Reactions
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.leverage.breaches import Breaches
from fundclock.handlers.leverage.bridge import Bridge
from fundclock.handlers.leverage.collateral import Collateral
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.optimiser import Optimiser
from fundclock.handlers.leverage.remedies import Remedies
from fundclock.handlers.leverage.report import LeverageReport
from fundclock.handlers.leverage.service import DebtService
from fundclock.handlers.loans.purchases import Purchases


class LeverageEngine(Part):
    """Made only where a facility is enabled; without it a run has no trace of leverage."""

    def __init__(self, context: Context, partners: Partners, purchases: Purchases, targets: Targets) -> None:
        self.collateral = collateral = Collateral(context)
        self.service = service = DebtService(context, partners)
        self.lines = lines = Lines(context, partners, collateral, service)
        self.breaches = breaches = Breaches(context, collateral, lines, service)
        self.remedies = remedies = Remedies(context, partners, lines, breaches, service)
        self.bridge = Bridge(context, partners, lines)
        self.optimiser = Optimiser(context, purchases, targets, lines, remedies, service)
        self.report = LeverageReport(context, collateral, lines, breaches, service)

    def reactions(self) -> Reactions:
        """A bridge is paid back before anything else is done with a call's cash."""
        return {
            facts.CapitalContributed: [
                self.bridge.repay_on_capital_contributed,
                self.remedies.pay_on_capital_contributed,
            ],
            facts.LoanExited: [self.breaches.test_on_loan_exited, self.remedies.sweep_on_inflow],
            facts.LoanDefaulted: [self.breaches.test_on_loan_defaulted],
            facts.LoanRecovered: [self.remedies.sweep_on_inflow],
            facts.LoanInterestPaid: [self.remedies.sweep_on_inflow],
            facts.FacilityDrawn: [
                self.bridge.spend_on_drawn,
                self.bridge.call_rest_on_drawn,
                self.optimiser.lend_on_drawn,
                self.service.call_on_drawn,
            ],
            facts.FacilityRepaid: [
                self.bridge.cancel_on_repaid,
                self.remedies.end_sweep_on_paid,
                self.breaches.test_on_repaid,
            ],
            facts.DebtServicePaid: [self.remedies.end_sweep_on_paid, self.breaches.test_on_service_paid],
            facts.PaymentDefaulted: [self.breaches.test_on_payment_defaulted],
            facts.FacilityMatured: [self.breaches.test_on_matured],
            facts.DrawPeriodEnded: [self.lines.sweep_on_draw_period_ended],
            facts.CovenantTested: [self.breaches.answer_tested, self.remedies.call_on_tested],
            facts.DrawDeclined: [self.bridge.call_on_draw_declined],
            facts.SweepEnded: [self.lines.sweep_on_sweep_ended],
            facts.SweepBegun: [self.remedies.sweep_on_sweep_begun],
        }

    def commands(self) -> Commands:
        """Who carries out which command."""
        return {
            commands.RequestDraw: self.lines.request,
            commands.DrawFacility: self.lines.draw,
            commands.LendDraw: self.optimiser.lend,
            commands.RequestRepayment: self.remedies.request,
            commands.RepayFacility: self.remedies.repay,
            commands.EndDraws: self.lines.end_draws,
            commands.MatureFacility: self.lines.mature,
            commands.CleanDown: self.bridge.clean_down,
            commands.CheckCleanDown: self.breaches.check_clean_down,
            commands.RemedyBreach: self.remedies.remedy,
            commands.EndCure: self.breaches.end_cure,
            commands.SweepCash: self.remedies.sweep,
        }
