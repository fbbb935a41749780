"""Bench of axis_arbiter: whole frames, each port's in order, in turns, lengths beside them."""

import random
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from hdl.tb.axis import AxisSink, pauses, start


class Port:
    """One source: offers the length of a frame, then its beats, with pauses in both."""

    def __init__(self, lanes: int, frames: list[bytes], generator: random.Random, idle: float):
        self.lanes = lanes
        self.generator = generator
        self.idle = idle
        self.frames = frames
        self.lengths = [len(frame) for frame in frames]
        self.beats = [
            (frame[i : i + lanes], i + lanes >= len(frame))
            for frame in frames
            for i in range(0, len(frame), lanes)
        ]
        self.length_offered = self.beat_offered = False
        self.length_cycles: list[int] = []
        self.first_cycles: list[int] = []
        self._inside = False

    def edge(self, cycle: int, length_ready: bool, ready: bool) -> None:
        """What passed at this edge is gone; decide what is offered at the next one."""
        if self.length_offered and length_ready:
            self.lengths.pop(0)
            self.length_cycles.append(cycle)
            self.length_offered = False
        if self.beat_offered and ready:
            # a frame only passes in its turn, which its length has asked for
            assert len(self.length_cycles) > len(self.first_cycles) - self._inside
            _, last = self.beats.pop(0)
            if not self._inside:
                self.first_cycles.append(cycle)
            self._inside = not last
            self.beat_offered = False
        go = self.generator.random() >= self.idle
        self.length_offered = self.length_offered or (bool(self.lengths) and go)
        go = self.generator.random() >= self.idle
        self.beat_offered = self.beat_offered or (bool(self.beats) and go)


class Ports:
    """Drives all ports of the arbiter; ``cycle`` is the number of the next edge."""

    def __init__(self, dut: Any, ports: list[Port]) -> None:
        self.dut = dut
        self.ports = ports
        self.cycle = 0
        self.running = True

    async def run(self) -> None:
        dut = self.dut
        while self.running:
            await RisingEdge(dut.clk)
            self.cycle += 1
            length_ready, ready = int(dut.s_len_tready.value), int(dut.s_axis_tready.value)
            for i, port in enumerate(self.ports):
                port.edge(self.cycle, bool(length_ready >> i & 1), bool(ready >> i & 1))
            self._drive()

    def _drive(self) -> None:
        dut, lanes = self.dut, self.ports[0].lanes
        data = keep = valid = last = user = lengths = asks = 0
        length_w = len(dut.m_len_tdata)
        for i, port in enumerate(self.ports):
            if port.beat_offered:
                beat, end = port.beats[0]
                data |= int.from_bytes(beat, "little") << 8 * lanes * i
                keep |= (1 << len(beat)) - 1 << lanes * i
                valid |= 1 << i
                last |= int(end) << i
                user |= (beat[0] & 1) << i
            if port.length_offered:
                lengths |= port.lengths[0] << length_w * i
                asks |= 1 << i
        dut.s_axis_tdata.value, dut.s_axis_tkeep.value = data, keep
        dut.s_axis_tvalid.value, dut.s_axis_tlast.value = valid, last
        dut.s_axis_tuser.value = user
        dut.s_len_tdata.value, dut.s_len_tvalid.value = lengths, asks


async def take_lengths(dut: Any, taken: list[int], stall: float) -> None:
    generator = random.Random(7)
    dut.m_len_tready.value = 0
    while True:
        await RisingEdge(dut.clk)
        if int(dut.m_len_tvalid.value) and int(dut.m_len_tready.value):
            taken.append(int(dut.m_len_tdata.value))
        dut.m_len_tready.value = int(generator.random() >= stall)


async def run(
    dut: Any, frames: list[list[bytes]], idle: float, stall: float
) -> tuple[Ports, list[bytes], list[int]]:
    """Pass the frames of every port; the ports, what came out and the lengths."""
    lanes = len(dut.m_axis_tkeep)
    sources = [Port(lanes, f, random.Random(i), idle) for i, f in enumerate(frames)]
    ports = Ports(dut, sources)
    for name in ("s_axis_tvalid", "s_len_tvalid"):
        getattr(dut, name).value = 0
    sink = AxisSink(dut, "m_axis", dut.clk, pause=pauses(99, stall))
    await start(dut)
    lengths: list[int] = []
    cocotb.start_soon(take_lengths(dut, lengths, stall))
    cocotb.start_soon(ports.run())
    received = []
    for _ in range(sum(map(len, frames))):
        frame = await sink.recv()
        # tuser of the last beat, as it was offered
        assert frame.user == frame.data[(len(frame.data) - 1) // lanes * lanes] & 1
        received.append(frame.data)
    await ClockCycles(dut.clk, 10)
    assert sink.empty()
    ports.running = False
    await ClockCycles(dut.clk, 2)
    return ports, received, lengths


def port_count(dut: Any) -> int:
    return len(dut.s_axis_tvalid)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.3, 0.9], stall=[0.0, 0.4])
async def frames_stay_whole_and_in_order(dut: Any, idle: float, stall: float) -> None:
    lanes, generator = len(dut.m_axis_tkeep), random.Random(1)
    frames = []
    for port in range(port_count(dut)):
        sizes = [
            1,
            lanes - 1,
            lanes,
            lanes + 1,
            *(generator.randint(1, 6 * lanes) for _ in "8" * 8),
        ]
        generator.shuffle(sizes)
        frames.append([bytes([port]) + generator.randbytes(size) for size in sizes])
    _, received, lengths = await run(dut, frames, idle, stall)
    for port, sent in enumerate(frames):
        assert [frame for frame in received if frame[0] == port] == sent
    assert lengths == [len(frame) for frame in received]


@cocotb.test()
async def ports_take_turns_without_a_gap(dut: Any) -> None:
    count, lanes = port_count(dut), len(dut.m_axis_tkeep)
    frames = [[bytes([port]) * (3 * lanes) for _ in range(5)] for port in range(count)]
    ports, received, _ = await run(dut, frames, 0.0, 0.0)
    assert [frame[0] for frame in received] == list(range(count)) * 5
    begun = sorted(cycle for port in ports.ports for cycle in port.first_cycles)
    assert {after - before for before, after in pairwise(begun)} == {3}


@cocotb.test()
async def a_busy_port_waits_for_the_others(dut: Any) -> None:
    """A port that always asks gets one turn between two of any port that asks as well."""
    count, lanes = port_count(dut), len(dut.m_axis_tkeep)
    frames = [[bytes([0]) * lanes] * 40] + [[bytes([p]) * lanes] * 4 for p in range(1, count)]
    _, received, _ = await run(dut, frames, 0.0, 0.0)
    order = [frame[0] for frame in received]
    assert order[: 4 * count] == list(range(count)) * 4
    assert order[4 * count :] == [0] * 36


@cocotb.test()
async def a_length_takes_one_cycle(dut: Any) -> None:
    lanes = len(dut.m_axis_tkeep)
    frames = [[b"\x01" * lanes]] + [[] for _ in range(1, port_count(dut))]
    ports, _, _ = await run(dut, frames, 0.0, 0.0)
    assert ports.ports[0].first_cycles[0] == ports.ports[0].length_cycles[0] + 1
