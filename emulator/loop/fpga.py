"""The FPGA at both ends of the loop: the packetiser's cycle laws and the way back."""

from collections.abc import Sequence
from typing import Protocol

from emulator.loop.config import Emission, Fpga, Framing, LoopConfig, Message, RoundFpga
from emulator.loop.usage import Usage

__all__ = ["Packetiser", "Receiver", "Span", "packetisers"]


Span = tuple[int, int]
"""Edges at which the first and the last beat of a message enter the packetiser."""


class Packetiser(Protocol):
    """Frames messages.

    ``by_cycle``: messages are served in order of (last edge, patch) and not as they are offered.
    """

    usage: Usage
    by_cycle: bool

    def accept(self, patch: int, number: int, whole_ps: int, earliest_ps: int) -> Span:
        """Take in message ``number`` of a shot; those of a patch come in order.

        Its last round is at the FPGA at ``whole_ps``, the rounds before it one round period each
        earlier, but none before ``earliest_ps``, when the message before it was there.
        """

    def frame(self, patch: int, shot: int, number: int, span: Span) -> list[tuple[int, int]]:
        """Frame an accepted message: ``(ready_ps, line_bits)`` of each packet, in order."""


def packetisers(config: LoopConfig) -> list[Packetiser]:
    """Build the packetisers of a loop, one for each port of the link up."""
    ports = range(config.emission.patches if config.up.per_patch else 1)
    spec = config.fpga
    if isinstance(spec, Fpga):
        return [BusPacketiser(spec, config.messages, config.emission.horizon_ps) for _ in ports]
    spaced = config.readout.constant_ps is not None
    return [
        RoundPacketiser(spec, config.messages, config.emission, spaced, config.framing)
        for _ in ports
    ]


class BusPacketiser:
    """A FIFO server in whole cycles that takes a message in when its last round is there."""

    by_cycle = False

    def __init__(self, spec: Fpga, messages: Sequence[Message], horizon_ps: int) -> None:
        self.usage = Usage(horizon_ps)
        self._spec = spec
        self._packets = [message.packets for message in messages]
        self._free_edge = 0

    def accept(self, patch: int, number: int, whole_ps: int, earliest_ps: int) -> Span:  # noqa: ARG002
        """Take in a message whole, at its first edge."""
        edge = self._spec.clock.edge_at_or_after(whole_ps)
        return edge, edge

    def frame(self, patch: int, shot: int, number: int, span: Span) -> list[tuple[int, int]]:  # noqa: ARG002
        """Frame an accepted message: ``(ready_ps, line_bits)`` of each packet, in order."""
        spec, clock = self._spec, self._spec.clock
        first = max(span[0], self._free_edge)
        edge, frames = first, []
        for beats, bits in self._packets[number]:
            filled = edge + beats
            ready = (filled - 1 if spec.store_and_forward else edge) + spec.pipeline_cycles
            frames.append((clock.edge_ps(ready), bits))
            edge = filled
        self._free_edge = max(edge, first + spec.min_spacing_cycles)
        ends = (span[0], first, self._free_edge)
        self.usage.note(*(clock.edge_ps(edge) for edge in ends))
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
        self.usage = Usage(emission.horizon_ps)
        self._spec = spec
        self._messages = messages
        self._period_ps = emission.round_period_ps
        longest = max(beats for message in messages for beats in message.intake)
        self._spaced = spaced and longest <= spec.clock.whole_cycles(emission.round_period_ps)
        self._framing = framing
        self._free_edges = [0] * emission.patches
        self._line_free_edge = 0

    def accept(self, patch: int, number: int, whole_ps: int, earliest_ps: int) -> Span:
        """Take in a message round by round."""
        message, period_ps = self._messages[number], self._period_ps
        intake, edge = message.intake, self._spec.clock.edge_at_or_after
        first_ps = whole_ps - (len(intake) - 1) * period_ps
        if self._spaced:
            return edge(first_ps), edge(whole_ps) + intake[-1] - 1
        free = self._free_edges[patch]
        first = max(edge(max(first_ps, earliest_ps)), free)
        for place, beats in enumerate(intake):
            free = max(edge(max(first_ps + place * period_ps, earliest_ps)), free) + beats
        self._free_edges[patch] = free
        return first, free - 1

    def frame(self, patch: int, shot: int, number: int, span: Span) -> list[tuple[int, int]]:
        """Frame an accepted message; those of a port in order of (last edge, patch)."""
        if self._framing is not None:
            edges = self._framing(patch, shot, number)
        else:
            edges = self._law(number, span[1] + self._spec.pipeline_cycles)
        clock, frames = self._spec.clock, []
        for (first, last), (_, bits) in zip(edges, self._messages[number].packets, strict=True):
            frames.append((clock.edge_ps(first), bits))
            ends = (min(span[1] + 1, first), first, last + 1)
            self.usage.note(*(clock.edge_ps(edge) for edge in ends))
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
