"""What a published curve or a recorded file has to know of the scenario it is used in."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TimingContext"]


@dataclass(frozen=True, slots=True)
class TimingContext:
    """Code distance, rounds per window and physical error rate, None where the scenario has none.

    ``base_dir`` is the folder that file names of the scenario are relative to.
    """

    distance: int | None = None
    rounds: int | None = None
    p: float | None = None
    base_dir: Path = Path()
