"""Bench of axis_skid: whatever goes in comes out, one cycle later, a beat every cycle."""

import random
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from hdl.tb.axis import AxisSink, AxisSource, pauses, start


def _frames(lanes: int, count: int) -> list[bytes]:
    generator = random.Random(3)
    lengths = [*range(1, 2 * lanes + 2), *(generator.randint(1, 8 * lanes) for _ in range(count))]
    return [generator.randbytes(length) for length in lengths]


@cocotb.test()
@cocotb.parametrize(idle=[None, 0.2, 0.7], stall=[None, 0.2, 0.7])
async def stress(dut: Any, idle: float | None, stall: float | None) -> None:
    source = AxisSource(dut, "s_axis", dut.clk, pause=pauses(1, idle) if idle else None)
    sink = AxisSink(dut, "m_axis", dut.clk, pause=pauses(2, stall) if stall else None)
    await start(dut)
    frames = _frames(len(dut.s_axis_tkeep), 40)
    for i, frame in enumerate(frames):
        source.send_nowait(frame, user=i % 2)
    for i, frame in enumerate(frames):
        received = await sink.recv()
        assert received.data == frame
        assert received.user == i % 2
    await ClockCycles(dut.clk, 4)
    assert sink.empty()


@cocotb.test()
async def latency_is_one_cycle_and_there_are_no_bubbles(dut: Any) -> None:
    source = AxisSource(dut, "s_axis", dut.clk)
    sink = AxisSink(dut, "m_axis", dut.clk)
    await start(dut)
    lanes = len(dut.s_axis_tkeep)
    frames = [bytes([i]) * (20 * lanes) for i in range(10)]
    for frame in frames:
        source.send_nowait(frame)
    received = [await sink.recv() for _ in frames]
    for out, sent in zip(received, source.sent, strict=True):
        assert out.first_cycle == sent.first_cycle + 1
        assert out.last_cycle == out.first_cycle + 19
    assert received[-1].last_cycle == received[0].first_cycle + 199


@cocotb.test()
async def two_places_fill_when_the_output_stalls(dut: Any) -> None:
    source = AxisSource(dut, "s_axis", dut.clk)
    dut.m_axis_tready.value = 0
    await start(dut)
    for i in range(4):
        source.send_nowait(bytes([i]))
    await ClockCycles(dut.clk, 20)
    assert len(source.sent) == 2
    assert not int(dut.s_axis_tready.value)


@cocotb.test()
async def reset_in_a_frame_leaves_nothing_behind(dut: Any) -> None:
    source = AxisSource(dut, "s_axis", dut.clk)
    sink = AxisSink(dut, "m_axis", dut.clk, pause=pauses(5, 0.8))
    await start(dut)
    source.send_nowait(bytes(100 * len(dut.s_axis_tkeep)))
    await ClockCycles(dut.clk, 20)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    assert not int(dut.m_axis_tvalid.value)
    dut.rst.value = 0
    sent = await source.send(b"after")
    received = await sink.recv()
    assert received.data == b"after"
    assert received.first_cycle > sent.first_cycle
