"""AXI-Stream source and sink that touch every signal once a beat, and count in clock cycles.

A cycle is the index of the rising edge at which a beat passes (valid and ready both high), the
same for every agent on the same clock: ``sink.first_cycle - source.first_cycle`` is a latency.
Bytes a beat does not carry, and all of it while it is not valid, are junk on purpose.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.queue import Queue
from cocotb.triggers import ClockCycles, Event, RisingEdge
from cocotb.utils import get_sim_time

__all__ = ["AxisSink", "AxisSource", "Frame", "pauses", "start"]

_JUNK = 0xA5


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that passed; cycles are those of its first and its last beat.

    ``user`` is tuser of the last beat.
    """

    data: bytes
    first_cycle: int
    last_cycle: int
    user: int = 0


def pauses(seed: int, probability: float = 0.4) -> Iterator[bool]:
    """Endless random pauses; give every agent a seed of its own, or they stall in step."""
    generator = random.Random(seed)
    while True:
        yield generator.random() < probability


async def start(dut: Any, *, period_ps: int = 4000) -> None:
    """Start clk and hold rst for four cycles."""
    Clock(dut.clk, period_ps, unit="ps").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


class _Agent:
    """What source and sink share: the signals of one stream, the pauses, the cycle count."""

    def __init__(
        self, dut: Any, prefix: str, clk: Any, *, pause: Iterator[bool] | None = None
    ) -> None:
        self.pause = pause
        self._clk = clk
        self._rst = getattr(dut, "rst", None)
        self._tdata, self._tvalid, self._tready, self._tlast = (
            getattr(dut, f"{prefix}_{name}") for name in ("tdata", "tvalid", "tready", "tlast")
        )
        self._tkeep = getattr(dut, f"{prefix}_tkeep", None)
        self._tuser = getattr(dut, f"{prefix}_tuser", None)
        self._lanes = max(1, len(self._tdata) // 8)
        self._now = self._period = 0
        self._task = cocotb.start_soon(self._run())

    async def _edge(self) -> None:
        """Wait for a clock edge; signals read after it are those the edge sees."""
        await RisingEdge(self._clk)
        now = get_sim_time("step")
        self._period, self._now = now - self._now, now

    def _cycle(self) -> int:
        # no beat passes at the first edge, when the period is not yet known
        return self._now // self._period

    def _in_reset(self) -> bool:
        return self._rst is not None and bool(int(self._rst.value))

    def _paused(self) -> bool:
        return self.pause is not None and next(self.pause)

    async def _run(self) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class _Job:
    """A frame on its way out; ``passed`` bytes have been accepted."""

    data: bytes
    user: int
    done: Event
    passed: int = 0
    first_cycle: int = 0
    frame: Frame | None = None


class AxisSource(_Agent):
    """Sends frames; ``sent`` holds those that have passed. A reset drops the frame it cuts."""

    def __init__(
        self, dut: Any, prefix: str, clk: Any, *, pause: Iterator[bool] | None = None
    ) -> None:
        super().__init__(dut, prefix, clk, pause=pause)
        self.sent: list[Frame] = []
        self._queue: deque[_Job] = deque()
        self._idle()

    def send_nowait(self, data: bytes, *, user: int = 0) -> None:
        """Queue a frame, with ``user`` on each of its beats."""
        self._submit(data, user)

    async def send(self, data: bytes, *, user: int = 0) -> Frame:
        """Send a frame after those queued, and wait until it has passed."""
        job = self._submit(data, user)
        await job.done.wait()
        if job.frame is None:
            raise RuntimeError("a reset cut the frame that was being sent")
        return job.frame

    def _submit(self, data: bytes, user: int) -> _Job:
        if not data:
            raise ValueError("a frame has at least one byte")
        job = _Job(data, user, Event())
        self._queue.append(job)
        return job

    async def _run(self) -> None:
        job: _Job | None = None
        offered = False
        while True:
            await self._edge()
            if self._in_reset():
                if job is not None:
                    job.done.set()
                job, offered = None, self._idle()
                continue
            if offered and job is not None:
                if not int(self._tready.value):
                    continue
                if self._advance(job):
                    job = None
            if job is None and self._queue:
                job = self._queue.popleft()
            if job is not None and not self._paused():
                offered = self._offer(job)
            elif offered:
                offered = self._idle()

    def _advance(self, job: _Job) -> bool:
        """Note that a beat has passed; whether it was the last one."""
        if job.passed == 0:
            job.first_cycle = self._cycle()
        job.passed += self._lanes
        if job.passed < len(job.data):
            return False
        job.frame = Frame(job.data, job.first_cycle, self._cycle(), job.user)
        self.sent.append(job.frame)
        job.done.set()
        return True

    def _offer(self, job: _Job) -> bool:
        beat = job.data[job.passed : job.passed + self._lanes]
        junk = bytes([_JUNK]) * (self._lanes - len(beat))
        last = job.passed + self._lanes >= len(job.data)
        self._drive(beat + junk, (1 << len(beat)) - 1, last, job.user)
        self._tvalid.value = 1
        return True

    def _idle(self) -> bool:
        self._drive(bytes([_JUNK]) * self._lanes, 0, True, 0)
        self._tvalid.value = 0
        return False

    def _drive(self, data: bytes, keep: int, last: bool, user: int) -> None:
        self._tdata.value = int.from_bytes(data, "little") & ((1 << len(self._tdata)) - 1)
        self._tlast.value = int(last)
        if self._tkeep is not None:
            self._tkeep.value = keep
        if self._tuser is not None:
            self._tuser.value = user


class AxisSink(_Agent):
    """Receives frames and checks the protocol: an offered beat holds, only the last is partial."""

    def __init__(
        self, dut: Any, prefix: str, clk: Any, *, pause: Iterator[bool] | None = None
    ) -> None:
        super().__init__(dut, prefix, clk, pause=pause)
        self._frames: Queue[Frame] = Queue()
        self._tready.value = 0

    async def recv(self) -> Frame:
        """Wait for the next frame."""
        return await self._frames.get()

    def empty(self) -> bool:
        """Whether no frame waits for recv; one in flight does not count."""
        return self._frames.empty()

    async def _run(self) -> None:
        data, first = bytearray(), 0
        ready, stalled = False, None
        while True:
            await self._edge()
            if self._in_reset():
                data.clear()
                ready, stalled = self._set_ready(False), None
                continue
            beat = self._beat() if int(self._tvalid.value) else None
            if stalled is not None and beat != stalled:
                raise AssertionError(f"beat {stalled} became {beat} before it was taken")
            stalled = beat
            if ready and beat is not None:
                stalled = None
                first = first if data else self._cycle()
                chunk, last, user = beat
                data += chunk
                if last:
                    self._frames.put_nowait(Frame(bytes(data), first, self._cycle(), user))
                    data.clear()
            ready = self._set_ready(not self._paused())

    def _set_ready(self, ready: bool) -> bool:
        self._tready.value = int(ready)
        return ready

    def _beat(self) -> tuple[bytes, bool, int]:
        """Bytes, tlast and tuser of the beat that is offered."""
        full = (1 << self._lanes) - 1
        keep = full if self._tkeep is None else int(self._tkeep.value)
        last = bool(int(self._tlast.value))
        if keep == 0 or keep & (keep + 1) or (keep != full and not last):
            raise AssertionError(f"tkeep {keep:#x} with tlast {last:d}")
        data = int(self._tdata.value).to_bytes(self._lanes, "little")[: keep.bit_count()]
        return data, last, 0 if self._tuser is None else int(self._tuser.value)
