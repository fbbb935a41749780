"""The FPGA at both ends of the loop: the packetiser's cycle law and the way back."""

from collections.abc import Sequence

from emulator.loop.config import Fpga

__all__ = ["Packetiser", "receive"]


class Packetiser:
    """A FIFO server in whole cycles: accepts messages in order and frames their packets."""

    def __init__(self, spec: Fpga, horizon_ps: int) -> None:
        self.busy_ps = 0
        self._spec = spec
        self._horizon_ps = horizon_ps
        self._free_edge = 0

    def frame(self, arrival_ps: int, packets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Accept a message; return ``(ready_ps, line_bits)`` of each packet, in order."""
        spec, clock = self._spec, self._spec.clock
        first = max(clock.edge_at_or_after(arrival_ps), self._free_edge)
        edge, frames = first, []
        for beats, bits in packets:
            filled = edge + beats
            ready = (filled - 1 if spec.store_and_forward else edge) + spec.pipeline_cycles
            frames.append((clock.edge_ps(ready), bits))
            edge = filled
        self._free_edge = max(edge, first + spec.min_spacing_cycles)
        begin = clock.edge_ps(first)
        if begin < self._horizon_ps:
            self.busy_ps += min(clock.edge_ps(self._free_edge), self._horizon_ps) - begin
        return frames


def receive(spec: Fpga, returned_ps: int) -> int:
    """Instant at which a response that arrived at ``returned_ps`` has been applied."""
    clock = spec.clock
    return clock.edge_ps(clock.edge_at_or_after(returned_ps) + spec.receive_cycles)
