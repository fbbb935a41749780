"""Logical error rates, deadline misses and paired comparisons, as counts that add up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.results.correlation import (
    autocorrelation_time,
    binomial_interval,
    proportion_interval,
)

__all__ = [
    "DeadlineMisses",
    "ErrorCount",
    "PairedCount",
    "deadline_misses",
    "per_round",
    "shots_on_time",
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
    """Windows whose correction came after the limit; ``ci`` is None for too short a series."""

    limit_ps: int
    misses: int
    samples: int
    rate: float | None
    ci: tuple[float, float] | None


def deadline_misses(
    reaction_ps: NDArray[np.int64], limit_ps: int, confidence: float
) -> DeadlineMisses:
    """Count reaction times, int64 of shape (n,) in time order, above ``limit_ps``.

    The interval allows for correlation between windows; without a miss it is the "rule of three"
    on n / tau independent windows.
    """
    late, tau = reaction_ps > limit_ps, autocorrelation_time(reaction_ps)
    misses, samples = int(np.count_nonzero(late)), len(late)
    if tau is None:
        return DeadlineMisses(
            limit_ps, misses, samples, misses / samples if samples else None, None
        )
    interval = proportion_interval(late, tau, confidence)
    return DeadlineMisses(limit_ps, misses, samples, misses / samples, interval)


def shots_on_time(
    windows: dict[str, NDArray[np.int64]],
    lost: NDArray[np.int64],
    limit_ps: int,
    shape: tuple[int, int],
) -> NDArray[np.bool_]:
    """Tell, bool of ``shape`` (patches, shots), where all windows of a shot came within the limit.

    ``windows`` and ``lost`` are those of a `Record`. A window that was lost or not applied by
    the end of the run is not on time; every shot has as many windows as the one with most. Raises
    ValueError for windows outside ``shape``.
    """
    applied = np.stack([windows["patch"], windows["shot"]])
    timely = windows["applied_ps"] - windows["emitted_ps"] <= limit_ps
    known = _count(np.concatenate([applied, lost[:, 1:3].T], axis=1), shape)
    on_time = _count(applied[:, timely], shape)
    return np.asarray(on_time == max(1, int(known.max(initial=0))))


def _count(cells: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Count how often each (patch, shot) occurs among the columns of ``cells``."""
    if cells.size and (cells.min() < 0 or (cells.max(axis=1) >= shape).any()):
        patch, shot = cells.max(axis=1)
        raise ValueError(
            f"windows reach patch {patch} and shot {shot}, outside the {shape[0]} patches "
            f"and {shape[1]} shots that have answers."
        )
    flat = np.ravel_multi_index((cells[0], cells[1]), shape)
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


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

        The share of ``first_only`` among the differing shots is binomial given their number; the
        ends of its exact interval are carried over to the ratio.
        """
        from scipy.stats import binomtest

        differing = self.first_only + self.second_only
        if not differing:
            return (1.0, 1.0) if self.both else None
        share = binomtest(self.first_only, differing).proportion_ci(confidence, "exact")
        ends = [
            (self.both + differing * end, self.both + differing * (1 - end))
            for end in (float(share.low), float(share.high))
        ]
        low, high = (top / bottom if bottom > 0 else None for top, bottom in ends)
        return (low, high) if low is not None else None
