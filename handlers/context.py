"""The settings that hold today. A ``config.changed/1`` fact puts another section in place."""

from dataclasses import dataclass

from fundclock.handlers.settings.allocation import AllocationConfig
from fundclock.handlers.settings.fund import CallsConfig, FeesConfig, FundConfig, WaterfallConfig
from fundclock.handlers.settings.leverage import LeverageConfig
from fundclock.handlers.settings.loans import ExitsConfig, LoansConfig, ZoneConfig
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig


@dataclass
class Settings:
    """One section a field; handlers read them at each use and keep no copy."""

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
