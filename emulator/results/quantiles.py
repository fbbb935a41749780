"""A quantile of a latency, exact, with an interval that allows for correlation."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emulator.results.correlation import BATCHES, autocorrelation_time, effective_samples

__all__ = ["QuantileEstimate", "order_statistic", "quantile_interval"]

_LEAST_BEYOND = 10  # samples beyond the quantile
_LEAST_BEYOND_TIMES = 5  # the same in autocorrelation times; fewer undercover (see the tests)

_METHOD = f"order statistics of the effective sample size from {BATCHES} batch means"


@dataclass(frozen=True, slots=True)
class QuantileEstimate:
    """A quantile of ``samples`` latencies and what is known of its error.

    ``value_ps`` is None when there are too few samples for the quantile, ``ci_ps`` when there are
    too few for an interval; ``note`` then says so in words. ``autocorrelation_windows`` is the
    integrated autocorrelation time in windows, None for fewer than 2 samples.
    """

    quantile: float
    value_ps: int | None
    ci_ps: tuple[int, int] | None
    samples: int
    autocorrelation_windows: float | None
    method: str
    note: str | None = None


def order_statistic(ordered: NDArray[np.int64], quantile: float) -> int | None:
    """Smallest of the sorted values, shape (n,), that a share ``quantile`` of them do not exceed.

    No interpolation, so the answer is a latency that happened (`numpy.quantile` calls this
    "inverted_cdf"). None when n < 1 / (1 - quantile): the quantile lies beyond the sample.
    """
    exact, count = _exact(quantile), len(ordered)
    if count * (1 - exact) < 1:
        return None
    return int(ordered[max(1, math.ceil(count * exact)) - 1])


def quantile_interval(
    values: NDArray[np.int64], quantile: float, confidence: float = 0.95
) -> QuantileEstimate:
    """Estimate a quantile of latencies in ps, int64 of shape (n,) in time order.

    The interval is that of the order statistics of n_eff independent samples, where n_eff is the
    effective sample size of the event "latency beyond the quantile" (Woodruff, J. Am. Stat.
    Assoc. 47, 635, 1952); for independent latencies it is the exact distribution-free one. Raises
    ValueError unless 0 < quantile < 1 and 0 < confidence < 1.
    """
    for name, share in (("quantile", quantile), ("confidence", confidence)):
        if not 0 < share < 1:
            raise ValueError(f"{name}(={share}) must be between 0 and 1.")
    ordered = np.sort(values)
    value, tau = order_statistic(ordered, quantile), autocorrelation_time(values)
    note = _too_few(len(values), quantile, value, tau)
    interval = None
    if note is None and value is not None and tau is not None:
        # Ties can put all the change on either side of the value; take the worse.
        sides = (values > value, values >= value)
        worth = [effective_samples(side, tau, confidence) for side in sides]
        size = min(int(samples or 0) for samples in worth)
        interval = _interval(ordered, size, quantile, confidence)
        if interval is None:
            note = f"no interval: the series of {len(values)} windows is too short for its tail"
    return QuantileEstimate(quantile, value, interval, len(values), tau, _METHOD, note)


def _too_few(count: int, quantile: float, value: int | None, tau: float | None) -> str | None:
    """Say why no interval can be given, or None when one can."""
    exact = _exact(quantile)
    if value is None or tau is None:
        return (
            f"too few samples: {count} windows do not reach p{100 * quantile:.10g}, "
            f"which needs at least {max(2, math.ceil(1 / (1 - exact)))}"
        )
    beyond = float(count * min(exact, 1 - exact))
    if beyond < _LEAST_BEYOND:
        return f"no interval: {beyond:.3g} samples beyond the quantile, needs {_LEAST_BEYOND}"
    if beyond < _LEAST_BEYOND_TIMES * tau:
        return (
            f"no interval: latencies stay correlated over {tau:.3g} windows, "
            f"too long for the {beyond:.3g} samples beyond the quantile"
        )
    return None


def _interval(
    ordered: NDArray[np.int64], size: int, quantile: float, confidence: float
) -> tuple[int, int] | None:
    """Order statistics that enclose the quantile of ``size`` independent samples, at their ranks.

    None when even the largest (or smallest) sample may lie within the quantile.
    """
    from scipy.special import bdtr

    count = len(ordered)
    below = bdtr(np.arange(size + 1), size, quantile)  # P(at most k of size samples below)
    tail = (1 - confidence) / 2
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail)) + 1
    if low < 1 or high > size:
        return None
    first, last = low * count // size, -(-high * count // size)
    return int(ordered[max(first, 1) - 1]), int(ordered[last - 1])


def _exact(quantile: float) -> Fraction:
    return Fraction(repr(float(quantile)))
