"""Distributions of a time, each given by its quantile function.

A job's time is the quantile at the job's luck, a number in (0, 1): whatever the distribution, more
luck (nearer to 1) never means a shorter time.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emulator.timing.normal import normal_quantile
from emulator.timing.stream import LAST_LUCK

__all__ = ["ByContent", "Distribution", "Gaussian", "Interpolated", "Resampled", "ShiftedLognormal"]

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

_MAX_FLOAT_PS = 2.0**63 - 1024  # largest float that is an int64


class ByContent:
    """Lets frozen dataclasses that hold arrays be compared and hashed by what is in them."""

    def _content(self) -> tuple[object, ...]:
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return tuple(v.tobytes() if isinstance(v, np.ndarray) else v for v in values)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ByContent)
            and type(other) is type(self)
            and self._content() == other._content()
        )

    def __hash__(self) -> int:
        return hash(self._content())


class Distribution(ABC):
    """A frozen value; times are whole picoseconds, never negative."""

    @abstractmethod
    def quantiles(self, luck: Floats) -> Times:
        """Times at each ``luck`` in (0, 1), int64 of the same shape."""

    @property
    @abstractmethod
    def expected_ps(self) -> float:
        """Mean of the times."""

    @property
    def longest_ps(self) -> int:
        """Time at the largest luck there is: no draw is longer. May be too large for int64."""
        return int(self.quantiles(np.array([LAST_LUCK]))[0])


@dataclass(frozen=True, slots=True)
class Gaussian(Distribution):
    """Normal with mean ``mean_ps``; what would be below ``floor_ps`` is ``floor_ps``."""

    mean_ps: int
    sd_ps: int
    floor_ps: int = 0

    def quantiles(self, luck: Floats) -> Times:
        """Mean plus standard deviations, rounded to the nearest picosecond."""
        return np.maximum(self.mean_ps + _whole(self.sd_ps * normal_quantile(luck)), self.floor_ps)

    @property
    def expected_ps(self) -> float:
        """Mean of the normal law with all that is below the floor moved up to it."""
        above = (self.mean_ps - self.floor_ps) / self.sd_ps
        density = math.exp(-above * above / 2) / math.sqrt(2 * math.pi)
        return self.floor_ps + self.sd_ps * (above * _normal_share(above) + density)

    @property
    def longest_ps(self) -> int:
        """8.2 standard deviations above the mean, or the floor."""
        return max(self.mean_ps + round(self.sd_ps * _LAST_NORMAL), self.floor_ps)


@dataclass(frozen=True, slots=True)
class ShiftedLognormal(Distribution):
    """``shift_ps`` plus a log-normal time of median ``median_ps``, ``sigma`` that of its log."""

    shift_ps: int
    median_ps: int
    sigma: float

    def quantiles(self, luck: Floats) -> Times:
        """Shift plus the log-normal part, rounded to the nearest picosecond."""
        spread = np.exp(self.sigma * normal_quantile(luck))
        return self.shift_ps + _whole(self.median_ps * spread)

    @property
    def expected_ps(self) -> float:
        """Shift plus median times exp(sigma^2 / 2), cut at the longest draw there is."""
        share = _normal_share(_LAST_NORMAL - self.sigma)
        return self.shift_ps + self.median_ps * math.exp(self.sigma**2 / 2) * share

    @property
    def longest_ps(self) -> int:
        """8.2 sigma above the median."""
        return self.shift_ps + round(self.median_ps * float(np.exp(self.sigma * _LAST_NORMAL)))


@dataclass(frozen=True, slots=True)
class Interpolated(Distribution):
    """Quantiles ``times_ps`` at rising ``probabilities``, joined by lines in the log of time.

    Outside the listed probabilities the time stays at the first or the last one.
    """

    probabilities: tuple[float, ...]
    times_ps: tuple[int, ...]

    def quantiles(self, luck: Floats) -> Times:
        """Interpolated times, rounded to the nearest picosecond."""
        times = _whole(np.exp(np.interp(luck, self.probabilities, np.log(self.times_ps))))
        # exp(log(t)) is not exactly t
        times[luck <= self.probabilities[0]] = self.times_ps[0]
        times[luck >= self.probabilities[-1]] = self.times_ps[-1]
        return np.clip(times, self.times_ps[0], self.times_ps[-1])

    @property
    def expected_ps(self) -> float:
        """Sum over the pieces: where log t is a line over luck, the mean is (b - a) / ln(b / a)."""
        first, last = self.probabilities[0], self.probabilities[-1]
        total = first * self.times_ps[0] + (1 - last) * self.times_ps[-1]
        points = pairwise(zip(self.probabilities, self.times_ps, strict=True))
        for (low, short_ps), (high, long_ps) in points:
            rise = long_ps - short_ps
            mean = rise / math.log(long_ps / short_ps) if rise else short_ps
            total += (high - low) * mean
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Resampled(ByContent, Distribution):
    """One of the recorded ``times_ps``, int64 (n,), each as likely; they are kept in order."""

    times_ps: Times

    def __post_init__(self) -> None:
        """Sort the times, so that luck has its meaning."""
        object.__setattr__(self, "times_ps", np.sort(self.times_ps))

    def quantiles(self, luck: Floats) -> Times:
        """Recorded times: luck in [k/n, (k+1)/n) is the one of rank k."""
        return self.times_ps[(luck * len(self.times_ps)).astype(np.int64)]

    @property
    def expected_ps(self) -> float:
        """Mean of the recorded times."""
        return float(self.times_ps.mean(dtype=np.float64))


def _whole(times: Floats) -> Times:
    """Round to whole picoseconds; `emulator.timing.build` refuses what would not fit."""
    return np.rint(np.clip(times, -_MAX_FLOAT_PS, _MAX_FLOAT_PS)).astype(np.int64)


def _normal_share(z: float) -> float:
    """Share of the standard normal law below ``z``."""
    return math.erfc(-z / math.sqrt(2)) / 2


_LAST_NORMAL = float(normal_quantile(np.array([LAST_LUCK]))[0])
