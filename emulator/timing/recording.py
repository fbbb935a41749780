"""Recorded times out of a file: a stored profile, or one column of a table of text."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.timing.latency_table import read_latencies
from emulator.timing.profile import read_profile

__all__ = ["read_recording"]


def read_recording(
    path: Path, column: str | None = None, unit: str | None = None
) -> NDArray[np.int64]:
    """Read times in ps as int64 of shape (n,), n >= 1, rounded to whole picoseconds.

    ``column`` is a stage of a profile (``.json``), or a column of a table of text (any other
    file, see `read_latencies`) whose times are in ``unit`` where its name does not say so; None
    takes the only one. Raises ScenarioError.
    """
    if path.suffix.lower() != ".json":
        return read_latencies(path, column, unit)
    if unit is not None:
        raise ScenarioError(f'"{path}" is a profile, whose times are in ps; delete unit.')
    stages = read_profile(path).stages
    return stages[_choose(path, column, list(stages))]


def _choose(path: Path, column: str | None, names: list[str]) -> str:
    if column is None and len(names) == 1:
        return names[0]
    if column is None or column not in names:
        asked = "no column chosen" if column is None else f'no column "{column}"'
        raise ScenarioError(f'"{path}": {asked}; set column to one of {", ".join(names)}.')
    return column
