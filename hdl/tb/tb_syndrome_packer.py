"""Bench of syndrome_packer: every message is the request that emulator.wire encodes."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge

from emulator.wire import function_id
from emulator.wire.fields import ENQUEUE_BODY, REQUEST_HEADER
from hdl.tb.axis import pauses
from hdl.tb.syndrome_packer_driver import (
    DEPTH,
    INDICES,
    MESSAGES,
    SPARSE,
    WHOLE,
    Bench,
    Setting,
    exchange,
    random_bits,
)

LATENCY = 4


def shapes(in_w: int, data_w: int) -> list[tuple[int, int]]:
    """Bits and rounds around the edges of beats and words."""
    edges = {in_w, data_w, 128, 512}
    bits = sorted({1, 7, 24, *(edge + step for edge in edges for step in (-1, 0, 1))})
    return [(n, r) for n in bits for r in (1, 2, 3)] + [(24, 11), (1, 255), (4095, 1), (4096, 2)]


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(as_bytes=[0, 1], probability=[0.0, 0.3])
async def requests_of_every_shape(dut: Any, as_bytes: int, probability: float) -> None:
    agents = {"idle": pauses(1, probability), "stall": pauses(2, probability)}
    bench = await Bench.create(
        dut, Setting(1), len_stall=pauses(3, probability), **(agents if probability else {})
    )
    generator = random.Random(4)
    chosen = shapes(bench.in_w, 8 * bench.lanes)
    for bits, rounds in generator.sample(chosen, 12) if probability else chosen:
        begin = generator.choice((0, 1, WHOLE))
        await bench.restart(Setting(bits, rounds, as_bytes, start=begin))
        await exchange(bench, 4 if bits * rounds < 1000 else 2, seed=bits)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(as_bytes=[0, 1], rounds=[1, 3])
async def latency_is_four_cycles(dut: Any, as_bytes: int, rounds: int) -> None:
    bench = await Bench.create(dut, Setting(1))
    generator = random.Random(5)
    for bits in (1, bench.in_w, 2 * bench.in_w + 1, 440):
        for begin in (0, WHOLE):
            await bench.restart(Setting(bits, rounds, as_bytes, start=begin))
            for number in range(2):
                sent = await bench.send_message(random_bits(generator, bits * rounds), number)
                expected, first, last = sent
                message = await bench.sink.recv()
                length, announced = await bench.lengths.get()
                assert message.data == expected
                assert length == len(expected)
                if begin == WHOLE:
                    assert announced - last.last_cycle == LATENCY - 1
                    assert message.first_cycle - last.last_cycle == LATENCY
                    assert message.last_cycle - message.first_cycle == bench.beats() - 1
                else:
                    assert announced - first.first_cycle == LATENCY - 1
                    # a beat of 512 bits waits for the payload in it
                    if bench.lanes == 8 or (rounds == 1 and bits <= bench.in_w):
                        assert message.first_cycle - first.first_cycle == LATENCY
                await ClockCycles(dut.clk, 8)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def messages_follow_with_one_cycle_between(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    for bits in (1, 100, 440, 1000):
        await bench.restart(Setting(bits))
        bench.sink.pause = iter(lambda: True, False)
        count = min(bench.places(), 6)
        expected = [(await bench.send_message([1] * bits, i))[0] for i in range(count)]
        bench.sink.pause = None
        messages = [await bench.receive(wanted) for wanted in expected]
        for message in messages:
            assert message.last_cycle - message.first_cycle == bench.beats() - 1
        # those that wait whole, behind what the output registers held when it stalled
        starts = [message.first_cycle for message in messages[2:]]
        gaps = [after - before for before, after in pairwise(starts)]
        assert gaps
        assert set(gaps) == {bench.beats() + 1}
        await bench.finish(message_sent=count)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def rounds_of_one_beat_every_cycle_when_the_line_takes_them(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(bits=len(dut.s_axis_tdata), rounds=64))
    await exchange(bench, 3, seed=6)
    first, last = bench.source.sent[0], bench.source.sent[127]
    assert last.last_cycle - first.first_cycle == 127


@cocotb.test(timeout_time=500, timeout_unit="us")
async def request_ids_wrap_and_step(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(9, request_first=0xFFFFFFFE))
    await exchange(bench, 5, seed=7)
    await bench.restart(Setting(9, request_first=0xFFFFFFF0, request_step=7))
    await exchange(bench, 5, seed=8)
    assert bench.model.request([0] * 9, 0, 0)[12:16] == (0xFFFFFFF0 + 35 - (1 << 32)).to_bytes(
        4, "little"
    )


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(rounds=[1, 2])
async def rounds_without_a_place_are_dropped_whole(dut: Any, rounds: int) -> None:
    setting = Setting(4096 // rounds, rounds)
    bench = await Bench.create(dut, setting, stall=iter(lambda: True, False))
    generator = random.Random(9)
    places, lost = bench.places(), 3
    expected = []
    for number in range(places):
        bits = random_bits(generator, setting.total)
        expected.append((await bench.send_message(bits, number))[0])
    for _ in range(lost * rounds):
        await bench.send_round([1] * setting.bits)
    await ClockCycles(dut.clk, 4)
    assert bench.stats == Counter(round_dropped=lost * rounds)
    bench.sink.pause = None
    for wanted in expected:
        await bench.receive(wanted)
    # the counter shows the gap, the request id does not
    bits = random_bits(generator, setting.total)
    await bench.receive((await bench.send_message(bits, places + lost))[0])
    await bench.finish(message_sent=places + 1, round_dropped=lost * rounds)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def no_more_messages_than_can_wait(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1), stall=iter(lambda: True, False))
    beyond = 40
    for _ in range(beyond):
        await bench.send_round([1])
    await ClockCycles(dut.clk, 4)
    # a message of one beat leaves its place for the two of the output register
    inside = MESSAGES + (2 if bench.lanes == 64 else 0)
    assert bench.stats["round_dropped"] == beyond - inside
    bench.sink.pause = None
    for _ in range(inside):
        assert (await bench.sink.recv()).data[-1] == 1
    await ClockCycles(dut.clk, 4)
    assert bench.stats["message_sent"] == inside


@cocotb.test(timeout_time=500, timeout_unit="us")
async def no_stall_loses_or_mixes_messages(dut: Any) -> None:
    """Under a long, random overload, each round is in a message or counted."""
    setting = Setting(300, 2)
    bench = await Bench.create(dut, setting, stall=pauses(10, 0.97))
    generator, expected = random.Random(11), {}
    for number in range(150):
        message, *_ = await bench.send_message(random_bits(generator, 600), number)
        expected[number] = message
    bench.sink.pause = None
    await ClockCycles(dut.clk, 1000)
    seen = []
    while not bench.sink.empty():
        data = (await bench.sink.recv()).data
        seen.append(ENQUEUE_BODY.decode(data[24:])["counter"])
        wanted = expected[seen[-1]]
        assert data[:12] + data[16:] == wanted[:12] + wanted[16:]
        assert REQUEST_HEADER.decode(data)["request_id"] == len(seen) - 1
    assert 0 < len(seen) < 150
    assert seen == sorted(set(seen))
    assert bench.stats == Counter(message_sent=len(seen), round_dropped=2 * (150 - len(seen)))


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(rounds=[1, 2])
async def rounds_of_a_wrong_length_spoil_their_message_alone(dut: Any, rounds: int) -> None:
    bits = 3 * len(dut.s_axis_tdata) - 1
    bench = await Bench.create(dut, Setting(bits, rounds))
    generator = random.Random(12)
    number, sent = 0, 0
    for beats in (1, 2, 4, 9):
        for place in range(rounds):
            for index in range(rounds):
                wrong = beats if index == place else None
                await bench.send_round(random_bits(generator, bits), beats=wrong)
            good = random_bits(generator, bits * rounds)
            await bench.receive((await bench.send_message(good, number + 1))[0])
            number, sent = number + 2, sent + 1
    wrongs = 2 * rounds
    await bench.finish(
        message_sent=sent, message_bad=2 * wrongs, round_short=wrongs, round_long=wrongs
    )


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(beats=[2, 4, 9])
async def a_message_that_has_begun_to_leave_is_marked(dut: Any, beats: int) -> None:
    bits = 3 * len(dut.s_axis_tdata) - 1
    bench = await Bench.create(dut, Setting(bits, start=0))
    await bench.send_round([1] * bits, beats=beats)
    message = await bench.sink.recv()
    assert message.user == 1
    assert len(message.data) == bench.setting.length()
    assert (await bench.lengths.get())[0] == len(message.data)
    bench.model.sent += 1
    good = random_bits(random.Random(14), bits)
    await bench.receive((await bench.send_message(good, 1))[0])
    wrong = "round_short" if beats < 3 else "round_long"
    await bench.finish(**{"message_sent": 1, "message_bad": 1, wrong: 1})


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(stall=[0.0, 0.4])
async def sparse_when_it_is_shorter(dut: Any, stall: float) -> None:
    bench = await Bench.create(dut, Setting(1), stall=pauses(15, stall), len_stall=pauses(16, 0.5))
    for bits, rounds in ((1, 1), (16, 1), (17, 1), (65, 2), (440, 1), (1000, 3)):
        await bench.restart(Setting(bits, rounds, sparse=1, start=0))
        generator, number = random.Random(17), 0
        total = bits * rounds
        limit = (-(-total // 8) - 1) // 2
        for ones in sorted({0, 1, 2, limit - 1, limit, limit + 1, total} & set(range(total + 1))):
            message = [0] * total
            for index in generator.sample(range(total), ones):
                message[index] = 1
            wanted = (await bench.send_message(message, number))[0]
            sparse = function_id(SPARSE).to_bytes(4, "little")
            assert (wanted[4:8] == sparse) == (ones <= limit)
            await bench.receive(wanted)
            number += 1
        await bench.finish(message_sent=number)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def sparse_form_ends_at_its_buffer_and_at_16_bits(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(4096, 4, sparse=1))
    for number, ones in enumerate((INDICES, INDICES + 1, 0)):
        message = [1] * ones + [0] * (4 * 4096 - ones)
        await bench.receive((await bench.send_message(message, number))[0])
    await bench.finish(message_sent=3)
    if bench.lanes == 64:
        for rounds in (16, 17):
            await bench.restart(Setting(4096, rounds, sparse=1))
            message = [0] * (4096 * rounds - 1) + [1]
            await bench.receive((await bench.send_message(message, 0))[0])
            await bench.finish(message_sent=1)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def sparse_latency(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    for bits, ones in ((64, 0), (64, 1), (640, 0), (640, 1), (640, 10), (4096, 20)):
        await bench.restart(Setting(bits, sparse=1))
        piece = {64 * (i * (bits // 64) // max(ones, 1)) for i in range(ones)}
        message = [int(i in piece) for i in range(bits)]
        wanted, _, last = await bench.send_message(message, 0)
        out = await bench.receive(wanted)
        print('LAT', bits, ones, out.first_cycle - last.last_cycle - bits//64 - ones)
        assert out.last_cycle - out.first_cycle == -(-len(wanted) // bench.lanes) - 1


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(sparse=[0, 1])
async def reset_in_a_message_leaves_nothing_behind(dut: Any, sparse: int) -> None:
    setting = Setting(2000, 2, sparse=sparse)
    bench = await Bench.create(dut, setting)
    for cycles in (1, 30, 90, 140, 200, 330, 500, 530, 560):
        for _ in range(3):
            data = bytes(-(-2000 // bench.in_w) * bench.in_w // 8)
            bench.source.send_nowait(data)
        await ClockCycles(dut.clk, cycles)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        await ReadOnly()
        assert not int(dut.m_axis_tvalid.value)
        assert not int(dut.m_len_tvalid.value)
        await RisingEdge(dut.clk)
        await bench.drain()
        await bench.restart(setting)
        await exchange(bench, 2, seed=cycles)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def settings_that_cannot_work_drop_every_round(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    words = 128 if bench.lanes == 8 else 512
    too_long = Setting(4096, DEPTH * words // 4096 + 1)
    for setting in (Setting(0), Setting(5, rounds=0), Setting(4097), too_long):
        await bench.restart(setting)
        for _ in range(5):
            await bench.send_round([1])
        await ClockCycles(dut.clk, 10)
        assert bench.stats["round_dropped"] == 5
        assert bench.stats["message_sent"] == 0
        assert bench.sink.empty()
    await bench.restart(Setting(4096, DEPTH * words // 4096))
    await exchange(bench, 1, seed=18)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def anything_goes(dut: Any) -> None:
    generator = random.Random(19)
    bench = await Bench.create(
        dut, Setting(1), idle=pauses(20, 0.2), stall=pauses(21, 0.3), len_stall=pauses(22, 0.3)
    )
    for seed in range(30):
        as_bytes, sparse = generator.choice(((0, 0), (1, 0), (0, 1)))
        setting = Setting(
            generator.randint(1, 300),
            generator.randint(1, 6),
            as_bytes,
            sparse,
            generator.choice((0, 1, 2, WHOLE)),
            generator.randrange(32),
            generator.getrandbits(63),
            generator.getrandbits(32),
        )
        await bench.restart(setting)
        await exchange(bench, 4, seed=seed, density=0.02 if sparse else 0.5)
