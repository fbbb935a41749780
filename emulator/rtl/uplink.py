"""The way up in Verilog: beats of rounds in, frames and the cycles they left in out."""

import ctypes
from ctypes import POINTER, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.rtl.verilator import load
from emulator.units import Clock
from emulator.wire import HsbRegisters

__all__ = ["ENDS_MESSAGE", "LAST_BEAT", "STATS", "Sent", "UpSettings", "Uplink"]

LAST_BEAT = 1 << 15
"""Flag of the ``user`` of a beat: tlast."""
ENDS_MESSAGE = 1 << 12
"""Flag of the ``user`` of a beat: its round is the last of a message. Below are its bits less 1."""

STATS = (
    "round_dropped",
    "round_short",
    "round_long",
    "message_long",
    "message_bad",
    "message_sent",
    "window_short",
    "window_long",
    "beat_dropped",
)
"""The ``stat_*`` ports that are counted, in order."""

FOREVER = (1 << 64) - 1

_u8, _u16, _u32, _u64 = (POINTER(kind) for kind in (c_uint8, c_uint16, c_uint32, c_uint64))


@dataclass(frozen=True, kw_only=True)
class UpSettings:
    """Values of the ``cfg_*`` ports of packetiser_up.v, in the order of the shim's structure."""

    message_bits: int
    as_bytes: bool
    sparse: bool = False
    decoder_first: int = 0
    mapping_id: int = 0
    request_first: int = 0
    mode_native: bool = False
    bytes_per_window: int
    pkt_len_pages128: int
    host_mac: int
    board_mac: int
    host_ip: int
    board_ip: int
    src_udp_port: int
    dst_udp_port: int
    dest_qp: int
    rkey: int
    base_va: int
    buf_increment_pages128: int
    last_buffer: int
    psn: int = 0
    buffer: int = 0

    @classmethod
    def of(
        cls,
        registers: HsbRegisters,
        *,
        board_mac: bytes,
        board_ip: bytes,
        message_bits: int,
        as_bytes: bool,
    ) -> "UpSettings":
        """Take over the registers of a sensor-bridge packetiser; all else at its default."""
        return cls(
            message_bits=message_bits,
            as_bytes=as_bytes,
            bytes_per_window=registers.bytes_per_window,
            pkt_len_pages128=registers.pkt_len_pages128,
            host_mac=registers.host_mac,
            board_mac=int.from_bytes(board_mac),
            host_ip=registers.host_ip,
            board_ip=int.from_bytes(board_ip),
            src_udp_port=registers.src_udp_port,
            dst_udp_port=registers.host_udp_port,
            dest_qp=registers.dest_qp,
            rkey=registers.rkey,
            base_va=registers.base_va,
            buf_increment_pages128=registers.buf_increment_pages128,
            last_buffer=registers.last_buffer,
        )


@dataclass(frozen=True, eq=False)
class Sent:
    """What came out: ``n`` frames in order, and the requests that they carry.

    ``data``: their bytes end to end; ``sizes``, ``first_cycle``, ``last_cycle``: uint64 (n,).
    ``request_cycle`` uint64, ``request_id``, ``request_patch`` uint32 (m,): cycle in which the
    request was announced to the way down.
    """

    data: bytes
    sizes: NDArray[np.uint64]
    first_cycle: NDArray[np.uint64]
    last_cycle: NDArray[np.uint64]
    request_cycle: NDArray[np.uint64]
    request_id: NDArray[np.uint32]
    request_patch: NDArray[np.uint32]

    def frames(self) -> list[bytes]:
        """Each frame, destination MAC to ICRC."""
        ends = np.cumsum(self.sizes).tolist()
        return [self.data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


class Uplink:
    """An instance of packetiser_up.v, freshly reset at edge 0 of ``clock``.

    ``data_w``: bits of the MAC's bus, 64 or 512; ``in_w``: bits of a patch's input; ``depth``:
    words of a packer's memory, of 128 bits at 64 and of 512 bits at 512. Cycles in which nothing
    can change are skipped, unless ``skip`` is False; then runs need an end.
    """

    def __init__(
        self,
        *,
        data_w: int,
        in_w: int,
        patches: int,
        depth: int,
        clock: Clock,
        settings: UpSettings,
        skip: bool = True,
    ) -> None:
        parameters = {"DATA_W": data_w, "IN_W": in_w, "PATCHES": patches, "DEPTH": depth}
        self._library = _declared(load("packetiser_up", "shim_up.cpp", parameters))
        self._in_bytes = in_w // 8
        edges, span_ps = clock.ratio
        values = (c_uint64 * len(astuple(settings)))(*map(int, astuple(settings)))
        self._handle = c_void_p(self._library.up_new(span_ps, edges, values, skip))

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.up_free(self._handle)

    def push(
        self,
        patch: int,
        cycles: NDArray[np.uint64],
        data: NDArray[np.uint8],
        user: NDArray[np.uint16],
    ) -> None:
        """Queue beats of a patch: uint64 (n,), uint8 (n, in_w / 8) and uint16 (n,).

        A beat is offered from its cycle on, when those before it have passed. ``user`` is tuser
        with the flags above.
        """
        if not len(cycles) == len(data) == len(user):
            raise ValueError(f"{len(cycles)} cycles, {len(data)} beats and {len(user)} users.")
        if data.shape[1:] != (self._in_bytes,):
            raise ValueError(f"beats of {data.shape[1:]} bytes; the input takes {self._in_bytes}.")
        self._library.up_push(
            self._handle,
            patch,
            len(cycles),
            np.ascontiguousarray(cycles, dtype=np.uint64).ctypes.data_as(_u64),
            np.ascontiguousarray(data, dtype=np.uint8).ctypes.data_as(_u8),
            np.ascontiguousarray(user, dtype=np.uint16).ctypes.data_as(_u16),
        )

    def stall(self, begin: int, end: int) -> None:
        """Keep the MAC from taking anything in cycles ``begin`` to ``end - 1``."""
        self._library.up_stall(self._handle, begin, end)

    def run(self, until: int = FOREVER) -> Sent:
        """Run to cycle ``until``, by default until all is out; return what came out meanwhile."""
        self._library.up_run(self._handle, until)
        frames, size, requests, *_ = self._counts()
        table = np.empty((frames, 3), dtype=np.uint64)
        data = np.empty(size, dtype=np.uint8)
        cycles = np.empty(requests, dtype=np.uint64)
        ids, patches = np.empty((2, requests), dtype=np.uint32)
        self._library.up_take(
            self._handle,
            table.ctypes.data_as(_u64),
            data.ctypes.data_as(_u8),
            cycles.ctypes.data_as(_u64),
            ids.ctypes.data_as(_u32),
            patches.ctypes.data_as(_u32),
        )
        sizes, first, last = np.ascontiguousarray(table.T)
        return Sent(data.tobytes(), sizes, first, last, cycles, ids, patches)

    @property
    def evaluated(self) -> int:
        """Cycles that were simulated and not skipped."""
        return int(self._counts()[3])

    @property
    def stats(self) -> dict[str, int]:
        """Pulses of each of STATS so far."""
        return dict(zip(STATS, self._counts()[4:], strict=True))

    def _counts(self) -> list[int]:
        counts = (c_uint64 * (4 + len(STATS)))()
        step = ctypes.sizeof(c_uint64)
        places = [ctypes.byref(counts, k * step) for k in range(5)]
        self._library.up_counts(self._handle, *places)
        return list(counts)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    library.up_new.restype = c_void_p
    library.up_new.argtypes = [c_uint64, c_uint64, _u64, c_uint32]
    library.up_free.argtypes = [c_void_p]
    library.up_push.argtypes = [c_void_p, c_uint32, c_uint64, _u64, _u8, _u16]
    library.up_stall.argtypes = [c_void_p, c_uint64, c_uint64]
    library.up_run.argtypes = [c_void_p, c_uint64]
    library.up_counts.argtypes = [c_void_p] * 6
    library.up_take.argtypes = [c_void_p, _u64, _u8, _u64, _u32, _u32]
    return library
