"""Bench of correction_unpacker: every response is matched, timed and counted as it should be."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time

from emulator.wire import Response, Status
from hdl.tb.axis import AxisSource, pauses, start
from hdl.tb.tb_roce_rx import count_stats

LATENCY = 4
# from req_valid to the entry
ENTRY = 1
PERIOD_PS = 4000
NEVER = 1 << 20


@dataclass(frozen=True, slots=True)
class Correction:
    """What came out, and in which cycle."""

    cycle: int
    patch: int
    request_id: int
    ptp: int
    result: bytes
    late: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was sent; the cycle is that of req_valid."""

    cycle: int
    request_id: int
    patch: int


def now() -> int:
    """Index of this clock edge, counted as the stream agents do."""
    return int(get_sim_time("ps")) // PERIOD_PS


async def collect(dut: Any, corrections: list[Correction]) -> None:
    """Note every correction."""
    edge = RisingEdge(dut.clk)
    while True:
        await edge
        if int(dut.m_corr_valid.value) and not int(dut.rst.value):
            size = int(dut.m_corr_bytes.value)
            bits = int(dut.m_corr_bits.value)
            corrections.append(
                Correction(
                    now(),
                    int(dut.m_corr_patch.value),
                    int(dut.m_corr_id.value),
                    int(dut.m_corr_ptp.value),
                    # fails if a bit beyond the result is set
                    bits.to_bytes(size, "little"),
                    bool(int(dut.m_corr_late.value)),
                )
            )


async def request(dut: Any, request_id: int, patch: int) -> Asked:
    """Tell the board that a request is sent, in one cycle."""
    dut.req_valid.value = 1
    dut.req_id.value = request_id
    dut.req_patch.value = patch
    await RisingEdge(dut.clk)
    dut.req_valid.value = 0
    return Asked(now(), request_id, patch)


class Bench:
    """The unpacker behind a source of messages, with its corrections and pulses noted."""

    def __init__(self, dut: Any, *, idle: float | None = None, deadline: int = NEVER) -> None:
        self.dut = dut
        self.lanes = len(dut.s_axis_tkeep)
        self.most_bytes = len(dut.m_corr_bits) // 8
        self.source = AxisSource(dut, "s_axis", dut.clk, pause=pauses(21, idle) if idle else None)
        self.corrections: list[Correction] = []
        self.counts: Counter[str] = Counter()
        dut.req_valid.value = 0
        dut.cfg_deadline.value = deadline

    async def start(self) -> None:
        """Reset, and note from there."""
        await start(self.dut, period_ps=PERIOD_PS)
        cocotb.start_soon(count_stats(self.dut, self.counts))
        cocotb.start_soon(collect(self.dut, self.corrections))

    async def respond(self, response: Response, rest: bytes = b"") -> int:
        """Send a response, with the rest of its slot; return the cycle of its last beat."""
        return (await self.source.send(response.encode() + rest)).last_cycle

    async def end(self, **counts: int) -> None:
        """Compare the counts once all has settled."""
        await ClockCycles(self.dut.clk, 10)
        assert self.counts == counts


@cocotb.test()
async def results_of_every_length_come_out_in_time(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    generator = random.Random(1)
    sizes = range(bench.most_bytes + 1)
    for size in sizes:
        result, ptp = generator.randbytes(size), generator.getrandbits(64)
        request_id, patch = generator.getrandbits(32), generator.getrandbits(8)
        await request(dut, request_id, patch)
        # the rest of a slot is not looked at
        rest = generator.randbytes(generator.choice([0, 1, 8, 64, 300]))
        last = await bench.respond(Response(Status.OK, request_id, ptp, result), rest)
        await ClockCycles(dut.clk, LATENCY + 2)
        expected = Correction(last + LATENCY, patch, request_id, ptp, result, late=False)
        assert bench.corrections.pop() == expected
    await bench.end(on_time=len(sizes))


@cocotb.test()
async def responses_may_come_every_cycle_and_in_any_order(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    generator = random.Random(2)
    places = 16
    for turn in range(10):
        asked = [await request(dut, places * turn + i, i) for i in range(places)]
        generator.shuffle(asked)
        before = len(bench.source.sent)
        results = [generator.randbytes(8) for _ in asked]
        for it, result in zip(asked, results, strict=True):
            bench.source.send_nowait(Response(Status.OK, it.request_id, 0, result).encode())
        beats = places * -(-32 // bench.lanes)
        await ClockCycles(dut.clk, beats + LATENCY + 3)
        sent = bench.source.sent[before:]
        assert sent[-1].last_cycle == sent[0].first_cycle + beats - 1
        assert [(c.cycle, c.patch, c.result) for c in bench.corrections] == [
            (frame.last_cycle + LATENCY, it.patch, result)
            for frame, it, result in zip(sent, asked, results, strict=True)
        ]
        bench.corrections.clear()
    await bench.end(on_time=10 * places)


@cocotb.test()
@cocotb.parametrize(distance=[-3, -2, -1, 0, 1, 2, 3])
async def deadline_is_exact(dut: Any, distance: int) -> None:
    deadline = 30
    bench = Bench(dut, deadline=deadline)
    await bench.start()
    message = Response(Status.OK, 5, 0, b"\1").encode()
    beats = -(-len(message) // bench.lanes)
    asked = await request(dut, 5, 1)
    # the source offers a beat in the cycle after it was queued
    await ClockCycles(dut.clk, deadline + distance - LATENCY - beats)
    bench.source.send_nowait(message)
    while now() < asked.cycle + deadline - 1:
        await RisingEdge(dut.clk)
    assert not int(dut.stat_missing.value)
    await RisingEdge(dut.clk)
    assert now() == asked.cycle + deadline
    assert int(dut.stat_missing.value) == (distance > 0)
    await ClockCycles(dut.clk, 10)
    (correction,) = bench.corrections
    assert correction.cycle == asked.cycle + deadline + distance
    assert correction.late == (distance > 0)
    await bench.end(**({"missing": 1, "late": 1} if distance > 0 else {"on_time": 1}))


@cocotb.test()
@cocotb.parametrize(deadline=[5, 6, 10])
async def request_without_response_is_missing_once(dut: Any, deadline: int) -> None:
    bench = Bench(dut, deadline=deadline)
    await bench.start()
    asked = [await request(dut, i, i) for i in range(3)]
    missing = []
    for _ in range(100):
        await RisingEdge(dut.clk)
        if int(dut.stat_missing.value):
            missing.append(now())
    assert missing == [it.cycle + deadline for it in asked]
    assert not bench.corrections
    await bench.end(missing=3)


@cocotb.test()
async def second_response_is_a_duplicate(dut: Any) -> None:
    bench = Bench(dut, deadline=20)
    await bench.start()
    await request(dut, 1, 0)
    await bench.respond(Response(Status.OK, 1, 0, b"a"))
    await bench.respond(Response(Status.OK, 1, 0, b"b"))
    await request(dut, 2, 0)
    await ClockCycles(dut.clk, 30)
    await bench.respond(Response(Status.OK, 2, 0, b"c"))
    await bench.respond(Response(Status.OK, 2, 0, b"d"))
    await bench.end(on_time=1, missing=1, late=1, duplicate=2)
    assert [c.result for c in bench.corrections] == [b"a", b"c"]


@cocotb.test()
async def id_that_was_never_asked_is_unknown(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    await bench.respond(Response(Status.OK, 3, 0, b"a"))
    await ClockCycles(dut.clk, LATENCY)
    await request(dut, 3, 0)
    # the same place of the table, another id
    await bench.respond(Response(Status.OK, 3 + 16, 0, b"a"))
    await bench.respond(Response(Status.OK, 3 + (1 << 31), 0, b"a"))
    await bench.end(unknown=3)
    assert not bench.corrections


@cocotb.test()
async def request_whose_place_is_taken_is_displaced(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    for i in range(17):
        await request(dut, i, i)
    await bench.respond(Response(Status.OK, 0, 0, b"a"))
    await bench.respond(Response(Status.OK, 16, 0, b"b"))
    # once it is answered, its place is free
    await ClockCycles(dut.clk, LATENCY)
    await request(dut, 32, 7)
    await bench.end(displaced=1, unknown=1, on_time=1)
    assert [c.patch for c in bench.corrections] == [16]


@cocotb.test()
async def status_other_than_ok_gives_no_correction(dut: Any) -> None:
    bench = Bench(dut, deadline=100)
    await bench.start()
    failures = [status for status in Status if status is not Status.OK]
    for i, status in enumerate(failures):
        await request(dut, i, 0)
        await bench.respond(Response(status, i, 0, b"ab"))
        await bench.respond(Response(Status.OK, i, 0, b"ab"))
    await ClockCycles(dut.clk, 100)
    assert not bench.corrections
    await bench.end(bad_status=len(failures), duplicate=len(failures))


@cocotb.test()
async def malformed_response_gives_no_correction_and_answers_nothing(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    await request(dut, 1, 9)
    whole = Response(Status.OK, 1, 0, b"abcdefgh").encode()
    for end in range(1, len(whole)):
        await bench.source.send(whole[:end])
    await bench.respond(Response(Status.OK, 1, 0, bytes(bench.most_bytes + 1)))
    huge = bytearray(whole)
    huge[8:12] = b"\x08\x00\x01\x00"
    await bench.source.send(bytes(huge) + bytes(300))
    for bit in range(32):
        magic = bytearray(whole)
        magic[bit // 8] ^= 1 << bit % 8
        await bench.source.send(bytes(magic))
    await ClockCycles(dut.clk, 10)
    assert not bench.corrections
    await bench.source.send(whole)
    await ClockCycles(dut.clk, 10)
    assert [(c.patch, c.result) for c in bench.corrections] == [(9, b"abcdefgh")]
    short_magic = bench.counts.pop("bad_magic") - 32
    # fewer than four bytes have no magic; what their lanes hold is junk
    assert short_magic == 3
    await bench.end(on_time=1, bad_response=len(whole) - 1 - short_magic + 2)


@cocotb.test()
async def reset_forgets_requests_and_half_a_response(dut: Any) -> None:
    bench = Bench(dut, deadline=50)
    await bench.start()
    await request(dut, 1, 9)
    bench.source.send_nowait(Response(Status.OK, 1, 0, bytes(30)).encode() + bytes(200))
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 100)
    await bench.respond(Response(Status.OK, 1, 0, b"a"))
    await request(dut, 2, 8)
    await bench.respond(Response(Status.OK, 2, 0, b"b"))
    await bench.end(unknown=1, on_time=1)
    assert [c.result for c in bench.corrections] == [b"b"]


@dataclass(slots=True)
class Entry:
    """A place of the reference model's table."""

    asked: Asked
    answered: bool = False


def reference(
    asked: list[Asked], answers: list[tuple[int, Response]], deadline: int, places: int
) -> tuple[list[Correction], Counter[str]]:
    """Corrections and counts for requests and for responses with the cycle of their last beat.

    A response is decided a cycle before it shows; a request counts for it if entered earlier.
    """
    corrections: list[Correction] = []
    counts: Counter[str] = Counter()
    table: dict[int, Entry] = {}
    # of one cycle, a request comes after a response, and its deadline before either
    events: list[tuple[int, int, Asked | Response]] = [(a.cycle + ENTRY, 1, a) for a in asked]
    events += [(cycle + LATENCY - 1, 0, response) for cycle, response in answers]
    closed: set[int] = set()
    for cycle, _, event in sorted(events, key=lambda it: it[:2]):
        place = event.request_id % places
        entry = table.get(place)
        if isinstance(event, Asked):
            if entry and not entry.answered and cycle < entry.asked.cycle + deadline - 1:
                counts["displaced"] += 1
                closed.add(id(entry.asked))
            table[place] = Entry(event)
        elif entry is None or entry.asked.request_id != event.request_id:
            counts["unknown"] += 1
        elif entry.answered:
            counts["duplicate"] += 1
        else:
            entry.answered = True
            late = cycle + 1 > entry.asked.cycle + deadline
            if not late:
                closed.add(id(entry.asked))
            if event.status is not Status.OK:
                counts["bad_status"] += 1
                continue
            counts["late" if late else "on_time"] += 1
            corrections.append(
                Correction(
                    cycle + 1,
                    entry.asked.patch,
                    event.request_id,
                    event.ptp_timestamp,
                    event.result,
                    late,
                )
            )
    missing = sum(id(it) not in closed for it in asked)
    return corrections, counts + Counter(missing=missing)


@cocotb.test()
@cocotb.parametrize(seed=[1, 2, 3], idle=[None, 0.5])
async def random_traffic_is_handled_as_the_reference_says(
    dut: Any, seed: int, idle: float | None
) -> None:
    deadline = 60
    bench = Bench(dut, idle=idle, deadline=deadline)
    await bench.start()
    generator = random.Random(seed)
    asked: list[Asked] = []
    responses: list[Response] = []
    for number in range(400):
        asked.append(await request(dut, number, generator.randrange(256)))
        for _ in range(generator.choice([0, 1, 1, 1, 2])):
            # now and then again, too soon, or too late
            back = generator.choice([0, 0, 1, 2, 5, 12, 17, -1])
            status = generator.choice([Status.OK] * 9 + [Status.BUSY])
            result = generator.randbytes(generator.randrange(9))
            response = Response(status, max(0, number - back), generator.getrandbits(64), result)
            responses.append(response)
            bench.source.send_nowait(response.encode())
        await ClockCycles(dut.clk, generator.choice([1, 3, 8, 12]))
    while len(bench.source.sent) < len(responses):
        await RisingEdge(dut.clk)
    await ClockCycles(dut.clk, deadline + 10)
    answers = [
        (frame.last_cycle, response)
        for frame, response in zip(bench.source.sent, responses, strict=True)
    ]
    corrections, counts = reference(asked, answers, deadline, 16)
    assert bench.corrections == corrections
    assert bench.counts == counts
    assert min(counts[name] for name in ("on_time", "duplicate", "unknown", "missing")) > 10
