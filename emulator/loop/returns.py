"""The way back: responses from the host to the FPGA, and when corrections are applied."""

from collections.abc import Callable

from emulator.loop.config import LoopConfig
from emulator.loop.fpga import Receiver
from emulator.loop.job import Job
from emulator.loop.ledger import Ledger
from emulator.loop.link import Port
from emulator.loop.tally import Tally

__all__ = ["ReturnPath"]


class ReturnPath:
    """Sends the response of each window when it is decoded, then calls ``close``."""

    def __init__(self, config: LoopConfig, ledger: Ledger, *, close: Callable[[Job], None]) -> None:
        self._ledger = ledger
        self._close = close
        self._per_patch = config.down.per_patch
        lines = range(config.emission.patches if self._per_patch else 1)
        latency = config.down.latency.reader()
        self.ports = [Port(config.down, latency, Tally.of(config)) for _ in lines]
        beats = sum(beats for beats, _ in config.response)
        self._receivers = [Receiver(config.fpga, beats) for _ in lines]
        self._bits = [bits for _, bits in config.response]
        self._rounds = [len(window.commits) for window in config.plan]
        self._sent = 0

    def decoded(self, job: Job, now: int) -> None:
        """Take in a window from the decoder."""
        port = job.state.patch if self._per_patch else 0
        frames = [(now, bits) for bits in self._bits]
        returned = self.ports[port].send(self._sent, frames)
        self._sent += 1
        applied = self._receivers[port].applied_ps(returned)
        self._ledger.answer(job, now, returned, applied, self._rounds[job.position])
        self._close(job)
