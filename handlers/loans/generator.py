"""Attributes and fates of new loans, from uniform draws by inverse CDF."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from fundclock.events.facts import ConfigChanged
from fundclock.events.parts import Part, Reactions
from fundclock.events.record import Record
from fundclock.events.units import to_cents
from fundclock.handlers.context import Context
from fundclock.handlers.ports import BLOCK, Draws
from fundclock.handlers.settings.loans import LoansConfig, RateDraw, SizeConfig


class Offer(NamedTuple):
    """A loan that could be made. Zone, source and number decide it, and nothing that was bought elsewhere."""

    principal_cents: int
    ltv: float
    coupon: float
    exit_threshold: float
    default_threshold: float
    kind_draw: float


def truncated_normal(
    uniforms: NDArray[np.float64], mean: float, sd: float, low: float, high: float
) -> NDArray[np.float64]:
    """A normal truncated to [low, high] by inverse CDF (Devroye 1986, §II.2.1).

    With sd 0 it is the mean, moved into the interval.
    """
    if sd == 0:
        return np.full_like(uniforms, min(max(mean, low), high))
    if low > mean:  # work in the lower tail, where logarithms of probabilities keep their digits
        return -truncated_normal(1 - uniforms, -mean, sd, -high, -low)
    below, above = log_ndtr((low - mean) / sd), log_ndtr((high - mean) / sd)
    drawn: NDArray[np.float64] = mean + sd * ndtri_exp(
        above + np.log(np.exp(below - above) * (1 - uniforms) + uniforms)
    )
    return np.clip(drawn, low, high)


def _draw(uniforms: NDArray[np.float64], config: RateDraw | SizeConfig) -> NDArray[np.float64]:
    return truncated_normal(uniforms, config.mean, config.sd, config.min, config.max)


class LoanGenerator(Part):
    """The loans on offer: the n-th loan of a zone and source, drawn in blocks."""

    def __init__(self, context: Context, draws: Draws) -> None:
        self._settings = context.settings
        self._draws = draws
        self._blocks: dict[tuple[str, str, int], list[Offer]] = {}

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            ConfigChanged: [self.follow_on_config_changed],
        }

    def minimum_cents(self) -> int:
        """The smallest principal of a new loan."""
        return to_cents(self._settings.loans.size.min)

    def mean_cents(self, source: str) -> int:
        """The mean principal of new loans, before they are cut to their bounds."""
        size = self._terms(source).size
        return to_cents(min(max(size.mean, size.min), size.max))

    def follow_on_config_changed(self, _record: Record, _fact: ConfigChanged) -> None:
        """Draw loans not yet made from the new settings."""
        self._blocks.clear()

    def offer(self, zone: str, source: str, entity: int) -> Offer:
        """The loan with this number in this zone and from this source."""
        block = self._blocks.get((zone, source, entity // BLOCK))
        if block is None:
            block = self._make(f"{zone}/{source}", entity // BLOCK, self._terms(source))
            self._blocks[zone, source, entity // BLOCK] = block
        return block[entity % BLOCK]

    def fate(self, zone: str, entity: int) -> tuple[float, float, float]:
        """Exit threshold, default threshold and kind draw of a loan whose attributes come from a tape."""
        return self.offer(zone, "tape", entity)[3:]

    def _terms(self, source: str) -> LoansConfig:
        """The terms of new loans; those of reinvestment are drawn around shifted means."""
        loans, engine = self._settings.loans, self._settings.reinvestment_engine
        by_size, by_ltv = engine.reinvestment_size_adjustment, engine.reinvestment_ltv_adjustment
        if source != "reinvestment" or not (by_size or by_ltv):
            return loans
        return loans.model_copy(
            update={
                "size": loans.size.model_copy(update={"mean": loans.size.mean * (1 + by_size)}),
                "ltv": loans.ltv.model_copy(update={"mean": loans.ltv.mean * (1 + by_ltv)}),
            }
        )

    def _make(self, series: str, block: int, config: LoansConfig) -> list[Offer]:
        size, ltv, coupon = self._draws.attributes(series, block).T
        exits, defaults, kinds = self._draws.fates(series, block).T
        return list(
            map(
                Offer,
                np.rint(_draw(size, config.size) * 100).astype(np.int64).tolist(),
                _draw(ltv, config.ltv).tolist(),
                _draw(coupon, config.coupon).tolist(),
                (-np.log(exits)).tolist(),
                (-np.log(defaults)).tolist(),
                kinds.tolist(),
            )
        )
