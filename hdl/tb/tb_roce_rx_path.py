"""Bench of roce_rx_path: from the last beat of a frame to the correction, in cycles."""

import random
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from emulator.wire import Opcode, Response, Status
from hdl.tb.tb_correction import Bench, Correction, request
from hdl.tb.tb_roce_rx import MAX_PAYLOAD, configure, frame_with, send, window

LATENCY = 8
# bytes that pass from the receiver to the unpacker in a cycle
WORD = 64
# at every width, for a payload of one word
BOUND = 10


class Path(Bench):
    """The whole path, with the addresses of the board set."""

    def __init__(self, dut: Any, **options: Any) -> None:
        super().__init__(dut, **options)
        configure(dut)


@cocotb.test()
async def correction_comes_within_the_bound(dut: Any) -> None:
    bench = Path(dut)
    await bench.start()
    generator = random.Random(1)
    sizes = range(MAX_PAYLOAD - 24 + 1)
    for size in sizes:
        result = generator.randbytes(size)
        payload = Response(Status.OK, size, 0xABCD, result).encode()
        kind = generator.choice(list(Opcode))
        await request(dut, size, size)
        sent = await bench.source.send(frame_with(payload, kind))
        await ClockCycles(dut.clk, 60)
        words = -(-len(payload) // WORD)
        latency = LATENCY + words
        cycle = sent.last_cycle + latency
        assert bench.corrections.pop() == Correction(cycle, size, size, 0xABCD, result, late=False)
        assert latency <= BOUND + words - 1
    await bench.end(on_time=len(sizes), accepted=len(sizes))


@cocotb.test()
async def corrections_keep_pace_with_frames_without_a_gap(dut: Any) -> None:
    bench = Path(dut)
    await bench.start()
    for i in range(16):
        await request(dut, i, 255 - i)
    for i in range(16):
        bench.source.send_nowait(
            window(Response(Status.OK, i, i, bytes([i])).encode() + bytes(103))
        )
    beats = -(-(128 + 78) // bench.lanes)
    await ClockCycles(dut.clk, 16 * beats + 60)
    sent = bench.source.sent
    assert sent[-1].last_cycle == sent[0].first_cycle + 16 * beats - 1
    assert [(c.cycle, c.patch, c.result) for c in bench.corrections] == [
        (frame.last_cycle + LATENCY + 128 // WORD, 255 - i, bytes([i]))
        for i, frame in enumerate(sent)
    ]
    await bench.end(on_time=16, accepted=16)


@cocotb.test()
async def no_correction_comes_out_of_a_bad_frame(dut: Any) -> None:
    bench = Path(dut, deadline=1000)
    await bench.start()
    await request(dut, 1, 1)
    frame = send(Response(Status.OK, 1, 0, b"correct!").encode())
    generator = random.Random(2)
    # from the BTH's opcode on; what precedes it is the receiver's own bench
    places = [place for place in range(42, len(frame)) if place != 46]
    for place in places:
        bad = bytearray(frame)
        bad[place] ^= 1 << generator.randrange(8)
        bench.source.send_nowait(bytes(bad))
    await ClockCycles(dut.clk, 1100)
    assert not bench.corrections
    assert bench.counts.pop("missing") == 1
    assert sum(bench.counts.values()) == len(places)
    assert bench.counts["accepted"] == 0
    await bench.source.send(frame)
    await ClockCycles(dut.clk, 20)
    assert [c.late for c in bench.corrections] == [True]
