"""A second simulation of the loop, written from what the configuration says and nothing else.

One function a station, one heap of what is to happen. What happens at one instant happens in the
order in which it was planned; only a packetiser that patches share looks at a cycle when all else
of that instant is over. No part of it is shared with the engine but the configuration.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import Any

from emulator.loop.config import Fpga, LinkSpec, LoopConfig, PoolSpec, RoundFpga

__all__ = ["Outcome", "simulate"]

Row = dict[str, int]


@dataclass
class Outcome:
    """Rows of a run in the words of `Record`; ``work``: (arrived, start, service) by stage."""

    windows: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    responses: list[tuple[int, int]] = field(default_factory=list)
    lost: list[tuple[int, ...]] = field(default_factory=list)
    lost_rounds: list[int] = field(default_factory=lambda: [0, 0, 0])
    decoded: int = 0
    emitted: int = 0
    ring_waits: int = 0
    finished: list[tuple[int, int]] = field(default_factory=list)
    busy: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    work: dict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[str, int] = field(default_factory=dict)


class Clock:
    """Edge n at floor(n / f), by exact fractions."""

    def __init__(self, hertz: Fraction) -> None:
        self.per_ps = hertz / 10**12

    def at(self, edge: int) -> int:
        return math.floor(edge / self.per_ps)

    def edge_from(self, time: int) -> int:
        return math.ceil(time * self.per_ps)


class Line:
    """A FIFO line with store-and-forward hops behind it."""

    def __init__(self, link: LinkSpec, latency: Callable[..., int], out: Outcome, stage: str):
        self.link, self.latency, self.out, self.stage = link, latency, out, stage
        self.free = [0] * (link.hops + 1)
        self.newest = 0

    def carry(self, index: int, frames: list[tuple[int, int]]) -> int:
        begun, total, arrived = None, 0, 0
        for ready, bits in frames:
            takes = 0
            if self.link.rate_bps is not None:
                takes = math.ceil(Fraction(bits * 10**12, self.link.rate_bps))
            arrived = ready
            for station in range(len(self.free)):
                start = max(arrived, self.free[station])
                arrived = self.free[station] = start + takes
                if station == 0:
                    begun = start if begun is None else begun
                    self.out.busy[self.stage].append((start, start + takes))
            total += takes
        assert begun is not None
        self.out.work[self.stage].append((frames[0][0], begun, total))
        arrived += self.link.propagation_ps + self.link.hops * self.link.hop_latency_ps
        self.newest = max(self.newest, arrived + self.latency(index))
        return self.newest


class Servers:
    """A pool: ``left`` is told of each window that a server is done with."""

    def __init__(self, sim: "Simulation", spec: PoolSpec, stage: str, left: Callable[[Any], None]):
        self.sim, self.spec, self.stage, self.left = sim, spec, stage, left
        self.takes = spec.service.reader()
        self.working = 0
        self.line: list[tuple[int, Any]] = []

    def join(self, window: "Window") -> None:
        self.line.append((self.sim.now, window))
        self.look()
        if self.line and self.spec.batch_timeout_ps:
            self.sim.plan(self.sim.now + self.spec.batch_timeout_ps, self.look)

    def look(self) -> None:
        now, spec = self.sim.now, self.spec
        while self.line and self.working < spec.servers:
            full = len(self.line) >= spec.batch
            if not (full or now >= self.line[0][0] + spec.batch_timeout_ps):
                return
            group, self.line = self.line[: spec.batch], self.line[spec.batch :]
            self.working += 1
            windows = [window for _, window in group]
            longest = max(len(window.spec.rounds) for window in windows)
            takes = self.takes(windows[0].number, self.working, len(group), longest)
            for place, (joined, window) in enumerate(group):
                window.row[f"{self.stage}_start_ps"] = now
                self.sim.out.work[self.stage].append((joined, now, 0 if place else takes))
            self.sim.out.busy[self.stage].append((now, now + takes))
            self.sim.plan(now + takes, self.done, windows)

    def done(self, windows: list["Window"]) -> None:
        self.working -= 1
        for window in windows:
            window.row[f"{self.stage}_end_ps"] = self.sim.now
            self.left(window)
        self.look()


@dataclass
class Sent:
    """A message: ``row`` has its instants, ``slot`` the ring slot that it holds."""

    patch: int
    shot: int
    number: int
    row: Row
    index: int = -1
    whole_edge: int = 0
    slot: int | None = None


@dataclass
class Window:
    """A window of a shot, put together when the last of its messages has come or is lost."""

    patch: int
    shot: int
    place: int
    number: int
    spec: Any
    row: Row


class Simulation:
    def __init__(self, config: LoopConfig) -> None:
        self.c, self.out, self.now = config, Outcome(), 0
        self.heap: list[Any] = []
        self.tickets = count()
        e = config.emission
        self.horizon = (
            (e.patches - 1) * e.patch_offset_ps
            + (e.shots - 1) * e.shot_period_ps
            + e.rounds * e.round_period_ps
        )
        self.clock = Clock(config.fpga.clock.hertz)
        self.carrier = {r: m for m, message in enumerate(config.messages) for r in message.rounds}
        self.reads = [{self.carrier[r] for r in w.rounds} for w in config.plan]
        self.shared = e.patches > 1 and not config.up.per_patch
        self.digitised = [0] * e.patches
        self.input_free = [0] * e.patches
        self.output_free: dict[int, int] = defaultdict(int)
        self.readout = config.readout.reader()
        self.dispatch = config.host.dispatch.reader()
        up, down = config.up.latency.reader(), config.down.latency.reader()
        self.up = [Line(config.up, up, self.out, "uplink") for _ in range(e.patches)]
        self.down = [Line(config.down, down, self.out, "downlink") for _ in range(e.patches)]
        self.losses = config.up.losses.reader() if config.up.losses else lambda _index: False
        self.applied_edge: dict[int, int] = {}
        self.framed: list[tuple[int, int, int, Sent]] = []
        self.sent = 0
        self.ring: dict[int, Sent] = {}
        self.before_ring: list[Sent] = []
        self.dispatcher_free = 0
        self.on_host: dict[tuple[int, int], dict[int, Sent]] = defaultdict(dict)
        self.missing: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        self.closed: dict[tuple[int, int], set[int]] = defaultdict(set)
        self.ready: dict[tuple[int, int], dict[int, Window]] = defaultdict(dict)
        self.decoders = Servers(self, config.decode, "decode", self.answer)
        self.predecoders = None
        if config.predecode is not None:
            self.predecoders = Servers(self, config.predecode, "predecode", self.predecoded)

    def plan(self, time: int, action: Callable[..., None], *args: Any, rank: int = 0) -> None:
        heapq.heappush(self.heap, (time, rank, next(self.tickets), action, args))

    def run(self) -> Outcome:
        for patch in range(self.c.emission.patches):
            places = self.places(patch)
            shot, number, time = next(places)
            self.plan(time, self.emit, patch, shot, number, places)
        while self.heap:
            time, _, _, action, args = heapq.heappop(self.heap)
            if time > self.horizon and not self.c.drain:
                break
            self.now = time
            action(*args)
        for held in self.ring.values():
            self.out.work["ring"].append(self.holding(held))
            self.out.busy["ring"].append((held.row["slotted_ps"], self.now_or_horizon()))
        self.out.waiting = {"ring": len(self.before_ring), "decode": len(self.decoders.line)}
        if self.predecoders is not None:
            self.out.waiting["predecode"] = len(self.predecoders.line)
        return self.out

    def now_or_horizon(self) -> int:
        return max(self.now, self.horizon)

    def holding(self, held: Sent) -> tuple[int, int, int]:
        start = held.row["slotted_ps"]
        return held.row["delivered_ps"], start, self.now_or_horizon() - start

    # -- up to the host ------------------------------------------------------------------------

    def places(self, patch: int) -> Iterator[tuple[int, int, int]]:
        e = self.c.emission
        for shot in range(e.shots):
            begun = patch * e.patch_offset_ps + shot * e.shot_period_ps
            for number, message in enumerate(self.c.messages):
                yield shot, number, begun + message.rounds.stop * e.round_period_ps

    def emit(self, patch: int, shot: int, number: int, places: Any) -> None:
        e, message = self.c.emission, self.c.messages[number]
        self.out.emitted += len(message.rounds)
        delay = self.readout((shot * len(self.c.messages) + number) * e.patches + patch)
        before = self.digitised[patch]
        there = self.digitised[patch] = max(before, self.now + delay)
        sent = Sent(patch, shot, number, {"emitted_ps": self.now, "digitised_ps": there})
        first, sent.whole_edge = self.take_in(patch, message, delay, before, there)
        sent.row["taken_ps"] = self.clock.at(first)
        if self.shared and isinstance(self.c.fpga, RoundFpga):
            order = next(self.tickets)
            heapq.heappush(self.framed, (sent.whole_edge, patch, order, sent))
            self.plan(self.clock.at(sent.whole_edge), self.cycle, sent.whole_edge, rank=1)
        elif self.c.readout.constant_ps is not None:
            self.send(sent)
        else:
            self.plan(there, self.send, sent)
        for next_shot, next_number, time in places:
            self.plan(time, self.emit, patch, next_shot, next_number, places)
            return

    def take_in(
        self, patch: int, message: Any, delay: int, before: int, there: int
    ) -> tuple[int, int]:
        if isinstance(self.c.fpga, Fpga):
            edge = self.clock.edge_from(there)
            return edge, edge
        first, period = None, self.c.emission.round_period_ps
        for back, beats in zip(range(len(message.rounds))[::-1], message.intake, strict=True):
            arrival = max(self.now - back * period + delay, before)
            start = max(self.clock.edge_from(arrival), self.input_free[patch])
            first = start if first is None else first
            self.input_free[patch] = start + beats
        assert first is not None
        return first, self.input_free[patch] - 1

    def cycle(self, edge: int) -> None:
        while self.framed and self.framed[0][0] <= edge:
            self.send(heapq.heappop(self.framed)[-1])

    def send(self, sent: Sent) -> None:
        port = 0 if self.shared else sent.patch
        sent.index = self.sent
        self.sent += 1
        frames = self.frames(port, sent)
        sent.row["framed_ps"] = frames[0][0]
        delivered = sent.row["delivered_ps"] = self.up[port].carry(sent.index, frames)
        lost = self.losses(sent.index)
        names = ("taken_ps", "framed_ps", "delivered_ps")
        who = {"patch": sent.patch, "shot": sent.shot, "number": sent.number}
        times = {name: sent.row[name] for name in names}
        self.out.messages.append({"message": sent.index, **who, **times, "lost": int(lost)})
        if lost:
            self.plan(delivered, self.lose, sent, 0)
        else:
            self.plan(delivered, self.arrive, sent)

    def frames(self, port: int, sent: Sent) -> list[tuple[int, int]]:
        fpga, packets = self.c.fpga, self.c.messages[sent.number].packets
        out, edge = [], self.output_free[port]
        if isinstance(fpga, Fpga):
            waited_from = sent.whole_edge
            begun = edge = max(edge, waited_from)
            for beats, bits in packets:
                last = edge + beats - 1 if fpga.store_and_forward else edge
                out.append((self.clock.at(last + fpga.pipeline_cycles), bits))
                edge += beats
            edge = max(edge, begun + fpga.min_spacing_cycles)
        else:
            waited_from = sent.whole_edge + fpga.pipeline_cycles
            begun = edge = max(edge, waited_from)
            for beats, bits in packets:
                out.append((self.clock.at(edge), bits))
                edge += beats
        self.output_free[port] = edge
        start, end = self.clock.at(begun), self.clock.at(edge)
        self.out.work["packetise"].append((self.clock.at(waited_from), start, end - start))
        self.out.busy["packetise"].append((start, end))
        return out

    # -- ring, dispatcher and windows ----------------------------------------------------------

    def arrive(self, sent: Sent) -> None:
        if not self.before_ring and sent.index % self.c.host.slots not in self.ring:
            self.enter(sent)
        elif self.c.host.waits:
            self.out.ring_waits += 1
            self.before_ring.append(sent)
        else:
            self.lose(sent, 1)

    def enter(self, sent: Sent) -> None:
        sent.slot = sent.index % self.c.host.slots
        self.ring[sent.slot] = sent
        sent.row["slotted_ps"] = self.now
        self.on_host[sent.patch, sent.shot][sent.number] = sent
        start, takes = max(self.now, self.dispatcher_free), self.dispatch(sent.index)
        self.dispatcher_free = sent.row["dispatched_ps"] = start + takes
        self.out.work["dispatch"].append((self.now, start, takes))
        self.out.busy["dispatch"].append((start, start + takes))
        self.plan(start + takes, self.hand_on, sent)

    def leave(self, sent: Sent | None) -> None:
        if sent is None or sent.slot is None:
            return
        del self.ring[sent.slot]
        sent.slot = None
        self.out.work["ring"].append(
            (sent.row["delivered_ps"], sent.row["slotted_ps"], self.now - sent.row["slotted_ps"])
        )
        self.out.busy["ring"].append((sent.row["slotted_ps"], self.now))
        while self.before_ring and self.before_ring[0].index % self.c.host.slots not in self.ring:
            self.enter(self.before_ring.pop(0))

    def committer(self, number: int) -> int:
        last = self.c.messages[number].rounds[-1]
        return [last in w.commits for w in self.c.plan].index(True)

    def hand_on(self, sent: Sent) -> None:
        over = self.committer(sent.number) in self.closed[sent.patch, sent.shot]
        if over or not self.c.host.hold_until_response:
            self.leave(sent)
        self.complete(sent)

    def lose(self, sent: Sent, cause: int) -> None:
        self.missing[sent.patch, sent.shot][sent.number] = cause
        self.complete(sent)

    def complete(self, sent: Sent) -> None:
        e, shot = self.c.emission, (sent.patch, sent.shot)
        for place, spec in enumerate(self.c.plan):
            if max(self.reads[place]) != sent.number:
                continue
            number = (sent.shot * e.patches + sent.patch) * len(self.c.plan) + place
            left = self.c.messages[sent.number].rounds.stop - spec.rounds.stop
            row = {
                "window": number,
                "patch": sent.patch,
                "shot": sent.shot,
                "first_round": spec.commits[0],
                "last_round": spec.commits[-1],
                **{k: v for k, v in sent.row.items() if k != "taken_ps"},
            }
            row["emitted_ps"] -= left * e.round_period_ps
            window = Window(sent.patch, sent.shot, place, number, spec, row)
            if any(m in self.missing[shot] for m in self.reads[place]):
                self.give_up(window)
            elif self.predecoders is not None:
                self.predecoders.join(window)
            else:
                row["predecode_start_ps"] = row["predecode_end_ps"] = row["dispatched_ps"]
                self.predecoded(window)

    def predecoded(self, window: Window) -> None:
        self.ready[window.patch, window.shot][window.place] = window
        self.decode_if_due(window.patch, window.shot, window.place)

    def decode_if_due(self, patch: int, shot: int, place: int) -> None:
        ready = self.ready[patch, shot]
        if place in ready and set(self.c.plan[place].after) <= self.closed[patch, shot]:
            self.decoders.join(ready.pop(place))

    def give_up(self, window: Window) -> None:
        missing = self.missing[window.patch, window.shot]
        causes = [missing.get(self.carrier[r], 2) for r in window.spec.commits]
        for cause in causes:
            self.out.lost_rounds[cause] += 1
        self.out.lost.append((window.number, window.patch, window.shot, min(causes)))
        self.close(window)

    def answer(self, window: Window) -> None:
        fpga, port = self.c.fpga, window.patch if self.c.down.per_patch else 0
        frames = [(self.now, bits) for _, bits in self.c.response]
        returned = self.down[port].carry(len(self.out.responses), frames)
        edge = self.clock.edge_from(returned)
        if isinstance(fpga, RoundFpga) and port in self.applied_edge:
            beats = sum(beats for beats, _ in self.c.response)
            edge = max(edge, self.applied_edge[port] + beats)
        self.applied_edge[port] = edge
        applied = self.clock.at(edge + fpga.receive_cycles)
        self.out.responses.append((window.number, returned))
        if self.c.drain or applied <= self.horizon:
            self.out.decoded += len(window.spec.commits)
            self.out.windows.append({**window.row, "returned_ps": returned, "applied_ps": applied})
        self.close(window, len(window.spec.commits))

    def close(self, window: Window, decoded: int = 0) -> None:
        patch, shot, place = window.patch, window.shot, window.place
        self.out.finished.append((self.now, decoded or len(window.spec.commits)))
        self.closed[patch, shot].add(place)
        for number in range(len(self.c.messages)):
            if self.committer(number) == place:
                self.leave(self.on_host[patch, shot].get(number))
        for follower, spec in enumerate(self.c.plan):
            if place in spec.after:
                self.decode_if_due(patch, shot, follower)


def simulate(config: LoopConfig) -> Outcome:
    """Run a loop to its end."""
    return Simulation(config).run()
