"""Whether the loop keeps up: utilisation by stage, growth of the backlog, cost of idling."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Pool
from emulator.results.correlation import BATCHES
from emulator.units import PS_PER_S

__all__ = [
    "NEGLIGIBLE_GROWTH",
    "IdleCost",
    "Throughput",
    "distance_to_compensate",
    "idle_cost",
    "throughput",
    "utilisation",
]

NEGLIGIBLE_GROWTH = 0.01
"""Backlog growth, as a share of the rounds emitted, below which a loop counts as keeping up."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Does the loop keep up? ``stable`` is None when the run is too short to tell.

    ``backlog_slope_rounds_per_s`` and its interval ``ci`` are None without enough samples of the
    backlog. ``bottleneck`` is the stage with the highest utilisation, None without servers.
    ``lost_share`` of the rounds emitted found no slot in the ring, which keeps a backlog short.
    """

    utilisation_by_stage: dict[str, float]
    backlog_slope_rounds_per_s: float | None
    ci: tuple[float, float] | None
    stable: bool | None
    bottleneck: str | None
    lost_share: float = 0.0


def utilisation(pools: dict[str, Pool], horizon_ps: int) -> dict[str, float]:
    """Busy share of the servers of each stage, busy / (servers * horizon).

    Above 1 where the work emitted within the horizon took longer than it.
    """
    return {
        name: pool.busy_ps / (pool.servers * horizon_ps) if horizon_ps else 0.0
        for name, pool in pools.items()
    }


def throughput(
    pools: dict[str, Pool],
    backlog: NDArray[np.int64],
    *,
    emitted: int,
    horizon_ps: int,
    lost: int = 0,
    warmup_ps: int = 0,
    confidence: float = 0.95,
) -> Throughput:
    """Judge stability from the backlog, int64 (k, 2) of time in ps and rounds not yet decoded.

    The slope is the mean growth between 20 blocks of [warmup_ps, horizon_ps] with equally many
    samples, and its interval Student's, from the scatter of that growth. Unstable: the whole
    interval is above 0, or ``lost``, the rounds that found no slot in the ring, are 1 % or more.
    Stable: all of it is below 1 % of the rate of emission. Undecided otherwise.
    """
    shares = utilisation(pools, horizon_ps)
    bottleneck = max(shares, key=shares.__getitem__) if shares else None
    inside = (backlog[:, 0] >= warmup_ps) & (backlog[:, 0] <= horizon_ps)
    growth = _growth(backlog[inside], confidence)
    lost_share = lost / emitted if emitted else 0.0
    sheds = lost_share >= NEGLIGIBLE_GROWTH
    if growth is None:
        return Throughput(shares, None, None, False if sheds else None, bottleneck, lost_share)
    slope, (low, high) = growth
    negligible = NEGLIGIBLE_GROWTH * emitted * PS_PER_S / horizon_ps
    stable = False if sheds or low > 0 else True if high < negligible else None
    return Throughput(shares, slope, (low, high), stable, bottleneck, lost_share)


def _growth(
    backlog: NDArray[np.int64], confidence: float
) -> tuple[float, tuple[float, float]] | None:
    """Slope in rounds/s and its interval, None below two samples a block.

    A backlog that drifts is a random walk, for which the growth between the means of adjacent
    blocks has 2/3 of the variance of the growth over a block: hence the factor 3/2. One that is
    stationary pulls back, so that the interval is wider than it need be, never narrower.
    """
    from scipy.special import stdtrit

    size = len(backlog) // BATCHES
    if size < 2:
        return None
    means = backlog[-size * BATCHES :].reshape(BATCHES, size, 2).mean(axis=1)
    elapsed, growth = np.diff(means, axis=0).T
    if elapsed.min() <= 0:
        return None
    slopes = growth / elapsed * PS_PER_S
    mean, count = float(slopes.mean()), len(slopes)
    error = math.sqrt(1.5 * float(slopes.var(ddof=1)) / count)
    half = float(stdtrit(count - 1, 0.5 + confidence / 2)) * error
    return mean, (mean - half, mean + half)


@dataclass(frozen=True, slots=True)
class IdleCost:
    """Rounds a patch idles while it waits for a correction, and what they cost in distance.

    ``operations`` is how many were seen to wait in a run with feedback, None when the rounds are
    derived from reaction times. ``distance_to_compensate`` is None where distance or suppression
    is not known.
    """

    operations: int | None
    mean_rounds: float
    max_rounds: int
    distance_to_compensate: float | None


def idle_cost(
    reaction_ps: NDArray[np.int64],
    round_period_ps: int,
    *,
    idle_rounds: NDArray[np.int64] | None = None,
    distance: int | None = None,
    suppression: float | None = None,
) -> IdleCost | None:
    """Cost of waiting: the ``idle_rounds`` of a run with feedback, else ceil(reaction / period).

    ``suppression`` is Lambda, the factor by which a logical error becomes rarer from distance d
    to d + 2. None when nothing was waited for.
    """
    waits = -(-reaction_ps // round_period_ps) if idle_rounds is None else idle_rounds
    if not len(waits):
        return None
    mean = float(Fraction(int(waits.sum()), len(waits)))
    extra = None
    if distance is not None and suppression is not None and suppression > 1:
        extra = distance_to_compensate(distance, mean, suppression)
    operations = None if idle_rounds is None else len(waits)
    return IdleCost(operations, mean, int(waits.max()), extra)


def distance_to_compensate(distance: int, idle_rounds: float, suppression: float) -> float:
    """Extra code distance that makes up for idling: 2 ln((d + r_w) / d) / ln Lambda.

    An operation of d rounds that waits r_w more fails with probability proportional to
    (d + r_w) Lambda^(-d / 2); distance d + x restores d Lambda^(-d / 2) when
    Lambda^(x / 2) = (d + r_w) / d. The x rounds that the larger code adds itself are left out.
    """
    if suppression <= 1:
        raise ValueError(
            f"suppression(={suppression}) must be > 1: below threshold only, distance helps."
        )
    return 2 * math.log((distance + idle_rounds) / distance) / math.log(suppression)
