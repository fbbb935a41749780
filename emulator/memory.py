"""Room for libraries that a limit of memory makes abort the process, or spin for ever."""

import os
from pathlib import Path

__all__ = ["check_memory"]


def check_memory(needed: int) -> None:
    """Raise MemoryError if a limit of this process (``ulimit -v``) leaves less than ``needed`` B.

    The limit counts address space, of which OpenBLAS and Polars reserve more than they use: with
    too little, OpenBLAS tries for ever while it is imported, and Polars ends the process.
    """
    try:
        import resource  # noqa: PLC0415  (not on every system)

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):
        return  # not Linux
    if limit == resource.RLIM_INFINITY:
        return
    left = limit - pages * os.sysconf("SC_PAGESIZE")
    if left < needed:
        raise MemoryError(f"{left / 1e6:.0f} MB are left of the {needed / 1e6:.0f} MB needed")
