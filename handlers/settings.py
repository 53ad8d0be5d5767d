"""The settings that hold today. A ``config.changed/1`` fact puts another section in place."""

from dataclasses import dataclass

from handlers.allocation.config import AllocationConfig
from handlers.fund.config import CallsConfig, FeesConfig, FundConfig, WaterfallConfig
from handlers.leverage.config import LeverageConfig
from handlers.loans.config import ExitsConfig, LoansConfig, ZoneConfig
from handlers.reinvestment.config import ReinvestmentConfig


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
