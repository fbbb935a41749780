"""How much a correlated series tells, and intervals of shares built on that.

Latencies in a queue remember their predecessors: at load 0.9 a thousand windows tell as much as a
handful of independent ones. Every interval of a time series in this package goes through here.

The share of windows beyond a threshold, over n windows, is modelled as a Beta variable of its
true mean p and variance p (1 - p) tau / n, where tau is the autocorrelation time of the event
"beyond the threshold". Windows beyond a threshold come in bursts, which makes their number more
skewed than a Poisson variable; the Beta has the skewness that is measured in queues, twice that
of Poisson. Three things make intervals on this footing cover (tests.results.coverage prints by
how much):

- tau is badly known from the few bursts beyond a high threshold, and known too small where the
  estimate is too low. So it is at least what the memory of the whole series implies, by the law of
  reflected Brownian motion, which every queue obeys in heavy traffic (see `relative_memory`);
- its error enters as in Student's t, with n / (20 tau) degrees of freedom;
- a series too short to show how long it remembers gets no interval (see `Memory.needed`).
"""

import bisect
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BATCHES",
    "Memory",
    "Series",
    "autocorrelation_time",
    "binomial_interval",
    "correlated_interval",
    "effective_samples",
    "proportion_interval",
    "relative_memory",
    "share_bounds",
]

BATCHES = 20
"""Batches of consecutive samples; more gain little (Schmeiser, Oper. Res. 30, 556, 1982)."""

_WINDOW = 3.0  # c; Sokal's is 6, of a tau half this one
_BIN = 4  # bins of sqrt(n) / 4 samples
_QUICK_WINDOW, _QUICK_BIN = 1.0, 16
_RICH = 100  # bursts beyond a threshold from which their own memory is known well enough
_DEGREES = 20  # autocorrelation times that give a degree of freedom, as measured in queues
_LEAST_SAMPLES = 300  # of an independent series
_LEAST_TIMES = 570  # quick autocorrelation times of "above the median", besides
_RARE = 0.01  # events rarer than this need longer series, in proportion


def autocorrelation_time(
    values: NDArray[np.int64] | NDArray[np.bool_], *, quick: bool = False
) -> float:
    """Integrated autocorrelation time of a series of shape (n,), in samples, within [1, n].

    1 + 2 * sum of the autocorrelation over lags up to the smallest M with M >= c tau(M), which
    balances bias against noise (A. Sokal, "Monte Carlo Methods in Statistical Mechanics", 1996,
    section 3), corrected for the mean being that of the same series (Wolff, Comput. Phys. Commun.
    156, 143, 2004). n samples are worth n / tau independent ones. The lags are those of
    bins of sqrt(n) / 4 samples, so that neither a noise nor a short periodic pattern hides a long
    memory, and the sum costs O(n). ``quick`` sums over fewer lags of smaller bins, for an estimate
    that is a third too low but scatters half as much. A constant series has 1, and so has one
    sample, or none, which show no correlation.
    """
    count = len(values)
    if not count:
        return 1.0
    if values.dtype == np.bool_:
        centred: NDArray[np.bool_] | NDArray[np.float64] = values.astype(np.bool_, copy=False)
        mean = float(np.mean(values))
        variance = mean * (1 - mean)
    else:
        # Differences from the least value are exact, so that a constant stays one.
        centred = (values - values.min()).astype(np.float64)
        mean, variance = float(centred.mean()), float(centred.var())
    window, divisor = (_QUICK_WINDOW, _QUICK_BIN) if quick else (_WINDOW, _BIN)
    size = math.ceil(math.sqrt(count) / divisor)
    bins = count // size
    rows = centred[: bins * size].reshape(bins, size)
    means = rows.sum(axis=1, dtype=np.float64) / size - mean
    covariance = _autocovariance(means)
    if covariance[0] <= 0:
        return 1.0
    sums = 2 * np.cumsum(covariance) / covariance[0] - 1
    settled = np.arange(len(sums)) >= window * sums
    last = int(np.argmax(settled)) if settled.any() else len(sums) - 1
    bias = max(0.1, 1 - (2 * last + 1) / bins)
    tau = float(sums[last] * covariance[0]) * size / variance / bias
    return min(float(count), max(1.0, tau))


def _autocovariance(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocovariance of a series of mean about 0 at the lags below half its length."""
    count = len(series)
    spectrum = np.fft.rfft(series - series.mean(), 2 * count)
    return np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[: max(2, count // 2)] / count


def relative_memory(share: float) -> float:
    """Autocorrelation time of "beyond x" in reflected Brownian motion, over that of its level.

    ``share`` is the share p of time beyond x. With drift -1, variance 1 and thus the stationary
    density 2 exp(-2 y), the Poisson equation of the event has the solution g with g'(y) =
    p (exp(2 y) - 1) below x and 1 - p beyond; the asymptotic variance, the mean of g'^2, is
    2 p (1 - p) + 2 p^2 ln p (Bhattacharya, Z. Wahrsch. 60, 185, 1982), and that of the level is
    1/2 at a variance of 1/4. Hence 1 + p ln p / (1 - p): 0.31 at the median, 0.74 at p90, 0.95
    at p99. A queue in heavy traffic is such a motion (Harrison, "Brownian Motion and Stochastic
    Flow Systems", 1985).
    """
    if share <= 0 or share >= 1:
        return float(share <= 0)
    return 1 + share * math.log(share) / (1 - share)


@dataclass(frozen=True, slots=True)
class Memory:
    """How long a series of ``count`` samples remembers, in samples.

    ``level`` and ``median`` are the autocorrelation times of the values and of the event "above
    the median", which happens to a share ``above``; ``short`` is a quick estimate of the latter,
    low by a third and little scattered, which tells whether the series is long enough.
    """

    count: int
    level: float
    median: float
    short: float
    above: float

    def grouped(self, size: float) -> "Memory":
        """The memory of groups of ``size`` samples each, such as the windows of a shot."""
        level, median, short = (
            max(1.0, time / size) for time in (self.level, self.median, self.short)
        )
        return Memory(round(self.count / size), level, median, short, self.above)

    def needed(self, share: float) -> int:
        """Samples from which an interval of an event that happens to a ``share`` can be given.

        A series that is too short has not yet seen how high its level rises, and takes its memory
        for shorter than it is: those that just reach a limit on their own estimate are the ones
        that underestimate most. The limit is therefore set on the least scattered estimate, and
        so high that hardly any series passes it by chance whose interval would not cover.
        """
        rare = max(1.0, _RARE / max(min(share, 1 - share), 1 / self.count))
        return math.ceil(rare * (_LEAST_SAMPLES + _LEAST_TIMES * (self.short - 1)))

    def bulk(self, share: float) -> float:
        """Autocorrelation time that the median implies for an event of a ``share``."""
        above = max(relative_memory(self.above), relative_memory(0.5))
        return 1 + relative_memory(share) * (self.median - 1) / above

    def implied(self, share: float) -> float:
        """The same of the whole series: the larger of that of the median and of the level."""
        return max(self.bulk(share), 1 + relative_memory(share) * (self.level - 1))

    def of_event(self, own: float, share: float) -> float:
        """Autocorrelation time of an event of a ``share``, whose own estimate is ``own``.

        That one where it comes from many bursts, else at least the one `implied`.
        """
        if self.count * min(share, 1 - share) >= _RICH * own:
            return own
        return max(own, self.implied(share))


class Series:
    """Samples in time order, int64 of shape (n,), with what intervals need of them found once."""

    def __init__(self, values: NDArray[np.int64]) -> None:
        self.values = values
        self._partial = values.copy()  # in order at and between the known ranks
        self._known: list[int] = []

    def ranked(self, rank: int) -> int:
        """The sample with ``rank`` smaller ones, found by selection between the known ranks."""
        at = bisect.bisect_left(self._known, rank)
        if at == len(self._known) or self._known[at] != rank:
            first = self._known[at - 1] + 1 if at else 0
            last = self._known[at] if at < len(self._known) else len(self._partial)
            self._partial[first:last].partition(rank - first)
            self._known.insert(at, rank)
        return int(self._partial[rank])

    @cached_property
    def memory(self) -> Memory | None:
        """How long the series remembers; None for fewer than 2 samples."""
        if len(self.values) < 2:
            return None
        middle = self.ranked(len(self.values) // 2)
        high = self.values > middle
        if not high.any():  # half of all samples are the largest
            high = self.values >= middle
        median, short = (autocorrelation_time(high, quick=quick) for quick in (False, True))
        level = autocorrelation_time(self.values)
        return Memory(len(self.values), level, median, short, float(np.mean(high)))


def effective_samples(count: int, tau: float, confidence: float) -> float:
    """Independent samples that ``count`` ones of an autocorrelation time ``tau`` are worth.

    Fewer than count / tau by (z / t)^2 for the error of ``tau`` (Korn and Graubard, Survey
    Methodology 24, 193, 1998), which is that of a variance of count / (20 tau) degrees of freedom.
    """
    from scipy.special import ndtri, stdtrit

    if tau <= 1:
        return float(count)
    level = 0.5 + confidence / 2
    degrees = max(1.0, count / (_DEGREES * tau))
    return max(1.0, count / tau * float(ndtri(level) / stdtrit(degrees, level)) ** 2)


def share_bounds(share: float, samples: float, confidence: float) -> tuple[float, float]:
    """Bounds that the share seen among ``samples`` effective samples keeps with ``confidence``.

    ``share`` is the true one; the law is that of the module.
    """
    from scipy.special import betaincinv

    tails = (0.5 - confidence / 2, 0.5 + confidence / 2)
    low, high = betaincinv(share * samples, (1 - share) * samples, tails)
    return float(low), float(high)


def binomial_interval(hits: float, samples: float, confidence: float) -> tuple[float, float] | None:
    """Clopper-Pearson interval of a rate, exact for counts and continued to effective ones.

    With no hits the interval is one-sided, [0, 1 - (1 - confidence)^(1/samples)], which at 95 %
    is the "rule of three", 3 / samples; likewise with nothing but hits. None without samples.
    """
    from scipy.special import betaincinv

    if samples <= 0:
        return None
    none_seen = -np.expm1(np.log1p(-confidence) / samples)
    if hits <= 0:
        return 0.0, float(none_seen)
    if hits >= samples:
        return float(1 - none_seen), 1.0
    tail = (1 - confidence) / 2
    low = betaincinv(hits, samples - hits + 1, tail)
    high = betaincinv(hits + 1, samples - hits, 1 - tail)
    return float(low), float(high)


def proportion_interval(
    hits: NDArray[np.bool_], memory: Memory, confidence: float
) -> tuple[float, float] | None:
    """Interval of the rate of ``hits``, shape (n,) in time order, that allows for correlation.

    ``memory`` is that of the series that the hits come from. None when it is too short.
    """
    count = len(hits)
    if count < memory.needed(0.5):
        return None
    seen = int(np.count_nonzero(hits))
    tau = memory.of_event(autocorrelation_time(hits), seen / count)
    return correlated_interval(seen, count, tau, confidence)


def correlated_interval(
    hits: int, count: int, tau: float, confidence: float
) -> tuple[float, float] | None:
    """Interval of the rate of ``hits`` among ``count`` samples of an autocorrelation time ``tau``.

    Holds the rates whose `share_bounds` enclose what was seen, and the exact interval of
    independent samples. No end is nearer to 0 or 1 than where nothing, or all, was seen.
    """
    exact = binomial_interval(hits, count, confidence)
    if exact is None or tau <= 1:
        return exact
    samples = effective_samples(count, tau, confidence)
    none = binomial_interval(0, samples, confidence) or exact
    if hits in (0, count):
        return none if hits == 0 else (1 - none[1], 1 - none[0])
    tail, share = (1 - confidence) / 2, hits / count
    low = 1 - _largest_rate(1 - share, samples, tail)
    high = _largest_rate(share, samples, tail)
    return min(low, exact[0], 1 - none[1]), max(high, exact[1], none[1])


def _largest_rate(share: float, samples: float, tail: float) -> float:
    """Rate that lets at most ``share`` be seen with probability ``tail``, by bisection."""
    from scipy.special import betainc

    low, high = share, 1.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if betainc(middle * samples, (1 - middle) * samples, share) > tail:
            low = middle
        else:
            high = middle
    return high
