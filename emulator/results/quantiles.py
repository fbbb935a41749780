"""A quantile of a latency, exact, with an interval that allows for correlation."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emulator.results.correlation import (
    Memory,
    Series,
    autocorrelation_time,
    effective_samples,
    share_bounds,
)

__all__ = ["QuantileEstimate", "order_statistic", "quantile_interval"]

_LEAST_BEYOND = 30  # samples beyond the quantile
_BURSTS = 1.2  # the same in autocorrelation times, believed of a series that is long enough
_FOREIGN = 8  # times as long as the median implies are bursts that have another cause ...
_FOREIGN_BURSTS = 5  # ... and of these so many must be seen

_METHOD = "order statistics at the Beta bounds of the effective sample size"


@dataclass(frozen=True, slots=True)
class QuantileEstimate:
    """A quantile of ``samples`` latencies and what is known of its error.

    ``value_ps`` is None when there are too few samples for the quantile, ``ci_ps`` when there are
    too few for an interval; ``note`` then says so in words, and ``more_windows`` about how many
    more would give one. ``autocorrelation_windows`` is the integrated autocorrelation time in
    windows, None for fewer than 2 samples.
    """

    quantile: float
    value_ps: int | None
    ci_ps: tuple[int, int] | None
    samples: int
    autocorrelation_windows: float | None
    method: str
    note: str | None = None
    more_windows: int | None = None


def order_statistic(ordered: NDArray[np.int64], quantile: float) -> int | None:
    """Smallest of the sorted values, shape (n,), that a share ``quantile`` of them do not exceed.

    No interpolation, so the answer is a latency that happened (`numpy.quantile` calls this
    "inverted_cdf"). None when n < 1 / (1 - quantile): the quantile lies beyond the sample.
    """
    rank = _rank(len(ordered), quantile)
    return None if rank is None else int(ordered[rank])


def quantile_interval(
    values: NDArray[np.int64] | Series, quantile: float, confidence: float = 0.95
) -> QuantileEstimate:
    """Estimate a quantile of latencies in ps, int64 of shape (n,) in time order.

    The interval holds the values beyond which lies a share of the windows that is compatible with
    1 - ``quantile``, given the effective sample size of the event "beyond the quantile"
    (Woodruff, J. Am. Stat. Assoc. 47, 635, 1952; see `emulator.results.correlation`). A start from
    an empty queue is part of the series: one that is long enough for an interval has forgotten
    it. Raises ValueError unless 0 < quantile < 1 and 0 < confidence < 1.
    """
    for name, share in (("quantile", quantile), ("confidence", confidence)):
        if not 0 < share < 1:
            raise ValueError(f"{name}(={share}) must be between 0 and 1.")
    series = values if isinstance(values, Series) else Series(values)
    count, memory = len(series.values), series.memory
    rank = _rank(count, quantile)
    if rank is None or memory is None:
        exact = _exact(quantile)
        note = (
            f"too few samples: {count} windows do not reach p{100 * quantile:.10g}, "
            f"which needs at least {max(2, math.ceil(1 / (1 - exact)))}"
        )
        level = memory.level if memory else None
        more = math.ceil(_LEAST_BEYOND / min(exact, 1 - exact)) - count
        return QuantileEstimate(quantile, None, None, count, level, _METHOD, note, more)
    value = series.ranked(rank)
    own = _time_beyond(series.values, value)
    refusal, more_windows = _refusal(memory, quantile, own)
    interval = None
    if refusal is None:
        tau = min(memory.of_event(own, 1 - quantile), _most(memory, quantile))
        samples = effective_samples(count, tau, confidence)
        low, high = _order_bounds(series, quantile, samples, confidence)
        # the middle of the binomial law is not quite the quantile of the sample
        interval = min(low, value), max(high, value)
    return QuantileEstimate(
        quantile, value, interval, count, memory.level, _METHOD, refusal, more_windows
    )


def _time_beyond(values: NDArray[np.int64], value: int) -> float:
    """Autocorrelation time of the event "beyond the value"; of equal ones all, or none, are.

    Ties can put all the change on either side of the value; the worse counts.
    """
    beyond, within = values > value, values >= value
    times = [autocorrelation_time(beyond)]
    if np.count_nonzero(within) - np.count_nonzero(beyond) > 1:
        times.append(autocorrelation_time(within))
    return max(times)


def _most(memory: Memory, quantile: float) -> float:
    """Largest autocorrelation time that is believed of a series that is long enough.

    It leaves `_BURSTS` effective samples beyond the quantile, and so windows beyond the interval.
    """
    return max(1.0, memory.count * min(quantile, 1 - quantile) / _BURSTS)


def _refusal(memory: Memory, quantile: float, own: float) -> tuple[str | None, int | None]:
    """Say why no interval can be given and how many more windows would do; None when one can.

    ``own`` is the autocorrelation time of the event "beyond the quantile".
    """
    exact = _exact(quantile)
    rare = min(exact, 1 - exact)
    least = math.ceil(_LEAST_BEYOND / rare)
    needed = max(least, memory.needed(float(rare)))
    if own > _FOREIGN * memory.bulk(1 - quantile):
        needed = max(needed, math.ceil(_FOREIGN_BURSTS * own / rare))
    if memory.count >= needed:
        return None, None
    beyond = float(memory.count * rare)
    if memory.count < least:
        note = f"no interval: {beyond:.3g} samples beyond the quantile, needs {_LEAST_BEYOND}"
    else:
        note = (
            f"no interval: {memory.count} windows are too few for latencies as correlated as "
            f"these, needs about {float(f'{needed:.2g}'):.0f}"
        )
    return note, needed - memory.count


def _order_bounds(
    series: Series, quantile: float, samples: float, confidence: float
) -> tuple[int, int]:
    """Values whose shares of windows not beyond them are the `share_bounds` of the quantile."""
    count = len(series.values)
    low, high = share_bounds(quantile, samples, confidence)
    first = max(math.floor(low * count), 1)
    last = min(math.ceil(high * count) + 1, count)
    return series.ranked(first - 1), series.ranked(last - 1)


def _rank(count: int, quantile: float) -> int | None:
    """Index of the quantile among ``count`` sorted samples; None when it lies beyond them."""
    exact = _exact(quantile)
    if count * (1 - exact) < 1:
        return None
    return math.ceil(count * exact) - 1


def _exact(quantile: float) -> Fraction:
    return Fraction(repr(float(quantile)))
