"""The composition root: every fold, handler and process of a run is put together here, in plain sight."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

from fundclock.events import commands, facts
from fundclock.events.bus import Caused, CommandHandler, EventBus, LogWriter, Output, Reaction, Rejected
from fundclock.events.dates import Calendar
from fundclock.events.phases import Phase
from fundclock.events.record import Fact, Record
from fundclock.events.state import State
from fundclock.handlers.allocation.engine import AllocationEngine
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Settings
from fundclock.handlers.deployment.deployment import Deployment
from fundclock.handlers.fund.cash import Treasury
from fundclock.handlers.fund.distributions import Distributions
from fundclock.handlers.fund.fees import Fees
from fundclock.handlers.fund.partners import Partners, call_due
from fundclock.handlers.fund.reserve import Reserve
from fundclock.handlers.interventions import Interventions
from fundclock.handlers.leverage.engine import LeverageEngine
from fundclock.handlers.loans.exits import ExitClock
from fundclock.handlers.loans.generator import LoanGenerator
from fundclock.handlers.loans.lifecycle import Lifecycle
from fundclock.handlers.loans.purchases import Purchases
from fundclock.handlers.loans.values import PropertyValues
from fundclock.handlers.market_state import Conditions
from fundclock.handlers.reinvestment.engine import Reinvestment
from fundclock.handlers.risk.exposure import Exposure
from fundclock.scenarios.files.changes import changed, current
from fundclock.scenarios.files.problems import InvalidInput
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.market_paths import make_market
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.script_player import ScriptPlayer
from fundclock.scenarios.scripts.vocabulary import View
from fundclock.sim.kernel import Kernel, Process
from fundclock.sim.processes import loan_exits, on_days
from fundclock.sim.streams import Streams


class Simulation:
    """One run, ready to be played."""

    def __init__(
        self,
        plan: Plan,
        log: LogWriter,
        on_month: Callable[[int], None] | None = None,
        on_evening: Callable[["Simulation", int], None] | None = None,
    ) -> None:
        """``on_month`` is told the day of each month's end as it is reached, ``on_evening`` each day when it is over.

        Who looks in the evening may look at everything and change nothing.
        """
        config = plan.config
        calendar = config.calendar()
        self._plan, self._config = plan, config
        self._on_month, self._on_evening = on_month, on_evening
        self.last_day = config.last_day()
        month_ends = calendar.period_ends("monthly", 1, self.last_day - 1)
        knots = [0, *month_ends, self.last_day]
        self._index_of = {day: index for index, day in enumerate(knots)}
        self.state = state = State()
        settings = _settings(config)
        self._settings = settings
        streams = Streams(plan.seed, plan.replication)
        self._market = market = make_market(config, calendar, knots, streams, plan.inputs)
        generator = LoanGenerator(settings, streams)
        purchases = Purchases(state, settings, calendar, generator)
        self._values = PropertyValues(state.book, settings, market, streams, knots)
        self._clock = ExitClock(state.book, settings, market, self._values, knots, self._wake)
        exposure = Exposure(state.book, settings, market)
        period_end = calendar.add_months(0, config.fund.reinvestment_period_years * 12)
        partners = Partners(state, settings)
        targets, step = Targets(state, settings, exposure), 1 if config.market.index_file is None else 3
        engine = allocation = None
        if config.leverage.lines():
            engine = LeverageEngine(
                state, settings, calendar, market, partners, purchases, targets, period_end, self.last_day
            )
        if config.capital_allocation.enabled:
            allocation = AllocationEngine(
                state,
                settings,
                calendar,
                market,
                exposure,
                purchases,
                targets,
                config.correlation(),
                step,
                self.last_day,
            )
        self.engine = engine
        self.lifecycle = lifecycle = Lifecycle(
            state, settings, calendar, self._values, self._clock, exposure, engine.collateral if engine else None
        )
        deployed_by = call_due(calendar, settings, calendar.add_months(0, config.fund.deployment_months - 1)) + 1
        reserve = Reserve(state, settings, calendar, partners, deployed_by, period_end)
        reinvestment = Reinvestment(
            state, settings, calendar, purchases, reserve, exposure, targets, market, period_end
        )
        deployment = Deployment(
            state,
            settings,
            calendar,
            generator,
            purchases,
            partners,
            reserve,
            plan.opening,
            self.last_day,
            targets,
            engine.bridge if engine else None,
        )
        fees = Fees(state, settings, calendar, partners, period_end, self.last_day)
        payouts = Distributions(state, settings, partners, fees, deployed_by, self.last_day)
        treasury = Treasury(state, settings, market)
        script = Interventions(state)
        self._conditions = conditions = Conditions(
            state,
            settings,
            calendar,
            market,
            config.market.breaker,
            min(period_end, self.last_day),
            self.last_day,
            months_a_return=step,
            watch_volatility=allocation is not None,
        )

        reactions: dict[type[Fact], list[Reaction]] = {
            facts.CommandScheduled: [self._schedule],
            facts.ScriptAdded: [self._add_script],
            facts.ConfigChanged: [
                self._apply_config,
                generator.follow_on_config_changed,
                treasury.note_spread_on_config_changed,
                reserve.follow_on_config_changed,
            ],
            facts.PriceShocked: [market.apply_price_shock],
            facts.RateShocked: [market.apply_rate_shock],
            facts.NavShocked: [lifecycle.note_nav_shock],
            facts.LiquidityShocked: [self._clock.note_liquidity_shock],
            facts.LoanOriginated: [self._clock.watch_on_loan_originated],
            facts.LoanExited: [exposure.end_on_paid_off, reinvestment.schedule_on_loan_exited],
            facts.LoanDefaulted: [lifecycle.schedule_recovery_on_loan_defaulted],
            facts.LoanRecovered: [exposure.end_on_paid_off, reinvestment.schedule_on_loan_recovered],
            facts.LoanInterestPaid: [reinvestment.schedule_on_loan_interest_paid],
            facts.ProceedsReleased: [reinvestment.check_on_proceeds_released],
            facts.ReserveFilled: [reinvestment.check_on_reserve_filled],
            facts.ReserveDrawn: [reserve.top_up_on_reserve_drawn],
            facts.ReinvestmentPeriodEnded: [exposure.close_on_period_ended],
            facts.ReinvestmentResumed: [reinvestment.check_on_resumed],
            facts.NavReported: [conditions.trip_on_nav_reported],
            facts.BreakerReset: [conditions.deploy_on_breaker_reset, reinvestment.check_on_breaker_reset],
            facts.SweepEnded: [reinvestment.schedule_on_sweep_ended],
            facts.CapitalCalled: [deployment.schedule_payment_on_capital_called],
            facts.CapitalContributed: [
                reserve.fill_on_capital_contributed,
                deployment.schedule_purchase_on_capital_contributed,
                fees.pay_on_capital_contributed,
            ],
        }
        handlers: dict[type[commands.Command], CommandHandler] = {
            commands.ReinvestProceeds: reinvestment.release,
            commands.Reinvest: reinvestment.reinvest,
            commands.CheckReserve: reinvestment.check_reserve,
            commands.CollectRecovery: lifecycle.collect_recovery,
            commands.PayCall: deployment.pay_call,
            commands.DefaultOnCall: script.default_on_call,
            commands.OriginateLoans: deployment.originate,
            commands.CallCapital: deployment.call,
            commands.SetConfig: self._set_config,
            commands.ShockNav: script.shock_nav,
            commands.ShockLiquidity: script.shock_liquidity,
            commands.ShockPrice: script.shock_price,
            commands.ShockRate: script.shock_rate,
            commands.SellLoan: lifecycle.sell,
            commands.TripBreaker: conditions.trip,
            commands.ClearBreaker: conditions.clear,
            commands.ExpireBreaker: conditions.expire,
            commands.SetVolatility: conditions.set_volatility,
            commands.SetTransactionCost: conditions.set_transaction_cost,
            commands.SuspendReinvestment: script.suspend_reinvestment,
            commands.ResumeReinvestment: script.resume_reinvestment,
        }
        if engine is not None:
            engine.react(reactions)
            handlers |= engine.handlers()
        self.bus = EventBus(state, log, reactions, handlers)
        self.kernel = kernel = Kernel(self.bus, [Phase[name] for name in plan.manifest.phases], plan.backwards)
        self._script = ScriptPlayer(
            plan,
            kernel,
            self.bus,
            View(state, calendar, market, exposure, engine, partners.total_cents),
            lambda: self._config,
        )

        last, days = self.last_day, _days(plan, calendar)
        self._processes = {
            "market": on_days(kernel, knots, Phase.market, self._enter_month),
            "reinvestment_period": on_days(kernel, [period_end], Phase.market, reinvestment.end_period),
            "valuation": on_days(
                kernel,
                [*days.quarter_ends, last],
                Phase.accrual,
                lambda day: chain(
                    treasury.credit_interest(day), self._value_book(lifecycle, day) if day < last else ()
                ),
            ),
            "loan_exits": loan_exits(kernel, lifecycle),
            "wind_down": on_days(kernel, [last], Phase.exits, lifecycle.wind_down),
            "coupons": on_days(kernel, days.coupons, Phase.receipts, lifecycle.collect_interest),
            "fees": on_days(kernel, sorted(fees.payment_days), Phase.fees, fees.charge),
            "last_fees": on_days(kernel, [last], Phase.fees, fees.close),
            "opening_call": on_days(kernel, [0], Phase.receipts, deployment.call_opening_book),
            "opening_book": on_days(kernel, [0], Phase.originations, deployment.buy_opening_book),
            "capital_calls": on_days(
                kernel, days.tranches, Phase.notices, lambda day: deployment.call_tranche(day, days.tranches[day])
            ),
            "reinvestment_checks": on_days(
                kernel,
                [day for day in days.checks if day < period_end],
                Phase.reinvestment,
                reinvestment.check_on_month_end,
            ),
            "reserve_calls": on_days(
                kernel,
                [day for day in days.quarter_ends if days.keeps_reserve and day < period_end],
                Phase.notices,
                reserve.top_up,
            ),
            "distributions": on_days(kernel, days.distributions, Phase.distributions, payouts.distribute),
            "nav_report": on_days(kernel, [*days.quarter_ends, last], Phase.report, treasury.report_nav),
            "run_end": on_days(kernel, [last], Phase.report, self._finish),
        }
        self._processes |= self._leverage_processes(engine, days.quarter_ends)
        self._processes |= self._allocation_processes(allocation, month_ends)

    def _allocation_processes(
        self, allocation: AllocationEngine | None, month_ends: list[int]
    ) -> dict[str, Callable[[str], Process]]:
        """Allocation checks, before the reinvestment of their day."""
        if allocation is None:
            return {}
        checks = [0, *month_ends]
        return {"allocation": on_days(self.kernel, checks, Phase.rebalance, allocation.check_on_month_end)}

    def _leverage_processes(
        self, engine: LeverageEngine | None, quarter_ends: list[int]
    ) -> dict[str, Callable[[str], Process]]:
        """What facilities do on their days."""
        if engine is None:
            return {}
        kernel, last = self.kernel, self.last_day
        service_days = [day for day in map(engine.service.due_day, quarter_ends) if day < last]
        return {
            "facility_opening": on_days(kernel, [0], Phase.market, engine.lines.open),
            "facility_accruals": on_days(kernel, [*quarter_ends, last], Phase.accrual, engine.service.accrue_all),
            "debt_service": on_days(kernel, service_days, Phase.debt_service, engine.service.pay_all),
            "debt_at_the_end": on_days(kernel, [last], Phase.debt_service, engine.service.close),
            "covenant_tests": on_days(kernel, quarter_ends, Phase.tests, engine.monitor.test_quarter),
            "optimiser": on_days(kernel, quarter_ends, Phase.rebalance, engine.optimiser.optimise),
            "debt_service_calls": on_days(kernel, [0, *quarter_ends], Phase.notices, engine.service.call_ahead),
            "leverage_report": on_days(kernel, quarter_ends, Phase.report, engine.report.measure),
        }

    def run(self) -> None:
        """Play the fund from its first day to its last."""
        self.bus.publish([self._plan.manifest])
        self._script.start()
        watched = {} if self._on_evening is None else {"observer": lambda _name: self._observe()}
        self.kernel.start(self._processes | self._script.processes() | watched)
        try:
            with _rare_collections():
                self.kernel.run(self.last_day)
        finally:
            self._dismantle()

    def _observe(self) -> Process:
        assert self._on_evening is not None
        for day in range(self.last_day):
            yield self.kernel.evening(day, 3)
            self._on_evening(self, day)

    def _dismantle(self) -> None:
        """Undo what refers back to itself, so that a run is freed when nobody holds it, not when it is collected."""
        self.bus.dismantle()
        self.kernel.dismantle()
        self._processes.clear()
        self._script.dismantle()
        del self._clock, self._script, self.lifecycle, self.engine  # they can wake and ask this

    def _schedule(self, record: Record, fact: facts.CommandScheduled) -> Output:
        self.kernel.put_on_calendar(record, fact)
        return None

    def _value_book(self, lifecycle: Lifecycle, day: int) -> Iterator[Output]:
        """A valuation follows from where the market stands on its day."""
        moved = self.state.results.moved_seq
        for valued in lifecycle.value_book(day):
            yield Caused(valued, moved, moved)

    def _add_script(self, record: Record, fact: facts.ScriptAdded) -> Output:
        return self._script.add_on_script_added(record, fact)

    def _wake(self) -> None:
        self.kernel.interrupt("loan_exits")

    def _enter_month(self, day: int) -> Iterator[Output]:
        index = self._index_of[day]
        self._values.enter_month(index)
        yield from self._market.move(day)
        yield self._conditions.watch(day)
        self._clock.begin_month(index, day)
        if self._on_month is not None:
            self._on_month(day)

    def _set_config(self, _day: int, command: commands.SetConfig) -> Output | Rejected:
        changes = {key: value for key, value in command.changes.items() if key not in self._plan.pinned}
        if not changes:
            return Rejected("these settings are pinned")
        try:
            changed(self._config, changes)
        except InvalidInput as error:
            return Rejected(str(error))
        return [facts.ConfigChanged(changes=changes, previous=current(self._config, changes))]

    def _apply_config(self, _record: Record, fact: facts.ConfigChanged) -> Output:
        self._config = changed(self._config, fact.changes)
        self._settings.__dict__.update(_settings(self._config).__dict__)
        return None

    def _finish(self, _day: int) -> Iterator[Output]:
        zones = self.state.results.zones.values()
        yield [
            facts.RunFinished(
                loans_originated=sum(zone.originated for zone in zones),
                loans_exited=sum(zone.exited for zone in zones),
                loans_defaulted=sum(zone.defaulted for zone in zones),
            )
        ]


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for reference cycles a hundred times less often than it does by itself.

    A run keeps what it makes (records) or drops it at once (SimPy events); it leaves no cycles, and
    searching hundreds of thousands of kept records for some costs a quarter of the run.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 70_000) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.freeze()  # and back: what has survived is old now, without a look at each of it
        gc.unfreeze()
        gc.set_threshold(*before)


def _settings(config: ScenarioConfig) -> Settings:
    return Settings(
        fund=config.fund,
        zones=config.zones,
        loans=config.loans,
        exits=config.exits,
        calls=config.calls,
        fees=config.fees,
        waterfall=config.waterfall,
        reinvestment_engine=config.reinvestment_engine,
        leverage=config.leverage,
        capital_allocation=config.capital_allocation,
    )


class _Days(NamedTuple):
    """Days on which the fund's processes may have something to do."""

    tranches: dict[int, int]
    quarter_ends: list[int]
    coupons: list[int]
    checks: list[int]
    distributions: list[int]
    keeps_reserve: bool


def _days(plan: Plan, calendar: Calendar) -> _Days:
    config, last, may_change = plan.config, plan.config.last_day(), plan.may_change
    pays_cash = config.loans.interest_payment == "cash" or (plan.opening and any(plan.opening.pays_cash))
    pays_cash = pays_cash or may_change("loans.interest_payment")
    engine = config.reinvestment_engine
    frequency = engine.reinvestment_frequency
    if may_change("reinvestment_engine.reinvestment_frequency"):
        frequency = "monthly"
    return _Days(
        tranches={calendar.add_months(0, month): month for month in range(config.fund.deployment_months)},
        quarter_ends=calendar.period_ends("quarterly", 1, last - 1),
        coupons=calendar.period_ends("monthly", 1, last - 1) if pays_cash else [],
        checks=[] if frequency == "on_exit" else calendar.period_ends(frequency, 1, last - 1),
        distributions=_payment_days(calendar, config.fund.distribution_frequency, last),
        keeps_reserve=engine.enable_cash_reserve or may_change("reinvestment_engine.enable_cash_reserve"),
    )


def _payment_days(calendar: Calendar, frequency: str, last: int) -> list[int]:
    """Period ends moved to business days (modified following), and the last day of the fund."""
    days = {calendar.modified_following(day) for day in calendar.period_ends(frequency, 1, last - 1)}
    return [*sorted(day for day in days if 0 < day < last), last]
