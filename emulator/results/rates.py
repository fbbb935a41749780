"""Logical error rates, deadline misses and paired comparisons, as counts that add up."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.results.correlation import (
    Memory,
    Series,
    binomial_interval,
    proportion_interval,
)

__all__ = [
    "DeadlineMisses",
    "ErrorCount",
    "FailureRate",
    "PairedCount",
    "deadline_misses",
    "failure_rate",
    "per_round",
]

_LIKELIHOOD_FACTOR = 1000
"""sinter's convention: rates whose likelihood is within this factor of the best one's."""


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Wrong answers among independent shots; the counts of two runs add."""

    errors: int
    shots: int

    def __post_init__(self) -> None:
        """Refuse more errors than shots."""
        if not 0 <= self.errors <= self.shots:
            raise ValueError(f"errors(={self.errors}) must be between 0 and shots(={self.shots}).")

    @classmethod
    def of(cls, wrong: NDArray[np.bool_]) -> "ErrorCount":
        """Count the True entries of an array of any shape, one entry per shot."""
        return cls(int(np.count_nonzero(wrong)), int(wrong.size))

    def __add__(self, other: "ErrorCount") -> "ErrorCount":
        return ErrorCount(self.errors + other.errors, self.shots + other.shots)

    @property
    def rate(self) -> float | None:
        """Share of wrong shots, None without shots."""
        return self.errors / self.shots if self.shots else None

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """Exact (Clopper-Pearson) interval; without errors the one-sided "rule of three"."""
        return binomial_interval(self.errors, self.shots, confidence)

    def likelihood_interval(self) -> tuple[float, float] | None:
        """Rates at most 1000 times less likely than the best one, by `sinter.fit_binomial`."""
        import sinter

        if not self.shots:
            return None
        fit = sinter.fit_binomial(
            num_shots=self.shots,
            num_hits=self.errors,
            max_likelihood_factor=_LIKELIHOOD_FACTOR,
        )
        return float(fit.low), float(fit.high)


def per_round(shot_rate: float, rounds: int) -> float | None:
    """Error rate of each of the ``rounds`` of a shot, whose flips combine by XOR.

    None above 1/2, where no rate per round explains that of the shots.
    """
    import sinter

    if shot_rate > 0.5:
        return None
    return float(sinter.shot_error_rate_to_piece_error_rate(shot_rate, pieces=rounds))


@dataclass(frozen=True, slots=True)
class DeadlineMisses:
    """Windows whose correction came after the limit, or never: ``lost`` of them were lost.

    ``ci`` is None for too short a series, and ``more_windows`` then about how many more are
    needed for one.
    """

    limit_ps: int
    misses: int
    samples: int
    rate: float | None
    ci: tuple[float, float] | None
    more_windows: int | None = None
    lost: int = 0


def deadline_misses(
    reaction_ps: NDArray[np.int64] | Series, limit_ps: int, confidence: float
) -> DeadlineMisses:
    """Count reaction times, int64 of shape (n,) in time order, above ``limit_ps``.

    The interval allows for correlation between windows; without a miss it is the "rule of three"
    on the effective number of windows.
    """
    series = reaction_ps if isinstance(reaction_ps, Series) else Series(reaction_ps)
    late, memory = series.values > limit_ps, series.memory
    misses, samples = int(np.count_nonzero(late)), len(late)
    rate = misses / samples if samples else None
    if memory is None:
        return DeadlineMisses(limit_ps, misses, samples, rate, None)
    interval = proportion_interval(late, memory, confidence)
    more = None if interval else memory.needed(0.5) - samples
    return DeadlineMisses(limit_ps, misses, samples, rate, interval, more)


@dataclass(frozen=True, slots=True)
class FailureRate:
    """Shots whose answer is wrong, late or lost; ``late`` of them are late or lost.

    ``ci`` is None for too short a series, and ``more_shots`` then about how many more are needed
    for one.
    """

    failures: int
    late: int
    shots: int
    rate: float | None
    ci: tuple[float, float] | None
    more_shots: int | None = None


def failure_rate(
    wrong: NDArray[np.bool_],
    late: NDArray[np.bool_],
    memory: Memory | None,
    confidence: float,
) -> FailureRate:
    """Rate of shots that are ``wrong`` or ``late``, bool of shape (n,) in time order.

    ``late`` holds the shots that are late or lost, ``memory`` is that of the reaction times per
    shot (`Memory.grouped`). Late shots come in bursts; those that are wrong among the others are
    independent and have the exact interval. Both intervals are combined as those of a sum of
    independent parts, which -ln(1 - rate) is (MOVER: Zou and Donner, Stat. Med. 27, 1693, 2008).
    That no shot of a short series is late does not tell how many will be, so there is no interval
    then. ``memory`` None says that no shot can be late: the interval is that of wrong answers,
    and there is none if a shot is late after all. Raises ValueError for arrays of different shape.
    """
    if wrong.shape != late.shape:
        raise ValueError(f"{wrong.shape} answers and {late.shape} shots on time do not match.")
    shots, behind = int(late.size), int(np.count_nonzero(late))
    errors = int(np.count_nonzero(wrong & ~late))
    failures = errors + behind
    rate = failures / shots if shots else None
    if memory is None:
        exact = None if behind else binomial_interval(failures, shots, confidence)
        return FailureRate(failures, behind, shots, rate, exact)
    ends = proportion_interval(late, memory, confidence)
    if ends is None:
        more = memory.needed(0.5) - shots
        return FailureRate(failures, behind, shots, rate, None, more)
    parts = [(behind / shots, ends)]
    exact = binomial_interval(errors, shots - behind, confidence)
    if exact is not None:
        parts.append((errors / (shots - behind), exact))
    return FailureRate(failures, behind, shots, rate, _either(parts))


def _either(parts: list[tuple[float, tuple[float, float]]]) -> tuple[float, float]:
    """Interval of the rate at which any of independent events happens, of rates and intervals."""
    if any(rate == 1 for rate, _ in parts):
        return max(low for _, (low, _) in parts), 1.0
    value = below = above = 0.0
    for rate, ends in parts:
        low, middle, high = (
            -math.log1p(-p) if p < 1 else math.inf for p in (ends[0], rate, ends[1])
        )
        value += middle
        below += (middle - low) ** 2
        above += (high - middle) ** 2
    low, high = value - math.sqrt(below), value + math.sqrt(above)
    return -math.expm1(-low), -math.expm1(-high)


@dataclass(frozen=True, slots=True)
class PairedCount:
    """Outcomes of two arms on the same shots; the counts of two runs add.

    ``first_only`` and ``second_only`` are the shots on which just one arm is wrong (McNemar's b
    and c), which carry all that the comparison can tell.
    """

    shots: int
    both: int
    first_only: int
    second_only: int

    @classmethod
    def of(cls, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> "PairedCount":
        """Count from two arrays of equal shape, True where the arm is wrong."""
        if first.shape != second.shape:
            raise ValueError(f"arms of {first.shape} and {second.shape} shots are not paired.")
        counts = (first & second, first & ~second, second & ~first)
        return cls(int(first.size), *(int(np.count_nonzero(count)) for count in counts))

    def __add__(self, other: "PairedCount") -> "PairedCount":
        return PairedCount(
            self.shots + other.shots,
            self.both + other.both,
            self.first_only + other.first_only,
            self.second_only + other.second_only,
        )

    def p_value(self) -> float:
        """Exact two-sided McNemar test that both arms err equally often (Psychometrika 12, 153)."""
        from scipy.stats import binomtest

        differing = self.first_only + self.second_only
        return float(binomtest(self.first_only, differing).pvalue) if differing else 1.0

    @property
    def ratio(self) -> float | None:
        """Errors of the first arm over those of the second; None when the second has none."""
        second = self.both + self.second_only
        return (self.both + self.first_only) / second if second else None

    def ratio_interval(self, confidence: float) -> tuple[float, float | None] | None:
        """Interval of `ratio`; its upper end is None when unbounded, all None without errors.

        The ratios that a score test does not reject, with its variance at the most likely shares
        of both, only first and only second under the ratio tested, for which there is a closed
        form (Tang, Tang and Chan, Stat. Med. 22, 1217, 2003), and a continuity correction of half
        a shot. Unlike the exact interval given the number of differing shots it takes the shots
        on which both err for random, so it covers where one arm is almost never alone wrong.
        """
        from scipy.special import ndtri

        first, second = self.both + self.first_only, self.both + self.second_only
        if not first + second:
            return None
        z = float(ndtri(0.5 + confidence / 2))
        low = self._end(z, 0.0, first / second if second else math.inf) if first else 0.0
        high = self._end(z, math.inf, first / second) if second else None
        return low, high

    def _end(self, z: float, outside: float, inside: float) -> float:
        """Ratio between two others at which the score statistic reaches ``z``, by bisection.

        The share of the first arm, ratio / (1 + ratio), is bisected: it is finite.
        """
        out, into = (_share(ratio) for ratio in (outside, inside))
        while abs(out - into) > 1e-12:
            middle = (out + into) / 2
            if self._score(middle / (1 - middle)) > z:
                out = middle
            else:
                into = middle
        return into / (1 - into) if into < 1 else math.inf

    def _score(self, ratio: float) -> float:
        """Standard score of the excess of first-arm errors over ``ratio`` times second-arm ones.

        Given the number of shots with an error, these are both (b), only first (f) and only
        second (s) with probabilities that obey b + f = ratio (b + s). The most likely s is the
        larger root of a quadratic, and fixes the others; rounding may leave the range of shares.
        """
        errors = self.both + self.first_only + self.second_only
        a = (1 + ratio) * errors
        b = ratio * ratio * (self.both + self.second_only) - (
            self.both + self.first_only + 2 * self.second_only
        )
        c = self.second_only * (1 - ratio)
        second = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        second = min(max(second, 0.0), 1 / (1 + ratio))
        both = max(0.0, (1 - second * (1 + ratio)) / ratio)
        first = max(0.0, 1 - second - both)
        variance = errors * ((1 - ratio) ** 2 * both + first + ratio * ratio * second)
        excess = self.both + self.first_only - ratio * (self.both + self.second_only)
        excess = max(0.0, abs(excess) - 0.5 * min(1.0, ratio))
        return excess / math.sqrt(variance) if variance else 0.0  # both arms err alike


def _share(ratio: float) -> float:
    return 1.0 if math.isinf(ratio) else ratio / (1 + ratio)
