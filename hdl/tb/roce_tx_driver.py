"""Drives roce_tx in a bench: settings as registers, windows in, frames and statistics out."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from emulator.wire import HsbRegisters, encode_window
from emulator.wire.fields import WRITE_WITH_IMMEDIATE
from emulator.wire.icrc import ICRC_SIZE, icrc
from hdl.tb.axis import AxisSink, AxisSource, start

__all__ = ["STATISTICS", "Board", "Transmitter", "apply", "native_frames"]

STATISTICS = (
    "stat_packet",
    "stat_window",
    "stat_window_short",
    "stat_window_long",
    "stat_beat_dropped",
)
_SETTLE_CYCLES = 20


@dataclass(frozen=True, slots=True)
class Board:
    """Where frames come from and go to."""

    registers: HsbRegisters
    mac: bytes
    ip: bytes

    def frames(self, payload: bytes, psn: int, buffer: int) -> list[bytes]:
        """What the emulator says the frames of a window are."""
        return encode_window(
            payload,
            self.registers,
            board_mac=self.mac,
            board_ip=self.ip,
            psn=psn,
            buffer=buffer,
        )


def native_frames(board: Board, window: bytes, psn: int, buffer: int) -> list[bytes]:
    """Frames of a window of any length, which need not be whole 4-byte words.

    They are those of the window filled up with zeros, but the last one says in the BTH how many
    bytes were filled, and its DMA length is without them.
    """
    pad = -len(window) % 4
    registers = replace(board.registers, bytes_per_window=len(window) + pad)
    frames = replace(board, registers=registers).frames(window, psn, buffer)
    last = bytearray(frames[-1][:-ICRC_SIZE])
    flags, length = WRITE_WITH_IMMEDIATE["bth_flags"], WRITE_WITH_IMMEDIATE["reth_dma_len"]
    last[flags.offset : flags.end] = flags.encode(pad << 4)
    last[length.offset : length.end] = length.encode(length.decode(bytes(last)) - pad)
    return [*frames[:-1], bytes(last) + icrc(bytes(last))]


def apply(dut: Any, board: Board, *, native: bool) -> None:
    """Write the settings, which count 20 cycles later."""
    registers = board.registers
    dut.cfg_mode_native.value = int(native)
    dut.cfg_bytes_per_window.value = registers.bytes_per_window
    dut.cfg_pkt_len_pages128.value = registers.pkt_len_pages128
    dut.cfg_host_mac.value = registers.host_mac
    dut.cfg_board_mac.value = int.from_bytes(board.mac, "big")
    dut.cfg_host_ip.value = registers.host_ip
    dut.cfg_board_ip.value = int.from_bytes(board.ip, "big")
    dut.cfg_src_udp_port.value = registers.src_udp_port
    dut.cfg_dst_udp_port.value = registers.host_udp_port
    dut.cfg_dest_qp.value = registers.dest_qp
    dut.cfg_rkey.value = registers.rkey
    dut.cfg_base_va.value = registers.base_va
    dut.cfg_buf_increment_pages128.value = registers.buf_increment_pages128
    dut.cfg_last_buffer.value = registers.last_buffer
    dut.cfg_psn_load.value = 0
    dut.cfg_buffer_load.value = 0


class _Lengths:
    """Offers lengths on s_len, one after the other."""

    def __init__(self, dut: Any) -> None:
        self.queue: deque[int] = deque()
        self._dut = dut
        dut.s_len_tvalid.value = 0
        dut.s_len_tdata.value = 0
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        dut = self._dut
        offered = False
        while True:
            await RisingEdge(dut.clk)
            if int(dut.rst.value):
                self.queue.clear()
            if offered and int(dut.s_len_tready.value):
                offered = False
            if not offered and self.queue:
                dut.s_len_tdata.value = self.queue.popleft()
                offered = True
            dut.s_len_tvalid.value = int(offered)


class Transmitter:
    """roce_tx with a source of payload, a sink of frames, and a count of every statistic."""

    def __init__(
        self,
        dut: Any,
        *,
        idle: Iterator[bool] | None = None,
        stall: Iterator[bool] | None = None,
    ) -> None:
        self.dut = dut
        self.lanes = len(dut.s_axis_tkeep)
        self.source = AxisSource(dut, "s_axis", dut.clk, pause=idle)
        self.sink = AxisSink(dut, "m_axis", dut.clk, pause=stall)
        self.lengths = _Lengths(dut)
        self.counts: Counter[str] = Counter()
        for name in STATISTICS:
            cocotb.start_soon(self._count(name))

    async def start(self, board: Board, *, native: bool, psn: int = 0, buffer: int = 0) -> None:
        """Reset, then configure."""
        apply(self.dut, board, native=native)
        await start(self.dut)
        await self.configure(board, native=native, psn=psn, buffer=buffer)

    async def configure(
        self, board: Board, *, native: bool, psn: int | None = None, buffer: int | None = None
    ) -> None:
        """Write the settings, load PSN and slot where they are given, and let them settle."""
        dut = self.dut
        apply(dut, board, native=native)
        dut.cfg_psn_load.value = int(psn is not None)
        dut.cfg_psn.value = psn or 0
        dut.cfg_buffer_load.value = int(buffer is not None)
        dut.cfg_buffer.value = buffer or 0
        await RisingEdge(dut.clk)
        dut.cfg_psn_load.value = 0
        dut.cfg_buffer_load.value = 0
        await ClockCycles(dut.clk, _SETTLE_CYCLES)

    def send(self, payload: bytes, length: int | None = None) -> None:
        """Queue a window; ``length`` announces it in native mode."""
        if length is not None:
            self.lengths.queue.append(length)
        self.source.send_nowait(payload)

    async def _count(self, name: str) -> None:
        """Count the cycles in which a statistic is high, looking at it only when it is."""
        signal = getattr(self.dut, name)
        while True:
            await RisingEdge(signal)
            await RisingEdge(self.dut.clk)
            while int(signal.value):
                self.counts[name] += 1
                await RisingEdge(self.dut.clk)
