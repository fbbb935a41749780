"""Growth of the lag: whether corrections come later and later after the rounds they answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.numbering import Emission
from emulator.results.stages import reaction_times
from emulator.results.student import student_quantile

__all__ = ["MIN_POINTS", "Growth", "lag_growth"]

MIN_POINTS = 10
"""Points of the lag below which its growth is not estimated."""

_BLOCKS = 20
_MIN_SHOTS = MIN_POINTS  # from here on a shot is one point: the pattern within shots cancels


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds of lag gained per second of emission, with its standard error.

    A loop that does half of the work gains one second per second; one that keeps up gains none.
    """

    rate: float
    error: float
    freedom: int

    def bound(self, confidence: float) -> float:
        """Return the one-sided bound at ``confidence``: below 0.5 a lower, above an upper one."""
        return self.rate + student_quantile(self.freedom, confidence) * self.error

    def backlog_slope(self, lag_rate: float, rounds_per_s: float) -> float:
        """Rounds per second by which the backlog grows when the lag grows by ``lag_rate``.

        Rounds emitted at t are done at t + lag(t): of those emitted, 1 / (1 + rate) get done.
        """
        lag_rate = max(lag_rate, -0.5)
        return rounds_per_s * lag_rate / (1 + lag_rate)


def lag_growth(windows: Mapping[str, NDArray[np.int64]], emission: Emission) -> Growth | None:
    """Estimate the growth of the reaction time against emission, None below `MIN_POINTS` points.

    ``windows`` is int64 (n,) by name, as in a `Record`. The lag is taken where rounds are emitted
    and not where windows are done: of an overloaded loop few are. A point is the mean of one
    shot, all patches together, so that windows that wait for each other within a shot are no
    growth. Of a single shot it is one window of the usual length, of all patches: a stream
    without an end. A few shots of several windows, or one with a pause behind it, tell neither.
    """
    points = _points(windows, emission)
    if points is None or len(points[0]) < MIN_POINTS:
        return None
    times = points[0]
    size = max(1, len(times) // _BLOCKS)
    count = len(times) // size
    # the last points, so that the filling of the queues is left out first
    blocks = [column[-size * count :].reshape(count, size).mean(axis=1) for column in points]
    elapsed, gained = (np.diff(block) for block in blocks)
    if elapsed.min() <= 0:
        return None
    rates = gained / elapsed
    # A lag that drifts is a random walk, for which the growth between the means of adjacent blocks
    # has 2/3 of the variance of the growth over a block: hence 3/2. One that is stationary pulls
    # back, so that the error is larger than it need be, never smaller.
    error = math.sqrt(1.5 * float(rates.var(ddof=1)) / len(rates))
    return Growth(float(rates.mean()), error, len(rates) - 1)


def _points(
    windows: Mapping[str, NDArray[np.int64]], emission: Emission
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Instants of emission and lags in ps, float64 (n,) each, ordered by instant."""
    shot = windows["shot"]
    if not len(shot):
        return None
    kept, key = np.ones(len(shot), dtype=np.bool_), shot
    shots = len(np.unique(shot))
    if shots < _MIN_SHOTS:
        pauses = emission.shot_period_ps > emission.rounds * emission.round_period_ps
        if emission.shots > 1 or pauses:
            return None
        kept = _regular(windows)
        key = windows["emitted_ps"] - windows["patch"] * emission.patch_offset_ps
    _, place = np.unique(key[kept], return_inverse=True)
    members = np.bincount(place)
    times, lags = (
        np.bincount(place, weights=column[kept].astype(np.float64)) / members
        for column in (windows["emitted_ps"], reaction_times(dict(windows)))
    )
    order = np.argsort(times, kind="stable")
    return times[order], lags[order]


def _regular(windows: Mapping[str, NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Tell the windows of the usual length, bool (n,), that are the first to need their last round.

    The windows at the end of a shot wait for one and the same round, and then for each other.
    """
    commits = windows["last_round"] - windows["first_round"]
    lengths, counts = np.unique(commits, return_counts=True)
    order = np.lexsort((windows["window"], windows["emitted_ps"], windows["patch"]))
    instants = np.stack([windows["patch"], windows["emitted_ps"]])[:, order]
    first = np.ones(len(order), dtype=np.bool_)
    first[order[1:]] = (np.diff(instants, axis=1) != 0).any(axis=0)
    regular: NDArray[np.bool_] = first & (commits == lengths[counts.argmax()])
    return regular
