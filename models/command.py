"""The commands of this folder: one sentence for a mistake, and the exit code of what happened."""

import sys
from collections.abc import Callable

from emulator.errors import RoundtripError

__all__ = ["run"]


def run(name: str, work: Callable[[], None]) -> int:
    """Do ``work`` for the command ``name``; its exit code.

    0 when it is done; after a RoundtripError that error's own, after an OSError 2, and then stderr
    says why.
    """
    try:
        work()
    except (RoundtripError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, RoundtripError) else 2
    return 0
