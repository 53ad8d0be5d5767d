"""What every part of a fund works with: its state, the settings of the day, its calendar, its market, its last days."""

from dataclasses import dataclass

from fundclock.events.dates import Calendar
from fundclock.events.state import State
from fundclock.handlers.ports import MarketView
from fundclock.handlers.settings.allocation import AllocationConfig
from fundclock.handlers.settings.fund import CallsConfig, FeesConfig, FundConfig, WaterfallConfig
from fundclock.handlers.settings.leverage import LeverageConfig
from fundclock.handlers.settings.loans import ExitsConfig, LoansConfig, ZoneConfig
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig


@dataclass
class Settings:
    """The settings that hold today, one section a field. A ``config.changed/1`` fact puts other sections in place.

    Handlers read them at each use and keep no copy, but for what a fund can't change while it is played.
    """

    fund: FundConfig
    zones: dict[str, ZoneConfig]
    loans: LoansConfig
    exits: ExitsConfig
    calls: CallsConfig
    fees: FeesConfig
    waterfall: WaterfallConfig
    reinvestment_engine: ReinvestmentConfig
    leverage: LeverageConfig
    capital_allocation: AllocationConfig


@dataclass(frozen=True)
class Context:
    """One fund, as its parts see it. Days count from the fund's start date.

    ``period_end`` is the first day after the reinvestment period, ``last_day`` the last day of the fund.
    """

    state: State
    settings: Settings
    calendar: Calendar
    market: MarketView
    period_end: int
    last_day: int
