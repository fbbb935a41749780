"""Offered load: the work given to each stage over what its servers can do while rounds come in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Pool, Record
from emulator.results.student import student_quantile
from emulator.results.sums import total_ps

__all__ = ["LoadEstimate", "batch_means_error", "stage_loads", "utilisation"]

_MAX_BATCHES = 50
_MIN_BATCHES = 10
_SWAMPED = 0.9
_MIN_LEFT = 10
_BEHIND = ("dispatch", "predecode", "decode")
"""Stages behind the ring."""

_TIMED = ("predecode", "decode")
"""Stages whose service times stand in the window table, one by one."""


@dataclass(frozen=True, slots=True)
class LoadEstimate:
    """Load of a stage and its relative standard error with ``freedom`` degrees of freedom.

    ``error`` is 0 where every job took the same, and None where one job is all that was seen.
    ``idle`` says that a stage in batches never had to fill one: it takes what is there, so that
    its servers may be busy all the time without falling behind. ``swamped`` says that nearly all
    the work that had come to a stage was left over when the last round was emitted. ``slack``, at
    most 1, is what patches that begin apart may take off the load.
    """

    value: float
    error: float | None
    freedom: int = 0
    idle: bool = False
    swamped: bool = False
    slack: float = 1.0

    def low(self, confidence: float) -> float | None:
        """Return the bound that the load exceeds with ``confidence``; None without an error."""
        half = self._half(confidence)
        return None if half is None else self.value * self.slack * math.exp(-half)

    def high(self, confidence: float) -> float | None:
        """Return the bound that the load stays below with ``confidence``; None without an error.

        Bounds are taken on the logarithm: a load is positive and, of few jobs, skewed.
        """
        half = self._half(confidence)
        return None if half is None else self.value * math.exp(min(half, 700.0))

    def _half(self, confidence: float) -> float | None:
        if not self.error:
            return self.error
        return student_quantile(self.freedom, confidence) * self.error


def utilisation(pools: Mapping[str, Pool], horizon_ps: int) -> dict[str, float]:
    """Busy share of the servers of each stage, busy / (servers * horizon)."""
    return {
        name: pool.busy_ps / (pool.servers * horizon_ps) if horizon_ps else 0.0
        for name, pool in pools.items()
    }


def stage_loads(
    record: Record,
    windows: Mapping[str, NDArray[np.int64]],
    *,
    batch: Mapping[str, int],
    timed: frozenset[str] = frozenset(),
    expected_ps: Mapping[str, float] | None = None,
) -> dict[str, LoadEstimate]:
    """Load of every stage that had work: demand / (servers * time in which rounds are emitted).

    The time is that of whole shots, from the first round period to the end of the last shot's
    period, so that n jobs stand over n intervals however few they are. The demand is that of all
    jobs of a drained run; in one that was cut short, the jobs that had arrived and had not begun
    count with the mean service time. ``windows`` are those to judge by, in order: they tell how
    services are correlated, and, for the stages in ``timed`` (measured on this machine, disturbed
    calls left out), how long they took. ``batch`` has the batch size of stages that work in
    batches: what such a stage can do is known only from full batches. ``expected_ps`` has the
    mean service time of stages whose delay model says it, of a full batch where there are
    batches: then the load is known, however rare its long services are.
    """
    emission = record.emission
    span_ps = emission.shots * emission.shot_period_ps
    slack = span_ps / max(span_ps, record.horizon_ps)
    # what the ring turned away was offered to the stages behind it all the same
    turned_away = record.lost_by_cause.get("ring_overrun", 0)
    offered = record.emitted / max(1, record.emitted - turned_away)
    found = {}
    for name, pool in record.pools.items():
        size = batch.get(name, 1)
        known_ps = (expected_ps or {}).get(name)
        if known_ps is not None:
            calls = _arrived(pool, record.drained) / size
            found[name] = LoadEstimate(known_ps * calls / (pool.servers * span_ps), 0.0)
        elif not pool.jobs:
            known = pool.left_over == 0 and record.drained
            found[name] = LoadEstimate(0.0, 0.0 if known else None)
        elif size > 1 and name in _TIMED:
            arrived = _arrived(pool, record.drained)
            found[name] = _batched(pool, windows, name, size=size, arrived=arrived, span_ps=span_ps)
        else:
            services = _services(windows, name) if name in _TIMED else np.empty(0, np.int64)
            mean_ps = pool.demand_ps / pool.jobs
            if name in timed and len(services):
                mean_ps = total_ps(services) / len(services)
            value = mean_ps * _arrived(pool, record.drained) / (pool.servers * span_ps)
            load = _plain(pool, value, services)
            found[name] = replace(load, swamped=_is_swamped(pool, record.drained))
    return {
        name: replace(load, slack=slack, value=load.value * (offered if name in _BEHIND else 1.0))
        for name, load in found.items()
    }


def _arrived(pool: Pool, drained: bool) -> int:
    """Jobs that came to a stage; those of a drained run have all begun."""
    return pool.jobs if drained else pool.jobs + pool.left_over


def _is_swamped(pool: Pool, drained: bool) -> bool:
    """Whether a stage left most of its work undone, which no run of bad luck explains.

    At load 0.97 with exponential times the odds are below 1 in 10,000.
    """
    left = pool.left_over
    return left >= max(_MIN_LEFT, _SWAMPED * _arrived(pool, drained))


def _services(windows: Mapping[str, NDArray[np.int64]], stage: str) -> NDArray[np.int64]:
    return windows[f"{stage}_end_ps"] - windows[f"{stage}_start_ps"]


def _plain(pool: Pool, value: float, services: NDArray[np.int64]) -> LoadEstimate:
    """Load ``value`` of a stage that serves one job at a time, with its error."""
    # sum of squared deviations times the number of jobs, exact
    scatter = pool.jobs * pool.demand_ps2 - pool.demand_ps**2
    if pool.jobs < 2:
        return LoadEstimate(value, None)
    if scatter == 0:
        return LoadEstimate(value, 0.0)
    freedom = pool.jobs - 1
    independent = math.sqrt(scatter / freedom) / pool.demand_ps
    correlated = batch_means_error(services)
    if correlated is not None and correlated[0] > independent:
        return LoadEstimate(value, *correlated)
    return LoadEstimate(value, independent, freedom)


def batch_means_error(services: NDArray[np.int64]) -> tuple[float, int] | None:
    """Relative standard error of a mean from consecutive batches, and its degrees of freedom.

    ``services`` is int64 (n,) in order. None where fewer than 10 batches can be made.
    """
    size = max(1, -(-len(services) // _MAX_BATCHES))
    count = len(services) // size
    if count < _MIN_BATCHES:
        return None
    means = services[: size * count].astype(np.float64).reshape(count, size).mean(axis=1)
    mean = float(means.mean())
    return (float(means.std(ddof=1)) / math.sqrt(count) / mean, count - 1) if mean else None


def _batched(
    pool: Pool,
    windows: Mapping[str, NDArray[np.int64]],
    stage: str,
    *,
    size: int,
    arrived: int,
    span_ps: int,
) -> LoadEstimate:
    """Load of a stage in batches, if all batches were full.

    A stage that is overloaded fills its batches. As long as most are not full, it keeps up by
    taking what is there, and its servers may be busy all the time: nothing to estimate then.
    """
    begin, services = windows[f"{stage}_start_ps"], _services(windows, stage)
    pairs = np.stack([begin, services], axis=1)
    distinct, fill = np.unique(pairs, axis=0, return_counts=True)
    full = fill // size  # servers that start together with equal batches share a row
    batches = int((-(-fill // size)).sum())
    if 2 * int(full.sum()) < batches or not full.any():
        return LoadEstimate(pool.busy_ps / (pool.servers * span_ps), None, idle=True)
    full_services = np.repeat(distinct[:, 1], full)
    mean_ps = total_ps(full_services) / len(full_services)
    value = mean_ps * arrived / (size * pool.servers * span_ps)
    if not np.ptp(full_services):
        return LoadEstimate(value, 0.0 if len(full_services) > 1 else None)
    found = batch_means_error(full_services)
    return LoadEstimate(value, None) if found is None else LoadEstimate(value, *found)
