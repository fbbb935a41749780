"""How many slots a ring needs so that a sender that waits for slots never waits for ever."""

from dataclasses import replace

import numpy as np

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import Fpga, LoopConfig
from emulator.loop.fpga import packetisers
from emulator.loop.job import ShotState, Transit
from emulator.loop.ledger import Ledger
from emulator.loop.processor import Processor
from emulator.loop.readout import Readout
from emulator.loop.route import Route
from emulator.loop.transmitter import Transmitter

__all__ = ["check_slots", "slots_missed", "slots_needed"]


def check_slots(config: LoopConfig) -> None:
    """Raise ValueError for a ring of fewer slots than are needed, in which the sender could wait.

    A ring can stand still only if messages wait for slots that are held until a response is sent.
    """
    needed = slots_missed(config)
    if needed is not None:
        raise ValueError(
            f"slots(={config.host.slots}) must be >= {needed}, the messages that windows hold "
            "before the first of them can be let go, or the sender waits for ever."
        )


def slots_missed(config: LoopConfig) -> int | None:
    """Return the slots that are needed by a ring that has too few of them, else None."""
    host, emission = config.host, config.emission
    if not (host.waits and host.hold_until_response):
        return None
    enough = len(config.messages) * emission.shots * emission.patches
    if host.slots < enough and emission.patches > 1 and _is_one_bus(config):
        enough = _slots_at_most(config)
    if host.slots >= enough:
        return None
    needed = slots_needed(config)
    return needed if host.slots < needed else None


def _is_one_bus(config: LoopConfig) -> bool:
    """Messages of all patches enter one line in the order in which they are digitised."""
    return isinstance(config.fpga, Fpga) and not config.up.per_patch


def _slots_at_most(config: LoopConfig) -> int:
    """Bound `slots_needed` on one bus, at a fraction of its cost.

    From a message to the last that it is held for, no more messages lie on the line than are
    digitised in that time, both its ends included, in whatever order those of one instant come.
    """
    emission, count = config.emission, len(config.messages)
    shots, places = np.divmod(np.arange(emission.shots * count), count)
    ends = np.array([message.rounds.stop - 1 for message in config.messages])[places]
    patches = np.arange(emission.patches)
    delays_ps = np.array(config.readout.constant_ps)
    if config.readout.constant_ps is None:
        delay = config.readout.reader()
        jobs = len(places) * emission.patches
        delays_ps = np.fromiter(map(delay, range(jobs)), np.int64, jobs).reshape(len(places), -1)
    emitted_ps = emission.round_end_ps(patches, shots[:, None], ends[:, None])
    digitised_ps = np.maximum.accumulate(emitted_ps + delays_ps)
    held_until = np.array(Route(config.messages, config.plan).held_until)[places]
    last_ps = digitised_ps[np.arange(len(places)) - places + held_until]
    line = np.sort(digitised_ps, axis=None)
    before = np.searchsorted(line, digitised_ps, side="left")
    return int((np.searchsorted(line, last_ps, side="right") - before).max())


def slots_needed(config: LoopConfig) -> int:
    """Return the slots with which a ring that waits and holds until the response never stands.

    Let message n be the n-th on the line, and D(n) its place in the order of delivery. Message n
    takes slot n mod S and holds it until its committing window is closed; that window, and those
    it builds on, are closed once the messages of the shot up to ``Route.held_until`` have been
    dispatched or are lost. Let u(n) be the last of these. All else goes on by itself: pools finish,
    and the line waits for nothing. So a loop that stands still has a message h in front of the
    queue whose slot is held by an n whose window misses a message x, up to u(n), that waits at or
    behind h. Slots are taken in the order of delivery, and messages of a patch are delivered in
    order, hence D(n) < D(h) <= D(x) <= D(u(n)); and h differs from n by a multiple of S. Therefore
    S > |h - n| for all such n and h is enough. Loss only closes windows earlier.

    On a line that all patches share D(n) = n, and the bound is the largest u(n) - n + 1: with
    fewer slots, message n + S waits for n, and u(n), at or behind it, never comes. It is exact.
    On lines of their own, patches overtake each other; the bound counts the highest message that
    was delivered before D(u(n)), which may be more than is needed.

    One patch sends in order, whatever its times. Of several, the order depends on the delays of
    this run, readout and line: the way up, which nothing behind it holds up, is run by itself.
    """
    route = Route(config.messages, config.plan)
    if config.emission.patches == 1:
        return max(last - number + 1 for number, last in enumerate(route.held_until))
    probe = _Probe(route)
    env, config = Clockwork(), _way_up(config)
    lines = packetisers(config)
    ledger = Ledger(keep=False, last_ps=None, progress=None)
    transmitter = Transmitter(
        env, config, lines, ledger, delivered=probe.deliver, missed=probe.deliver
    )
    readout = Readout(env, config, lines, transmit=transmitter.transmit)
    Processor(env, config, ledger, begin=probe.begin, emit=readout.emit).start()
    env.run()
    return probe.needed


def _way_up(config: LoopConfig) -> LoopConfig:
    """Leave out what does not change the order of delivery."""
    emission = config.emission
    if config.readout.constant_ps is not None and _is_one_bus(config):
        # the order is that of emission, which repeats itself with every shot: take so many that
        # one shot of every patch is surrounded by those of all others
        ahead = -(-(emission.patches - 1) * emission.patch_offset_ps // emission.shot_period_ps)
        emission = replace(emission, shots=min(emission.shots, 2 * ahead + 3))
    return replace(config, emission=emission, up=replace(config.up, losses=None))


class _Probe:
    """Stands in for the ring and notes how far apart are messages that can meet in a slot."""

    def __init__(self, route: Route) -> None:
        self.needed = 1
        self._highest = -1
        self._first_held: list[int | None] = [None] * len(route.held_until)
        for number, last in reversed(list(enumerate(route.held_until))):
            self._first_held[last] = number

    def begin(self, patch: int, shot: int) -> ShotState:
        """Open a shot."""
        return ShotState(patch, shot, [])

    def deliver(self, transit: Transit) -> None:
        """Take in a message, which may be the last that an earlier one is held for."""
        held = transit.state.slots
        held[transit.number] = transit
        self._highest = max(self._highest, transit.index)
        first = self._first_held[transit.number]
        lowest = transit.index if first is None else held[first].index
        self.needed = max(self.needed, self._highest - lowest + 1)
