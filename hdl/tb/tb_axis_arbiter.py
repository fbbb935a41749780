"""Bench of axis_arbiter: whole frames in the order in which they came, lengths beside them.

The ports announce, offer and send at random; what the arbiter does is held against a model of the
order, to the cycle where the output is not stalled.
"""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time

from hdl.tb.axis import AxisSink, Frame, pauses, start

PERIOD_PS = 4000
# most frames that wait, by the number of ports, as the test builds them
FRAMES = {1: 2, 3: 4, 4: 16, 32: 32}


def now() -> int:
    """Index of this clock edge, counted as the stream agents do."""
    return int(get_sim_time("ps")) // PERIOD_PS


@dataclass(eq=False, slots=True)
class Job:
    """A frame and the cycles of its way: those in which something is offered, and has passed."""

    data: bytes
    port: int
    come: int = 0
    length_offered: int = 0
    length_taken: int = 0
    offered: int = 0
    first: int = 0
    last: int = 0


@dataclass(eq=False)
class Port:
    """One source: announces a frame, offers its length, then its beats, with pauses in each.

    Nothing comes before cycle ``come`` after the start, no length is offered before ``length``.
    """

    jobs: list[Job]
    lanes: int
    generator: random.Random
    idle: float = 0.0
    come: int = 0
    length: int = 0
    announced: int = 0
    taken: int = 0
    sent: int = 0
    passed: int = field(default=0, init=False)
    length_valid: bool = field(default=False, init=False)
    valid: bool = field(default=False, init=False)

    def _go(self) -> bool:
        return self.generator.random() >= self.idle

    def beat(self) -> tuple[bytes, bool]:
        """The beat that is next, and whether it is the last of its frame."""
        data = self.jobs[self.sent].data
        end = self.passed + self.lanes
        return data[self.passed : end], end >= len(data)

    def edge(self, cycle: int, length_ready: bool, ready: bool) -> None:
        """Note what has passed at this edge."""
        if self.length_valid and length_ready:
            self.jobs[self.taken].length_taken = cycle
            self.taken += 1
            self.length_valid = False
        if self.valid and ready:
            # a frame only passes in its turn, which its length has asked for
            assert self.taken > self.sent
            job = self.jobs[self.sent]
            job.first = job.first or cycle
            self.passed += self.lanes
            if self.passed >= len(job.data):
                job.last = cycle
                self.sent, self.passed = self.sent + 1, 0
            self.valid = False

    def comes(self, age: int) -> bool:
        """Whether it would announce its next frame now."""
        return self.announced < len(self.jobs) and age >= self.come and self._go()

    def offer(self, cycle: int, age: int) -> None:
        """Decide what is offered in a cycle."""
        waits = self.taken < self.announced and age >= self.length
        if not self.length_valid and waits and self._go():
            self.length_valid = True
            self.jobs[self.taken].length_offered = cycle
        if not self.valid and self.sent < len(self.jobs) and self._go():
            self.valid = True
            job = self.jobs[self.sent]
            job.offered = job.offered or cycle


class Ports:
    """Drives all ports of the arbiter; ``order`` holds the frames as they came."""

    def __init__(self, dut: Any, ports: list[Port]) -> None:
        self.dut = dut
        self.ports = ports
        self.order: list[Job] = []
        self.most_waiting = 0
        self.running = True

    async def run(self) -> None:
        """Drive a cycle after the other, until ``running`` is cleared."""
        dut, age = self.dut, 0
        while self.running:
            await RisingEdge(dut.clk)
            age += 1
            length_ready, ready = int(dut.s_len_tready.value), int(dut.s_axis_tready.value)
            for i, port in enumerate(self.ports):
                port.edge(now(), bool(length_ready >> i & 1), bool(ready >> i & 1))
            self._drive(self._come(age), age)
        for name in ("s_come", "s_axis_tvalid", "s_len_tvalid"):
            getattr(dut, name).value = 0

    def _come(self, age: int) -> int:
        """Mask of the ports with a pulse; no more frames wait than may."""
        mask, most = 0, FRAMES[len(self.ports)]
        waiting = sum(port.announced - port.taken for port in self.ports)
        # those that would: not the lowest ones only, when there is no room for all
        candidates = [i for i, port in enumerate(self.ports) if port.comes(age)]
        room = max(0, most - waiting)
        for i in sorted(self.ports[0].generator.sample(candidates, min(room, len(candidates)))):
            port = self.ports[i]
            job = port.jobs[port.announced]
            job.come = now() + 1
            port.announced += 1
            self.order.append(job)
            mask |= 1 << i
            waiting += 1
        self.most_waiting = max(self.most_waiting, waiting)
        return mask

    def _drive(self, come: int, age: int) -> None:
        dut, lanes = self.dut, self.ports[0].lanes
        data = keep = valid = last = user = lengths = asks = 0
        length_w = len(dut.m_len_tdata)
        for i, port in enumerate(self.ports):
            port.offer(now() + 1, age)
            if port.valid:
                beat, end = port.beat()
                data |= int.from_bytes(beat, "little") << 8 * lanes * i
                keep |= (1 << len(beat)) - 1 << lanes * i
                valid |= 1 << i
                last |= int(end) << i
                user |= (beat[0] & 1) << i
            if port.length_valid:
                lengths |= len(port.jobs[port.taken].data) << length_w * i
                asks |= 1 << i
        dut.s_come.value = come
        dut.s_axis_tdata.value, dut.s_axis_tkeep.value = data, keep
        dut.s_axis_tvalid.value, dut.s_axis_tlast.value = valid, last
        dut.s_axis_tuser.value = user
        dut.s_len_tdata.value, dut.s_len_tvalid.value = lengths, asks


async def take_lengths(dut: Any, taken: list[tuple[int, int]], stall: float) -> None:
    """Note every length that leaves, with its cycle."""
    generator = random.Random(7)
    dut.m_len_tready.value = int(stall == 0)
    while True:
        await RisingEdge(dut.clk)
        if int(dut.m_len_tvalid.value) and int(dut.m_len_tready.value):
            taken.append((int(dut.m_len_tdata.value), now()))
        dut.m_len_tready.value = int(generator.random() >= stall)


class Bench:
    """The arbiter between its ports and a sink."""

    def __init__(self, dut: Any, stall: float = 0.0) -> None:
        self.dut = dut
        self.count = len(dut.s_axis_tvalid)
        self.lanes = len(dut.m_axis_tkeep)
        self.stall = stall
        for name in ("s_come", "s_axis_tvalid", "s_len_tvalid"):
            getattr(dut, name).value = 0
        self.sink = AxisSink(dut, "m_axis", dut.clk, pause=pauses(99, stall) if stall else None)
        self.lengths: list[tuple[int, int]] = []
        self.received: list[Frame] = []

    async def start(self) -> None:
        """Reset, and take lengths from there."""
        await start(self.dut, period_ps=PERIOD_PS)
        cocotb.start_soon(take_lengths(self.dut, self.lengths, self.stall))
        await RisingEdge(self.dut.clk)

    def port(self, number: int, frames: list[bytes], **options: Any) -> Port:
        """A port with frames to send."""
        jobs = [Job(frame, number) for frame in frames]
        return Port(jobs, self.lanes, random.Random(number), **options)

    def begin(self, ports: list[Port]) -> Ports:
        """Start the ports."""
        driver = Ports(self.dut, ports)
        cocotb.start_soon(driver.run())
        return driver

    async def run(self, ports: list[Port]) -> Ports:
        """Pass all frames, and compare what came out with what came in, in the order it came."""
        driver = self.begin(ports)
        self.lengths.clear()
        self.received = [await self.sink.recv() for port in ports for _ in port.jobs]
        await ClockCycles(self.dut.clk, 10)
        assert self.sink.empty()
        driver.running = False
        await ClockCycles(self.dut.clk, 2)
        assert [frame.data for frame in self.received] == [job.data for job in driver.order]
        assert [length for length, _ in self.lengths] == [len(job.data) for job in driver.order]
        for frame in self.received:
            # tuser of the last beat, as it was offered
            assert frame.user == frame.data[(len(frame.data) - 1) // self.lanes * self.lanes] & 1
        return driver

    def check_cycles(self, order: list[Job]) -> None:
        """Without stall: when a length is taken and leaves, and the beats after it."""
        assert self.stall == 0
        over = 0
        for job, (_, left), frame in zip(order, self.lengths, self.received, strict=True):
            assert job.come <= job.length_offered
            # its turn begins with the last beat of the frame before: no cycle between the two
            assert job.length_taken == max(job.length_offered, over)
            assert left == job.length_taken + 1
            assert job.first == max(job.offered, job.length_taken + 1)
            assert frame.first_cycle == job.first + 1
            assert frame.last_cycle == job.last + 1
            over = job.last


def random_frames(bench: Bench) -> list[list[bytes]]:
    """Frames of every port, told apart by their bytes, with every end of a beat."""
    lanes, generator = bench.lanes, random.Random(1)
    more = 8 if bench.count <= 4 else 1
    frames = []
    for port in range(bench.count):
        sizes = [1, lanes - 1, lanes, lanes + 1]
        sizes += [generator.randint(1, 6 * lanes) for _ in range(more)]
        generator.shuffle(sizes)
        frames.append([bytes([port]) + generator.randbytes(size) for size in sizes])
    return frames


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.3, 0.9, 0.99], stall=[0.0, 0.4])
async def frames_leave_whole_in_the_order_they_came(dut: Any, idle: float, stall: float) -> None:
    bench = Bench(dut, stall)
    await bench.start()
    frames = random_frames(bench)
    driver = await bench.run([bench.port(i, it, idle=idle) for i, it in enumerate(frames)])
    if stall == 0:
        bench.check_cycles(driver.order)
    # the queue was full, unless the ports are too slow for that
    assert idle >= 0.9 or driver.most_waiting == FRAMES[bench.count]


@cocotb.test()
async def there_is_no_gap_between_frames(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    frames = [[bytes([port]) * (3 * bench.lanes) for _ in range(5)] for port in range(bench.count)]
    driver = await bench.run([bench.port(i, it) for i, it in enumerate(frames)])
    bench.check_cycles(driver.order)
    begun = [frame.first_cycle for frame in bench.received]
    assert {after - before for before, after in pairwise(begun)} == {3}


@cocotb.test()
async def frames_of_one_beat_pass_in_every_cycle(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    # each port has a frame that waits before the first one begins
    ports = [bench.port(i, [bytes([i])], come=2 + i % 3, length=40) for i in range(bench.count)]
    driver = await bench.run(ports)
    bench.check_cycles(driver.order)
    first = bench.received[0].first_cycle
    assert [frame.last_cycle - first for frame in bench.received] == list(range(bench.count))


@cocotb.test()
async def pulses_of_one_cycle_count_lowest_port_first(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    last = bench.count - 1
    # the highest port comes alone, the others at once and later; lengths the other way round
    ports = [
        bench.port(i, [bytes([i] * 5)], come=2 if i == last else 4, length=20 + last - i)
        for i in range(bench.count)
    ]
    driver = await bench.run(ports)
    bench.check_cycles(driver.order)
    assert [frame.data[0] for frame in bench.received] == [last, *range(last)]
    assert len({job.come for job in driver.order[1:]}) <= 1


@cocotb.test()
async def the_turn_waits_for_the_length_of_the_oldest(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    # one after the other; those that came first have their lengths last
    ports = [bench.port(i, [bytes([i] * 5)], come=2 + i, length=60 - i) for i in range(bench.count)]
    driver = await bench.run(ports)
    bench.check_cycles(driver.order)
    assert [frame.data[0] for frame in bench.received] == list(range(bench.count))
    assert driver.order[0].length_taken - driver.order[0].come == 58


@cocotb.test()
async def a_pulse_may_come_with_its_length(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    driver = await bench.run([bench.port(i, [b"\x01"] * (i == 0)) for i in range(bench.count)])
    (job,) = driver.order
    assert job.come == job.length_offered == job.length_taken == job.first - 1
    bench.check_cycles(driver.order)


@cocotb.test()
@cocotb.parametrize(stall=[0.0, 0.4])
async def reset_in_a_frame_leaves_nothing_behind(dut: Any, stall: float) -> None:
    bench = Bench(dut, stall)
    await bench.start()
    for cycles in range(2, 40, 3 if bench.count <= 4 else 9):
        frames = random_frames(bench)
        driver = bench.begin([bench.port(i, it, idle=0.1) for i, it in enumerate(frames)])
        await ClockCycles(dut.clk, cycles)
        driver.running = False
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        assert not int(dut.m_axis_tvalid.value)
        assert not int(dut.m_len_tvalid.value)
        assert not int(dut.s_axis_tready.value)
        assert not int(dut.s_len_tready.value)
        while not bench.sink.empty():
            await bench.sink.recv()
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        frames = [it[:2] for it in reversed(frames)]
        driver = await bench.run([bench.port(i, it, idle=0.5) for i, it in enumerate(frames)])
        if stall == 0:
            bench.check_cycles(driver.order)
