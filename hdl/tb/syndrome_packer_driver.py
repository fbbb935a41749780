"""Driver of syndrome_packer: settings, rounds in, messages out, and the requests to expect."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from cocotb.queue import Queue
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time

from emulator.wire import EnqueueSyndromes, Predecode, Request, function_id
from emulator.wire.fields import ENQUEUE_BODY, REQUEST_HEADER
from hdl.tb.axis import AxisSink, AxisSource, Frame, start

__all__ = [
    "COME",
    "DEPTH",
    "INDICES",
    "LATENCY",
    "MEMORY",
    "MESSAGES",
    "SPARSE",
    "Bench",
    "Message",
    "Passed",
    "Setting",
    "exchange",
    "random_message",
]

PERIOD_PS = 4000
DEPTH, MESSAGES, INDICES = 256, 16, 512
"""Parameters of the packer, their defaults."""
COME, LATENCY = 3, 6
"""Cycles from the last beat of a message to m_come and to the first beat of a dense message."""
MEMORY = (12, 24, 24, 24, 36)
"""Detectors in the rounds of a memory experiment: half of them in the first round, more in the
last one, which has those of the data qubits as well."""
STATS = (
    "round_dropped",
    "round_short",
    "round_long",
    "message_bad",
    "message_long",
    "message_sent",
)
SPARSE = "enqueue_syndromes_sparse"
Bits = list[int]


@dataclass(slots=True)
class Setting:
    """Values of cfg_*."""

    message_bits: int
    bytes: int = 0
    sparse: int = 0
    decoder_id: int = 5
    mapping_id: int = 0x1122334455667788
    request_first: int = 0
    request_step: int = 1

    def length(self, bits: int) -> int:
        """Bytes of a dense message of so many bits."""
        return 24 + bits if self.bytes else 56 + -(-bits // 8)


@dataclass(frozen=True, slots=True)
class Message:
    """Bits of each round; ``beats`` of those rounds, by index, that are cut or stretched."""

    rounds: list[Bits]
    beats: Mapping[int, int] = field(default_factory=dict)

    @property
    def bits(self) -> Bits:
        return [bit for one in self.rounds for bit in one]


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that is in: the request it makes, its first and its last round."""

    request: bytes
    first: Frame
    last: Frame


@dataclass(slots=True)
class Model:
    """What the packer has to send: requests of this setting, in order."""

    setting: Setting
    sent: int = 0

    def request(self, bits: Bits, number: int, ptp: int) -> bytes:
        setting = self.setting
        identity = setting.request_first + self.sent * setting.request_step & 0xFFFFFFFF
        self.sent += 1
        if setting.bytes:
            return Request(Predecode(bytes(bits)), identity, ptp).encode()
        indices = [i for i, bit in enumerate(bits) if bit]
        shorter = 2 * len(indices) < -(-len(bits) // 8) and len(indices) <= INDICES
        if setting.sparse and shorter and len(bits) <= 1 << 16:
            return self._sparse(len(bits), indices, number, identity, ptp)
        call = EnqueueSyndromes.from_bits(
            np.array(bits, dtype=np.uint8),
            decoder_id=setting.decoder_id,
            counter=number,
            syndrome_mapping_id=setting.mapping_id,
        )
        return Request(call, identity, ptp).encode()

    def _sparse(
        self, count: int, indices: Sequence[int], number: int, identity: int, ptp: int
    ) -> bytes:
        body = ENQUEUE_BODY.encode(
            decoder_id=self.setting.decoder_id,
            counter=number,
            syndrome_mapping_id=self.setting.mapping_id,
            num_syndromes=count,
        ) + b"".join(index.to_bytes(2, "little") for index in indices)
        header = REQUEST_HEADER.encode(
            function_id=function_id(SPARSE),
            arg_len=len(body),
            request_id=identity,
            ptp_timestamp=ptp,
        )
        return header + body


def ptp(cycle: int) -> tuple[int, int]:
    """Seconds and nanoseconds at the ptp ports in a cycle; not a time, but no two are equal."""
    return (0xFFFF0000 + cycle) & 0xFFFFFFFF, (cycle * 40503 + 7) & 0xFFFFFFFF


class RoundSource(AxisSource):
    """A source that can drop what it has not begun to send."""

    def forget(self) -> None:
        self._queue.clear()


@dataclass(slots=True)
class Bench:
    """The packer with its agents.

    ``lengths`` holds (bytes, cycle) of every beat of m_len not yet asked for, ``comes`` the cycle
    of every pulse of m_come since reset.
    """

    dut: Any
    source: RoundSource
    sink: AxisSink
    setting: Setting
    model: Model
    queued: int = 0  # rounds, sent or not
    stats: Counter[str] = field(default_factory=Counter)
    lengths: Queue[tuple[int, int]] = field(default_factory=Queue)
    announced: int = 0  # beats of m_len since reset
    comes: list[int] = field(default_factory=list)

    @classmethod
    async def create(
        cls,
        dut: Any,
        setting: Setting,
        *,
        idle: Iterator[bool] | None = None,
        stall: Iterator[bool] | None = None,
        len_stall: Iterator[bool] | None = None,
    ) -> "Bench":
        bench = cls(
            dut,
            RoundSource(dut, "s_axis", dut.clk, pause=idle),
            AxisSink(dut, "m_axis", dut.clk, pause=stall),
            setting,
            Model(setting),
        )
        bench._configure(setting)
        cocotb.start_soon(bench._clock_work(len_stall))
        await start(dut, period_ps=PERIOD_PS)
        return bench

    async def restart(self, setting: Setting) -> None:
        """Reset with another setting; counts start anew."""
        self.dut.rst.value = 1
        self._configure(setting)
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await RisingEdge(self.dut.clk)
        self.setting, self.model = setting, Model(setting)
        self.queued = len(self.source.sent)
        self._clear()

    def _clear(self) -> None:
        self.stats.clear()
        self.comes.clear()
        self.announced = 0

    async def drain(self) -> None:
        """Drop what waits to be sent and what waits to be received."""
        self.source.forget()
        while not self.sink.empty():
            await self.sink.recv()
        while not self.lengths.empty():
            await self.lengths.get()

    def _configure(self, setting: Setting) -> None:
        for name in Setting.__slots__:
            getattr(self.dut, f"cfg_{name}").value = getattr(setting, name)

    async def _clock_work(self, len_stall: Iterator[bool] | None) -> None:
        """Keep the time, count pulses and take lengths, none of them before its m_come."""
        dut = self.dut
        dut.m_len_tready.value = 0
        while True:
            await RisingEdge(dut.clk)
            cycle = int(get_sim_time("step")) // PERIOD_PS
            if int(dut.rst.value):
                self._clear()
            else:
                self._observe(cycle)
            dut.m_len_tready.value = int(len_stall is None or not next(len_stall))
            dut.ptp_sec.value, dut.ptp_nsec.value = ptp(cycle + 1)

    def _observe(self, cycle: int) -> None:
        dut = self.dut
        for name in STATS:
            if int(getattr(dut, f"stat_{name}").value):
                self.stats[name] += 1
        if int(dut.m_come.value):
            self.comes.append(cycle)
        if int(dut.m_len_tvalid.value):
            assert len(self.comes) > self.announced, "m_len before m_come"
            if int(dut.m_len_tready.value):
                self.lengths.put_nowait((int(dut.m_len_tdata.value), cycle))
                self.announced += 1

    @property
    def lanes(self) -> int:
        return len(self.dut.m_axis_tkeep)

    @property
    def in_w(self) -> int:
        return len(self.dut.s_axis_tdata)

    @property
    def word(self) -> int:
        """Bits of a word of its memory."""
        return 128 if self.lanes == 8 else 512

    def places(self) -> int:
        """Messages that fit inside."""
        return min(MESSAGES, DEPTH // -(-self.setting.message_bits // self.word))

    def beats(self, bits: int) -> int:
        """Beats of a dense message of so many bits."""
        return -(-self.setting.length(bits) // self.lanes)

    def queue_round(self, bits: Bits, *, ends: bool = True, beats: int | None = None) -> int:
        """Queue a round, junk behind its bits, cut or stretched to ``beats``; its number."""
        whole = -(-len(bits) // self.in_w)
        size = whole * self.in_w
        junk = random.Random(len(bits)).getrandbits(size)
        value = sum(bit << i for i, bit in enumerate(bits)) | junk >> len(bits) << len(bits)
        data = value.to_bytes(size // 8, "little")
        length = (whole if beats is None else beats) * self.in_w // 8
        user = int(ends) << 12 | len(bits) - 1
        self.source.send_nowait(data.ljust(length, b"\x5a")[:length], user=user)
        self.queued += 1
        return self.queued - 1

    async def passed(self, number: int) -> Frame:
        """The round of this number, once it is in."""
        while len(self.source.sent) <= number:
            await RisingEdge(self.dut.clk)
        return self.source.sent[number]

    def queue_message(self, message: Message) -> tuple[int, int]:
        """Queue the rounds of a message without a pause; numbers of the first and the last."""
        end = len(message.rounds) - 1
        numbers = [
            self.queue_round(bits, ends=i == end, beats=message.beats.get(i))
            for i, bits in enumerate(message.rounds)
        ]
        return numbers[0], numbers[-1]

    def expect(self, bits: Bits, number: int, first: Frame) -> bytes:
        """The request of a message whose first round is this one."""
        seconds, nanoseconds = ptp(first.first_cycle)
        return self.model.request(bits, number, nanoseconds << 32 | seconds)

    async def send_bad(self, message: Message) -> None:
        """Send the rounds of a message that makes no request."""
        await self.passed(self.queue_message(message)[1])

    async def send_message(self, message: Message, number: int) -> Passed:
        """Send the rounds of a message that is this many messages behind the first one."""
        first, last = self.queue_message(message)
        begun, ended = await self.passed(first), await self.passed(last)
        return Passed(self.expect(message.bits, number, begun), begun, ended)

    async def receive(self, sent: Passed) -> Frame:
        """The next message, which must be this one, with its length announced."""
        message = await self.sink.recv()
        assert message.data == sent.request, f"{message.data.hex()} is not {sent.request.hex()}"
        length, _ = await self.lengths.get()
        assert length == len(sent.request)
        assert sent.last.last_cycle + COME in self.comes
        return message

    async def finish(self, **stats: int) -> None:
        """Nothing more comes, and the pulses were these."""
        await ClockCycles(self.dut.clk, 40)
        assert self.sink.empty()
        assert self.lengths.empty()
        assert not int(self.dut.m_axis_tvalid.value)
        assert self.stats == Counter(stats)
        assert len(self.comes) == stats.get("message_sent", 0)


def random_message(generator: random.Random, sizes: Sequence[int], density: float = 0.5) -> Message:
    """A message with rounds of these sizes, its bits 1 with this probability."""
    return Message([[int(generator.random() < density) for _ in range(size)] for size in sizes])


async def exchange(bench: Bench, messages: Sequence[Message]) -> None:
    """Send messages as fast as there is place for them; all arrive that are not bad."""
    good = [not m.beats and len(m.bits) <= bench.setting.message_bits for m in messages]
    rounds: Queue[tuple[int, int]] = Queue()  # first and last of each message that will arrive
    waiting = 0  # messages inside
    places = max(1, bench.places() - 1)

    async def leave(last: int) -> None:
        nonlocal waiting
        await bench.passed(last)
        await ClockCycles(bench.dut.clk, 4)
        waiting -= 1

    async def send_all() -> None:
        nonlocal waiting
        for message, arrives in zip(messages, good, strict=True):
            # a message keeps its place until it has left
            while waiting == places:
                await RisingEdge(bench.dut.clk)
            waiting += 1
            numbers = bench.queue_message(message)
            if arrives:
                rounds.put_nowait(numbers)
            else:
                cocotb.start_soon(leave(numbers[1]))

    task = cocotb.start_soon(send_all())
    for number, message in enumerate(messages):
        if not good[number]:
            continue
        begin, end = await rounds.get()
        begun, ended = await bench.passed(begin), await bench.passed(end)
        await bench.receive(Passed(bench.expect(message.bits, number, begun), begun, ended))
        waiting -= 1
    await task
    while waiting:
        await RisingEdge(bench.dut.clk)
