"""The folder of a run as the verbs that come after ``run`` read it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emulator.results import Outcome, RunFolder

__all__ = ["backlog", "exit_code", "open_run"]


def open_run(folder: Path, *tables: str) -> "RunFolder":
    """Read a run that has ``tables``; raises RoundtripError for a folder of another kind or age."""
    from emulator.errors import RoundtripError
    from emulator.results import read_run

    run = read_run(folder)
    for name in tables:
        if name not in run.tables:
            raise RoundtripError(f'the run in "{folder}" has no {name}.parquet; run it again')
    return run


def backlog(run: "RunFolder") -> "NDArray[np.int64]":
    """Backlog over time, int64 (k, 2) of picoseconds and rounds, as the loop recorded it."""
    import numpy as np

    return np.stack([run.tables["backlog"][name] for name in ("time_ps", "rounds")], axis=1)


def exit_code(outcome: "Outcome") -> int:
    """Exit code of a verdict: 0 met, 1 missed, 4 undecided."""
    return {"met": 0, "missed": 1, "undecided": 4}[outcome]
