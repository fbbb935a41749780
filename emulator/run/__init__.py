"""One experiment from scenario to result: the place where the rooms meet."""

from emulator.run.experiment import Experiment, Progress, measure, run_experiment, run_tables
from emulator.run.frames import INTERFACES, run_frames
from emulator.run.stimulus import check_stimulus, stimulus

__all__ = [
    "INTERFACES",
    "Experiment",
    "Progress",
    "check_stimulus",
    "measure",
    "run_experiment",
    "run_frames",
    "run_tables",
    "stimulus",
]
