"""The way up: packetiser and line, from the FPGA to the ring."""

from collections.abc import Callable, Sequence

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.fpga import Packetiser
from emulator.loop.job import Transit
from emulator.loop.ledger import Ledger
from emulator.loop.link import Port
from emulator.loop.tally import Tally

__all__ = ["Transmitter"]


class Transmitter:
    """Takes messages through packetiser and line, both FIFO: by recursion, in one step.

    ``delivered`` is called when a message arrives at the host, ``missed`` when one that is lost on
    the way would have. ``ports`` are the lines, one for each packetiser.
    """

    def __init__(
        self,
        env: Clockwork,
        config: LoopConfig,
        packetisers: Sequence[Packetiser],
        ledger: Ledger,
        *,
        delivered: Callable[[Transit], None],
        missed: Callable[[Transit], None],
    ) -> None:
        self._env = env
        self._clock = config.fpga.clock
        self._packetisers = packetisers
        self._ledger = ledger
        self._delivered = delivered
        self._missed = missed
        latency = config.up.latency.reader()
        self.ports = [Port(config.up, latency, Tally.of(config)) for _ in packetisers]
        self._loses = None if config.up.losses is None else config.up.losses.reader()
        self._per_patch = len(packetisers) == config.emission.patches
        self._sent = 0

    def transmit(self, transit: Transit) -> None:
        """Send a message; those of a port come in the order in which it serves them."""
        state = transit.state
        index = transit.index = self._sent
        self._sent += 1
        port = state.patch if self._per_patch else 0
        frames = self._packetisers[port].frame(
            state.patch, state.shot, transit.number, transit.span
        )
        delivered = self.ports[port].send(index, frames)
        transit.stamps += (frames[0][0], delivered)
        lost = self._loses is not None and self._loses(index)
        self._ledger.send(transit, self._clock.edge_ps(transit.span[0]), lost=lost)
        arrived = self._missed if lost else self._delivered
        self._env.after(delivered - self._env.now, arrived, transit)
