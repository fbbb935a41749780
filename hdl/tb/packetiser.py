"""Driver of packetiser_top: rounds and responses in, frames and corrections out, by the cycle.

Cycle n is rising edge n of a clock whose edges stand where the emulator has them, at floor(n / f)
picoseconds, or at n times an even period, which simulates faster. What is quiet costs nothing:
agents wait for signals to change, not for the clock.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.clock import Clock as EvenClock
from cocotb.triggers import ClockCycles, RisingEdge, Timer, ValueChange
from cocotb.utils import get_sim_time

from emulator.units import PS_PER_S, Clock
from emulator.wire import HsbRegisters
from hdl.check import SETTLED

__all__ = ["EVEN_PERIOD_PS", "Correction", "Frame", "Packetiser", "Round", "Settings"]

_RESET_CYCLES = 8
EVEN_PERIOD_PS = 2000
"""Period of a clock whose edges need not be exact."""
_NEVER = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Settings:
    """What the board is told: registers of the way up, addresses, and the shape of messages."""

    registers: HsbRegisters
    board_mac: bytes
    board_ip: bytes
    board_qp: int
    message_bits: int
    as_bytes: bool


@dataclass(frozen=True, slots=True)
class Round:
    """A round of a patch: its first beat is offered from ``cycle`` on; bits first one lowest."""

    patch: int
    cycle: int
    size: int
    ends: bool
    bits: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that left: cycles of its first and its last beat."""

    first: int
    last: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction that came out."""

    cycle: int
    patch: int
    request_id: int
    ptp: int
    bits: bytes
    late: bool


class Packetiser:
    """packetiser_top with its agents, on a clock whose edge times are the PTP time.

    ``exact``: the edges stand there in the simulation as well. ``rd_period_ps`` gives the readout a
    clock of its own; rounds then come on its edges. ``frames`` and ``corrections`` hold what came
    out, ``counts`` the pulses of every ``stat_*``.
    """

    def __init__(
        self, dut: Any, clock: Clock, *, exact: bool = False, rd_period_ps: int = EVEN_PERIOD_PS
    ) -> None:
        self.dut = dut
        self.frames: list[Frame] = []
        self.corrections: list[Correction] = []
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._exact = exact
        self._rd_period_ps = rd_period_ps
        self._patches = len(dut.s_axis_tvalid)
        self._in_w = len(dut.s_axis_tdata) // self._patches
        self._offers: list[tuple[int, int, int] | None] = [None] * self._patches
        self._lanes = len(dut.tx_axis_tkeep)
        self._frame = bytearray()
        self._begin_ps = 0

    @property
    def cycle(self) -> int:
        """Number of the last rising edge."""
        now = int(get_sim_time("ps")) - self._begin_ps
        if not self._exact:
            return now // EVEN_PERIOD_PS
        # edge n is at floor(n / f), after which the next one is more than a picosecond away
        edges, span_ps = self._clock.ratio
        return ((now + 1) * edges - 1) // span_ps

    async def start(self, settings: Settings) -> None:
        """Configure, reset, and be ready at cycle SETTLED."""
        dut = self.dut
        self._begin_ps = int(get_sim_time("ps"))
        for name in ("s_axis_tvalid", "rx_axis_tvalid", "rx_axis_tuser", "cfg_sparse"):
            getattr(dut, name).value = 0
        dut.tx_axis_tready.value = 1
        dut.m_corr_ready.value = 1
        self._configure(settings)
        dut.rst.value = dut.rd_rst.value = 1
        if self._exact:
            cocotb.start_soon(self._run_clock())
        else:
            EvenClock(dut.clk, EVEN_PERIOD_PS, unit="ps").start(start_high=True)
            EvenClock(dut.rd_clk, self._rd_period_ps, unit="ps").start(start_high=True)
        await RisingEdge(dut.clk)
        for agent in (self._take_frames, self._take_corrections):
            cocotb.start_soon(agent())
        for name in dir(dut):
            if name.startswith("stat_"):
                cocotb.start_soon(self._count(name))
        await self.reach(_RESET_CYCLES)
        dut.rst.value = dut.rd_rst.value = 0
        dut.cfg_psn_load.value = dut.cfg_buffer_load.value = 1
        await self.reach(_RESET_CYCLES + 1)
        dut.cfg_psn_load.value = dut.cfg_buffer_load.value = 0
        await self.reach(SETTLED - 2)

    def forget(self) -> None:
        """Drop what has come out, and half a frame that a reset has cut."""
        self.frames.clear()
        self.corrections.clear()
        self.counts.clear()
        self._frame.clear()

    async def reach(self, cycle: int) -> None:
        """Return after edge ``cycle``; what is driven then is seen by the next edge."""
        while self.cycle < cycle:
            await ClockCycles(self.dut.clk, cycle - self.cycle)

    async def play(self, rounds: Sequence[Round]) -> None:
        """Offer the rounds of all patches, those of a patch in order; return when all are in."""
        tasks = [
            cocotb.start_soon(self._play_patch([r for r in rounds if r.patch == patch]))
            for patch in range(self._patches)
        ]
        for task in tasks:
            await task

    async def respond(self, responses: Iterable[tuple[int, bytes]]) -> None:
        """Let frames arrive: the last beat of each in its cycle, or as soon as the bus is free."""
        dut, lanes = self.dut, self._lanes
        for cycle, frame in responses:
            beats = [frame[at : at + lanes] for at in range(0, len(frame), lanes)]
            await self.reach(cycle - len(beats))
            for number, beat in enumerate(beats, start=1):
                dut.rx_axis_tdata.value = int.from_bytes(beat, "little")
                dut.rx_axis_tkeep.value = (1 << len(beat)) - 1
                dut.rx_axis_tlast.value = int(number == len(beats))
                dut.rx_axis_tvalid.value = 1
                await RisingEdge(dut.clk)
                while not int(dut.rx_axis_tready.value):
                    await RisingEdge(dut.clk)
            dut.rx_axis_tvalid.value = 0

    async def _play_patch(self, rounds: Sequence[Round]) -> None:
        dut, mask = self.dut, (1 << self._in_w) - 1
        for entry in rounds:
            while (left := entry.cycle - 1 - self.cycle) > 0:
                edges = left * EVEN_PERIOD_PS // self._rd_period_ps
                await ClockCycles(dut.rd_clk, max(1, edges))
            beats, value = -(-entry.size // self._in_w), int.from_bytes(entry.bits, "little")
            user = int(entry.ends) << 12 | entry.size - 1
            for number in range(beats):
                last = number == beats - 1
                self._offer(entry.patch, (value >> number * self._in_w & mask, int(last), user))
                await RisingEdge(dut.rd_clk)
                while not int(dut.s_axis_tready.value) >> entry.patch & 1:
                    self._drive()
                    await RisingEdge(dut.rd_clk)
            self._offer(entry.patch, None)

    def _offer(self, patch: int, beat: tuple[int, int, int] | None) -> None:
        self._offers[patch] = beat
        self._drive()

    def _drive(self) -> None:
        dut, data, valid, last, users = self.dut, 0, 0, 0, 0
        for patch, offer in enumerate(self._offers):
            if offer is not None:
                beat, ends, user = offer
                data |= beat << patch * self._in_w
                valid |= 1 << patch
                last |= ends << patch
                users |= user << 13 * patch
        dut.s_axis_tdata.value, dut.s_axis_tvalid.value = data, valid
        dut.s_axis_tlast.value, dut.s_axis_tuser.value = last, users
        seconds, rest_ps = divmod(self._clock.edge_ps(self.cycle + 1), PS_PER_S)
        dut.rd_ptp_sec.value, dut.rd_ptp_nsec.value = seconds, rest_ps // 1000

    async def _take_frames(self) -> None:
        dut, data, first = self.dut, self._frame, 0
        while True:
            if not int(dut.tx_axis_tvalid.value):
                await RisingEdge(dut.tx_axis_tvalid)
            await RisingEdge(dut.clk)
            if not (int(dut.tx_axis_tvalid.value) and int(dut.tx_axis_tready.value)):
                continue
            first = first if data else self.cycle
            count = int(dut.tx_axis_tkeep.value).bit_count()
            data += int(dut.tx_axis_tdata.value).to_bytes(self._lanes, "little")[:count]
            if int(dut.tx_axis_tlast.value):
                self.frames.append(Frame(first, self.cycle, bytes(data)))
                data.clear()

    async def _take_corrections(self) -> None:
        dut = self.dut
        while True:
            if not int(dut.m_corr_valid.value):
                await RisingEdge(dut.m_corr_valid)
            await RisingEdge(dut.rd_clk)
            if not (int(dut.m_corr_valid.value) and int(dut.m_corr_ready.value)):
                continue
            size = int(dut.m_corr_bytes.value)
            self.corrections.append(
                Correction(
                    self.cycle,
                    int(dut.m_corr_patch.value),
                    int(dut.m_corr_id.value),
                    int(dut.m_corr_ptp.value),
                    # fails if a bit beyond the result is set
                    int(dut.m_corr_bits.value).to_bytes(size, "little"),
                    bool(int(dut.m_corr_late.value)),
                )
            )

    async def _count(self, name: str) -> None:
        """Count the pulses of a statistic, one for each bit that is high at an edge."""
        signal = getattr(self.dut, name)
        while True:
            if not int(signal.value):
                await ValueChange(signal)
            await RisingEdge(self.dut.clk)
            if not int(self.dut.rst.value):
                self.counts[name] += int(signal.value).bit_count()

    async def _run_clock(self) -> None:
        dut, number = self.dut, 0
        dut.clk.value = dut.rd_clk.value = 0
        while True:
            at, after = self._clock.edge_ps(number), self._clock.edge_ps(number + 1)
            half = (after - at) // 2
            if number:
                dut.clk.value = dut.rd_clk.value = 1
            await Timer(half, unit="ps")
            dut.clk.value = dut.rd_clk.value = 0
            await Timer(after - at - half, unit="ps")
            number += 1

    def _configure(self, settings: Settings) -> None:
        dut, registers = self.dut, settings.registers
        values = {
            "message_bits": settings.message_bits,
            "bytes": int(settings.as_bytes),
            "decoder_first": 0,
            "mapping_id": 0,
            "request_first": 0,
            "mode_native": 0,
            "bytes_per_window": registers.bytes_per_window,
            "pkt_len_pages128": registers.pkt_len_pages128,
            "host_mac": registers.host_mac,
            "board_mac": int.from_bytes(settings.board_mac),
            "host_ip": registers.host_ip,
            "board_ip": int.from_bytes(settings.board_ip),
            "src_udp_port": registers.src_udp_port,
            "dst_udp_port": registers.host_udp_port,
            "dest_qp": registers.dest_qp,
            "rkey": registers.rkey,
            "base_va": registers.base_va,
            "buf_increment_pages128": registers.buf_increment_pages128,
            "last_buffer": registers.last_buffer,
            "psn": 0,
            "psn_load": 0,
            "buffer": 0,
            "buffer_load": 0,
            "qp": settings.board_qp,
            "deadline": _NEVER,
        }
        for name, value in values.items():
            getattr(dut, f"cfg_{name}").value = value
