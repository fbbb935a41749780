"""Recorded times out of a file: a stored profile, or one column of a CSV file."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.timing.profile import read_profile

__all__ = ["read_recording"]

_PS_PER_UNIT = {"ps": 1.0, "ns": 1e3, "us": 1e6, "ms": 1e9, "s": 1e12}


def read_recording(path: Path, column: str | None = None) -> NDArray[np.int64]:
    """Read times in ps as int64 of shape (n,), n >= 1, rounded to whole picoseconds.

    ``column`` is a stage of a profile (``.json``) or a column of a CSV file with a header, whose
    name ends with its unit (``delta_ns``); None takes the only one. Raises ScenarioError.
    """
    if path.suffix == ".csv":
        return _read_csv(path, column)
    stages = read_profile(path).stages
    return stages[_choose(path, column, list(stages))]


def _choose(path: Path, column: str | None, names: list[str]) -> str:
    if column is None and len(names) == 1:
        return names[0]
    if column is None or column not in names:
        asked = "no column chosen" if column is None else f'no column "{column}"'
        raise ScenarioError(f'"{path}": {asked}; set column to one of {", ".join(names)}.')
    return column


def _read_csv(path: Path, column: str | None) -> NDArray[np.int64]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ScenarioError(f'"{path}" cannot be read: {error.strerror}.') from error
    if not rows:
        raise ScenarioError(f'"{path}" has no rows; record at least one time.')
    timed = [name for name in rows[0] if name and name.rpartition("_")[2] in _PS_PER_UNIT]
    name = _choose(path, column, timed)
    try:
        times = np.array([float(row[name]) for row in rows]) * _PS_PER_UNIT[name.rpartition("_")[2]]
    except (TypeError, ValueError) as error:
        raise ScenarioError(f'"{path}", column "{name}": {error}; write plain numbers.') from error
    if not (np.isfinite(times) & (times >= 0)).all():
        raise ScenarioError(f'"{path}", column "{name}": a time is negative or not finite.')
    return np.rint(times).astype(np.int64)
