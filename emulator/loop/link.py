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
        self._free_ps = 0
        self._hops_free_ps = [0] * spec.hops
        self._last_delivery_ps = 0
        self._flight_ps = spec.propagation_ps + spec.hops * spec.hop_latency_ps
        self._latency = spec.latency.reader()
        self._serial: dict[int, int] = {}

    def send(self, index: int, frames: Sequence[tuple[int, int]]) -> int:
        """Send the ``(ready_ps, line_bits)`` frames of message ``index``; return its delivery."""
        last = 0
        for ready_ps, bits in frames:
            serial = self._serial.get(bits)
            if serial is None:
                serial = self._serial[bits] = self._serial_ps(bits)
            start = max(ready_ps, self._free_ps)
            last = self._free_ps = start + serial
            if start < self._horizon_ps:
                self.busy_ps += min(last, self._horizon_ps) - start
            for hop, free_ps in enumerate(self._hops_free_ps):
                last = self._hops_free_ps[hop] = max(last, free_ps) + serial
        delivery = last + self._flight_ps + self._latency(index)
        # RDMA on one queue pair delivers in order: a late message holds up those behind it
        self._last_delivery_ps = max(delivery, self._last_delivery_ps)
        return self._last_delivery_ps

    def _serial_ps(self, bits: int) -> int:
        rate = self._spec.rate_bps
        return 0 if rate is None else serialisation_ps(bits, rate)
