"""The loop step of a run: a time stamp for everything that happens."""

from collections.abc import Callable
from dataclasses import replace

from emulator.decoders.answers import Answers
from emulator.loop.engine import run_loop
from emulator.loop.records import LoopRecord
from emulator.run.build_loop import build_loop
from emulator.run.preparation import Prepared
from emulator.run.progress import Progress
from emulator.timing import Durations, Service
from emulator.traffic.packetiser import (
    AppliedCorrections,
    Framed,
    receive_responses,
    send_messages,
)

__all__ = ["ENGINE", "delays_of", "frame", "receive", "simulate"]

ENGINE = "simpy"
"""Name of the engine in a result."""


def frame(
    prepared: Prepared, readout: Service, answers: Answers, *, keep_frames: bool = False
) -> Framed:
    """Send the syndromes of ``answers`` through the Verilog packetiser.

    Raises RoundtripError where it loses a message.
    """
    if answers.detectors is None:
        raise ValueError("the packetiser needs the syndromes; decode with keep_detectors=True.")
    return send_messages(
        prepared.traffic, answers.detectors, delays_of(readout), keep_frames=keep_frames
    )


def simulate(
    prepared: Prepared,
    durations: Durations,
    *,
    framed: Framed | None = None,
    progress: Progress | None = None,
) -> LoopRecord:
    """Run the loop on the times of its stages.

    ``framed`` has the cycles of the frames where the packetiser was run and not modelled.
    """
    config = build_loop(prepared.scenario, prepared.traffic, durations)
    return run_loop(replace(config, framing=framed), progress=_rounds(progress, prepared))


def receive(
    prepared: Prepared, framed: Framed, record: LoopRecord, answers: Answers
) -> AppliedCorrections:
    """Send the responses of a run through the Verilog packetiser, and see what comes out when.

    Raises RoundtripError for more unanswered requests than it remembers.
    """
    return receive_responses(prepared.traffic, framed, record, answers.corrections)


def delays_of(readout: Service) -> Callable[[int], int]:
    """Readout delay of each message in ps, by its place among those of all patches."""
    return readout.reader()


def _rounds(progress: Progress | None, prepared: Prepared) -> Callable[[int], None] | None:
    if progress is None:
        return None
    emission = prepared.traffic.emission
    rounds = emission.rounds * emission.shots * emission.patches
    return lambda done: progress("running the loop", done, rounds)
