"""The folder a run leaves behind: written whole or not at all, and read back."""

import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.results.result import Result, dumps, read_result

__all__ = ["RESULT", "Run", "Table", "check_place", "read_run", "write_file", "write_run"]

RESULT, WINDOWS = "result.json", "windows.parquet"

Table = Mapping[str, NDArray[np.int64]]
"""Columns of equal length by name; picoseconds are int64."""


@dataclass(frozen=True)
class Run:
    """A run read back: its result and its tables by name."""

    result: Result
    tables: dict[str, dict[str, NDArray[np.int64]]]


def write_run(
    folder: Path,
    result: Result,
    tables: Mapping[str, Table],
    files: Mapping[str, bytes | str] | None = None,
) -> None:
    """Write ``folder`` with result.json, a Parquet file a table and ``files`` (content by name).

    The folder is put together beside its place and renamed into it, so that an interrupt or a full
    disk leaves nothing half-written. A previous run there is replaced whole; raises RoundtripError
    for any other folder that is not empty, and when the place cannot be written.
    """
    folder = Path(folder).resolve()
    stored = {f"{name}.parquet": _parquet(table) for name, table in tables.items()}
    contents = {RESULT: dumps(result), **stored, **(files or {})}
    for name in contents:
        if Path(name).name != name:
            raise ValueError(f"file name {name!r} must not contain a folder.")
    partial, previous = (
        folder.with_name(f".{folder.name}.{os.getpid()}.{state}") for state in ("new", "old")
    )
    try:
        _refuse_foreign(folder)
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        try:
            partial.mkdir(parents=True)
            for name, content in contents.items():
                data = content.encode() if isinstance(content, str) else content
                (partial / name).write_bytes(data)
            _swap(folder, partial, previous)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise RoundtripError(_unwritable(folder, error)) from error


def read_run(folder: Path) -> Run:
    """Read the folder of a run back.

    Raises RoundtripError when it is none, of another schema version, or cannot be read.
    """
    import polars as pl

    try:
        result = read_result((folder / RESULT).read_text(encoding="utf-8"), str(folder))
        frames = {
            path.stem: pl.read_parquet(io.BytesIO(path.read_bytes()))
            for path in sorted({*folder.glob("*.parquet"), folder / WINDOWS})
        }
    except FileNotFoundError as error:
        raise RoundtripError(
            f'"{folder}" is not the folder of a run, it has no {Path(error.filename).name}; '
            "give the folder that roundtrip run has written."
        ) from error
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise RoundtripError(
            f'the run in "{folder}" cannot be read ({error}); run it again.'
        ) from error
    tables = {
        name: {column: frame[column].to_numpy() for column in frame.columns}
        for name, frame in frames.items()
    }
    return Run(result, tables)


def check_place(folder: Path) -> None:
    """Raise RoundtripError now if `write_run` could not write ``folder`` after a long run."""
    folder = Path(folder).resolve()
    parent = next(place for place in folder.parents if place.exists())
    try:
        _refuse_foreign(folder)
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise RoundtripError(_unwritable(folder, error)) from error


def write_file(path: Path, content: bytes) -> None:
    """Write one file so that no reader ever sees half of it; RoundtripError if it cannot be."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise RoundtripError(_unwritable(path, error)) from error


def _unwritable(path: Path, error: OSError) -> str:
    return (
        f'cannot write to "{path}": {error.strerror or error}; '
        "free some space or choose another place."
    )


def _parquet(table: Table) -> bytes:
    import polars as pl

    for name, column in table.items():
        if name.endswith("_ps") and column.dtype != np.int64:
            raise ValueError(f"column {name} is {column.dtype}, but picoseconds are int64.")
    buffer = io.BytesIO()
    pl.DataFrame(dict(table)).write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _refuse_foreign(folder: Path) -> None:
    """Refuse to replace what is not a previous run."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RoundtripError(f'"{folder}" is a file; choose a folder for the run.')
    if any(folder.iterdir()) and not _is_run(folder):
        raise RoundtripError(
            f'"{folder}" is not empty and holds no previous run; choose another folder.'
        )


def _is_run(folder: Path) -> bool:
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(result, dict) and {"schema_version", "verdict"} <= result.keys()


def _swap(folder: Path, partial: Path, previous: Path) -> None:
    """Put ``partial`` in the place of ``folder``; on any failure leave the old one there."""
    if not folder.exists():
        partial.rename(folder)
        return
    folder.rename(previous)
    try:
        partial.rename(folder)
    except BaseException:
        previous.rename(folder)
        raise
    shutil.rmtree(previous, ignore_errors=True)
