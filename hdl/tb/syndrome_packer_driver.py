"""Driver of syndrome_packer: settings, rounds in, messages out, and the requests to expect."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
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
    "DEPTH",
    "INDICES",
    "MESSAGES",
    "SPARSE",
    "WHOLE",
    "Bench",
    "Setting",
    "exchange",
    "random_bits",
]

PERIOD_PS = 4000
DEPTH, MESSAGES, INDICES = 256, 16, 512
"""Parameters of the packer, their defaults."""
WHOLE = 0xFFFF
"""cfg_start of messages that leave when they are whole."""
STATS = ("round_dropped", "round_short", "round_long", "message_bad", "message_sent")
SPARSE = "enqueue_syndromes_sparse"
Bits = list[int]


@dataclass(slots=True)
class Setting:
    """Values of cfg_*."""

    bits: int
    rounds: int = 1
    bytes: int = 0
    sparse: int = 0
    start: int = WHOLE
    decoder_id: int = 5
    mapping_id: int = 0x1122334455667788
    request_first: int = 0
    request_step: int = 1

    @property
    def total(self) -> int:
        return self.bits * self.rounds

    def length(self) -> int:
        """Bytes of a dense message."""
        return 24 + self.total if self.bytes else 56 + -(-self.total // 8)


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
    """The packer with its agents; ``length`` holds (bytes, cycle) of every beat of m_len."""

    dut: Any
    source: RoundSource
    sink: AxisSink
    setting: Setting
    model: Model
    queued: int = 0  # rounds, sent or not
    stats: Counter[str] = field(default_factory=Counter)
    lengths: Queue[tuple[int, int]] = field(default_factory=Queue)

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
        self.stats.clear()

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
        """Keep the time, count pulses and take lengths."""
        dut = self.dut
        dut.m_len_tready.value = 0
        while True:
            await RisingEdge(dut.clk)
            cycle = int(get_sim_time("step")) // PERIOD_PS
            in_reset = int(dut.rst.value)
            for name in STATS:
                if not in_reset and int(getattr(dut, f"stat_{name}").value):
                    self.stats[name] += 1
            if not in_reset and int(dut.m_len_tvalid.value) and int(dut.m_len_tready.value):
                self.lengths.put_nowait((int(dut.m_len_tdata.value), cycle))
            dut.m_len_tready.value = int(len_stall is None or not next(len_stall))
            dut.ptp_sec.value, dut.ptp_nsec.value = ptp(cycle + 1)

    @property
    def lanes(self) -> int:
        return len(self.dut.m_axis_tkeep)

    @property
    def in_w(self) -> int:
        return len(self.dut.s_axis_tdata)

    def places(self) -> int:
        """Messages that fit inside."""
        word = 128 if self.lanes == 8 else 512
        return min(MESSAGES, DEPTH // -(-self.setting.total // word))

    def beats(self) -> int:
        """Beats of a dense message."""
        return -(-self.setting.length() // self.lanes)

    def queue_round(self, bits: Bits, *, beats: int | None = None) -> int:
        """Queue a round, junk behind its bits, cut or stretched to ``beats``; its number."""
        whole = -(-len(bits) // self.in_w)
        size = whole * self.in_w
        junk = random.Random(len(bits)).getrandbits(size)
        value = sum(bit << i for i, bit in enumerate(bits)) | junk >> len(bits) << len(bits)
        data = value.to_bytes(size // 8, "little")
        length = (whole if beats is None else beats) * self.in_w // 8
        self.source.send_nowait(data.ljust(length, b"\x5a")[:length])
        self.queued += 1
        return self.queued - 1

    async def send_round(self, bits: Bits, *, beats: int | None = None) -> None:
        await self.passed(self.queue_round(bits, beats=beats))

    async def passed(self, number: int) -> Frame:
        """The round of this number, once it is in."""
        while len(self.source.sent) <= number:
            await RisingEdge(self.dut.clk)
        return self.source.sent[number]

    def queue_message(self, bits: Bits) -> tuple[int, int]:
        """Queue the rounds of a message without a pause; numbers of the first and the last."""
        step = self.setting.bits
        rounds = [self.queue_round(bits[i : i + step]) for i in range(0, len(bits), step)]
        return rounds[0], rounds[-1]

    def expect(self, bits: Bits, number: int, first: Frame) -> bytes:
        """The request of a message whose first round is this one."""
        seconds, nanoseconds = ptp(first.first_cycle)
        return self.model.request(bits, number, nanoseconds << 32 | seconds)

    async def send_message(self, bits: Bits, number: int) -> tuple[bytes, Frame, Frame]:
        """Send the rounds of a message; the request it makes, its first and its last round."""
        first, last = self.queue_message(bits)
        begun, ended = await self.passed(first), await self.passed(last)
        return self.expect(bits, number, begun), begun, ended

    async def receive(self, expected: bytes) -> Frame:
        """The next message, which must be this one, with its length announced in time."""
        message = await self.sink.recv()
        assert message.data == expected, f"{message.data.hex()} is not {expected.hex()}"
        assert message.user == 0
        length, _ = await self.lengths.get()
        assert length == len(expected)
        return message

    async def finish(self, **stats: int) -> None:
        """Nothing more comes, and the pulses were these."""
        await ClockCycles(self.dut.clk, 40)
        assert self.sink.empty()
        assert self.lengths.empty()
        assert not int(self.dut.m_axis_tvalid.value)
        assert self.stats == Counter(stats)


def random_bits(generator: random.Random, count: int, density: float = 0.5) -> Bits:
    return [int(generator.random() < density) for _ in range(count)]


async def exchange(bench: Bench, count: int, seed: int, density: float = 0.5) -> None:
    """Send messages as fast as there is place for them; all arrive."""
    generator = random.Random(seed)
    inside: Queue[tuple[Bits, int]] = Queue(maxsize=max(1, bench.places() - 1))

    async def send_all() -> None:
        for _ in range(count):
            # a message keeps its place until it has left
            while inside.full():
                await RisingEdge(bench.dut.clk)
            bits = random_bits(generator, bench.setting.total, density)
            inside.put_nowait((bits, bench.queue_message(bits)[0]))

    cocotb.start_soon(send_all())
    for number in range(count):
        message = await bench.sink.recv()
        bits, first = await inside.get()
        expected = bench.expect(bits, number, bench.source.sent[first])
        assert message.data == expected, f"{message.data.hex()} is not {expected.hex()}"
        assert message.user == 0
        assert (await bench.lengths.get())[0] == len(expected)
    await bench.finish(message_sent=count)
