"""The FPGA at both ends of the loop: the packetiser's cycle laws and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from emulator.loop.config import Emission, Fpga, Framing, LoopConfig, Message, RoundFpga
from emulator.units import Clock

__all__ = ["Accepted", "Packetiser", "Receiver", "packetisers"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message at the packetiser: edges at which its first and its last beat enter."""

    first_edge: int
    last_edge: int


class Packetiser(Protocol):
    """Frames messages. ``busy_ps`` counts the time it was occupied, up to the horizon.

    ``by_cycle``: messages are served in order of (last edge, patch) and not as they are offered.
    """

    busy_ps: int
    by_cycle: bool

    def accept(
        self, patch: int, shot: int, number: int, *, earliest_ps: int, delay_ps: int
    ) -> Accepted:
        """Take in a message; those of a patch come in order.

        Round r of the shot is at the FPGA ``delay_ps`` after it has left the processor, but not
        before ``earliest_ps``, when the message before it was there.
        """

    def frame(
        self, patch: int, shot: int, number: int, accepted: Accepted
    ) -> list[tuple[int, int]]:
        """Frame an accepted message: ``(ready_ps, line_bits)`` of each packet, in order."""


def packetisers(config: LoopConfig) -> list[Packetiser]:
    """Build the packetisers of a loop, one for each port of the link up."""
    ports = range(config.emission.patches if config.up.per_patch else 1)
    spec = config.fpga
    if isinstance(spec, Fpga):
        return [BusPacketiser(spec, config.messages, config.emission) for _ in ports]
    spaced = config.readout.constant_ps is not None
    return [
        RoundPacketiser(spec, config.messages, config.emission, spaced, config.framing)
        for _ in ports
    ]


class BusPacketiser:
    """A FIFO server in whole cycles that takes a message in when its last round is there."""

    by_cycle = False

    def __init__(self, spec: Fpga, messages: Sequence[Message], emission: Emission) -> None:
        self.busy_ps = 0
        self._spec = spec
        self._messages = messages
        self._emission = emission
        self._horizon_ps = emission.horizon_ps
        self._free_edge = 0

    def accept(
        self, patch: int, shot: int, number: int, *, earliest_ps: int, delay_ps: int
    ) -> Accepted:
        """Take in a message whole, at its first edge."""
        last = self._messages[number].rounds.stop - 1
        arrival_ps = max(self._emission.round_end_ps(patch, shot, last) + delay_ps, earliest_ps)
        edge = self._spec.clock.edge_at_or_after(arrival_ps)
        return Accepted(edge, edge)

    def frame(
        self,
        patch: int,  # noqa: ARG002  (one law for all)
        shot: int,  # noqa: ARG002
        number: int,
        accepted: Accepted,
    ) -> list[tuple[int, int]]:
        """Frame an accepted message: ``(ready_ps, line_bits)`` of each packet, in order."""
        spec, clock = self._spec, self._spec.clock
        first = max(accepted.first_edge, self._free_edge)
        edge, frames = first, []
        for beats, bits in self._messages[number].packets:
            filled = edge + beats
            ready = (filled - 1 if spec.store_and_forward else edge) + spec.pipeline_cycles
            frames.append((clock.edge_ps(ready), bits))
            edge = filled
        self._free_edge = max(edge, first + spec.min_spacing_cycles)
        self.busy_ps += _busy_ps(clock, first, self._free_edge, self._horizon_ps)
        return frames


class RoundPacketiser:
    """The law of `RoundFpga`: every patch's rounds enter as they come, messages share the line.

    ``spaced`` says that no round can be held up by the one before it if rounds are no shorter
    than the round period; then only the last round of a message counts, which saves time.
    """

    by_cycle = True

    def __init__(
        self,
        spec: RoundFpga,
        messages: Sequence[Message],
        emission: Emission,
        spaced: bool,
        framing: Framing | None,
    ) -> None:
        self.busy_ps = 0
        self._spec = spec
        self._messages = messages
        self._emission = emission
        self._horizon_ps = emission.horizon_ps
        longest = max(beats for message in messages for beats in message.intake)
        self._spaced = spaced and longest <= spec.clock.whole_cycles(emission.round_period_ps)
        self._framing = framing
        self._free_edges = [0] * emission.patches
        self._line_free_edge = 0

    def accept(
        self, patch: int, shot: int, number: int, *, earliest_ps: int, delay_ps: int
    ) -> Accepted:
        """Take in a message round by round."""
        message, emission, clock = self._messages[number], self._emission, self._spec.clock
        begin_ps = emission.round_end_ps(patch, shot, -1) + delay_ps
        period_ps = emission.round_period_ps

        def edge(number: int) -> int:
            return clock.edge_at_or_after(max(begin_ps + (number + 1) * period_ps, earliest_ps))

        first = edge(message.rounds[0])
        if self._spaced:
            return Accepted(first, edge(message.rounds[-1]) + message.intake[-1] - 1)
        free = self._free_edges[patch]
        first = max(first, free)
        for rounds, beats in zip(message.rounds, message.intake, strict=True):
            free = max(edge(rounds), free) + beats
        self._free_edges[patch] = free
        return Accepted(first, free - 1)

    def frame(
        self, patch: int, shot: int, number: int, accepted: Accepted
    ) -> list[tuple[int, int]]:
        """Frame an accepted message; those of a port in order of (last edge, patch)."""
        if self._framing is not None:
            edges = self._framing(patch, shot, number)
        else:
            edges = self._law(number, accepted.last_edge + self._spec.pipeline_cycles)
        clock, frames = self._spec.clock, []
        for (first, last), (_, bits) in zip(edges, self._messages[number].packets, strict=True):
            frames.append((clock.edge_ps(first), bits))
            self.busy_ps += _busy_ps(clock, first, last + 1, self._horizon_ps)
        return frames

    def _law(self, number: int, earliest_edge: int) -> list[tuple[int, int]]:
        edge, edges = max(self._line_free_edge, earliest_edge), []
        for beats, _ in self._messages[number].packets:
            edges.append((edge, edge + beats - 1))
            edge += beats
        self._line_free_edge = edge
        return edges


class Receiver:
    """One port of the way back: when responses, in order of arrival, have been applied."""

    def __init__(self, spec: Fpga | RoundFpga, beats: int) -> None:
        self._clock = spec.clock
        self._cycles = spec.receive_cycles
        self._beats = beats if isinstance(spec, RoundFpga) else 0
        self._last_edge = -beats

    def applied_ps(self, returned_ps: int) -> int:
        """Instant at which the response that arrived at ``returned_ps`` has been applied."""
        arrived = self._clock.edge_at_or_after(returned_ps)
        self._last_edge = max(arrived, self._last_edge + self._beats)
        return self._clock.edge_ps(self._last_edge + self._cycles)


def _busy_ps(clock: Clock, first: int, end: int, horizon_ps: int) -> int:
    begin_ps = clock.edge_ps(first)
    return max(0, min(clock.edge_ps(end), horizon_ps) - begin_ps)
