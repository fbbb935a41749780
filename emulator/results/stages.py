"""Where the reaction time goes, stage by stage."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import STAGES, TIMESTAMPS
from emulator.results.quantiles import order_statistic
from emulator.results.result import Stage
from emulator.results.sums import total_ps

__all__ = [
    "WAITING",
    "ConservationError",
    "after_warmup",
    "judged_windows",
    "reaction_times",
    "stage_times",
    "summarise",
]

WAITING = ("ring", "predecode_queue", "decode_queue")
"""Stages that last as long as the loop makes a window wait; no delay model stands behind them."""


class ConservationError(RuntimeError):
    """A stage of less than no time: a defect of the emulator, never of a scenario."""


def after_warmup(
    windows: dict[str, NDArray[np.int64]], warmup_windows: int
) -> dict[str, NDArray[np.int64]]:
    """Leave out the windows numbered below ``warmup_windows``, in which queues still fill."""
    kept = windows["window"] >= warmup_windows
    return {name: column[kept] for name, column in windows.items()}


def judged_windows(
    windows: dict[str, NDArray[np.int64]], warmup_windows: int
) -> dict[str, NDArray[np.int64]]:
    """Leave out the warm-up, and windows that column ``disturbed`` marks with 1, if there is one.

    What remains is what latencies and rates are judged by; a timing that nothing on the machine
    can disturb has no such column.
    """
    settled = after_warmup(windows, warmup_windows)
    if "disturbed" not in settled:
        return settled
    kept = settled["disturbed"] == 0
    return {name: column[kept] for name, column in settled.items()}


def reaction_times(windows: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Time from the last round a window needs to its correction applied, int64 ps (n,)."""
    return windows[TIMESTAMPS[-1]] - windows[TIMESTAMPS[0]]


def stage_times(windows: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Duration of every stage for every window, int64 ps (n,) by name in order of STAGES.

    They add up to the reaction time. Raises ConservationError when a window goes back in time.
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
    return times


def summarise(
    windows: dict[str, NDArray[np.int64]], timing: Mapping[str, tuple[str, str]]
) -> tuple[Stage, ...]:
    """One row per stage, in order; ``timing`` gives source and confidence by stage name."""
    times, total = stage_times(windows), total_ps(reaction_times(windows))
    return tuple(_summary(name, spent, total, timing) for name, spent in times.items())


def _summary(
    name: str, spent: NDArray[np.int64], total: int, timing: Mapping[str, tuple[str, str]]
) -> Stage:
    waiting = ("waiting", "derived") if name in WAITING else (None, None)
    source, confidence = timing.get(name, waiting)
    ordered, own = np.sort(spent), total_ps(spent)
    measured = len(spent) > 0
    return Stage(
        name=name,
        timing_source=source,
        timing_confidence=confidence,
        mean_ps=round(Fraction(own, len(spent))) if measured else None,
        p50_ps=order_statistic(ordered, 0.5),
        p99_ps=order_statistic(ordered, 0.99),
        p999_ps=order_statistic(ordered, 0.999),
        max_ps=int(ordered[-1]) if measured else None,
        share=(own / total if total else 0.0) if measured else None,
    )
