"""The folder a run leaves behind: written whole or not at all, and read back."""

import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.memory import check_memory
from emulator.results.result import Result, dumps, read_result

__all__ = ["OWN", "RESULT", "Run", "Table", "check_place", "read_run", "write_file", "write_run"]

RESULT, WINDOWS = "result.json", "windows.parquet"

OWN = frozenset(
    {
        *(RESULT, WINDOWS, "messages.parquet", "backlog.parquet", "report.html"),
        *("trace.pftrace", "frames.pcapng"),  # what roundtrip trace adds
    }
)
"""Names of the files in a run folder that are Roundtrip's; a new run replaces or removes them."""

# What Polars needs at least to start its threads: it aborts the process where it gets less.
_POLARS_BYTES = 768 << 20

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
    disk leaves the previous run or this one, and nothing half-written. All files of a previous run
    are replaced or removed, those that are not Roundtrip's (`OWN`) stay. Raises RoundtripError for
    any other folder that is not empty, and when the place cannot be written.
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
            _keep_foreign(folder, partial, OWN | contents.keys())
            with _interrupts_deferred():
                _swap(folder, partial, previous)
        finally:
            with _interrupts_deferred():
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
    if "polars" not in sys.modules:
        check_memory(_POLARS_BYTES)
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


def _keep_foreign(folder: Path, partial: Path, own: Collection[str]) -> None:
    """Put what is not Roundtrip's from ``folder`` into ``partial`` too, as links to the same files.

    Both folders have them until one goes, so that they are in place whenever a process is killed.
    """
    if not folder.exists():
        return
    for entry in folder.iterdir():
        place = partial / entry.name
        if entry.name in own:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, place, symlinks=True, copy_function=_link)
        else:
            _link(entry, place)


def _link(source: str | Path, target: str | Path) -> None:
    """Link a file or a symbolic link; copy it where the file system knows no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


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


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Hold back an interrupt until the end of the block: between two renames there is no folder."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    held: list[tuple[int, FrameType | None]] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held and callable(handler):
            handler(*held[0])
