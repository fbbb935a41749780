"""The receive ring on the host and the dispatcher behind it."""

from collections import deque
from collections.abc import Callable

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.job import ShotState, Transit
from emulator.loop.records import Pool
from emulator.loop.tally import Tally

__all__ = ["Ring"]


class Ring:
    """Slots that messages hold, by `Host`; the dispatcher hands them on one after the other.

    ``dispatched`` is called when a message has been handed on, and ``overrun`` for one that found
    its slot held and is lost. ``waits`` counts those that waited instead: a message waits behind
    all that came before it and wait as well.
    """

    def __init__(
        self,
        env: Clockwork,
        config: LoopConfig,
        *,
        dispatched: Callable[[Transit], None],
        overrun: Callable[[Transit], None],
    ) -> None:
        self.waits = 0
        self._env = env
        self._host = config.host
        self._dispatch_ps = config.host.dispatch.constant_ps
        self._dispatch = config.host.dispatch.reader()
        self._dispatched = dispatched
        self._overrun = overrun
        self._slots: list[Transit | None] = [None] * config.host.slots
        self._waiting: deque[Transit] = deque()
        self._free_ps = 0
        self._ring = Tally.of(config)
        self._dispatcher = Tally.of(config)

    def deliver(self, transit: Transit) -> None:
        """Take in a message from the line."""
        if not self._waiting and self._slots[transit.index % len(self._slots)] is None:
            self._take_slot(transit)
        elif self._host.waits:
            self.waits += 1
            self._waiting.append(transit)
        else:
            self._overrun(transit)

    def _take_slot(self, transit: Transit) -> None:
        now, index = self._env.now, transit.index
        self._slots[index % len(self._slots)] = transit
        transit.state.slots[transit.number] = transit
        start = max(self._free_ps, now)
        service = self._dispatch_ps
        if service is None:
            service = self._dispatch(index)
        dispatched = self._free_ps = start + service
        self._dispatcher.add(now, start, service)
        transit.stamps += (now, dispatched)
        self._env.after(dispatched - now, self._dispatched, transit)

    def release(self, state: ShotState, number: int) -> None:
        """Free the slot of a message, if it holds one, and let those that wait go on."""
        transit = state.slots.pop(number, None)
        if transit is None:
            return
        slots, waiting, stamps = self._slots, self._waiting, transit.stamps
        slots[transit.index % len(slots)] = None
        self._ring.add(stamps[3], stamps[4], self._env.now - stamps[4])
        while waiting and slots[waiting[0].index % len(slots)] is None:
            self._take_slot(waiting.popleft())

    def pools(self, end_ps: int) -> dict[str, Pool]:
        """Return the accounts of ring and dispatcher, slots being held until the end of the run."""
        for transit in self._slots:
            if transit is not None:
                _, _, _, delivered, slotted, *_ = transit.stamps
                self._ring.add(delivered, slotted, end_ps - slotted)
        return {
            "ring": self._ring.pool(len(self._slots), len(self._waiting)),
            "dispatch": self._dispatcher.pool(1),
        }
