"""The steps of a run, from scenario to verdict, each a function of values.

load → prepare → decode → durations → simulate → judge
"""

from emulator.run.decoding import decode, measure, same_answers
from emulator.run.experiment import Experiment, run_experiment, run_prepared, run_tables
from emulator.run.judgement import judge
from emulator.run.preparation import Prepared, prepare
from emulator.run.progress import Progress
from emulator.run.simulation import frame, receive, simulate
from emulator.run.trace import run_capture, run_stimulus

__all__ = [
    "Experiment",
    "Prepared",
    "Progress",
    "decode",
    "frame",
    "judge",
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
