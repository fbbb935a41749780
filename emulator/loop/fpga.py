"""The FPGA at both ends of the loop: the packetiser's cycle laws and the way back."""

from collections.abc import Sequence
from typing import Protocol

from emulator.loop.config import Fpga, Framing, LoopConfig, Message, RoundFpga
from emulator.loop.tally import Tally
from emulator.numbering import Emission, Numbering

__all__ = ["Packetiser", "Receiver", "Span", "packetisers"]


Span = tuple[int, int]
"""Edges at which the first and the last beat of a message enter the packetiser."""


class Packetiser(Protocol):
    """Frames messages, and counts in ``tally`` the time that each occupies it.

    ``by_cycle``: messages are served in order of (last edge, patch) and not as they are offered.
    """

    tally: Tally
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
        return [BusPacketiser(spec, config.messages, Tally.of(config)) for _ in ports]
    spaced = config.readout.constant_ps is not None
    return [
        RoundPacketiser(
            spec,
            config.messages,
            config.emission,
            Tally.of(config),
            spaced=spaced,
            framing=config.framing,
        )
        for _ in ports
    ]


class BusPacketiser:
    """A FIFO server in whole cycles that takes a message in when its last round is there."""

    by_cycle = False

    def __init__(self, spec: Fpga, messages: Sequence[Message], tally: Tally) -> None:
        self.tally = tally
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
        start_ps = clock.edge_ps(first)
        arrived_ps = start_ps if first == span[0] else clock.edge_ps(span[0])
        self.tally.add(arrived_ps, start_ps, clock.edge_ps(self._free_edge) - start_ps)
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
        tally: Tally,
        *,
        spaced: bool,
        framing: Framing | None,
    ) -> None:
        self.tally = tally
        self._spec = spec
        self._messages = messages
        self._period_ps = emission.round_period_ps
        longest = max(beats for message in messages for beats in message.intake)
        self._spaced = spaced and longest <= spec.clock.whole_cycles(emission.round_period_ps)
        self._seen = None if framing is None else _edges(framing)
        self._numbering = Numbering(emission.patches, 1, len(messages))
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
        entered = span[1] + self._spec.pipeline_cycles
        if self._seen is not None:
            edges = self._seen[self._numbering.message(patch, shot, number)]
        else:
            edges = self._law(number, entered)
        clock, frames, service_ps = self._spec.clock, [], 0
        for (first, last), (_, bits) in zip(edges, self._messages[number].packets, strict=True):
            start_ps = clock.edge_ps(first)
            occupied_ps = clock.edge_ps(last + 1) - start_ps
            self.tally.occupy(start_ps, occupied_ps)
            service_ps += occupied_ps
            frames.append((start_ps, bits))
        self.tally.count(clock.edge_ps(entered), frames[0][0], service_ps)
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


def _edges(framing: Framing) -> list[list[tuple[int, int]]]:
    """Edges of the frames of each message, in lists: the loop asks for them one by one."""
    first, last = framing.first_edges.tolist(), framing.last_edges.tolist()
    return [list(zip(*edges, strict=True)) for edges in zip(first, last, strict=True)]
