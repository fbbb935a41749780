"""What a run of the loop is told: the shape of the traffic, the parts, and how long each takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emulator.units import Clock
from emulator.windows import Window

__all__ = [
    "Emission",
    "Fpga",
    "Framing",
    "Host",
    "LinkSpec",
    "LoopConfig",
    "Message",
    "PoolSpec",
    "RoundFpga",
    "Service",
    "messages_of_shot",
]


class Reader(Protocol):
    """How long each job takes, in picoseconds."""

    def __call__(self, index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
        """Duration of job ``index``: see `emulator.timing.service.Reader`."""


class Service(Protocol):
    """How long jobs take, as data."""

    @property
    def constant_ps(self) -> int | None:
        """The duration if every job takes the same, else None."""

    def reader(self) -> Reader:
        """Return a new reader of the durations."""


@dataclass(frozen=True, slots=True)
class Emission:
    """The processor's clock: when each round of each shot of each patch has left it.

    Round r of shot s of patch p ends at ``p * patch_offset_ps + s * shot_period_ps +
    (r + 1) * round_period_ps``. The clock never stops: a processor that waits for a result emits
    idle rounds, which have to be decoded like all others.
    """

    round_period_ps: int
    rounds: int
    shots: int
    patches: int = 1
    patch_offset_ps: int = 0
    shot_period_ps: int = 0

    def __post_init__(self) -> None:
        """Fill in the shot period of back-to-back shots and refuse overlapping ones."""
        if self.round_period_ps < 1:
            raise ValueError(f"round_period_ps(={self.round_period_ps}) must be >= 1.")
        back_to_back = self.rounds * self.round_period_ps
        if self.shot_period_ps == 0:
            object.__setattr__(self, "shot_period_ps", back_to_back)
        elif self.shot_period_ps < back_to_back:
            raise ValueError(f"shot_period_ps(={self.shot_period_ps}) must be >= {back_to_back}.")

    def round_end_ps(self, patch: int, shot: int, number: int) -> int:
        """Instant at which round ``number`` of a shot has left the processor."""
        return (
            patch * self.patch_offset_ps
            + shot * self.shot_period_ps
            + (number + 1) * self.round_period_ps
        )

    def emitted_by(self, times_ps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rounds of all patches that have left the processor at each of the times, int64 (n,)."""
        emitted = np.zeros_like(times_ps)
        for patch in range(self.patches):
            elapsed_ps = np.maximum(times_ps - patch * self.patch_offset_ps, 0)
            shot, rest_ps = np.divmod(elapsed_ps, self.shot_period_ps)
            rounds = shot * self.rounds + np.minimum(rest_ps // self.round_period_ps, self.rounds)
            emitted += np.minimum(rounds, self.shots * self.rounds)
        return emitted

    @property
    def horizon_ps(self) -> int:
        """Instant of the last emission of all."""
        return self.round_end_ps(self.patches - 1, self.shots - 1, self.rounds - 1)


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


class Framing(Protocol):
    """What a packetiser was seen to do, where the cycles come from the RTL itself."""

    def __call__(self, patch: int, shot: int, number: int) -> list[tuple[int, int]]:
        """Edges of the first and the last beat of each frame of a message, in order."""


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """One direction of the link: FIFO serialisation at ``rate_bps`` (None: no time), then delay.

    ``latency`` is drawn per message and never reorders; each of ``hops`` stores and forwards
    frames at the same rate and adds ``hop_latency_ps``. ``loses`` says, message by message,
    whether this one is lost on the way (None: never).
    """

    rate_bps: int | None
    latency: Service
    propagation_ps: int = 0
    hops: int = 0
    hop_latency_ps: int = 0
    per_patch: bool = False
    loses: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """The receive ring and the dispatcher behind it.

    Frame n goes to slot n mod ``slots``. When that slot is still held the frame is lost, as with
    the open-loop player of the real system, or waits when ``waits`` (a sender that sees slots).
    A slot is held until its message is dispatched, or, with ``hold_until_response``, until the
    response of the window that commits its last round is sent.
    """

    slots: int
    dispatch: Service
    waits: bool = False
    hold_until_response: bool = False


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Identical servers with one FIFO queue; a batch leaves full or ``batch_timeout_ps`` old."""

    servers: int
    service: Service
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
    readout: Service
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
        """Check that messages and windows tile the shot, which conservation rests on."""
        rounds = list(range(self.emission.rounds))
        if [r for message in self.messages for r in message.rounds] != rounds:
            raise ValueError("messages must carry every round of a shot once, in order.")
        if sorted(r for window in self.plan for r in window.commits) != rounds:
            raise ValueError("windows must commit every round of a shot once.")


def messages_of_shot(rounds: int, rounds_per_message: int) -> tuple[range, ...]:
    """Split a shot into messages of ``rounds_per_message`` rounds, the last one maybe shorter."""
    return tuple(
        range(start, min(rounds, start + rounds_per_message))
        for start in range(0, rounds, rounds_per_message)
    )
