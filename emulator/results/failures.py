"""Shots that failed: answered wrong, answered late, or with a window that was lost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Record
from emulator.results.correlation import Series, binomial_interval
from emulator.results.rates import FailureRate, failure_rate
from emulator.results.stages import reaction_times

__all__ = ["ShotOutcomes", "failures", "shot_outcomes"]


@dataclass(frozen=True, eq=False)
class ShotOutcomes:
    """What became of every shot, bool (patches, shots) each.

    ``late``: a window came after the limit. ``lost``: a window was lost. ``unfinished``: neither,
    and a window had not come by the end of the run when it was not yet due.
    """

    late: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    unfinished: NDArray[np.bool_]


def shot_outcomes(
    record: Record,
    judged: Mapping[str, NDArray[np.int64]],
    limit_ps: int | None,
    windows_per_shot: int,
) -> ShotOutcomes:
    """Sort the shots of a run, the warm-up's too, by what became of their windows.

    ``judged`` are the windows whose time counts (those not disturbed), for being late. A shot
    with a window missing at the end of a run that was cut short is late when its last round left
    more than ``limit_ps`` before the end; otherwise its answer was not yet due, and it is
    unfinished. Without a limit no answer is ever due. Raises ValueError for windows of shots or
    patches that the emission does not have.
    """
    emission = record.emission
    shape = (emission.patches, emission.shots)
    lost = _count(record.lost[:, 1], record.lost[:, 2], shape)
    came = _count(record.windows["patch"], record.windows["shot"], shape)
    late = np.zeros(shape, dtype=np.bool_)
    missing = (came < windows_per_shot) & (lost == 0)
    if record.drained and missing.any():
        raise RuntimeError("a drained run has shots without an answer; a defect of the emulator")
    if limit_ps is not None:
        slow = reaction_times(dict(judged)) > limit_ps
        late = _count(judged["patch"][slow], judged["shot"][slow], shape) > 0
        late |= missing & (_last_round_ps(record) + limit_ps < record.horizon_ps)
    return ShotOutcomes(late, lost > 0, missing & ~late)


def _last_round_ps(record: Record) -> NDArray[np.int64]:
    emission = record.emission
    patch = np.arange(emission.patches, dtype=np.int64)[:, None] * emission.patch_offset_ps
    shot = np.arange(emission.shots, dtype=np.int64)[None, :] * emission.shot_period_ps
    ends: NDArray[np.int64] = patch + shot + emission.rounds * emission.round_period_ps
    return ends


def _count(
    patch: NDArray[np.int64], shot: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Count how often each (patch, shot) occurs, int64 of ``shape``."""
    flat = np.ravel_multi_index((patch, shot), shape)
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def failures(
    wrong: NDArray[np.bool_],
    behind: NDArray[np.bool_],
    reaction: Series,
    limit_ps: int | None,
    confidence: float,
) -> FailureRate:
    """Rate of shots that are ``wrong`` or ``behind`` (late or lost), bool (n,) in time order.

    Wrong answers are independent from shot to shot, late and lost ones come in a row, over times
    that the ``reaction`` times of the windows tell. Where no limit is asked and nothing is lost
    the interval is the exact one of wrong answers.
    """
    if behind.all() and not len(reaction.values):  # no answer ever came
        shots = len(behind)
        every = binomial_interval(shots, shots, confidence)
        return FailureRate(shots, shots, shots, 1.0 if shots else None, every)
    memory = None
    if limit_ps is not None or behind.any():
        memory = reaction.memory
    if memory is not None:
        memory = memory.grouped(max(1.0, len(reaction.values) / max(1, len(wrong))))
    return failure_rate(wrong, behind, memory, confidence)
