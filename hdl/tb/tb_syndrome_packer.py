"""Bench of syndrome_packer: every message is the request that emulator.wire encodes."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge

from emulator.wire.fields import ENQUEUE_BODY, REQUEST_HEADER
from hdl.tb.axis import pauses
from hdl.tb.syndrome_packer_driver import (
    COME,
    DEPTH,
    LATENCY,
    MEMORY,
    MESSAGES,
    Bench,
    Message,
    Setting,
    exchange,
    random_message,
)

STALLED = iter(lambda: True, False)


def shapes(in_w: int, data_w: int) -> list[tuple[int, ...]]:
    """Bits of the rounds of messages around the edges of beats and words."""
    edges = {in_w, data_w, 128, 512}
    bits = sorted({1, 7, 24, *(edge + step for edge in edges for step in (-1, 0, 1))})
    even = [(n,) * r for n in bits for r in (1, 2, 3)]
    mixed = [(a, b, 1) for a, b in pairwise(bits)] + [MEMORY, (1, 4095, 1)]
    return [*even, *mixed, (24,) * 11, (1,) * 255, (4095,), (4096, 4096)]


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(as_bytes=[0, 1], probability=[0.0, 0.3])
async def requests_of_every_shape(dut: Any, as_bytes: int, probability: float) -> None:
    agents = {"idle": pauses(1, probability), "stall": pauses(2, probability)}
    bench = await Bench.create(
        dut,
        Setting(8192, as_bytes),
        len_stall=pauses(3, probability),
        **(agents if probability else {}),
    )
    generator = random.Random(4)
    chosen = shapes(bench.in_w, 8 * bench.lanes)
    count = 20 if probability else 2 * len(chosen)
    messages = [random_message(generator, generator.choice(chosen)) for _ in range(count)]
    await exchange(bench, messages)
    await bench.finish(message_sent=count)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(as_bytes=[0, 1])
async def latency_of_every_shape(dut: Any, as_bytes: int) -> None:
    bench = await Bench.create(dut, Setting(8192, as_bytes))
    generator = random.Random(5)
    chosen = shapes(bench.in_w, 8 * bench.lanes)
    for number, sizes in enumerate(chosen):
        sent = await bench.send_message(random_message(generator, sizes), number)
        message = await bench.sink.recv()
        length, announced = await bench.lengths.get()
        assert message.data == sent.request
        assert length == len(sent.request)
        assert bench.comes[-1] - sent.last.last_cycle == COME
        assert announced - sent.last.last_cycle == LATENCY - 1
        assert message.first_cycle - sent.last.last_cycle == LATENCY
        assert message.last_cycle - message.first_cycle == bench.beats(sum(sizes)) - 1
        await ClockCycles(dut.clk, 8)
    await bench.finish(message_sent=len(chosen))


@cocotb.test(timeout_time=500, timeout_unit="us")
async def messages_follow_with_one_cycle_between(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    generator = random.Random(6)
    for sizes in ((1,), (100,), MEMORY, (440,), (500, 500)):
        await bench.restart(Setting(sum(sizes)))
        bench.sink.pause = STALLED
        count = min(bench.places(), 6)
        sent = [await bench.send_message(random_message(generator, sizes), i) for i in range(count)]
        bench.sink.pause = None
        messages = [await bench.receive(wanted) for wanted in sent]
        for message in messages:
            assert message.last_cycle - message.first_cycle == bench.beats(sum(sizes)) - 1
        # those that wait whole, behind what the output registers held when it stalled
        starts = [message.first_cycle for message in messages[2:]]
        gaps = [after - before for before, after in pairwise(starts)]
        assert gaps
        assert set(gaps) == {bench.beats(sum(sizes)) + 1}
        await bench.finish(message_sent=count)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def rounds_of_one_beat_every_cycle_when_the_line_takes_them(dut: Any) -> None:
    in_w = len(dut.s_axis_tdata)
    bench = await Bench.create(dut, Setting(64 * in_w))
    generator = random.Random(7)
    await exchange(bench, [random_message(generator, (in_w,) * 64) for _ in range(3)])
    first, last = bench.source.sent[0], bench.source.sent[127]
    assert last.last_cycle - first.first_cycle == 127
    await bench.finish(message_sent=3)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(followers=[1, 2, 5])
async def short_messages_behind_the_rest_of_a_long_one(dut: Any, followers: int) -> None:
    """The last beat of a message can complete two words; the next one has a word already."""
    bench = await Bench.create(dut, Setting(1))
    generator = random.Random(8)
    rest = bench.word - 1
    for after in (1, bench.in_w, bench.word + 1):
        sizes = [(rest, 2), *[(1,)] * followers, (after,)] * 2
        await bench.restart(Setting(bench.word + 1))
        await exchange(bench, [random_message(generator, one) for one in sizes])
        frames = bench.source.sent[-len(sizes) - 2 :]
        beats = sum(-(-bits // bench.in_w) for one in sizes for bits in one)
        assert frames[-1].last_cycle - frames[0].first_cycle == beats - 1
        await bench.finish(message_sent=len(sizes))


@cocotb.test(timeout_time=500, timeout_unit="us")
async def a_bad_beat_behind_the_rest_of_a_long_message(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    generator = random.Random(25)
    long = random_message(generator, (bench.word - 1, 2))
    await bench.restart(Setting(bench.word + 1))
    short = Message([[1] * (bench.in_w + 1)], {0: 1})
    await exchange(bench, [long, short, long, long, short, random_message(generator, (3,))])
    await bench.finish(message_sent=4, message_bad=2, round_short=2)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def places_come_back_however_messages_end(dut: Any) -> None:
    """Also when one is dropped in the cycle in which another has left."""
    bench = await Bench.create(dut, Setting(1))
    await bench.restart(Setting(DEPTH * bench.word // 4))
    good, bad = Message([[1]]), Message([[1] * (bench.in_w + 1)], {0: 1})
    gaps = 20
    for gap in range(1, gaps + 1):
        sent = await bench.send_message(good, 2 * (gap - 1))
        await ClockCycles(dut.clk, gap)
        await bench.send_bad(bad)
        await bench.receive(sent)
        await ClockCycles(dut.clk, 8)
    bench.sink.pause = STALLED
    generator = random.Random(26)
    messages = [random_message(generator, (600,)) for _ in range(bench.places())]
    waiting = [await bench.send_message(m, 2 * gaps + i) for i, m in enumerate(messages)]
    await bench.send_bad(good)
    bench.sink.pause = None
    for wanted in waiting:
        await bench.receive(wanted)
    await bench.finish(message_sent=gaps + 4, message_bad=gaps, round_short=gaps, round_dropped=1)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def request_ids_wrap_and_step(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(9, request_first=0xFFFFFFFE))
    messages = [random_message(random.Random(9), (9,)) for _ in range(5)]
    await exchange(bench, messages)
    await bench.restart(Setting(9, request_first=0xFFFFFFF0, request_step=7))
    await exchange(bench, messages)
    assert bench.model.request([0] * 9, 0, 0)[12:16] == (0xFFFFFFF0 + 35 - (1 << 32)).to_bytes(
        4, "little"
    )


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(sizes=[(4096,), (1000, 3096), (12, 24, 600)])
async def rounds_without_a_place_are_dropped_whole(dut: Any, sizes: tuple[int, ...]) -> None:
    bench = await Bench.create(dut, Setting(4096), stall=STALLED)
    generator = random.Random(10)
    places, lost = bench.places(), 3
    sent = [
        await bench.send_message(random_message(generator, sizes), number)
        for number in range(places)
    ]
    for _ in range(lost):
        await bench.send_bad(random_message(generator, sizes))
    await ClockCycles(dut.clk, 4)
    dropped = lost * len(sizes)
    assert bench.stats == Counter(round_dropped=dropped)
    bench.sink.pause = None
    for wanted in sent:
        await bench.receive(wanted)
    # the counter shows the gap, the request id does not
    last = await bench.send_message(random_message(generator, sizes), places + lost)
    await bench.receive(last)
    await bench.finish(message_sent=places + 1, round_dropped=dropped)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def no_more_messages_than_can_wait(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1), stall=STALLED)
    beyond = 40
    for _ in range(beyond):
        await bench.send_bad(Message([[1]]))
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
    limit = 600
    stall = 0.95 if len(dut.m_axis_tkeep) == 8 else 0.98
    bench = await Bench.create(dut, Setting(limit), stall=pauses(11, stall))
    generator = random.Random(12)
    kept, bad = {}, 0
    for number in range(150):
        sizes = [generator.randint(1, 300) for _ in range(generator.randint(1, 6))]
        before = bench.stats.copy()
        sent = await bench.send_message(random_message(generator, sizes), number)
        await ClockCycles(dut.clk, 4)
        lot = bench.stats - before
        del lot["message_sent"]  # of one before
        if lot == Counter(message_bad=1, message_long=1):
            assert sum(sizes) > limit
            bad += 1
        elif lot != Counter(round_dropped=len(sizes)):
            assert not lot
            kept[number] = sent.request
    bench.sink.pause = None
    seen = []
    await ClockCycles(dut.clk, 1000)
    while not bench.sink.empty():
        data = (await bench.sink.recv()).data
        seen.append(ENQUEUE_BODY.decode(data[24:])["counter"])
        wanted = kept[seen[-1]]
        assert data[:12] + data[16:] == wanted[:12] + wanted[16:]
        assert REQUEST_HEADER.decode(data)["request_id"] == len(seen) - 1
    assert seen == list(kept)
    assert bench.stats["message_sent"] == len(kept) == len(bench.comes)
    assert min(len(kept), bad, bench.stats["round_dropped"]) > 10


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(rounds=[1, 2])
async def rounds_of_a_wrong_length_spoil_their_message_alone(dut: Any, rounds: int) -> None:
    bits = 3 * len(dut.s_axis_tdata) - 1
    bench = await Bench.create(dut, Setting(rounds * bits))
    generator = random.Random(13)
    messages = []
    for beats in (1, 2, 4, 9):
        for place in range(rounds):
            bad = random_message(generator, (bits,) * rounds)
            messages.append(Message(bad.rounds, {place: beats}))
            messages.append(random_message(generator, (bits, 1)[:rounds]))
    await exchange(bench, messages)
    wrongs = 2 * rounds
    await bench.finish(
        message_sent=2 * wrongs, message_bad=2 * wrongs, round_short=wrongs, round_long=wrongs
    )


@cocotb.test(timeout_time=500, timeout_unit="us")
async def messages_that_are_too_long_are_dropped_alone(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    generator = random.Random(14)
    for limit in (1, 24, bench.word - 1, bench.word, bench.word + 1, 1000):
        await bench.restart(Setting(limit))
        whole = [random_message(generator, (limit,)) for _ in range(6)]
        long = [
            random_message(generator, (limit + 1,)),
            random_message(generator, (4096,)),
            random_message(generator, (limit, 1)),
            random_message(generator, (1, limit, 2 * bench.word, 1)),
            random_message(generator, (1,) * (limit + 1)),
        ]
        await exchange(bench, [m for pair in zip(whole, long, strict=False) for m in pair])
        await bench.finish(message_sent=5, message_bad=5, message_long=5)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def a_message_that_is_too_long_takes_no_place_of_another(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(2000), stall=STALLED)
    generator = random.Random(15)
    sent = [
        await bench.send_message(random_message(generator, (2000,)), number)
        for number in range(bench.places() - 1)
    ]
    await bench.send_bad(random_message(generator, (1000, 4096, 4096)))
    await ClockCycles(dut.clk, 8)  # until it has given its place back
    # so long that the count of its bits comes round
    await bench.send_bad(Message([[1] * 4096] * 260, dict.fromkeys(range(260), 1)))
    bench.sink.pause = None
    for wanted in sent:
        await bench.receive(wanted)
    sent.append(await bench.send_message(random_message(generator, MEMORY), len(sent) + 2))
    await bench.receive(sent[-1])
    await bench.finish(message_sent=len(sent), message_bad=2, message_long=2, round_short=260)


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(sparse=[0, 1])
async def reset_in_a_message_leaves_nothing_behind(dut: Any, sparse: int) -> None:
    setting = Setting(4000, sparse=sparse)
    bench = await Bench.create(dut, setting)
    generator = random.Random(19)
    for cycles in (1, 30, 90, 140, 200, 330, 500, 530, 560):
        for ends in (False, True, False):
            bench.queue_round([0] * 2000, ends=ends)
        await ClockCycles(dut.clk, cycles)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        await ReadOnly()
        assert not int(dut.m_axis_tvalid.value)
        assert not int(dut.m_len_tvalid.value)
        assert not int(dut.m_come.value)
        await RisingEdge(dut.clk)
        await bench.drain()
        await bench.restart(setting)
        await exchange(bench, [random_message(generator, (1500, 2500)) for _ in range(2)])
        await bench.finish(message_sent=2)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def settings_that_cannot_work_drop_every_round(dut: Any) -> None:
    bench = await Bench.create(dut, Setting(1))
    most = min(DEPTH * bench.word, (1 << 20) - 33)
    for bits in (0, most + 1, (1 << 20) - 1):
        await bench.restart(Setting(bits))
        for _ in range(5):
            await bench.send_bad(Message([[1]]))
        await bench.finish(round_dropped=5)
    await bench.restart(Setting(most))
    generator = random.Random(20)
    await exchange(bench, [random_message(generator, (4096, 1)), random_message(generator, (7,))])
    await bench.finish(message_sent=2)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def anything_goes(dut: Any) -> None:
    generator = random.Random(21)
    bench = await Bench.create(
        dut, Setting(1), idle=pauses(22, 0.2), stall=pauses(23, 0.3), len_stall=pauses(24, 0.3)
    )
    for turn in range(20):
        as_bytes, sparse = generator.choice(((0, 0), (1, 0), (0, 1)))
        limit = generator.choice((generator.randint(1, 300), 1000))
        setting = Setting(
            limit,
            as_bytes,
            sparse,
            generator.randrange(32),
            generator.getrandbits(63),
            generator.getrandbits(32),
        )
        await bench.restart(setting)
        bench.source.pause = pauses(turn, 0.2) if turn % 2 else None
        messages = [anything(generator, bench, 0.02 if sparse else 0.5) for _ in range(12)]
        stats = Counter[str]()
        for message in messages:
            for index, beats in message.beats.items():
                whole = -(-len(message.rounds[index]) // bench.in_w)
                stats["round_short" if beats < whole else "round_long"] += 1
            too_long = len(message.bits) > limit
            stats["message_long"] += too_long
            stats["message_bad" if too_long or message.beats else "message_sent"] += 1
        await exchange(bench, messages)
        await bench.finish(**stats)


def anything(generator: random.Random, bench: Bench, density: float) -> Message:
    """A message that is mostly as it should be."""
    limit = bench.setting.message_bits
    sizes: list[int] = []
    while not sizes or (sum(sizes) < limit and generator.random() < 0.8):
        left = limit - sum(sizes)
        sizes.append(generator.randint(1, left))
    if generator.random() < 0.15:
        sizes.append(limit)
    message = random_message(generator, sizes, density)
    if generator.random() < 0.15:
        index = generator.randrange(len(sizes))
        whole = -(-sizes[index] // bench.in_w)
        beats = generator.choice([n for n in (1, whole - 1, whole + 1, whole + 9) if n != whole])
        return Message(message.rounds, {index: max(beats, 1)} if beats else {})
    return message
