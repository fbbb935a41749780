"""Where the reaction time goes, stage by stage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import STAGES, TIMESTAMPS
from emulator.results.quantiles import order_statistic

__all__ = [
    "WAITING",
    "ConservationError",
    "Stage",
    "after_warmup",
    "reaction_times",
    "stage_times",
    "summarise",
]

WAITING = ("ring", "predecode_queue", "decode_queue")
"""Stages that last as long as the loop makes a window wait; no delay model stands behind them."""


class ConservationError(RuntimeError):
    """Stages that do not add up: a defect of the emulator, never of a scenario."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Duration of one stage over all windows, in ps, and its share of the mean reaction time.

    A percentile is None when there are too few windows for it, everything when there are none.
    """

    name: str
    timing_source: str | None
    timing_confidence: str | None
    mean_ps: int | None
    p50_ps: int | None
    p99_ps: int | None
    p999_ps: int | None
    max_ps: int | None
    share: float | None


def after_warmup(
    windows: dict[str, NDArray[np.int64]], warmup_windows: int
) -> dict[str, NDArray[np.int64]]:
    """Leave out the windows numbered below ``warmup_windows``, in which queues still fill."""
    kept = windows["window"] >= warmup_windows
    return {name: column[kept] for name, column in windows.items()}


def reaction_times(windows: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Time from the last round a window needs to its correction applied, int64 ps (n,)."""
    return windows[TIMESTAMPS[-1]] - windows[TIMESTAMPS[0]]


def stage_times(windows: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Duration of every stage for every window, int64 ps (n,) by name in order of STAGES.

    Raises ConservationError when a window goes back in time or the stages do not add up to its
    reaction time.
    """
    times = {
        stage: windows[after] - windows[before]
        for stage, before, after in zip(STAGES, TIMESTAMPS[:-1], TIMESTAMPS[1:], strict=True)
    }
    for stage, spent in times.items():
        if len(spent) and spent.min() < 0:
            row = int(np.argmin(spent))
            raise ConservationError(
                f"window {windows['window'][row]} spends {spent[row]} ps in stage {stage}."
            )
    if not np.array_equal(sum(times.values()), reaction_times(windows)):
        raise ConservationError("stages do not add up to the reaction time.")
    return times


def summarise(
    windows: dict[str, NDArray[np.int64]], timing: dict[str, tuple[str, str]]
) -> list[Stage]:
    """One row per stage, in order; ``timing`` gives source and confidence by stage name."""
    times, total = stage_times(windows), int(reaction_times(windows).sum())
    return [_summary(name, spent, total, timing) for name, spent in times.items()]


def _summary(
    name: str, spent: NDArray[np.int64], total: int, timing: dict[str, tuple[str, str]]
) -> Stage:
    waiting = ("waiting", "derived") if name in WAITING else (None, None)
    source, confidence = timing.get(name, waiting)
    if not len(spent):
        return Stage(name, source, confidence, None, None, None, None, None, None)
    ordered, own = np.sort(spent), int(spent.sum())
    return Stage(
        name,
        source,
        confidence,
        mean_ps=round(own / len(spent)),
        p50_ps=order_statistic(ordered, 0.5),
        p99_ps=order_statistic(ordered, 0.99),
        p999_ps=order_statistic(ordered, 0.999),
        max_ps=int(ordered[-1]),
        share=own / total if total else 0.0,
    )
