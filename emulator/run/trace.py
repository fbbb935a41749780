"""The bytes of a run: its frames for a capture, and its stimulus for the hardware."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.run.decoding import decode
from emulator.run.experiment import Experiment
from emulator.run.preparation import prepare
from emulator.run.simulation import delays_of, frame
from emulator.scenario.load import Resolved
from emulator.traffic.capture import Frame, captured_frames, check_framing
from emulator.traffic.stimulus import stimulus

__all__ = ["run_capture", "run_stimulus"]

_NO_ANSWERS = (
    'decoder.algorithm: "none" gives no answers to put into frames; '
    'write e.g. algorithm = "pymatching"'
)

Table = Mapping[str, NDArray[np.int64]]


def run_capture(resolved: Resolved, windows: Table, sent: Table, *, shots: int) -> list[Frame]:
    """Frames of the first ``shots`` shots of every patch of a finished run, in order of time.

    ``windows`` and ``sent`` are the window and message tables of the run. Its first shots are
    sampled and decoded once more, which gives the same bits for the same seed and version of Stim.
    Raises ScenarioError for links that are not RoCE.
    """
    prepared = prepare(resolved)
    scenario, traffic = prepared.scenario, prepared.traffic
    check_framing(traffic)
    framed, rows = None, shots * traffic.patches
    ahead = traffic.shots_ahead if scenario.fpga.timing == "rtl" else 0
    count = min(shots + ahead, scenario.run.shots)
    answers = decode(prepared, shots=count, timed=False, keep_detectors=True)
    if answers is None or answers.detectors is None:
        raise ScenarioError(_NO_ANSWERS)
    if scenario.fpga.timing == "rtl":
        framed = frame(prepared, prepared.durations.readout, answers, keep_frames=True)
    return captured_frames(
        traffic,
        windows,
        sent,
        detectors=answers.detectors[:rows],
        corrections=answers.corrections[:rows],
        framed=framed,
    )


def run_stimulus(run: Experiment) -> Iterator[str]:
    """Lines of the stimulus of a run whose syndromes and frames were kept, all of its shots."""
    if run.answers is None:
        raise ScenarioError(_NO_ANSWERS)
    if run.answers.detectors is None:
        raise ValueError("a stimulus needs the syndromes; run with keep=True.")
    return stimulus(
        run.prepared.traffic,
        run.record,
        applied_ps=run.windows["applied_ps"],
        detectors=run.answers.detectors,
        corrections=run.answers.corrections,
        readout_ps=delays_of(run.durations.readout),
        framed=run.framed,
    )
