"""The folder a run leaves behind: written whole or not at all, and read back."""

import io
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.results.outcome import dumps

__all__ = ["RESULT", "WINDOWS", "Run", "read_run", "write_run"]

RESULT, WINDOWS = "result.json", "windows.parquet"


@dataclass(frozen=True)
class Run:
    """A run read back: the content of its ``result.json`` and the columns of its windows."""

    result: dict[str, Any]
    windows: dict[str, NDArray[np.int64]]


def write_run(
    folder: Path,
    result: Mapping[str, Any],
    windows: Mapping[str, NDArray[np.int64]],
    files: Mapping[str, bytes | str] | None = None,
) -> None:
    """Write ``folder`` with result.json, windows.parquet and ``files`` (content by file name).

    The folder is put together beside its place and renamed into it, so that an interrupt or a full
    disk leaves nothing half-written. A previous run there is replaced whole; raises RoundtripError
    for any other folder that is not empty, and when the place cannot be written.
    """
    folder = Path(folder).resolve()
    contents = {RESULT: dumps(result), WINDOWS: _parquet(windows), **(files or {})}
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
        raise RoundtripError(
            f'cannot write the run to "{folder}": {error.strerror or error}; '
            "free some space or choose another folder."
        ) from error


def read_run(folder: Path) -> Run:
    """Read the folder of a run back; raises RoundtripError when it is none or cannot be read."""
    import polars as pl  # noqa: PLC0415 - slow to import

    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        frame = pl.read_parquet(io.BytesIO((folder / WINDOWS).read_bytes()))
    except FileNotFoundError as error:
        raise RoundtripError(
            f'"{folder}" is not the folder of a run, it has no {Path(error.filename).name}; '
            "give the folder that roundtrip run has written."
        ) from error
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise RoundtripError(
            f'the run in "{folder}" cannot be read ({error}); run it again.'
        ) from error
    return Run(result, {name: frame[name].to_numpy() for name in frame.columns})


def _parquet(windows: Mapping[str, NDArray[np.int64]]) -> bytes:
    import polars as pl  # noqa: PLC0415 - slow to import

    for name, column in windows.items():
        if name.endswith("_ps") and column.dtype != np.int64:
            raise ValueError(f"column {name} is {column.dtype}, but picoseconds are int64.")
    buffer = io.BytesIO()
    pl.DataFrame(dict(windows)).write_parquet(buffer, compression="zstd")
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
