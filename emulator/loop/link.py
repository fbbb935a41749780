"""One direction of the link: FIFO serialisation per port, store-and-forward hops, then delay."""

from collections.abc import Sequence

from emulator.loop.config import LinkSpec
from emulator.units import serialisation_ps

__all__ = ["Port"]


class Port:
    """A FIFO line whose departures follow from arrivals by recursion, so it needs no event.

    Messages must be offered in the order of their arrival. ``busy_ps`` counts the time the first
    line was occupied, up to ``horizon_ps``.
    """

    def __init__(self, spec: LinkSpec, horizon_ps: int) -> None:
        self.busy_ps = 0
        self._spec = spec
        self._horizon_ps = horizon_ps
        self._free_ps = [0] * (1 + spec.hops)
        self._last_delivery_ps = 0
        self._flight_ps = spec.propagation_ps + spec.hops * spec.hop_latency_ps
        self._serial: dict[int, int] = {}

    def send(self, index: int, frames: Sequence[tuple[int, int]]) -> int:
        """Send the ``(ready_ps, line_bits)`` frames of message ``index``; return its delivery."""
        last = 0
        for ready_ps, bits in frames:
            serial = self._serial_ps(bits)
            for line, free_ps in enumerate(self._free_ps):
                start_ps = max(ready_ps if line == 0 else last, free_ps)
                last = start_ps + serial
                self._free_ps[line] = last
                if line == 0 and start_ps < self._horizon_ps:
                    self.busy_ps += min(last, self._horizon_ps) - start_ps
        delivery = last + self._flight_ps + self._spec.latency(index, 1)
        # RDMA on one queue pair delivers in order: a late message holds up those behind it
        self._last_delivery_ps = max(delivery, self._last_delivery_ps)
        return self._last_delivery_ps

    def _serial_ps(self, bits: int) -> int:
        serial = self._serial.get(bits)
        if serial is None:
            rate = self._spec.rate_bps
            serial = 0 if rate is None else serialisation_ps(bits, rate)
            self._serial[bits] = serial
        return serial
