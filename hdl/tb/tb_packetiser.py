"""Bench of packetiser_top: frames, corrections and cycles are those of emulator.wire and the law.

The law: a message is whole with the last beat of its last round; messages leave in the order in
which they became whole, those of one cycle by patch; the first beat of a frame is out
PIPELINE_CYCLES after that or right behind the frame before it; a correction comes RECEIVE_CYCLES
after the last beat of its frame.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import count
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from emulator.rtl.limits import PIPELINE_CYCLES, RECEIVE_CYCLES
from emulator.units import PS_PER_S, Clock
from emulator.wire import (
    EnqueueSyndromes,
    Predecode,
    Request,
    Response,
    Status,
    encode_send,
    encode_window,
)
from emulator.wire.framing import roce_registers
from hdl.check import SETTLED
from hdl.tb.packetiser import EVEN_PERIOD_PS, Frame, Packetiser, Round, Settings

CLOCK = Clock(Fraction(322_265_625))
MAC, IP, QP = bytes.fromhex("00005e005301"), bytes([192, 0, 2, 1]), 2
HOST_MAC, HOST_IP = bytes.fromhex("00005e005302"), bytes([192, 0, 2, 2])
SLOTS = 64
MESSAGES = 16  # that a packer holds, its default

Bits = list[int]


class Board(Packetiser):
    """The packetiser set up for messages of up to ``most_bits``, and what it has to do."""

    def __init__(self, dut: Any, most_bits: int, *, as_bytes: bool = False, **more: Any) -> None:
        super().__init__(dut, CLOCK, **more)
        payload = 24 + most_bits if as_bytes else 56 + -(-most_bits // 8)
        self.registers = roce_registers(
            payload,
            4096,
            last_buffer=SLOTS - 1,
            dest_qp=0x1234,
            host_mac_lo=int.from_bytes(HOST_MAC[2:]),
            host_ip=int.from_bytes(HOST_IP),
            host_udp_port_and_md_disable=1 << 16 | 4791,
        )
        self.settings = Settings(self.registers, MAC, IP, QP, most_bits, as_bytes)
        self.patches = len(dut.s_axis_tvalid)
        self.in_w = len(dut.s_axis_tdata) // self.patches
        self.lanes = len(dut.tx_axis_tkeep)

    async def begin(self) -> None:
        await self.start(self.settings)

    def frames_of(self, rounds: Sequence[Round]) -> list[Frame]:
        """Frames of the rounds with their cycles, if all of them are taken."""
        whole = [m for patch in range(self.patches) for m in self._messages(rounds, patch)]
        line, psn, frames = 0, 0, []
        for slot, (last, _, request) in enumerate(sorted(whole)):
            line = max(line, last + PIPELINE_CYCLES)
            for data in encode_window(
                request, self.registers, board_mac=MAC, board_ip=IP, psn=psn, buffer=slot % SLOTS
            ):
                beats = -(-len(data) // self.lanes)
                frames.append(Frame(line, line + beats - 1, data))
                line, psn = line + beats, psn + 1
        return frames

    def _messages(self, rounds: Sequence[Round], patch: int) -> Iterator[tuple[int, int, bytes]]:
        free, bits, first, number = 0, [], None, 0
        for entry in rounds:
            if entry.patch != patch:
                continue
            start = max(free, entry.cycle)
            free = start + -(-entry.size // self.in_w)
            first = start if first is None else first
            value = int.from_bytes(entry.bits, "little")
            bits += [value >> i & 1 for i in range(entry.size)]
            if entry.ends:
                seconds, rest_ps = divmod(CLOCK.edge_ps(first), PS_PER_S)
                stamp = rest_ps // 1000 << 32 | seconds
                request = self._call(bits, patch, number)
                identity = number * self.patches + patch
                yield free - 1, patch, Request(request, identity, stamp).encode()
                bits, first, number = [], None, number + 1

    def _call(self, bits: Bits, patch: int, number: int) -> Predecode | EnqueueSyndromes:
        if self.settings.as_bytes:
            return Predecode(bytes(bits))
        array = np.array(bits, dtype=np.uint8)
        return EnqueueSyndromes.from_bits(array, decoder_id=patch, counter=number)


def rounds_of(
    generator: random.Random,
    board: Board,
    messages: int,
    *,
    gap: int,
    most_rounds: int = 4,
) -> list[Round]:
    """Random messages of every patch, ``gap`` cycles between rounds at most."""
    found = []
    for patch in range(board.patches):
        cycle = SETTLED + generator.randrange(gap + 1)
        for _ in range(messages):
            left = generator.randint(1, board.settings.message_bits)
            for number in count(1):
                size = left if number == most_rounds else generator.randint(1, left)
                left -= size
                ends = left == 0
                found.append(Round(patch, cycle, size, ends, generator.randbytes(-(-size // 8))))
                cycle += -(-size // board.in_w) + generator.randrange(gap + 1)
                if ends:
                    break
    return found


def sent_counts(rounds: Sequence[Round], frames: Sequence[Frame]) -> Counter[str]:
    messages = sum(r.ends for r in rounds)
    return Counter(stat_message_sent=messages, stat_window=messages, stat_packet=len(frames))


def counted(board: Board) -> Counter[str]:
    """What was counted; windows that are filled up are no fault."""
    return +Counter({k: v for k, v in board.counts.items() if k != "stat_window_short"})


def responses_of(
    generator: random.Random, identities: Sequence[int], first: int
) -> list[tuple[int, bytes, bytes]]:
    """Cycle of arrival, frame and correction bits of an answer to each request."""
    found, cycle = [], first
    for identity in identities:
        result = generator.randbytes(generator.randint(1, 32))
        response = Response(Status.OK, identity, generator.getrandbits(63), result)
        frame = encode_send(
            response.encode(), src_mac=HOST_MAC, dst_mac=MAC, src_ip=HOST_IP, dst_ip=IP
        )
        found.append((cycle, frame, result))
        cycle += generator.choice((0, 1, 5, 40))
    return found


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(as_bytes=[0, 1], most_bits=[1, 40, 600], gap=[0, 10, 400])
async def frames_and_cycles_are_those_of_the_law(
    dut: Any, as_bytes: int, most_bits: int, gap: int
) -> None:
    board = Board(dut, most_bits, as_bytes=bool(as_bytes))
    await board.begin()
    rounds = rounds_of(random.Random(most_bits + gap), board, 12, gap=gap)
    wanted = board.frames_of(rounds)
    await board.play(rounds)
    await board.reach(wanted[-1].last + 40)
    assert board.frames == wanted
    assert counted(board) == sent_counts(rounds, wanted)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_window_of_several_packets_leaves_packet_by_packet(dut: Any) -> None:
    board = Board(dut, 6000, as_bytes=True)
    await board.begin()
    sizes = [4096, 1904]
    rounds = [
        Round(patch, SETTLED, size, size == sizes[-1], bytes(size // 8))
        for patch in range(board.patches)
        for size in sizes
    ]
    wanted = board.frames_of(rounds)
    assert len(wanted) == 2 * board.patches
    await board.play(rounds)
    await board.reach(wanted[-1].last + 40)
    assert board.frames == wanted


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def corrections_come_in_time_and_to_their_patch(dut: Any) -> None:
    board = Board(dut, 40)
    await board.begin()
    generator = random.Random(5)
    messages = 48 // board.patches
    rounds = rounds_of(generator, board, messages, gap=100)
    await board.play(rounds)
    await ClockCycles(dut.clk, 100)
    identities = generator.sample(range(messages * board.patches), messages * board.patches)
    responses = responses_of(generator, identities, board.cycle + 20)
    await board.respond((cycle, frame) for cycle, frame, _ in responses)
    await ClockCycles(dut.clk, 40)
    last = 0
    for found, identity, (arrived, frame, result) in zip(
        board.corrections, identities, responses, strict=True
    ):
        last = max(arrived, last + -(-len(frame) // board.lanes))
        assert found.cycle == last + RECEIVE_CYCLES
        assert (found.request_id, found.patch) == (identity, identity % board.patches)
        assert (found.bits, found.late) == (result, False)
    assert board.counts["stat_on_time"] == len(identities)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def an_answer_to_nothing_and_a_second_one_are_told_apart(dut: Any) -> None:
    board = Board(dut, 40)
    await board.begin()
    rounds = rounds_of(random.Random(6), board, 1, gap=10)
    await board.play(rounds)
    await ClockCycles(dut.clk, 100)
    responses = responses_of(random.Random(7), [0, 0, 1000], board.cycle + 20)
    broken = bytearray(responses[1][1])
    broken[-1] ^= 1
    frames = [*(frame for _, frame, _ in responses), bytes(broken)]
    await board.respond((board.cycle + 20, frame) for frame in frames)
    await ClockCycles(dut.clk, 40)
    assert [c.request_id for c in board.corrections] == [0]
    for name in ("on_time", "duplicate", "unknown", "bad_icrc"):
        assert board.counts[f"stat_{name}"] == 1
    assert board.counts["stat_accepted"] == 3


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_stall_of_100_000_cycles_loses_whole_messages_and_counts_them(dut: Any) -> None:
    board = Board(dut, 40)
    await board.begin()
    dut.tx_axis_tready.value = 0
    generator = random.Random(8)
    beyond = 10
    rounds = [
        Round(patch, SETTLED + 100 * n, 40, True, generator.randbytes(5))
        for n in range(MESSAGES + 8 + beyond)
        for patch in range(board.patches)
    ]
    await board.play(rounds)
    await ClockCycles(dut.clk, 100_000)
    assert not board.frames
    dropped = board.counts["stat_round_dropped"]
    assert dropped >= beyond * board.patches
    dut.tx_axis_tready.value = 1
    await ClockCycles(dut.clk, 40 * len(rounds))
    assert len(board.frames) == len(rounds) - dropped
    assert board.counts["stat_round_dropped"] == dropped
    assert board.counts["stat_message_sent"] == len(rounds) - dropped
    # what was taken is what the law has of the first rounds, apart from its cycles
    wanted = board.frames_of(rounds)[: len(board.frames)]
    if board.patches == 1:
        assert [f.data for f in board.frames] == [f.data for f in wanted]
    # the transmitter stood still with one frame inside; then no cycle is left out
    firsts, lasts = zip(*((f.first, f.last) for f in board.frames[1:]), strict=True)
    assert all(b == a + 1 for a, b in zip(lasts, firsts[1:], strict=False))


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(rd_period_ps=[1502, 2006, 6398])
async def clocks_of_their_own_change_cycles_but_no_byte(dut: Any, rd_period_ps: int) -> None:
    board = Board(dut, 100, rd_period_ps=rd_period_ps)
    await board.begin()
    await ClockCycles(dut.rd_clk, 20)
    rounds = [
        Round(patch, board.cycle + 200 * n, 100, True, random.Random(n).randbytes(13))
        for n in range(10)
        for patch in range(board.patches)
    ]
    await board.play(rounds)
    await ClockCycles(dut.clk, 200)
    payload = 74  # of a frame; its PTP stamp, alone, is that of the other clock

    def timeless(frame: Frame) -> bytes:
        return frame.data[payload : payload + 16] + frame.data[payload + 24 : -4]

    wanted = sorted(map(timeless, board.frames_of(rounds)))
    assert sorted(map(timeless, board.frames)) == wanted
    crossing = 4 * -(-rd_period_ps // EVEN_PERIOD_PS)
    beats = -(-100 // board.in_w)
    for frame in board.frames[:: board.patches]:
        offered = max(r.cycle for r in rounds if r.cycle < frame.first)
        assert frame.first - offered <= PIPELINE_CYCLES + crossing + 4 * beats


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def reset_in_mid_frame_leaves_nothing_behind(dut: Any) -> None:
    board = Board(dut, 4096, as_bytes=True)
    await board.begin()
    long = [Round(p, SETTLED, 4096, True, bytes(512)) for p in range(board.patches)]
    await board.play(long)
    while not int(dut.tx_axis_tvalid.value):
        await ClockCycles(dut.clk, 1)
    await ClockCycles(dut.clk, 3)
    dut.rst.value = dut.rd_rst.value = 1
    await ClockCycles(dut.clk, 8)
    dut.rst.value = dut.rd_rst.value = 0
    board.forget()
    await ClockCycles(dut.clk, 40)
    begin = board.cycle + 10
    rounds = [
        Round(r.patch, r.cycle - SETTLED + begin, r.size, r.ends, r.bits)
        for r in rounds_of(random.Random(9), board, 2, gap=30)
    ]
    wanted = board.frames_of(rounds)
    await board.play(rounds)
    await board.reach(wanted[-1].last + 40)
    assert board.frames == wanted
