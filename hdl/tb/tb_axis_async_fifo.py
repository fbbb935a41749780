"""Bench of axis_async_fifo: clocks of any ratio, order kept, nothing lost, full and empty."""

import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer

from hdl.tb.axis import AxisSink, AxisSource, pauses

# picoseconds: 156.25 and 322.265625 MHz, nearly equal ones, one far slower
PERIODS = [(6400, 3104), (3104, 6400), (4000, 4002), (4002, 4000), (1002, 30014), (30014, 1002)]


async def reset(dut: Any, s_period: int, m_period: int) -> None:
    """Start both clocks at phases of their own, and hold both resets."""
    dut.s_rst.value = dut.m_rst.value = 1
    Clock(dut.s_clk, s_period, unit="ps").start()
    await Timer(s_period // 3, unit="ps")
    Clock(dut.m_clk, m_period, unit="ps").start()
    await Timer(6 * max(s_period, m_period), unit="ps")
    await RisingEdge(dut.s_clk)
    assert not int(dut.s_axis_tready.value)
    assert not int(dut.m_axis_tvalid.value)
    dut.s_rst.value = 0
    await RisingEdge(dut.m_clk)
    dut.m_rst.value = 0


def agents(
    dut: Any, idle: Iterator[bool] | None = None, stall: Iterator[bool] | None = None
) -> tuple[AxisSource, AxisSink]:
    dut.s_axis_tvalid.value = dut.m_axis_tready.value = 0
    return (
        AxisSource(dut, "s_axis", dut.s_clk, pause=idle),
        AxisSink(dut, "m_axis", dut.m_clk, pause=stall),
    )


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(periods=PERIODS, load=[(None, None), (0.3, 0.3), (0.8, None), (None, 0.8)])
async def frames_pass_unchanged(
    dut: Any, periods: tuple[int, int], load: tuple[float | None, float | None]
) -> None:
    idle, stall = load
    await reset(dut, *periods)
    source, sink = agents(
        dut, pauses(1, idle) if idle else None, pauses(2, stall) if stall else None
    )
    generator, lanes = random.Random(3), len(dut.s_axis_tkeep)
    frames = [generator.randbytes(generator.randint(1, 5 * lanes)) for _ in range(60)]
    for i, frame in enumerate(frames):
        source.send_nowait(frame, user=i % 2)
    for i, frame in enumerate(frames):
        received = await sink.recv()
        assert received.data == frame
        assert received.user == i % 2
    await ClockCycles(dut.m_clk, 20)
    assert sink.empty()
    assert not int(dut.m_axis_tvalid.value)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(periods=PERIODS)
async def it_fills_to_its_depth_and_empties(dut: Any, periods: tuple[int, int]) -> None:
    await reset(dut, *periods)
    source, sink = agents(dut, stall=iter(lambda: True, False))
    lanes, places = len(dut.s_axis_tkeep), len(dut.beats) + 1
    for i in range(places + 5):
        source.send_nowait(bytes([i]) * lanes)
    await Timer(100 * max(periods), unit="ps")
    assert len(source.sent) == places
    assert not int(dut.s_axis_tready.value)
    sink.pause = None
    for i in range(places + 5):
        assert (await sink.recv()).data == bytes([i]) * lanes
    await Timer(10 * max(periods), unit="ps")
    assert sink.empty()
    assert int(dut.s_axis_tready.value)
    assert not int(dut.m_axis_tvalid.value)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(periods=PERIODS)
async def a_beat_takes_three_to_four_edges(dut: Any, periods: tuple[int, int]) -> None:
    await reset(dut, *periods)
    dut.s_axis_tvalid.value = dut.m_axis_tready.value = 0
    await ClockCycles(dut.s_clk, 10)
    generator, seen = random.Random(4), set()
    for _ in range(40):
        await Timer(generator.randint(1, 10 * max(periods)), unit="ps")
        await RisingEdge(dut.s_clk)
        dut.s_axis_tvalid.value = 1
        await RisingEdge(dut.s_clk)
        dut.s_axis_tvalid.value = 0
        edges = 0
        while True:
            await RisingEdge(dut.m_clk)
            if int(dut.m_axis_tvalid.value):
                break
            edges += 1
        seen.add(edges)
        dut.m_axis_tready.value = 1
        await RisingEdge(dut.m_clk)
        dut.m_axis_tready.value = 0
        await ClockCycles(dut.m_clk, 2)
        assert not int(dut.m_axis_tvalid.value)
    # edges after the one that accepted the beat, up to the one that loads the output register
    assert seen <= {3, 4}


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(periods=PERIODS)
async def a_beat_every_cycle_of_the_slower_clock(dut: Any, periods: tuple[int, int]) -> None:
    await reset(dut, *periods)
    source, sink = agents(dut)
    count, lanes = 200, len(dut.s_axis_tkeep)
    source.send_nowait(bytes(count * lanes))
    received = await sink.recv()
    sent = source.sent[0]
    if periods[0] > periods[1]:
        assert sent.last_cycle - sent.first_cycle == count - 1
    else:
        assert received.last_cycle - received.first_cycle == count - 1


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(periods=PERIODS)
async def reset_leaves_nothing_behind(dut: Any, periods: tuple[int, int]) -> None:
    await reset(dut, *periods)
    dut.m_axis_tready.value = 0
    source = AxisSource(dut, "s_axis", dut.s_clk)
    await source.send(bytes(4 * len(dut.s_axis_tkeep)))
    dut.s_rst.value = dut.m_rst.value = 1
    await Timer(6 * max(periods), unit="ps")
    await RisingEdge(dut.m_clk)
    assert not int(dut.m_axis_tvalid.value)
    dut.s_rst.value = dut.m_rst.value = 0
    sink = AxisSink(dut, "m_axis", dut.m_clk)
    await source.send(b"after")
    assert (await sink.recv()).data == b"after"
