"""Memory that is left to this process, and room for libraries that fail badly without it."""

import os
from pathlib import Path

__all__ = ["available_bytes", "check_memory"]

_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def check_memory(needed: int) -> None:
    """Raise MemoryError if a limit of this process (``ulimit -v``) leaves less than ``needed`` B.

    The limit counts address space, of which OpenBLAS and Polars reserve more than they use: with
    too little, OpenBLAS tries for ever while it is imported, and Polars ends the process.
    """
    left = _left_of_limit()
    if left is not None and left < needed:
        raise MemoryError(f"{left / 1e6:.0f} MB are left of the {needed / 1e6:.0f} MB needed")


def available_bytes() -> int | None:
    """Bytes of memory that this process can still take; None where the system does not tell.

    The least of what the system has available without swapping, what a control group (version 2,
    as in containers) leaves, and what a limit of this process leaves.
    """
    known = [size for size in (_left_of_limit(), _left_of_group(), _free()) if size is not None]
    return min(known, default=None)


def _left_of_limit() -> int | None:
    try:
        import resource  # noqa: PLC0415  (not on every system)

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):
        return None  # not Linux
    if limit == resource.RLIM_INFINITY:
        return None
    return int(limit - pages * os.sysconf("SC_PAGESIZE"))


def _left_of_group() -> int | None:
    try:
        limit, used = (
            (_CGROUP / name).read_text(encoding="ascii").strip()
            for name in ("memory.max", "memory.current")
        )
    except OSError:
        return None
    return None if limit == "max" else int(limit) - int(used)


def _free() -> int | None:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(sizes[0]) if sizes else None
