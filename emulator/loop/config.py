"""The configuration of a loop: the shape of the traffic, the parts, and how long each takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emulator.numbering import Emission
from emulator.timing.law import Law
from emulator.units import Clock
from emulator.windows import Window

__all__ = [
    "Fpga",
    "Framing",
    "Host",
    "LinkSpec",
    "LoopConfig",
    "Message",
    "MessageLosses",
    "PoolSpec",
    "RoundFpga",
    "StageReader",
    "StageService",
    "messages_of_shot",
]


class StageReader(Protocol):
    """Gives the durations of the jobs of one stage, in picoseconds, in any order of asking."""

    def __call__(self, index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
        """Duration of job ``index`` when ``busy`` servers work, this one included.

        ``fill`` jobs are served together, and the window reads ``rounds`` rounds (0: no window).
        """


class StageService(Protocol):
    """How long the jobs of one stage take, as data; `reader` and `law` give what a run asks."""

    @property
    def constant_ps(self) -> int | None:
        """The duration if every job takes the same, else None."""

    def reader(self) -> StageReader:
        """Return a reader of the durations, which may cache draws and belongs to one run."""

    def law(self) -> Law | None:
        """Return the same durations as data, for the compiled engine; None: it refuses the loop."""


class MessageLosses(Protocol):
    """Which messages are lost on the line, as data."""

    def reader(self) -> Callable[[int], bool]:
        """Return whether message ``index``, by its place on the line, is lost."""

    def law(self) -> Law | None:
        """Return 1 for a message that is lost and 0 for all others, as data."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a shot: the rounds it carries and its size.

    ``packets`` has, for each Ethernet frame of the message, the bus beats it takes at the FPGA
    (of its payload for an `Fpga`, of the whole frame for a `RoundFpga`) and the bits it occupies on
    the line (preamble, FCS and gap included). ``intake`` has the beats in which each of its rounds
    enters a `RoundFpga`, and is empty for an `Fpga`.
    """

    rounds: range
    packets: tuple[tuple[int, int], ...]
    intake: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fpga:
    """The packetiser and its way back, in cycles of one clock.

    Store and forward: a packet of b beats whose first beat enters at edge n may start on the line
    at edge n + b - 1 + ``pipeline_cycles``; cut-through: at n + ``pipeline_cycles``. The next
    message enters ``min_spacing_cycles`` after this one at the earliest, or when its beats are in.
    """

    clock: Clock
    pipeline_cycles: int
    store_and_forward: bool = True
    min_spacing_cycles: int = 1
    receive_cycles: int = 0


@dataclass(frozen=True, slots=True)
class RoundFpga:
    """A packetiser that takes in each round as it comes: the law of ``hdl/rtl/packetiser_up.v``.

    Every patch has an input of its own, whose rounds enter one after the other, ``Message.intake``
    cycles each. A message is whole with the last beat of its last round, at edge n say; messages
    leave in the order in which they became whole, those of one cycle in the order of their patches.
    The first frame begins at edge n + ``pipeline_cycles`` or when the frame before it has left, and
    frames take one cycle a beat with none between them.

    On the way back a response takes its beats as well: its last beat enters at the first edge at
    which it has arrived, or that many cycles after the last beat of the one before; the correction
    is out ``receive_cycles`` later.
    """

    clock: Clock
    pipeline_cycles: int
    receive_cycles: int


@dataclass(frozen=True, slots=True, eq=False)
class Framing:
    """What a packetiser was seen to do, where the cycles come from the RTL itself.

    Edges of the first and the last beat of each frame of each message, int64 (messages, frames);
    row n is the message whose running number, `Numbering.message`, is n.
    """

    first_edges: NDArray[np.int64]
    last_edges: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """One direction of the link: FIFO serialisation at ``rate_bps`` (None: no time), then delay.

    ``latency`` is drawn per message and never reorders; each of ``hops`` stores and forwards
    frames at the same rate and adds ``hop_latency_ps``. ``per_patch``: every patch has a line of
    its own. ``losses`` says which messages are lost on the way (None: none).
    """

    rate_bps: int | None
    latency: StageService
    propagation_ps: int = 0
    hops: int = 0
    hop_latency_ps: int = 0
    per_patch: bool = False
    losses: MessageLosses | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """The receive ring and the dispatcher behind it.

    Frame n goes to slot n mod ``slots``. When that slot is still held the frame is lost, as with
    the open-loop player of the real system, or waits when ``waits`` (a sender that sees slots).
    A slot is held until its message is dispatched, or, with ``hold_until_response``, until the
    window that commits its last round is closed: its response is sent, or it is written off
    because one of its messages was lost. A window that is written off frees the slots of these
    messages at once; one of them that takes its slot only later frees it when it is dispatched.
    """

    slots: int
    dispatch: StageService
    waits: bool = False
    hold_until_response: bool = False


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Identical servers with one FIFO queue; a batch leaves full or ``batch_timeout_ps`` old."""

    servers: int
    service: StageService
    batch: int = 1
    batch_timeout_ps: int = 0


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """Everything the loop needs; ``response`` are the packets (beats, line bits) of an answer.

    ``framing`` has the cycles of every message where a `RoundFpga` was run and not modelled.
    """

    emission: Emission
    messages: tuple[Message, ...]
    plan: tuple[Window, ...]
    readout: StageService
    fpga: Fpga | RoundFpga
    up: LinkSpec
    down: LinkSpec
    host: Host
    predecode: PoolSpec | None
    decode: PoolSpec
    response: tuple[tuple[int, int], ...]
    feedback_every: int | None = None
    drain: bool = True
    framing: Framing | None = None

    def __post_init__(self) -> None:
        """Check that messages and windows tile the shot, which conservation rests on.

        Windows come in an order in which they can be decoded.
        """
        rounds = list(range(self.emission.rounds))
        if [r for message in self.messages for r in message.rounds] != rounds:
            raise ValueError("messages must carry every round of a shot once, in order.")
        if sorted(r for window in self.plan for r in window.commits) != rounds:
            raise ValueError("windows must commit every round of a shot once.")
        if any(k >= place for place, window in enumerate(self.plan) for k in window.after):
            raise ValueError("a window must come after those that it builds on.")


def messages_of_shot(rounds: int, rounds_per_message: int) -> tuple[range, ...]:
    """Split a shot into messages of ``rounds_per_message`` rounds, the last one maybe shorter."""
    return tuple(
        range(start, min(rounds, start + rounds_per_message))
        for start in range(0, rounds, rounds_per_message)
    )
