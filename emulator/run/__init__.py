"""The steps of a run, from scenario to verdict, each a function of values.

load → prepare → decode → durations → simulate → judge
"""

from typing import TYPE_CHECKING

from emulator.lazy import attributes

if TYPE_CHECKING:
    from emulator.run.decoding import decode, measure, same_answers
    from emulator.run.experiment import Experiment, run_experiment, run_prepared, run_tables
    from emulator.run.judgement import judge
    from emulator.run.preparation import Prepared, load, prepare
    from emulator.run.progress import Progress
    from emulator.run.service_times import durations
    from emulator.run.simulation import frame, receive, simulate
    from emulator.run.trace import run_capture, run_stimulus

__all__ = [
    "Experiment",
    "Prepared",
    "Progress",
    "decode",
    "durations",
    "frame",
    "judge",
    "load",
    "measure",
    "prepare",
    "receive",
    "run_capture",
    "run_experiment",
    "run_prepared",
    "run_stimulus",
    "run_tables",
    "same_answers",
    "simulate",
]

__getattr__ = attributes(
    __name__,
    {
        **dict.fromkeys(("decode", "measure", "same_answers"), "decoding"),
        **dict.fromkeys(
            ("Experiment", "run_experiment", "run_prepared", "run_tables"), "experiment"
        ),
        "judge": "judgement",
        **dict.fromkeys(("Prepared", "load", "prepare"), "preparation"),
        "durations": "service_times",
        "Progress": "progress",
        **dict.fromkeys(("frame", "receive", "simulate"), "simulation"),
        **dict.fromkeys(("run_capture", "run_stimulus"), "trace"),
    },
)
