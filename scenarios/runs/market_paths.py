"""The market of a scenario: paths drawn from the model, read from files, or both in turn."""

import math
from datetime import date

import numpy as np
from numpy.typing import NDArray

from fundclock.events.dates import Calendar
from fundclock.events.stores.store import InputFile
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.files.series import check_cover, read_indices, read_rates
from fundclock.sim.indices import IndexPaths, lognormal_path
from fundclock.sim.market import Market
from fundclock.sim.rates import RatePath, vasicek_path
from fundclock.sim.streams import Stream, Streams


def make_market(
    config: ScenarioConfig, calendar: Calendar, knots: list[int], streams: Streams, inputs: dict[str, InputFile]
) -> Market:
    """Paths for the fund's life, with a knot at each of ``knots``. Raises InvalidInput for a file that can't serve."""
    return Market(
        list(config.zones),
        calendar,
        _rates(config, calendar, knots, streams, inputs.get("market.rate_file")),
        _indices(config, calendar, knots, streams, inputs.get("market.index_file")),
    )


def _rates(
    config: ScenarioConfig, calendar: Calendar, knots: list[int], streams: Streams, file: InputFile | None
) -> RatePath:
    model = config.market.base_rate
    days, rates = [0], [model.initial]
    if file is not None:
        dates, rates = read_rates(file.content, file.name, "market.rate_file")
        _check(config, calendar, dates, file.name, "market.rate_file", "fixings")
        days = [calendar.day(when) for when in dates]
        if config.market.after_end != "model":
            return RatePath(days, rates, model.floor)
    if model.model == "constant":
        return RatePath(days, rates, model.floor)
    later = [days[-1], *(day for day in knots if day > days[-1])]
    path = vasicek_path(
        later,
        rates[-1],
        model.mean_reversion,
        model.long_term_mean,
        model.volatility,
        lambda count: streams.normals(Stream.base_rate, "", 0, (count,)),
    )
    return RatePath(days + later[1:], rates + path[1:], model.floor)


def _indices(
    config: ScenarioConfig, calendar: Calendar, knots: list[int], streams: Streams, file: InputFile | None
) -> IndexPaths:
    zones = config.zones
    drift = np.array([zone.appreciation for zone in zones.values()])
    volatility = np.array([zone.volatility for zone in zones.values()])
    prior = (drift - volatility**2 / 2).tolist()
    days, levels = [0], np.zeros((1, len(zones)))
    if file is not None:
        names = {name: zone.series or "" for name, zone in zones.items()}
        series = read_indices(
            file.content, file.name, "market.index_file", sorted(set(names.values())), config.market.index_adjusted
        )
        for name, found in series.items():
            _check(config, calendar, list(found), file.name, "market.index_file", f"levels of {name}")
        shared = sorted(set.intersection(*(set(found) for found in series.values())))
        days = [calendar.day(when) for when in shared]
        levels = np.log([[series[name][when] for name in names.values()] for when in shared])
        if config.market.after_end != "model":
            return IndexPaths(days, levels, prior)
    later = [days[-1], *(day for day in knots if day > days[-1])]
    normals = np.column_stack([streams.normals(Stream.zone_prices, name, 0, (len(later) - 1,)) for name in zones])
    path = lognormal_path(later, drift, volatility, cholesky(config.correlation()), normals)
    return IndexPaths(days + later[1:], np.vstack([levels, levels[-1] + path[1:]]), prior)


def _check(config: ScenarioConfig, calendar: Calendar, dates: list[date], source: str, key: str, what: str) -> None:
    check_cover(
        dates,
        config.fund.start_date,
        calendar.date(config.last_day()),
        source,
        key,
        may_end_early=config.market.after_end != "error",
        what=what,
    )


def cholesky(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower factor L with L·Lᵀ = correlation; a zero pivot, from perfectly correlated zones, gives a zero column."""
    size = len(correlation)
    factor = np.zeros_like(correlation)
    for j in range(size):
        pivot = correlation[j, j] - factor[j, :j] @ factor[j, :j]
        if pivot <= 1e-12:
            continue
        factor[j, j] = math.sqrt(pivot)
        for i in range(j + 1, size):
            factor[i, j] = (correlation[i, j] - factor[i, :j] @ factor[j, :j]) / factor[j, j]
    return factor
