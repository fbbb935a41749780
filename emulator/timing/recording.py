"""Recorded times out of a file: a stored profile, or one column of a CSV file."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.timing.profile import read_profile
from emulator.units import MAX_TIME_PS

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
        with path.open(newline="", encoding="utf-8-sig") as file:  # with or without its mark
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ScenarioError(f'"{path}" cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f'"{path}" is not UTF-8 ({error}); save it as UTF-8.') from error
    except csv.Error as error:
        raise ScenarioError(
            f'"{path}" is no CSV file ({error}); write a header and one time a line.'
        ) from error
    if not rows:
        raise ScenarioError(f'"{path}" has no rows; record at least one time.')
    timed = [name for name in rows[0] if name and name.rpartition("_")[2] in _PS_PER_UNIT]
    if not timed:
        units, names = ", ".join(f"_{unit}" for unit in _PS_PER_UNIT), ", ".join(map(str, rows[0]))
        raise ScenarioError(
            f'"{path}" has no column of times: its header says {names}, and the name of such a '
            f"column ends with its unit, one of {units}; rename it, e.g. to latency_us."
        )
    name = _choose(path, column, timed)
    try:
        unit_ps = _PS_PER_UNIT[name.rpartition("_")[2]]
        times = np.array([float(row[name]) * unit_ps for row in rows])
    except (TypeError, ValueError) as error:
        raise ScenarioError(f'"{path}", column "{name}": {error}; write plain numbers.') from error
    wrong = np.flatnonzero(~((times >= 0) & (times < MAX_TIME_PS)))  # NaN is neither
    if len(wrong):
        row = int(wrong[0])
        raise ScenarioError(
            f'"{path}", column "{name}", row {row + 1}: {rows[row][name]} is negative, not finite '
            "or longer than 106 days (2^63 - 1 ps); write times of at least 0 and less than that."
        )
    whole: NDArray[np.int64] = np.rint(times).astype(np.int64)
    return whole
