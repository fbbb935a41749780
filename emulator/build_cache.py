"""A cache of what compilers made: one builder at a time, and an entry is whole or absent."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["build_once", "cache_folder", "run_tool"]


def cache_folder() -> Path:
    """Return the folder of all entries.

    It is ``$ROUNDTRIP_CACHE``, or else ``roundtrip`` under the user's cache folder.
    """
    chosen = os.environ.get("ROUNDTRIP_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "roundtrip"


def build_once(entry: Path, name: str, build: Callable[[Path], None]) -> Path:
    """Return ``entry / name``, made by ``build`` if it is not there.

    ``build`` gets an empty folder and leaves ``name`` in it, which is then renamed into ``entry``.
    Other processes and threads that want the same entry wait meanwhile. The lock is the entry's
    folder itself, which the system releases however its holder ends; what a killed builder has
    left is removed by the next one. Raises OSError if the entry cannot be written, and what
    ``build`` raises.
    """
    product = entry / name
    if product.exists():
        return product
    entry.mkdir(parents=True, exist_ok=True)
    lock = os.open(entry, os.O_RDONLY)
    try:
        alone = _lock(lock)
        if not product.exists():
            if alone:
                for remains in entry.glob("draft-*"):
                    shutil.rmtree(remains, ignore_errors=True)
            _build(product, build)
    finally:
        os.close(lock)
    return product


def _lock(number: int) -> bool:
    """Wait for the lock; False where the file system has none, and an entry may be built twice."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _build(product: Path, build: Callable[[Path], None]) -> None:
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=product.parent))
    try:
        build(draft)
        try:
            (draft / product.name).rename(product)
        except OSError:
            if not product.exists():  # otherwise another builder was faster, without a lock
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def run_tool(
    command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a compiler that starts others; an interrupt ends all of them, not only the first."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)
