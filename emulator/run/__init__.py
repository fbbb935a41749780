"""One experiment from scenario to result: the place where the rooms meet."""

from typing import TYPE_CHECKING

from emulator.lazy import attributes

if TYPE_CHECKING:
    from emulator.run.experiment import Experiment, Progress, measure, run_experiment, run_tables
    from emulator.run.frames import INTERFACES, run_frames

__all__ = [
    "INTERFACES",
    "Experiment",
    "Progress",
    "measure",
    "run_experiment",
    "run_frames",
    "run_tables",
]

__getattr__ = attributes(
    __name__,
    {
        **dict.fromkeys(
            ("Experiment", "Progress", "measure", "run_experiment", "run_tables"), "experiment"
        ),
        **dict.fromkeys(("INTERFACES", "run_frames"), "frames"),
    },
)
