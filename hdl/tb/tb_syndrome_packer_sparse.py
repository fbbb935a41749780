"""Bench of the sparse form of syndrome_packer: which messages take it, and how long that takes."""

import random
from typing import Any

import cocotb

from emulator.wire import function_id
from hdl.tb.axis import pauses
from hdl.tb.syndrome_packer_driver import (
    INDICES,
    LATENCY,
    MEMORY,
    SPARSE,
    Bench,
    Message,
    Setting,
    exchange,
)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(stall=[0.0, 0.4])
async def sparse_when_it_is_shorter(dut: Any, stall: float) -> None:
    bench = await Bench.create(
        dut, Setting(3000, sparse=1), stall=pauses(16, stall), len_stall=pauses(17, 0.5)
    )
    generator, messages = random.Random(18), []
    for sizes in ((1,), (16,), (17,), (65, 65), MEMORY, (440,), (1000, 1, 999)):
        total = sum(sizes)
        limit = (-(-total // 8) - 1) // 2
        for ones in sorted({0, 1, 2, limit - 1, limit, limit + 1, total} & set(range(total + 1))):
            places = generator.sample(range(total), ones)
            messages.append(message_with(sizes, places))
            sparse = function_id(SPARSE).to_bytes(4, "little")
            request = bench.model.request(messages[-1].bits, 0, 0)
            assert (request[4:8] == sparse) == (ones <= limit)
    bench.model.sent = 0
    generator.shuffle(messages)
    await exchange(bench, messages)
    await bench.finish(message_sent=len(messages))


def message_with(sizes: tuple[int, ...], places: list[int]) -> Message:
    """A message of these rounds whose bits at these places are 1."""
    chosen, rounds, start = set(places), [], 0
    for size in sizes:
        rounds.append([int(i in chosen) for i in range(start, start + size)])
        start += size
    return Message(rounds)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def sparse_form_ends_at_its_buffer_and_at_16_bits(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(4 * 4096, sparse=1))
    sizes = (4096,) * 4
    ones = (INDICES, INDICES + 1, 0)
    await exchange(bench, [message_with(sizes, list(range(count))) for count in ones])
    await bench.finish(message_sent=3)
    if bench.lanes == 64:
        await bench.restart(Setting((1 << 16) + 1, sparse=1))
        whole = (4096,) * 16
        last = [(1 << 16) - 1]
        messages = [message_with(sizes, last) for sizes in (whole, (*whole, 1), whole, (64,))]
        await exchange(bench, messages)
        await bench.finish(message_sent=4)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def sparse_latency(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(4096, sparse=1))
    generator, number = random.Random(19), 0
    for bits in (1, 64, 65, 640, 4096):
        for ones in sorted({0, 1, 2, 3, 4, 5, 39, 40, 255, 256, bits} & set(range(bits + 1))):
            message = message_with((bits,), generator.sample(range(bits), ones))
            sent = await bench.send_message(message, number)
            out = await bench.sink.recv()
            length, announced = await bench.lengths.get()
            assert out.data == sent.request
            assert length == len(sent.request)
            cycles, found = search(message.bits)
            delay = LATENCY + 6 + cycles
            assert announced - sent.last.last_cycle == delay - 1
            # a wide beat has payload, which has to be read again
            again = bench.lanes == 64 and not found
            assert out.first_cycle - sent.last.last_cycle == delay + again
            assert out.last_cycle - out.first_cycle == -(-length // bench.lanes) - 1
            number += 1
    await bench.finish(message_sent=number)


def search(bits: list[int]) -> tuple[int, bool]:
    """Cycles that the bits of a message add to its search, and whether it will be sparse."""
    ones = [i for i, bit in enumerate(bits) if bit]
    limit = min((-(-len(bits) // 8) - 1) // 2, INDICES)
    if len(ones) > limit:
        return ones[limit] // 64 + 1 + limit + 1, False
    pieces = -(-len(bits) // 64)
    return pieces + len(ones) + any(one // 64 == pieces - 1 for one in ones), True
