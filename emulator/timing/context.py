"""The facts of a scenario that published curves, batches and recorded files depend on."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TimingContext"]


@dataclass(frozen=True, slots=True)
class TimingContext:
    """Code distance and physical error rate, None where the scenario has none, and the jobs.

    ``window_rounds`` has the numbers of rounds that the windows of the plan read, and is empty
    for a stage that serves no windows; ``batch`` is the most jobs that are served together.
    ``base_dir`` is the folder that file names of the scenario are relative to.
    """

    distance: int | None = None
    window_rounds: frozenset[int] = frozenset()
    p: float | None = None
    batch: int = 1
    base_dir: Path = Path()
