"""The flat files of a CUDA-Q QEC data folder: dense tables, sparse matrices, priors, metadata.

All are little-endian: a header of uint32, then the values. Source of the formats: NVIDIA
Ising-Decoding, ``code/export/generate_test_data.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError

__all__ = [
    "Csr",
    "map_dense",
    "read_csr",
    "read_metadata",
    "read_priors",
    "write_csr",
    "write_metadata",
    "write_priors",
]


@dataclass(frozen=True, slots=True)
class Csr:
    """A 0/1 matrix by rows: row r has ones in the columns indices[indptr[r] : indptr[r + 1]]."""

    num_columns: int
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]

    @property
    def num_rows(self) -> int:
        """Rows of the matrix."""
        return len(self.indptr) - 1

    def columns(self) -> list[NDArray[np.int64]]:
        """Rows of the ones of each column."""
        rows = np.repeat(np.arange(self.num_rows), np.diff(self.indptr))
        order = np.argsort(self.indices, kind="stable")
        ends = np.cumsum(np.bincount(self.indices, minlength=self.num_columns))
        return np.split(rows[order], ends)[: self.num_columns]


def map_dense(path: Path) -> NDArray[np.int32]:
    """Memory-map a table: uint32 rows and columns, then int32 values row by row.

    Raises SyndromeError unless the file has exactly the size that its header says.
    """
    rows, columns = _header(path, 2)
    _expect_size(path, 8 + 4 * rows * columns, f"{rows} rows of {columns} int32")
    if rows == 0 or columns == 0:
        raise SyndromeError(f"{path}: holds {rows} rows of {columns} values; give a filled table")
    return np.memmap(path, "<i4", mode="r", offset=8, shape=(rows, columns))


def read_csr(path: Path) -> Csr:
    """Read a matrix: uint32 rows, columns and ones, then int32 row bounds and column indices.

    Raises SyndromeError for a wrong size, bounds that do not ascend or indices out of range.
    """
    rows, columns, ones = _header(path, 3)
    _expect_size(path, 16 + 4 * (rows + ones), f"{rows} rows and {ones} ones")
    values = np.fromfile(path, "<i4", offset=12)
    indptr, indices = values[: rows + 1], values[rows + 1 :]
    if indptr[0] != 0 or indptr[-1] != ones or (np.diff(indptr) < 0).any():
        raise SyndromeError(f"{path}: row bounds do not ascend from 0 to {ones}; write it again")
    if ones and not 0 <= indices.min() <= indices.max() < columns:
        raise SyndromeError(
            f"{path}: column indices reach from {indices.min()} to {indices.max()}, "
            f"but the header says {columns} columns; write it again"
        )
    return Csr(columns, indptr, indices)


def write_csr(path: Path, num_rows: int, columns: Sequence[Sequence[int]]) -> None:
    """Write the 0/1 matrix whose column c has ones in the rows ``columns[c]``."""
    rows = np.array([row for column in columns for row in column], dtype=np.int64)
    indices = np.repeat(np.arange(len(columns)), [len(column) for column in columns])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
    with path.open("wb") as file:
        np.array([num_rows, len(columns), len(rows)], "<u4").tofile(file)
        indptr.astype("<i4").tofile(file)
        indices[np.argsort(rows, kind="stable")].astype("<i4").tofile(file)


def read_priors(path: Path) -> NDArray[np.float64]:
    """Read error probabilities: a uint32 count, then float64; SyndromeError unless in 0 .. 1."""
    (count,) = _header(path, 1)
    _expect_size(path, 4 + 8 * count, f"{count} float64")
    priors = np.fromfile(path, "<f8", offset=4)
    bad = np.flatnonzero(~((priors >= 0) & (priors <= 1)))
    if len(bad):
        raise SyndromeError(
            f"{path}: prior {bad[0]} is {priors[bad[0]]}, which is no probability; write it again"
        )
    return priors


def write_priors(path: Path, priors: Sequence[float]) -> None:
    """Write error probabilities as ``read_priors`` reads them."""
    with path.open("wb") as file:
        np.array([len(priors)], "<u4").tofile(file)
        np.array(priors, "<f8").tofile(file)


def read_metadata(path: Path) -> dict[str, str]:
    """Read lines ``key=value``; SyndromeError for a file that is missing or has other lines."""
    facts = {}
    for line in _text(path).splitlines():
        key, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals:
            raise SyndromeError(f'{path}: "{line}" is not of the form key=value; write it so')
        facts[key.strip()] = value.strip()
    return facts


def write_metadata(path: Path, facts: dict[str, object]) -> None:
    """Write lines ``key=value``, leaving out what is ``None``."""
    lines = [f"{key}={value}\n" for key, value in facts.items() if value is not None]
    path.write_text("".join(lines), encoding="utf-8")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise SyndromeError(f"{path}: cannot be read: {reason}") from reason


def _header(path: Path, fields: int) -> list[int]:
    if not path.is_file():
        raise SyndromeError(f"{path}: no such file; a CUDA-Q QEC data folder needs it")
    header = np.fromfile(path, "<u4", count=fields)
    if len(header) != fields:
        raise SyndromeError(
            f"{path}: expected a header of {4 * fields} bytes, found {path.stat().st_size} bytes"
        )
    return [int(value) for value in header]


def _expect_size(path: Path, expected: int, content: str) -> None:
    found = path.stat().st_size
    if found != expected:
        raise SyndromeError(
            f"{path}: expected {expected} bytes, as its header says {content}, "
            f"but found {found}; copy or write it again"
        )
