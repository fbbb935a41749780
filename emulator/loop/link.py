"""One direction of the link: FIFO serialisation per port, store-and-forward hops, then delay."""

from collections.abc import Sequence

from emulator.loop.config import LinkSpec, StageReader
from emulator.loop.tally import Tally
from emulator.units import serialisation_ps

__all__ = ["Port"]


class Port:
    """A FIFO line whose departures follow from arrivals by recursion, so it needs no event.

    Messages must be offered in the order of their arrival. ``latency`` is the reader of the link's
    latency, which all its ports share. ``tally`` counts the time that the first line is occupied.
    """

    def __init__(self, spec: LinkSpec, latency: StageReader, tally: Tally) -> None:
        self.tally = tally
        self._rate_bps = spec.rate_bps
        self._free_ps = 0
        self._hops_free_ps = [0] * spec.hops
        self._last_delivery_ps = 0
        self._flight_ps = spec.propagation_ps + spec.hops * spec.hop_latency_ps
        self._latency = latency
        self._latency_ps = spec.latency.constant_ps
        self._serial: dict[int, int] = {}

    def send(self, index: int, frames: Sequence[tuple[int, int]]) -> int:
        """Send the ``(ready_ps, line_bits)`` frames of message ``index``; return its delivery."""
        last, service_ps, alone = 0, 0, len(frames) == 1
        begin_ps = max(self._free_ps, frames[0][0])
        for ready_ps, bits in frames:
            serial = self._serial.get(bits)
            if serial is None:
                serial = self._serial[bits] = self._serial_ps(bits)
            start = begin_ps if alone else max(self._free_ps, ready_ps)
            last = self._free_ps = start + serial
            if not alone:
                self.tally.occupy(start, serial)
            service_ps += serial
            for hop, free_ps in enumerate(self._hops_free_ps):
                last = self._hops_free_ps[hop] = max(free_ps, last) + serial
        # the line is free between frames that become ready one after the other
        count = self.tally.add if alone else self.tally.count
        count(frames[0][0], begin_ps, service_ps)
        latency_ps = self._latency_ps
        delivery = last + self._flight_ps
        delivery += self._latency(index) if latency_ps is None else latency_ps
        # RDMA on one queue pair delivers in order: a late message holds up those behind it
        self._last_delivery_ps = max(self._last_delivery_ps, delivery)
        return self._last_delivery_ps

    def _serial_ps(self, bits: int) -> int:
        return 0 if self._rate_bps is None else serialisation_ps(bits, self._rate_bps)
