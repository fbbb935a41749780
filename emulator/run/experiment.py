"""A whole run: its steps one after the other, and every value that they leave."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import Answers
from emulator.loop.engines import Engine
from emulator.loop.records import Record
from emulator.results.judge import undisturbed_windows
from emulator.results.result import Result
from emulator.run.decoding import decode, same_answers
from emulator.run.judgement import as_applied, judge, measured_stages
from emulator.run.preparation import Prepared, prepare
from emulator.run.progress import Progress
from emulator.run.service_times import durations
from emulator.run.simulation import frame, receive, simulate
from emulator.scenario.load import Resolved
from emulator.timing import Durations
from emulator.traffic.packetiser import AppliedCorrections, Framed

__all__ = ["Experiment", "run_experiment", "run_prepared", "run_tables"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """A finished run, value by value.

    ``answers`` is None in a timing-only run. ``framed`` and ``applied`` are what the Verilog
    packetiser did, None where it was not run. ``result`` is what it all amounts to.
    """

    prepared: Prepared
    answers: Answers | None
    durations: Durations
    framed: Framed | None
    record: Record
    applied: AppliedCorrections | None
    result: Result

    @property
    def wrong(self) -> NDArray[np.bool_] | None:
        """Whether each shot was decoded wrongly, bool (shots * patches,); None where not known."""
        return None if self.answers is None else self.answers.wrong

    @property
    def windows(self) -> dict[str, NDArray[np.int64]]:
        """Table of the windows, corrections applied when they really were."""
        return as_applied(self.record, self.applied, self.prepared).windows


def run_experiment(
    resolved: Resolved,
    *,
    like: Experiment | None = None,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Experiment:
    """Run a scenario from syndromes to verdict, on an event engine by name.

    What a finished run ``like`` this one has in common with it, source and answers, is taken over
    from there. Raises RoundtripError.
    """
    prepared = prepare(resolved, like=None if like is None else like.prepared)
    return run_prepared(prepared, like=like, engine=engine, progress=progress)


def run_prepared(
    prepared: Prepared,
    *,
    like: Experiment | None = None,
    keep: bool = False,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Experiment:
    """Run the steps that follow `prepare`.

    ``keep`` keeps the syndromes and the bytes of the frames, for a stimulus.
    """
    scenario = prepared.scenario
    rtl = scenario.fpga.timing == "rtl"
    if like is not None and same_answers(like.prepared.scenario, scenario):
        answers = like.answers
    else:
        answers = decode(prepared, keep_detectors=keep or rtl, progress=progress)
    times = durations(prepared, answers)
    framed = applied = None
    if rtl and answers is not None:
        framed = frame(prepared, times.readout, answers, keep_frames=keep)
    record = simulate(prepared, times, framed=framed, engine=engine, progress=progress)
    if framed is not None and answers is not None:
        applied = receive(prepared, framed, record, answers)
    result = judge(prepared, times, record, answers, applied)
    return Experiment(prepared, answers, times, framed, record, applied, result)


def run_tables(experiment: Experiment) -> dict[str, dict[str, NDArray[np.int64]]]:
    """Tables of a run folder: windows, messages, and the backlog over time.

    Where stages were measured, the windows have a column ``disturbed``: 1 for those left out of
    what is judged (`emulator.results.judge.undisturbed_windows`).
    """
    record = experiment.record
    time_ps, rounds = record.backlog.T
    return {
        "windows": experiment.windows | _disturbed(experiment),
        "messages": record.messages,
        "backlog": {"time_ps": time_ps, "rounds": rounds},
    }


def _disturbed(experiment: Experiment) -> dict[str, NDArray[np.int64]]:
    """Column that marks the windows whose measurement was disturbed, if anything was measured."""
    measured = measured_stages(experiment.prepared.scenario)
    if experiment.answers is None or not measured:
        return {}
    clean = undisturbed_windows(experiment.record.windows, experiment.answers, measured)
    return {"disturbed": (~clean).astype(np.int64)}
