"""The composition root: all parts of a fund are made and put together here, in plain sight."""

from collections.abc import Callable
from typing import NamedTuple

from fundclock.events.parts import Part
from fundclock.events.state import State
from fundclock.handlers.allocation.engine import AllocationEngine
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Context, Settings
from fundclock.handlers.deployment.deployment import Deployment
from fundclock.handlers.deployment.opening_book import OpeningPurchase
from fundclock.handlers.fund.cash import Treasury
from fundclock.handlers.fund.distributions import Distributions
from fundclock.handlers.fund.fees import Fees
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.reserve import Reserve
from fundclock.handlers.interventions import Interventions
from fundclock.handlers.leverage.engine import LeverageEngine
from fundclock.handlers.loans.exits import ExitClock
from fundclock.handlers.loans.generator import LoanGenerator
from fundclock.handlers.loans.lifecycle import Lifecycle
from fundclock.handlers.loans.purchases import Purchases
from fundclock.handlers.loans.values import PropertyValues
from fundclock.handlers.market_state import MarketState
from fundclock.handlers.reinvestment.engine import Reinvestment
from fundclock.handlers.risk.exposure import Exposure
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.market_paths import make_market
from fundclock.scenarios.runs.plan import Plan
from fundclock.sim.market import Market
from fundclock.sim.streams import Streams


class Fund(NamedTuple):
    """The parts of a fund; ``leverage`` and ``allocation`` are None where it has none."""

    context: Context
    market: Market
    values: PropertyValues
    clock: ExitClock
    exposure: Exposure
    partners: Partners
    generator: LoanGenerator
    lifecycle: Lifecycle
    treasury: Treasury
    market_state: MarketState
    interventions: Interventions
    reinvestment: Reinvestment
    leverage: LeverageEngine | None
    allocation: AllocationEngine | None
    reserve: Reserve
    opening: OpeningPurchase
    deployment: Deployment
    fees: Fees
    distributions: Distributions

    def parts(self) -> list[Part]:
        """Whatever reacts to facts or carries out commands; of one fact, the earlier one reacts first."""
        return [
            self.market,
            self.generator,
            self.clock,
            self.lifecycle,
            self.exposure,
            self.treasury,
            self.market_state,
            self.interventions,
            self.reinvestment,
            *([] if self.leverage is None else [self.leverage]),
            self.reserve,
            self.deployment,
            self.fees,
        ]


def assemble(plan: Plan, state: State, knots: list[int], wake: Callable[[], None]) -> Fund:
    """Make the parts of a plan's fund.

    ``knots`` are day 0, the month ends and the last day; ``wake`` is called when a loan turns out to end sooner than
    was said.
    """
    config, calendar = plan.config, plan.config.calendar()
    streams = Streams(plan.seed, plan.replication)
    market = make_market(config, calendar, knots, streams, plan.inputs)
    period_end = calendar.add_months(0, config.fund.reinvestment_period_years * 12)
    context = Context(state, settings_of(config), calendar, market, period_end, config.last_day())
    generator = LoanGenerator(context, streams)
    purchases = Purchases(context, generator)
    values = PropertyValues(context, streams, knots)
    clock = ExitClock(context, values, knots, wake)
    exposure = Exposure(context)
    partners = Partners(context)
    targets = Targets(context, exposure)
    months_a_return = 1 if config.market.index_file is None else 3
    leverage = allocation = None
    if config.leverage.lines():
        leverage = LeverageEngine(context, partners, purchases, targets)
    if config.capital_allocation.enabled:
        correlation = config.correlation()
        allocation = AllocationEngine(context, exposure, purchases, targets, correlation, months_a_return)
    reserve = Reserve(context, partners)
    bridge = None if leverage is None else leverage.bridge
    fees = Fees(context, partners)
    return Fund(
        context,
        market,
        values,
        clock,
        exposure,
        partners,
        generator,
        Lifecycle(context, values, clock, exposure, None if leverage is None else leverage.collateral),
        Treasury(context),
        MarketState(
            context,
            config.market.breaker,
            months_a_return=months_a_return,
            watch_volatility=allocation is not None,
        ),
        Interventions(context),
        Reinvestment(context, purchases, reserve, exposure, targets),
        leverage,
        allocation,
        reserve,
        OpeningPurchase(context, generator, plan.opening),
        Deployment(context, purchases, partners, reserve, plan.opening, targets, bridge),
        fees,
        Distributions(context, partners, fees),
    )


def settings_of(config: ScenarioConfig) -> Settings:
    """The sections that handlers read."""
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
