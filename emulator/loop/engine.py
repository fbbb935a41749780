"""The loop as a SimPy model: components, one a module, wired by their ports."""

from collections.abc import Callable

import numpy as np

from emulator.gc_pause import gc_paused
from emulator.loop.assembly import Assembly
from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.feedback import idle_rounds
from emulator.loop.fpga import packetisers
from emulator.loop.job import Transit
from emulator.loop.ledger import CAUSES, LINK_LOSS, RING_OVERRUN, Ledger
from emulator.loop.limits import RunTooLongError, check_loop
from emulator.loop.pool import WorkerPool
from emulator.loop.processor import Processor
from emulator.loop.readout import Readout
from emulator.loop.records import Pool, Record, backlog_of
from emulator.loop.returns import ReturnPath
from emulator.loop.ring import Ring
from emulator.loop.route import Route
from emulator.loop.tally import total
from emulator.loop.transmitter import Transmitter
from emulator.units import MAX_TIME_PS

__all__ = ["CAUSES", "run_loop"]


def run_loop(
    config: LoopConfig,
    *,
    keep_windows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Record:
    """Run the loop to its end and return its record.

    With ``keep_windows=False`` nothing grows with the length of the run: the record then has the
    round account and the pools only. ``progress`` is called with the rounds emitted so far.
    Raises ValueError for a ring in which every slot can end up waiting for a message that finds no
    slot and for rounds that are emitted for longer than `MAX_TIME_PS`, RoundtripError where the
    run lasts longer than that, and RuntimeError if a round is unaccounted for or never comes to
    an end, which would be a defect of the model.
    """
    horizon_ps = config.emission.horizon_ps
    check_loop(config)
    loop = _Loop(config, keep_windows=keep_windows, progress=progress)
    try:
        # no message leaves a cycle, and looking for one costs the more the longer the queues are
        with gc_paused():
            loop.run()
    except OverflowError as error:  # a row of the record that 64 bits do not hold
        raise RunTooLongError from error
    last_ps = loop.env.now if config.drain else horizon_ps
    if max(last_ps, loop.ledger.end_ps) > MAX_TIME_PS:
        raise RunTooLongError
    record = loop.record()
    record.check_conservation()
    return record


class _Loop:
    """The components of one run.

    A message goes from the processor by readout, packetiser and line to the ring, and from there
    to the assembly of windows; a window by way of the pools to the line back. The assembly hears
    of a window that is closed and tells the ring to release its slots.
    """

    def __init__(
        self, config: LoopConfig, *, keep_windows: bool, progress: Callable[[int], None] | None
    ) -> None:
        self.env = env = Clockwork()
        self._config = config
        self._keep_windows = keep_windows
        last_ps = None if config.drain else config.emission.horizon_ps
        self.ledger = ledger = Ledger(keep=keep_windows, last_ps=last_ps, progress=progress)
        self._assembly = assembly = Assembly(
            env, config, Route(config.messages, config.plan), ledger
        )

        def missed(transit: Transit) -> None:
            assembly.lose(transit, LINK_LOSS)

        def overrun(transit: Transit) -> None:
            assembly.lose(transit, RING_OVERRUN)

        self._ring = Ring(env, config, dispatched=assembly.dispatched, overrun=overrun)
        self._packetisers = packetisers(config)
        self._transmitter = Transmitter(
            env, config, self._packetisers, ledger, delivered=self._ring.deliver, missed=missed
        )
        readout = Readout(env, config, self._packetisers, transmit=self._transmitter.transmit)
        self._processor = Processor(env, config, ledger, begin=assembly.begin, emit=readout.emit)
        self._returns = ReturnPath(config, ledger, close=assembly.close)
        self._decoders = WorkerPool(env, config, config.decode, end=self._returns.decoded)
        self._predecoders = None
        if config.predecode is not None:
            self._predecoders = WorkerPool(env, config, config.predecode, end=assembly.predecoded)
        assembly.connect(
            release=self._ring.release,
            predecode=None if self._predecoders is None else self._predecoders.submit,
            decode=self._decoders.submit,
        )

    def run(self) -> None:
        """Run until nothing is left to happen, or until the horizon."""
        self._processor.start()
        last_ps = self._config.emission.horizon_ps
        self.env.run(until=None if self._config.drain else last_ps + 1)

    def record(self) -> Record:
        """Return the record of a run that has come to its end."""
        config, ledger = self._config, self.ledger
        windows, done, idle = ledger.windows(), ledger.done(), None
        backlog = np.empty((0, 2), dtype=np.int64)
        if self._keep_windows:
            backlog = backlog_of(config.emission, done)
            if config.feedback_every is not None:
                idle = idle_rounds(windows, config.emission, config.feedback_every)
        horizon_ps = config.emission.horizon_ps
        return Record(
            windows=windows,
            messages=ledger.messages(),
            responses=ledger.responses(),
            lost=ledger.lost_windows(),
            causes=CAUSES,
            emitted=ledger.emitted,
            decoded=ledger.decoded - ledger.late,
            in_flight=self._assembly.unfinished_rounds() + ledger.late,
            lost_by_cause=dict(zip(CAUSES, ledger.lost, strict=True)),
            pools=self._pools(),
            horizon_ps=horizon_ps,
            end_ps=max(ledger.end_ps, horizon_ps),
            backlog=backlog,
            emission=config.emission,
            done=done,
            drained=config.drain,
            idle_rounds=idle,
            ring_waits=self._ring.waits,
        )

    def _pools(self) -> dict[str, Pool]:
        pools = {
            "packetise": total([packetiser.tally for packetiser in self._packetisers]),
            "uplink": total([port.tally for port in self._transmitter.ports]),
        }
        pools |= self._ring.pools(self._config.emission.horizon_ps)
        if self._predecoders is not None:
            pools["predecode"] = self._predecoders.pool()
        pools["decode"] = self._decoders.pool()
        pools["downlink"] = total([port.tally for port in self._returns.ports])
        return pools
