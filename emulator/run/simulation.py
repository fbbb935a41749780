"""The loop step of a run: a time stamp for everything that happens."""

from collections.abc import Callable
from dataclasses import replace

from emulator.decoders.answers import Answers
from emulator.errors import named
from emulator.loop.engines import Engine, run_engine
from emulator.loop.limits import RunTooLongError
from emulator.loop.records import Record
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

__all__ = ["delays_of", "frame", "receive", "simulate"]


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
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Record:
    """Run the loop on the times of its stages, on an event engine by name (`run_engine`).

    ``framed`` has the cycles of the frames where the packetiser was run and not modelled.
    """
    config = build_loop(prepared.scenario, prepared.traffic, durations)
    if framed is not None:
        config = replace(config, framing=framed.framing())
    with named("run.shots", RunTooLongError):
        return run_engine(config, engine, progress=_rounds(progress, prepared))


def receive(
    prepared: Prepared, framed: Framed, record: Record, answers: Answers
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
    rounds = prepared.traffic.emission.total_rounds
    return lambda done: progress("running the loop", done, rounds)
