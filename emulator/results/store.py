"""The folder a run leaves behind: written whole or not at all, and read back."""

import errno
import io
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.memory import check_memory
from emulator.results.result import Result, dumps, read_result

__all__ = [
    "OWN",
    "RESULT",
    "RunFolder",
    "Table",
    "check_place",
    "read_run",
    "write_file",
    "write_run",
]

RESULT, WINDOWS = "result.json", "windows.parquet"

OWN = frozenset(
    {
        *(RESULT, WINDOWS, "messages.parquet", "backlog.parquet", "report.html"),
        *("trace.pftrace", "frames.pcapng"),  # what roundtrip trace adds
    }
)
"""Names of the files in a run folder that are Roundtrip's; a new run replaces or removes them."""

# Drafts by name: the folder that a new run is put together in, and single files before they are in
# place. The number is that of the process that writes.
_DRAFT = re.compile(rf"\.(?:roundtrip|{'|'.join(map(re.escape, sorted(OWN)))})\.(\d{{1,9}})\.new")

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOCKED = (errno.EACCES, errno.EPERM, errno.EROFS)

# What Polars needs at least to start its threads: it aborts the process where it gets less.
_POLARS_BYTES = 768 << 20

Table = Mapping[str, NDArray[np.int64]]
"""Columns of equal length by name; picoseconds are int64."""


@dataclass(frozen=True)
class RunFolder:
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

    The files are put together in a draft folder inside ``folder`` and then moved into place, so
    that an interrupt or a full disk leaves the previous run or this one whole. A process killed
    while it moves them leaves no result.json, which is moved last. All files of a previous run are
    replaced or removed, those that are not Roundtrip's (`OWN`) are never touched. Raises
    RoundtripError for any other folder that is not empty, and when the place cannot be written.
    """
    folder = Path(folder).resolve()
    stored = {f"{name}.parquet": _parquet(table) for name, table in tables.items()}
    contents = {RESULT: dumps(result), **stored, **(files or {})}
    for name in contents:
        if Path(name).name != name:
            raise ValueError(f"file name {name!r} must not contain a folder.")
    draft = folder / f".roundtrip.{os.getpid()}.new"
    try:
        _refuse_foreign(folder)
        created = [place for place in (folder, *folder.parents) if not place.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_drafts(folder)
            new = draft / "new"
            new.mkdir(parents=True)
            for name, content in contents.items():
                data = content.encode() if isinstance(content, str) else content
                (new / name).write_bytes(data)
            with _interrupts_deferred():
                _swap(folder, new, draft / "old", contents)
        finally:
            with _interrupts_deferred():
                shutil.rmtree(draft, ignore_errors=True)
                for place in created:
                    with suppress(OSError):  # it stays if anything is in it
                        place.rmdir()
    except OSError as error:
        raise RoundtripError(_unwritable(folder, error)) from error


def read_run(folder: Path) -> RunFolder:
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
    return RunFolder(result, tables)


def check_place(folder: Path) -> None:
    """Raise RoundtripError now if `write_run` could not write ``folder`` after a long run."""
    folder = Path(folder).resolve()
    try:
        _refuse_foreign(folder)
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryFile(dir=existing):
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
    """Say that ``path`` cannot be written, why, and what helps against that."""
    if error.errno in _FULL:
        fix = "free some space or choose another place"
    elif error.errno in _LOCKED:
        fix = "choose a folder that may be written"
    else:
        fix = "choose another place"
    return f'cannot write to "{path}": {error.strerror or error}; {fix}.'


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
    entries = {entry.name: entry for entry in folder.iterdir()}
    if entries and not _is_run(folder, entries.keys()):
        raise RoundtripError(
            f'"{folder}" is not empty and holds no previous run; choose another folder.'
        )
    for name in sorted(OWN & entries.keys()):
        if entries[name].is_dir() and not entries[name].is_symlink():
            raise RoundtripError(
                f'"{entries[name]}" is a folder where a file of the run is due; choose another '
                "folder."
            )


def _is_run(folder: Path, names: Collection[str]) -> bool:
    """Whether ``folder`` with the entries ``names`` is of a run: complete, damaged or killed.

    A name alone tells little, others call their files result.json or report.html too.
    """
    own = OWN.intersection(names)
    if len(own) > 1 and (RESULT in own or len(own) == len(names)):
        return True
    return any(_DRAFT.fullmatch(name) for name in names) or _is_result(folder / RESULT)


def _is_result(file: Path) -> bool:
    """Whether ``file`` is a result of Roundtrip's, of any version."""
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(result, dict) and {"schema_version", "verdict"} <= result.keys()


def _remove_drafts(folder: Path) -> None:
    """Remove what processes that were killed have left, as far as it can be removed."""
    for entry in folder.iterdir():
        found = _DRAFT.fullmatch(entry.name)
        if found is None or _is_alive(int(found[1])):
            continue
        shutil.rmtree(entry, ignore_errors=True)  # leaves files and links alone
        with suppress(OSError):
            entry.unlink()


def _is_alive(process: int) -> bool:
    """Whether another process of that number runs; ours has not begun to write."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _swap(folder: Path, new: Path, old: Path, contents: Collection[str]) -> None:
    """Move the files of ``new`` into ``folder`` and the run before to ``old``; all or none of it.

    There is no result.json while files of both runs stand beside each other.
    """
    old.mkdir()
    rest = sorted({*OWN, *contents} - {RESULT})
    moves = [
        *((folder / name, old / name) for name in (RESULT, *rest) if _exists(folder / name)),
        *((new / name, folder / name) for name in (*rest, RESULT) if name in contents),
    ]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.replace(target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            target.replace(source)
        raise


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Hold back an interrupt until the end of the block: between two renames there is no run."""
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
