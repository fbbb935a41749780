"""Whether the loop keeps up: load of every stage, growth of the lag, rounds lost at the ring.

Three questions, none of which alone is enough. A stage with more work than its servers can do
falls behind, however short the run: that is its load, known from service times, long before a
backlog shows. Windows that wait for each other, or for a slot of the ring, can fall behind while
every stage has time to spare: that shows in the lag. And where rounds are lost at the ring, the
loop after it is spared what it could not do. A loop keeps up only when all three say so.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Record
from emulator.results.growth import MIN_POINTS, Growth, lag_growth
from emulator.results.loads import LoadEstimate, stage_loads, utilisation
from emulator.results.result import StageLoad, Throughput
from emulator.results.stages import WAITING, reaction_times, stage_times
from emulator.units import PS_PER_S

__all__ = ["NEGLIGIBLE_GROWTH", "Doubt", "Stability", "stability"]

NEGLIGIBLE_GROWTH = 0.01
"""Growth of the backlog, as a share of the rounds emitted, below which a loop keeps up."""

_SURE = 0.9999  # one-sided, for what a loop is accused of by its lag alone
_ROOM = 0.999  # one-sided, for the claim that a stage has time to spare
_OVER = 0.9  # one-sided, that a load is above 1; what protects a loop is the next line
_NEAR = 0.97  # a load up to here is never called too much: _SURE must exclude it
_LAGS = 3  # a run of fewer median reaction times is still filling
_GRID = 200  # instants at which the backlog of a quarter of a run is looked at
_RISE = 1.25  # times the backlog of the second quarter, which a last one may have by chance
_CUT_SHORT = 0.1  # share of rounds without an answer from which those with one tell too little
_AT_CAPACITY = 0.005  # nearer to 1 than this, no run of practical length tells


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a run does not tell, and about how many times its length would."""

    text: str
    times: float | None
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Stability:
    """The throughput of a run; ``overloaded`` stages, or ``doubts`` if it does not tell."""

    throughput: Throughput
    overloaded: tuple[str, ...] = ()
    grows: bool = False
    doubts: tuple[Doubt, ...] = ()


def stability(
    record: Record,
    windows: Mapping[str, NDArray[np.int64]],
    *,
    confidence: float = 0.95,
    batch: Mapping[str, int] | None = None,
    timed: frozenset[str] = frozenset(),
    expected_ps: Mapping[str, float] | None = None,
) -> Stability:
    """Judge whether the loop keeps up, by ``windows``: those after the warm-up, undisturbed.

    ``batch``, ``timed`` and ``expected_ps`` are explained at `stage_loads`. Falls behind
    (``stable`` False): rounds lost at the ring are 1 % or more; or the load of a stage exceeds 1
    with 90 % and, almost surely, 0.97; or nearly all of a stage's work is left over; or the lag
    grows almost surely by more than 1 %.
    Keeps up (True): every load is below 1 with 99.9 %, and most windows of the second half wait
    for nothing or the interval of the growth is below 1 %. Undecided (None) otherwise.
    """
    loads = stage_loads(record, windows, batch=batch or {}, timed=timed, expected_ps=expected_ps)
    lost_share = record.lost_by_cause.get("ring_overrun", 0) / max(1, record.emitted)
    growth = None
    if lost_share < NEGLIGIBLE_GROWTH and not _is_cut_short(record):
        growth = lag_growth(windows, record.emission)
    overloaded = tuple(name for name, load in loads.items() if _too_much(name, load))
    grows = growth is not None and growth.bound(1 - _SURE) > NEGLIGIBLE_GROWTH
    behind = bool(overloaded) or grows or lost_share >= NEGLIGIBLE_GROWTH
    doubts = () if behind else _doubts(record, windows, loads, growth, confidence)
    stable = False if behind else (None if doubts else True)
    found = _throughput(record, loads, growth, confidence, stable=stable, lost_share=lost_share)
    return Stability(found, overloaded, grows, doubts)


def _is_cut_short(record: Record) -> bool:
    """Whether so many rounds got no answer by the end that the lag of the others misleads."""
    return not record.drained and record.in_flight > _CUT_SHORT * record.emitted


def _too_much(stage: str, load: LoadEstimate) -> bool:
    """Whether a stage has more work than it can do.

    How long a slot of the ring is held follows from the stages behind it, so that its load alone
    is no overload: where the ring limits the loop, the lag shows it.
    """
    if load.swamped:
        return True
    low, surely = load.low(_OVER), load.low(_SURE)
    if stage == "ring" or low is None or surely is None:
        return False
    return low > 1 and surely > _NEAR


def _doubts(
    record: Record,
    windows: Mapping[str, NDArray[np.int64]],
    loads: Mapping[str, LoadEstimate],
    growth: Growth | None,
    confidence: float,
) -> tuple[Doubt, ...]:
    doubts = [_few_jobs_doubt(loads)]
    doubts += [_load_doubt(name, load) for name, load in loads.items()]
    if not _starts_at_once(windows):
        doubts.append(_growth_doubt(windows, growth, confidence))
    doubts.append(_length_doubt(record, windows))
    return tuple(doubt for doubt in doubts if doubt is not None)


def _few_jobs_doubt(loads: Mapping[str, LoadEstimate]) -> Doubt | None:
    few = [name for name, load in loads.items() if load.error is None and not load.idle]
    if not few:
        return None
    stages = f"stage {few[0]}" if len(few) == 1 else f"stages {', '.join(few)}"
    return Doubt(f"too few jobs of {stages} were seen to tell the load", MIN_POINTS)


def _load_doubt(stage: str, load: LoadEstimate) -> Doubt | None:
    high = load.high(_ROOM)
    if high is None or high < 1:
        return None
    distance = abs(math.log(load.value))
    if distance < _AT_CAPACITY:
        text = f"stage {stage} works at its capacity, load {load.value:.3f}"
        return Doubt(text, None, f"a load of stage {stage} away from 1")
    half = math.log(load.high(_ROOM if load.value < 1 else _OVER) or 1) - math.log(load.value)
    times = (half / distance) ** 2 if half else MIN_POINTS
    return Doubt(f"the load of stage {stage} may be above 1 or below", max(2.0, times))


def _starts_at_once(windows: Mapping[str, NDArray[np.int64]]) -> bool:
    """Whether most windows of the second half wait for no slot, no server and no other window.

    Where windows do not queue, and no stage before or behind them is overloaded, nothing grows.
    """
    if len(windows["emitted_ps"]) < MIN_POINTS:
        return False
    times = stage_times(dict(windows))
    waits = sum(times[stage] for stage in WAITING)
    order = np.argsort(windows["emitted_ps"], kind="stable")
    later = np.asarray(waits)[order[len(order) // 2 :]]
    return bool(2 * np.count_nonzero(later == 0) >= len(later))


def _growth_doubt(
    windows: Mapping[str, NDArray[np.int64]], growth: Growth | None, confidence: float
) -> Doubt | None:
    if growth is None:
        shots = len(np.unique(windows["shot"]))
        seen = max(1, len(np.unique(windows["emitted_ps"])) if shots <= 1 else shots)
        text = "too few windows were seen to tell whether the backlog grows"
        return Doubt(text, max(2.0, 2 * MIN_POINTS / seen))
    high = growth.bound(0.5 + confidence / 2)
    if high < NEGLIGIBLE_GROWTH:
        return None
    text = "the backlog may grow by more than 1% of the rounds emitted, or not"
    gap = abs(NEGLIGIBLE_GROWTH - growth.rate)
    times = (high - growth.rate) / gap if gap else 4.0
    return Doubt(text, min(max(2.0, times), 1e4))


def _length_doubt(record: Record, windows: Mapping[str, NDArray[np.int64]]) -> Doubt | None:
    """Doubt a run that ends while it fills, or with answers out longer than any that came."""
    if not len(windows["emitted_ps"]):
        return None
    reaction_ps = reaction_times(dict(windows))
    median_ps = int(np.median(reaction_ps))
    if record.horizon_ps < _LAGS * median_ps:
        text = "the run ends while the loop still fills: it is shorter than three reaction times"
        return Doubt(text, _LAGS * median_ps / record.horizon_ps)
    if record.drained or not record.in_flight:
        return None
    if _backlog_rises(record):
        text = "the backlog still rises when the run is cut short"
        return Doubt(text, 2.0, "a run that is drained (run.drain = true)")
    out_ps = record.in_flight * record.horizon_ps / record.emitted
    shot_ps = record.emission.shot_period_ps
    if out_ps > 2 * int(reaction_ps.max()) + min(shot_ps, record.horizon_ps // 10):
        text = "rounds are still out at the end for longer than any answer took"
        return Doubt(text, 2.0, "a run that is drained (run.drain = true)")
    return None


def _backlog_rises(record: Record) -> bool:
    """Whether the backlog of the last quarter is well above that of the second one.

    Where windows take turns the backlog swings by the rounds of a few; a quarter averages that.
    """
    quarter_ps = record.horizon_ps // 4
    grid = np.arange(_GRID, dtype=np.int64) * max(1, quarter_ps // _GRID)
    second, last = (
        float(record.backlog_at(start + grid).mean()) for start in (quarter_ps, 3 * quarter_ps)
    )
    rounds_each = record.decoded / max(1, len(record.windows["window"]))
    return last > _RISE * second + rounds_each * record.emission.patches


def _throughput(
    record: Record,
    loads: Mapping[str, LoadEstimate],
    growth: Growth | None,
    confidence: float,
    *,
    stable: bool | None,
    lost_share: float,
) -> Throughput:
    shares = utilisation(record.pools, record.horizon_ps)
    slope, ends = None, None
    if growth is not None:
        rounds_per_s = record.emitted * PS_PER_S / record.horizon_ps
        tail = 0.5 - confidence / 2
        slope, low, high = (
            growth.backlog_slope(rate, rounds_per_s)
            for rate in (growth.rate, growth.bound(tail), growth.bound(1 - tail))
        )
        ends = (low, high)
    return Throughput(
        utilisation_by_stage=shares,
        load_by_stage={name: _shown(load, confidence) for name, load in loads.items()},
        backlog_slope_rounds_per_s=slope,
        ci=ends,
        stable=stable,
        bottleneck=_bottleneck(loads, shares),
        lost_share=lost_share,
    )


def _shown(load: LoadEstimate, confidence: float) -> StageLoad:
    tail = 0.5 + confidence / 2
    low, high = load.low(tail), load.high(tail)
    if low is None or high is None:
        return StageLoad(value=None if load.idle else load.value, ci=None)
    return StageLoad(value=load.value, ci=(low, high))


def _bottleneck(loads: Mapping[str, LoadEstimate], shares: Mapping[str, float]) -> str | None:
    """Stage with the highest load; the ring only where no other stage comes near it."""
    if not loads:
        return None
    rank = {name: (load.value, shares[name]) for name, load in loads.items()}
    others = [name for name in rank if name != "ring"] or list(rank)
    busiest = max(others, key=rank.__getitem__)
    crowded = "ring" in rank and rank["ring"][0] > max(0.9, 1.1 * rank[busiest][0])
    return "ring" if crowded else busiest
