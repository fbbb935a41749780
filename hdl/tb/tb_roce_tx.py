"""Bench of roce_tx: the frames of emulator.wire, byte for byte, in the cycles that were promised.

Frames are compared with encode_window; what it does not encode, a last packet filled up to whole
words, with native_frames of the driver.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout

from emulator.wire import HsbRegisters, decode_frame
from hdl.tb.axis import AxisSink, Frame, pauses, start
from hdl.tb.roce_tx_driver import STATISTICS, Board, Transmitter, apply, native_frames

BOARD = Board(
    registers=HsbRegisters(
        vip_mask=1,
        pkt_len_pages128=32,
        src_udp_port=0x3000,
        dest_qp=0x1234,
        rkey=0xFACEF00D,
        va_lo=0xFFFFE000,  # the slot's offset carries into the upper half
        va_hi=0x7F55,
        buf_increment_pages128=160,
        last_buffer=5,
        bytes_per_window=64,
        host_mac_lo=0x56789ABC,
        host_mac_hi=0x1234,
        host_ip=0xC0A80101,
        host_udp_port_and_md_disable=1 << 16 | 4791,
    ),
    mac=bytes.fromhex("cafec0ffee00"),
    ip=bytes.fromhex("c0a80002"),
)
PSN_MODULUS = 1 << 24
FIRST_PSN = PSN_MODULUS - 3
LATENCY = 7
LATENCY_WITH_LENGTH = 8


def board(**registers: int) -> Board:
    return replace(BOARD, registers=replace(BOARD.registers, **registers))


class Ring:
    """PSN and slot as the packets of window after window use them up."""

    def __init__(self, last_buffer: int, psn: int = 0, buffer: int = 0) -> None:
        self.last_buffer, self.psn, self.buffer = last_buffer, psn, buffer

    def frames(self, where: Board, payload: bytes, *, native: bool) -> list[bytes]:
        """Frames of the next window."""
        encode = native_frames if native else Board.frames
        frames = encode(where, payload, self.psn, self.buffer)
        self.psn = (self.psn + len(frames)) % PSN_MODULUS
        self.buffer = 0 if self.buffer == self.last_buffer else self.buffer + 1
        return frames


async def receive(sink: AxisSink, expected: Sequence[bytes]) -> list[Frame]:
    """Receive as many frames as expected; all must be equal."""
    received = []
    for number, frame in enumerate(expected):
        out = await with_timeout(sink.recv(), 1, "ms")
        assert out.data == frame, f"frame {number}: {out.data.hex()} is not {frame.hex()}"
        received.append(out)
    return received


async def check_counts(tx: Transmitter, **counts: int) -> None:
    """Every statistic, exactly, once nothing comes any more; those not named are zero."""
    await ClockCycles(tx.dut.clk, 20)
    assert tx.sink.empty()
    expected = {name.removeprefix("stat_"): 0 for name in STATISTICS} | counts
    assert {name.removeprefix("stat_"): tx.counts[name] for name in STATISTICS} == expected


def check_line_rate(lanes: int, frames: Sequence[Frame]) -> None:
    """No gap inside a frame and none between two."""
    for frame in frames:
        assert frame.last_cycle - frame.first_cycle + 1 == -(-len(frame.data) // lanes)
    for one, following in itertools.pairwise(frames):
        assert following.first_cycle == one.last_cycle + 1


@cocotb.test()
async def every_length_back_to_back(dut: Any) -> None:
    generator = random.Random(1)
    tx = Transmitter(dut)
    await tx.start(BOARD, native=True, psn=FIRST_PSN, buffer=3)
    most = 4096 if tx.lanes == 64 else 40 * tx.lanes
    ring = Ring(BOARD.registers.last_buffer, FIRST_PSN, 3)
    expected = []
    for length in [*range(1, most + 1), *range(4096 - 2 * tx.lanes, 4097)]:
        window = generator.randbytes(length)
        tx.send(window, length)
        expected += ring.frames(BOARD, window, native=True)
    received = await receive(tx.sink, expected)
    check_line_rate(tx.lanes, received)
    await check_counts(tx, packet=len(expected), window=len(expected))


@cocotb.test()
@cocotb.parametrize(idle=[None, 0.3, 0.7], stall=[None, 0.3, 0.7])
async def any_length_with_pauses(dut: Any, idle: float | None, stall: float | None) -> None:
    generator = random.Random(2)
    tx = Transmitter(
        dut,
        idle=pauses(3, idle) if idle else None,
        stall=pauses(4, stall) if stall else None,
    )
    where = board(pkt_len_pages128=2)
    await tx.start(where, native=True, psn=FIRST_PSN)
    ring = Ring(where.registers.last_buffer, FIRST_PSN)
    lanes = tx.lanes
    lengths = [*range(1, 4 * lanes, 3), *range(256 - lanes, 256 + lanes), 511, 512, 513]
    lengths += [generator.randint(1, 1500) for _ in range(15)]
    generator.shuffle(lengths)
    expected = []
    for length in lengths:
        window = generator.randbytes(length)
        tx.send(window, length)
        expected += ring.frames(where, window, native=True)
    await receive(tx.sink, expected)
    await check_counts(tx, packet=len(expected), window=len(lengths))


@cocotb.test()
@cocotb.parametrize(idle=[None, 0.5], stall=[None, 0.5])
async def early_and_late_ends(dut: Any, idle: float | None, stall: float | None) -> None:
    """Sensor-bridge mode: short windows are filled with zeros, what is too much is dropped."""
    generator = random.Random(5)
    tx = Transmitter(
        dut,
        idle=pauses(6, idle) if idle else None,
        stall=pauses(7, stall) if stall else None,
    )
    window = 700
    where = board(pkt_len_pages128=2, bytes_per_window=window)
    await tx.start(where, native=False, psn=FIRST_PSN)
    ring = Ring(where.registers.last_buffer, FIRST_PSN)
    beats = -(-window // tx.lanes)
    lengths = [1, 255, 256, 257, window - 4, window - 1, window, window + 1, window + 4]
    lengths += [beats * tx.lanes, beats * tx.lanes + 1, 2 * window, 1500, window]
    lengths += [*(generator.randint(1, 2 * window) for _ in range(30)), window]
    expected = []
    for length in lengths:
        payload = generator.randbytes(length)
        tx.send(payload)
        expected += ring.frames(where, payload[:window], native=False)
    await receive(tx.sink, expected)
    await check_counts(
        tx,
        packet=3 * len(lengths),
        window=len(lengths),
        window_short=sum(length < window for length in lengths),
        window_long=sum(length > window for length in lengths),
        beat_dropped=sum(max(0, -(-length // tx.lanes) - beats) for length in lengths),
    )


@cocotb.test()
async def a_length_that_disagrees(dut: Any) -> None:
    """Native mode: the announced length holds, down to none at all."""
    tx = Transmitter(dut)
    await tx.start(BOARD, native=True)
    ring = Ring(BOARD.registers.last_buffer)
    tx.send(bytes(range(100)), 37)
    tx.send(bytes(range(37)), 100)
    expected = ring.frames(BOARD, bytes(range(37)), native=True)
    expected += ring.frames(BOARD, bytes(range(37)) + bytes(63), native=True)
    await receive(tx.sink, expected)
    tx.send(bytes(range(3 * tx.lanes)), 0)
    tx.send(b"\x01\x02\x03", 3)
    empty = decode_frame((await tx.sink.recv()).data)
    assert (empty.dma_len, empty.payload, empty.pad, empty.slot) == (0, b"", 0, 2)
    following = decode_frame((await tx.sink.recv()).data)
    assert (following.dma_len, following.payload, following.pad) == (3, b"\x01\x02\x03", 1)
    assert (following.psn, following.slot) == (3, 3)
    dropped = -(-100 // tx.lanes) - -(-37 // tx.lanes) + 2
    await check_counts(tx, packet=4, window=4, window_short=1, window_long=2, beat_dropped=dropped)


@cocotb.test()
async def latency_is_seven_cycles(dut: Any) -> None:
    tx = Transmitter(dut)
    await tx.start(BOARD, native=False)
    for size in (64, 128, 512, 4096):
        await tx.configure(board(bytes_per_window=size), native=False)
        sent = await tx.source.send(bytes(size))
        out = await tx.sink.recv()
        assert out.first_cycle == sent.first_cycle + LATENCY
    await tx.configure(BOARD, native=True)
    for size in (1, 63, 64, 65, 500):
        tx.lengths.queue.append(size)
        await ClockCycles(dut.clk, 10)
        sent = await tx.source.send(bytes(size))
        out = await tx.sink.recv()
        assert out.first_cycle == sent.first_cycle + LATENCY
        await ClockCycles(dut.clk, 10)


@cocotb.test()
async def latency_is_eight_cycles_when_the_length_comes_with_the_window(dut: Any) -> None:
    tx = Transmitter(dut)
    await tx.start(BOARD, native=True)
    for size in (1, 63, 64, 65, 500):
        await ClockCycles(dut.clk, 10)
        tx.lengths.queue.append(size)
        sent = await tx.source.send(bytes(size))
        out = await tx.sink.recv()
        assert out.first_cycle == sent.first_cycle + LATENCY_WITH_LENGTH


@cocotb.test()
@cocotb.parametrize(native=[False, True])
async def windows_follow_each_other_at_line_rate(dut: Any, native: bool) -> None:
    tx = Transmitter(dut)
    await tx.start(BOARD, native=native)
    for size in (4, 32, 48, 64, 96, 128, 256, 512, 1024):
        where = board(bytes_per_window=size)
        await tx.configure(where, native=native, psn=0, buffer=0)
        ring = Ring(where.registers.last_buffer)
        expected = []
        for number in range(50):
            window = bytes([number]) * size
            tx.send(window, size if native else None)
            expected += ring.frames(where, window, native=native)
        check_line_rate(tx.lanes, await receive(tx.sink, expected))


@cocotb.test()
async def packets_of_one_window_follow_at_line_rate(dut: Any) -> None:
    where = board(pkt_len_pages128=1, bytes_per_window=17536)
    tx = Transmitter(dut)
    await tx.start(where, native=False, psn=FIRST_PSN)
    ring = Ring(where.registers.last_buffer, FIRST_PSN)
    expected = []
    for seed in range(2):
        window = random.Random(seed).randbytes(17536)
        tx.send(window)
        expected += ring.frames(where, window, native=False)
    check_line_rate(tx.lanes, await receive(tx.sink, expected))
    await check_counts(tx, packet=2 * 137, window=2)


@cocotb.test()
async def nothing_is_lost_in_a_stall_of_100000_cycles(dut: Any) -> None:
    """Every beat is a window and always offered: nothing but the simulator runs in the stall."""
    lanes = len(dut.s_axis_tkeep)
    payload = bytes(range(lanes))
    where = board(bytes_per_window=lanes)
    apply(dut, where, native=False)
    dut.s_axis_tvalid.value = 0
    dut.s_axis_tdata.value = int.from_bytes(payload, "little")
    dut.s_axis_tkeep.value = (1 << lanes) - 1
    dut.s_axis_tlast.value = 1
    dut.m_axis_tready.value = 0
    await start(dut)
    await ClockCycles(dut.clk, 20)
    dut.s_axis_tvalid.value = 1
    accepted = await handshakes(dut, 200)
    await ClockCycles(dut.clk, 100_000)
    assert await handshakes(dut, 2) == 0
    sink = AxisSink(dut, "m_axis", dut.clk)
    accepted += await handshakes(dut, 1000)
    dut.s_axis_tvalid.value = 0
    ring = Ring(where.registers.last_buffer)
    frames = [ring.frames(where, payload, native=False)[0] for _ in range(accepted)]
    assert accepted > 60
    check_line_rate(lanes, await receive(sink, frames))
    await ClockCycles(dut.clk, 20)
    assert sink.empty()


async def handshakes(dut: Any, cycles: int) -> int:
    """Beats of payload that pass within so many cycles."""
    count = 0
    for _ in range(cycles):
        await RisingEdge(dut.clk)
        count += int(dut.s_axis_tready.value)
    return count


@cocotb.test()
@cocotb.parametrize(cycles=range(5, 40, 3))
async def a_reset_in_a_frame_leaves_nothing_behind(dut: Any, cycles: int) -> None:
    where = board(bytes_per_window=512, pkt_len_pages128=2)
    tx = Transmitter(dut)
    await tx.start(where, native=False, psn=7, buffer=2)
    tx.send(bytes(600))
    tx.send(bytes(100))
    await ClockCycles(dut.clk, cycles)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    assert not int(dut.m_axis_tvalid.value)
    dut.rst.value = 0
    while not tx.sink.empty():
        await tx.sink.recv()
    await ClockCycles(dut.clk, 200)
    while not tx.sink.empty():  # the windows that were not begun before the reset
        await tx.sink.recv()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    tx.counts.clear()
    ring = Ring(where.registers.last_buffer)
    expected = []
    for number in range(3):
        window = bytes([number + 1]) * 512
        tx.send(window)
        expected += ring.frames(where, window, native=False)
    await receive(tx.sink, expected)
    await check_counts(tx, packet=6, window=3)


@cocotb.test()
async def psn_and_slot_outlive_new_settings(dut: Any) -> None:
    generator = random.Random(8)
    tx = Transmitter(dut)
    await tx.start(BOARD, native=False)
    ring = Ring(BOARD.registers.last_buffer)
    settings: list[dict[str, int]] = [
        {"bytes_per_window": 64},
        {"bytes_per_window": 128, "buf_increment_pages128": 1},
        {"bytes_per_window": 128, "va_lo": 0, "va_hi": 3, "buf_increment_pages128": 0x0765_4321},
        {"bytes_per_window": 500, "pkt_len_pages128": 1, "host_ip": 0xFFFFFFFF},
        {"bytes_per_window": 500, "pkt_len_pages128": 3, "host_ip": 0, "dest_qp": 0xABCDEF},
        {"bytes_per_window": 500, "src_udp_port": 0, "host_mac_hi": 0xFEDC, "rkey": 1},
        {"bytes_per_window": 500, "host_ip": 0x7A000000},  # the checksum's last sum carries
    ]
    for registers in settings * 2:
        where = board(**registers)
        size = where.registers.bytes_per_window
        for native in (False, True, False):
            await tx.configure(where, native=native)
            window = generator.randbytes(size)
            tx.send(window, size if native else None)
            await receive(tx.sink, ring.frames(where, window, native=native))
    await check_counts(tx, packet=ring.psn, window=3 * 2 * len(settings))


@cocotb.test()
async def every_slot_of_the_largest_ring(dut: Any) -> None:
    where = board(last_buffer=63, buf_increment_pages128=1)
    tx = Transmitter(dut)
    await tx.start(where, native=False, buffer=40)
    ring = Ring(63, buffer=40)
    expected = []
    for number in range(100):
        window = bytes([number]) * 64
        tx.send(window)
        expected += ring.frames(where, window, native=False)
    await receive(tx.sink, expected)
