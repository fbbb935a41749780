"""The readout, and the order in which messages of several patches get their turn at the FPGA."""

import heapq
from collections.abc import Callable, Sequence

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.fpga import Packetiser
from emulator.loop.job import ShotState, Transit
from emulator.numbering import Numbering

__all__ = ["Readout"]


class Readout:
    """Brings messages to the packetisers and calls ``transmit`` for each when its turn comes.

    Rounds of a patch never overtake each other. A packetiser that patches share serves by cycle
    (`RoundFpga`) or in the order in which messages come (`Fpga`).
    """

    def __init__(
        self,
        env: Clockwork,
        config: LoopConfig,
        packetisers: Sequence[Packetiser],
        *,
        transmit: Callable[[Transit], None],
    ) -> None:
        self._env = env
        self._clock = config.fpga.clock
        self._packetisers = packetisers
        self._transmit = transmit
        self._delay = config.readout.reader()
        self._delay_ps = config.readout.constant_ps
        patches = config.emission.patches
        self._numbering = Numbering(patches, len(config.plan), len(config.messages))
        self._per_patch = len(packetisers) == patches
        self._by_cycle = not self._per_patch and packetisers[0].by_cycle
        self._last_digitised_ps = [0] * patches
        # messages that are not whole yet, by (last edge, patch, count)
        self._unframed: list[tuple[int, int, int, Transit]] = []
        self._emissions = 0

    def emit(self, state: ShotState, number: int) -> None:
        """Take in a message that has just left the processor."""
        now, patch = self._env.now, state.patch
        earliest = self._last_digitised_ps[patch]
        delay = self._delay_ps
        if delay is None:
            delay = self._delay(self._numbering.message(patch, state.shot, number))
        digitised = self._last_digitised_ps[patch] = max(now + delay, earliest)
        packetiser = self._packetisers[patch if self._per_patch else 0]
        span = packetiser.accept(patch, number, digitised, earliest)
        transit = Transit(number, state, [now, digitised], span)
        if self._by_cycle:
            self._queue(transit)
        elif self._delay_ps is not None:
            self._transmit(transit)  # arrivals keep the order of emissions: no event needed
        else:
            self._env.after(digitised - now, self._transmit, transit)

    def _queue(self, transit: Transit) -> None:
        """Leave a message until the cycle in which it is whole: then its turn is known."""
        edge, patch = transit.span[1], transit.state.patch
        self._emissions += 1
        heapq.heappush(self._unframed, (edge, patch, self._emissions, transit))
        whole_ps = self._clock.edge_ps(edge)
        self._env.after(whole_ps - self._env.now, self._whole, edge, last=True)

    def _whole(self, edge: int) -> None:
        while self._unframed and self._unframed[0][0] <= edge:
            self._transmit(heapq.heappop(self._unframed)[-1])
