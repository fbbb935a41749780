"""The loop itself as a SimPy model: processor, FPGA, link, ring, pools, and the way back."""

import heapq
from array import array
from collections import deque
from collections.abc import Callable, Generator

import numpy as np
import simpy
from numpy.typing import NDArray

from emulator.gc_pause import gc_paused
from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.feedback import idle_rounds
from emulator.loop.fpga import Receiver, Span, packetisers
from emulator.loop.job import Job, ShotState
from emulator.loop.link import Port
from emulator.loop.pool import WorkerPool
from emulator.loop.records import COLUMNS, MESSAGE_COLUMNS, LoopRecord, Pool, table
from emulator.loop.route import Route

__all__ = ["CAUSES", "run_loop"]

CAUSES = ("link_loss", "ring_overrun", "incomplete_window")
"""Why rounds are lost: on the wire, at the ring, or because their window missed another round."""

_LINK_LOSS, _RING_OVERRUN, _INCOMPLETE = range(3)


def run_loop(
    config: LoopConfig,
    *,
    keep_windows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> LoopRecord:
    """Run the loop to its end and return its record.

    With ``keep_windows=False`` nothing grows with the length of the run: the record then has the
    round account and the pools only. ``progress`` is told the number of rounds emitted so far.
    Raises ValueError for a ring in which every slot can end up waiting for a message that finds no
    slot, and RuntimeError if a round is unaccounted for, which would be a defect of the model.
    """
    return _Loop(config, keep_windows, progress).run()


class _Frame:
    """A message between processor and dispatcher, with its stamps so far.

    ``index`` is its place in the order in which messages enter the line, and -1 before.
    """

    __slots__ = ("index", "number", "span", "stamps", "state")

    def __init__(self, number: int, state: ShotState, stamps: list[int], span: Span) -> None:
        self.index = -1
        self.number = number
        self.state = state
        self.stamps = stamps
        self.span = span


class _Loop:
    def __init__(
        self, config: LoopConfig, keep_windows: bool, progress: Callable[[int], None] | None
    ) -> None:
        self._config = config
        self._emission = config.emission
        self._keep_windows = keep_windows
        self._readout = config.readout.reader()
        self._dispatch = config.host.dispatch.reader()
        self._progress = progress
        self._env = Clockwork()
        self._route = Route(config.messages, config.plan)
        self._check_ring()
        horizon_ps = self._horizon_ps = config.emission.horizon_ps
        self._packetisers = packetisers(config)
        self._up_per_patch = config.up.per_patch
        self._up = [Port(config.up, horizon_ps) for _ in self._packetisers]
        # messages that are not whole yet, by (last edge, patch, count)
        self._unframed: list[tuple[int, int, int, _Frame]] = []
        shared = config.emission.patches > len(self._packetisers)
        self._by_cycle = shared and self._packetisers[0].by_cycle
        down = range(config.emission.patches if config.down.per_patch else 1)
        self._down = [Port(config.down, horizon_ps) for _ in down]
        [(response_beats, _), *more] = config.response
        response_beats += sum(beats for beats, _ in more)
        self._receivers = [Receiver(config.fpga, response_beats) for _ in down]
        self._ring = [False] * config.host.slots
        self._ring_queue: deque[_Frame] = deque()
        self._ring_waits = 0
        self._dispatcher_free_ps = 0
        self._dispatcher_busy_ps = 0
        self._predecoders = (
            WorkerPool(
                self._env, config.predecode, horizon_ps, _stamp, self._predecoded, config.plan
            )
            if config.predecode is not None
            else None
        )
        self._matchers = WorkerPool(
            self._env, config.decode, horizon_ps, _stamp, self._decoded, config.plan
        )
        self._last_digitised_ps = [0] * config.emission.patches
        self._shots: dict[tuple[int, int], ShotState] = {}
        self._emissions = 0
        self._sent = 0
        self._responses = 0
        self._emitted = 0
        self._decoded_rounds = 0
        self._late_rounds = 0
        self._lost_rounds = [0] * len(CAUSES)
        self._end_ps = 0
        self._rows = array("q")
        self._message_rows = array("q")
        self._lost_rows = array("q")
        self._response_rows = array("q")
        self._done = array("q")  # rows of time, rounds decoded or lost by then
        self._response_bits = [bits for _beats, bits in config.response]
        commits = [window.commits for window in config.plan]
        self._commits = [(len(rounds), rounds[0], rounds[-1]) for rounds in commits]

    def _check_ring(self) -> None:
        host, needed = self._config.host, self._route.span * self._emission.patches
        if host.waits and host.hold_until_response and host.slots < needed:
            raise ValueError(
                f"slots(={host.slots}) must be >= {needed}, the messages that windows hold before "
                "the first of them can be let go, or the sender waits for ever."
            )

    # -- from the processor to the host ------------------------------------------------------

    def _processor(self, patch: int) -> Generator[simpy.Event, None, None]:
        """Emit the messages of one patch, each when its last round has ended."""
        env, emission = self._env, self._emission
        ends_ps = [m.rounds.stop * emission.round_period_ps for m in self._config.messages]
        for shot in range(emission.shots):
            state = ShotState(patch, shot, self._route.waits_for.copy())
            self._shots[patch, shot] = state
            begin_ps = emission.round_end_ps(patch, shot, -1)
            for number, end_ps in enumerate(ends_ps):
                yield env.timeout(begin_ps + end_ps - env.now)
                self._emit(state, number)

    def _emit(self, state: ShotState, number: int) -> None:
        now, patch = self._env.now, state.patch
        self._emitted += len(self._config.messages[number].rounds)
        if self._progress is not None and self._emissions & 0xFFF == 0:
            self._progress(self._emitted)
        self._emissions += 1
        readout, earliest = self._config.readout, self._last_digitised_ps[patch]
        place = state.shot * len(self._config.messages) + number
        delay = self._readout(place * self._emission.patches + patch)
        digitised = self._last_digitised_ps[patch] = max(now + delay, earliest)
        packetiser = self._packetisers[patch if self._up_per_patch else 0]
        span = packetiser.accept(patch, number, digitised, earliest)
        frame = _Frame(number, state, [now, digitised], span)
        if self._by_cycle:
            self._queue(frame)
        elif readout.constant_ps is not None:
            self._transmit(frame)  # arrivals keep the order of emissions: no event needed
        else:
            self._env.after(digitised - now, self._transmit, frame)

    def _queue(self, frame: _Frame) -> None:
        """Leave a message until the cycle in which it is whole: then its turn is known."""
        edge, patch = frame.span[1], frame.state.patch
        heapq.heappush(self._unframed, (edge, patch, self._emissions, frame))
        whole_ps = self._config.fpga.clock.edge_ps(edge)
        self._env.after(whole_ps - self._env.now, self._whole, edge, last=True)

    def _whole(self, edge: int) -> None:
        while self._unframed and self._unframed[0][0] <= edge:
            self._transmit(heapq.heappop(self._unframed)[-1])

    def _transmit(self, frame: _Frame) -> None:
        """Take the message through packetiser and line, both FIFO: by recursion, in one step."""
        patch, shot, number = frame.state.patch, frame.state.shot, frame.number
        frame.index = self._sent
        self._sent += 1
        port = patch if self._up_per_patch else 0
        frames = self._packetisers[port].frame(patch, shot, number, frame.span)
        delivered = self._up[port].send(frame.index, frames)
        framed = frames[0][0]
        frame.stamps += (framed, delivered)
        loses = self._config.up.loses
        lost = loses is not None and loses()
        if self._keep_windows:
            taken = self._config.fpga.clock.edge_ps(frame.span[0])
            self._message_rows.extend(
                (frame.index, patch, shot, number, taken, framed, delivered, lost)
            )
        arrived = self._missed if lost else self._delivered
        self._env.after(delivered - self._env.now, arrived, frame)

    def _missed(self, frame: _Frame) -> None:
        self._lose(frame, _LINK_LOSS)

    def _delivered(self, frame: _Frame) -> None:
        if not self._ring_queue and not self._ring[frame.index % len(self._ring)]:
            self._take_slot(frame)
        elif self._config.host.waits:
            self._ring_waits += 1
            self._ring_queue.append(frame)
        else:
            self._lose(frame, _RING_OVERRUN)

    def _take_slot(self, frame: _Frame) -> None:
        now = self._env.now
        slot = frame.index % len(self._ring)
        self._ring[slot] = True
        frame.state.slots[frame.number] = slot
        start = max(now, self._dispatcher_free_ps)
        dispatched = start + self._dispatch(frame.index)
        self._dispatcher_free_ps = dispatched
        if start < self._horizon_ps:
            self._dispatcher_busy_ps += min(dispatched, self._horizon_ps) - start
        frame.stamps += (now, dispatched)
        self._env.after(dispatched - now, self._dispatched, frame)

    def _release(self, state: ShotState, number: int) -> None:
        slot = state.slots.pop(number, None)
        if slot is None:
            return
        self._ring[slot] = False
        waiting = self._ring_queue
        while waiting and not self._ring[waiting[0].index % len(self._ring)]:
            self._take_slot(waiting.popleft())

    # -- windows -----------------------------------------------------------------------------

    def _dispatched(self, frame: _Frame) -> None:
        if not self._config.host.hold_until_response:
            self._release(frame.state, frame.number)
        for position, later_rounds in self._route.completes[frame.number]:
            self._assemble(frame, position, later_rounds)

    def _lose(self, frame: _Frame, cause: int) -> None:
        """Note a message that never reached a decoder, and the windows it would have completed."""
        frame.state.lost_messages[frame.number] = cause
        for position, later_rounds in self._route.completes[frame.number]:
            self._assemble(frame, position, later_rounds)

    def _assemble(self, frame: _Frame, position: int, later_rounds: int) -> None:
        """All messages of a window have come or are lost: pre-decode it, or write it off."""
        state, emission = frame.state, self._emission
        number = state.shot * emission.patches + state.patch
        window = number * len(self._config.plan) + position
        _, first, last = self._commits[position]
        emitted, *later = frame.stamps
        emitted -= later_rounds * emission.round_period_ps
        row = array("q", (window, state.patch, state.shot, first, last, emitted, *later))
        job = Job(window, position, state, row)
        if state.lost_messages and self._is_incomplete(job):
            self._write_off(job)
        elif self._predecoders is not None:
            self._predecoders.submit(job)
        else:
            row.append(row[-1])
            row.append(row[-1])
            self._predecoded(job, self._env.now)

    def _is_incomplete(self, job: Job) -> bool:
        lost = job.state.lost_messages
        return any(number in lost for number in self._route.needs[job.position])

    def _predecoded(self, job: Job, now: int) -> None:
        if self._predecoders is not None:
            job.row.append(now)
        job.state.held[job.position] = job
        self._one_need_less(job.state, job.position)

    def _one_need_less(self, state: ShotState, position: int) -> None:
        state.waits_for[position] -= 1
        if state.waits_for[position] == 0:
            self._matchers.submit(state.held.pop(position))

    def _decoded(self, job: Job, now: int) -> None:
        state, config = job.state, self._config
        port = state.patch if config.down.per_patch else 0
        frames = [(now, bits) for bits in self._response_bits]
        returned = self._down[port].send(self._responses, frames)
        self._responses += 1
        applied = self._receivers[port].applied_ps(returned)
        rounds = self._commits[job.position][0]
        self._decoded_rounds += rounds
        if config.drain or applied <= self._horizon_ps:
            self._end_ps = max(self._end_ps, applied)
            if self._keep_windows:
                self._rows.extend(job.row)
                self._rows.extend((now, returned, applied))
        else:
            self._late_rounds += rounds
        if self._keep_windows:
            self._response_rows.extend((job.window, returned))
            self._done.extend((now, self._decoded_rounds + sum(self._lost_rounds)))
        self._close(job)

    def _write_off(self, job: Job) -> None:
        state = job.state
        worst = _INCOMPLETE
        for number in self._config.plan[job.position].commits:
            cause = state.lost_messages.get(self._route.message_of[number], _INCOMPLETE)
            self._lost_rounds[cause] += 1
            worst = min(worst, cause)
        if self._keep_windows:
            self._lost_rows.extend((job.window, state.patch, state.shot, worst))
        self._close(job)

    def _close(self, job: Job) -> None:
        """A window is done with: free its slots and let its successors go on."""
        state = job.state
        state.open.discard(job.position)
        for number in self._route.releases[job.position]:
            self._release(state, number)
        for position in self._route.followers[job.position]:
            self._one_need_less(state, position)
        if not state.open:
            del self._shots[state.patch, state.shot]

    # -- the run -----------------------------------------------------------------------------

    def run(self) -> LoopRecord:
        for patch in range(self._emission.patches):
            self._env.process(self._processor(patch))
        # no message leaves a cycle, and looking for one costs the more the longer the queues are
        with gc_paused():
            self._env.run(until=None if self._config.drain else self._horizon_ps + 1)
        return self._record()

    def _record(self) -> LoopRecord:
        plan = self._config.plan
        unfinished = sum(len(plan[k].commits) for s in self._shots.values() for k in s.open)
        record = LoopRecord(
            windows=table(COLUMNS, self._rows),
            messages=table(MESSAGE_COLUMNS, self._message_rows),
            responses=np.array(self._response_rows, dtype=np.int64).reshape(-1, 2),
            lost=np.array(self._lost_rows, dtype=np.int64).reshape(-1, 4),
            causes=CAUSES,
            emitted=self._emitted,
            decoded=self._decoded_rounds - self._late_rounds,
            in_flight=unfinished + self._late_rounds,
            lost_by_cause=dict(zip(CAUSES, self._lost_rounds, strict=True)),
            pools=self._pools(),
            horizon_ps=self._horizon_ps,
            end_ps=max(self._end_ps, self._horizon_ps),
            backlog=self._backlog(),
            idle_rounds=self._idle_rounds(),
            ring_waits=self._ring_waits,
        )
        record.check_conservation()
        return record

    def _backlog(self) -> NDArray[np.int64]:
        backlog = np.array(self._done, dtype=np.int64).reshape(-1, 2)
        backlog[:, 1] = self._emission.emitted_by(backlog[:, 0]) - backlog[:, 1]
        return backlog

    def _idle_rounds(self) -> NDArray[np.int64] | None:
        every = self._config.feedback_every
        if every is None or not self._keep_windows:
            return None
        return idle_rounds(table(COLUMNS, self._rows), self._emission, every)

    def _pools(self) -> dict[str, Pool]:
        config = self._config
        pools = {
            "packetise": Pool(len(self._packetisers), sum(p.busy_ps for p in self._packetisers)),
            "uplink": Pool(len(self._up), sum(p.busy_ps for p in self._up)),
            "dispatch": Pool(1, self._dispatcher_busy_ps),
        }
        if config.predecode is not None and self._predecoders is not None:
            pools["predecode"] = Pool(config.predecode.servers, self._predecoders.busy_ps)
        pools["decode"] = Pool(config.decode.servers, self._matchers.busy_ps)
        pools["downlink"] = Pool(len(self._down), sum(p.busy_ps for p in self._down))
        return pools


def _stamp(job: Job, now: int) -> None:
    job.row.append(now)
