"""How many independent samples a correlated series is worth, and intervals built on that.

Latencies in a queue remember their predecessors: at load 0.9 a thousand windows tell as much as a
handful of independent ones. Every interval of a time series in this package goes through here.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BATCHES",
    "autocorrelation_time",
    "binomial_interval",
    "effective_samples",
    "proportion_interval",
]

BATCHES = 20
"""Batches of consecutive samples; more gain little (Schmeiser, Oper. Res. 30, 556, 1982)."""

_LEAST_BATCHES = 3
_BATCH_LENGTH = 5  # in autocorrelation times, so that batch means are nearly independent
_WINDOW = 5  # Sokal's c: sum the autocorrelation up to the first lag M >= c * tau(M)


def autocorrelation_time(values: NDArray[np.int64] | NDArray[np.bool_]) -> float | None:
    """Integrated autocorrelation time of a series of shape (n,), in samples; at least 1.

    1 + 2 * sum of the autocorrelation over lags up to the smallest M with M >= 5 tau(M), which
    balances bias against noise (A. Sokal, "Monte Carlo Methods in Statistical Mechanics", 1996,
    section 3). n samples are worth n / tau independent ones. A constant series has 1; fewer than
    2 samples have None.
    """
    count = len(values)
    if count < 2:
        return None
    shifted = values.astype(np.int64) - int(values[0])  # exact, so that a constant stays one
    if not shifted.any():
        return 1.0
    centred = shifted - shifted.mean()
    spectrum = np.fft.rfft(centred, 1 << (2 * count - 1).bit_length())
    covariance = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:count]
    tau = 2 * np.cumsum(covariance / covariance[0]) - 1
    settled = np.arange(count) >= _WINDOW * tau
    return max(1.0, float(tau[np.argmax(settled)])) if settled.any() else float(count)


def effective_samples(hits: NDArray[np.bool_], tau: float, confidence: float) -> float | None:
    """Count the independent samples that ``hits``, shape (n,) in time order, are worth as a rate.

    The variance of the rate comes from up to 20 batches of at least 5 ``tau`` consecutive samples
    each; n times the ratio of the binomial variance to it is the effective sample size, scaled
    for the few degrees of freedom of that estimate by (z / t)^2 (Korn and Graubard, Survey
    Methodology 24, 193, 1998) and at most n. None when fewer than 3 such batches fit. A series
    that never changes shows no variance of its own and is worth n / ``tau``.
    """
    count, rate = len(hits), float(np.mean(hits)) if len(hits) else 0.0
    batches = min(BATCHES, int(count // (_BATCH_LENGTH * tau)), count)
    if batches < _LEAST_BATCHES:
        return None
    if rate in (0.0, 1.0):
        return count / tau
    length = count // batches
    means = hits[: batches * length].reshape(batches, length).mean(axis=1)
    inflation = float(means.var(ddof=1)) * length / (rate * (1 - rate))
    if inflation <= 1:
        return float(count)
    return min(float(count), count / inflation * _few_batches(batches, confidence))


def _few_batches(batches: int, confidence: float) -> float:
    from scipy.special import ndtri, stdtrit

    level = 0.5 + confidence / 2
    return float(ndtri(level) / stdtrit(batches - 1, level)) ** 2


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
    hits: NDArray[np.bool_], tau: float, confidence: float
) -> tuple[float, float] | None:
    """Interval of the rate of ``hits``, shape (n,) in time order, that allows for correlation.

    The exact binomial interval of `effective_samples`; None when these cannot be estimated.
    """
    samples = effective_samples(hits, tau, confidence)
    if samples is None:
        return None
    return binomial_interval(float(np.mean(hits)) * samples, samples, confidence)
