"""The way down in Verilog: frames of the host in, corrections and the cycles they came in out."""

import ctypes
from ctypes import POINTER, c_uint8, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.rtl.limits import MAX_CORRECTION_BYTES, REMEMBERED_REQUESTS
from emulator.rtl.uplink import FOREVER
from emulator.rtl.verilator import load

__all__ = ["STATS", "Corrections", "Downlink"]

STATS = (
    "on_time",
    "late",
    "bad_status",
    "duplicate",
    "unknown",
    "bad_response",
    "bad_magic",
    "missing",
    "displaced",
    "correction_lost",
    "accepted",
    "dropped",
)
"""The ``stat_*`` ports that are counted, in order; ``dropped`` sums up those of refused frames."""

_ROW = np.dtype(
    [
        ("cycle", "<u8"),
        ("ptp", "<u8"),
        ("request_id", "<u4"),
        ("patch", "<u4"),
        ("bytes", "<u4"),
        ("late", "<u4"),
    ]
)
_u8, _u32, _u64 = (POINTER(kind) for kind in (c_uint8, c_uint32, c_uint64))


@dataclass(frozen=True, eq=False)
class Corrections:
    """What came out, in order.

    ``rows``: structured (n,) with cycle, ptp (time stamp that the response repeats), request_id,
    patch, bytes and late; ``data``: uint8 (n, MAX_CORRECTION_BYTES), the first bit lowest.
    """

    rows: NDArray[np.void]
    data: NDArray[np.uint8]


class Downlink:
    """An instance of packetiser_down.v, freshly reset at edge 0, for a board of this address."""

    def __init__(self, *, data_w: int, mac: bytes, ip: bytes, qp: int) -> None:
        parameters = {
            "DATA_W": data_w,
            "CORR_W": 8 * MAX_CORRECTION_BYTES,
            "TABLE_W": REMEMBERED_REQUESTS.bit_length() - 1,
        }
        self._library = _declared(load("packetiser_down", "shim_down.cpp", parameters))
        self._handle = c_void_p(self._library.down_new(int.from_bytes(mac), int.from_bytes(ip), qp))

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.down_free(self._handle)

    def requests(
        self, cycles: NDArray[np.uint64], ids: NDArray[np.uint32], patches: NDArray[np.uint32]
    ) -> None:
        """Queue requests in order of their cycles, as an `Uplink` announced them."""
        self._library.down_request(
            self._handle,
            len(cycles),
            np.ascontiguousarray(cycles).ctypes.data_as(_u64),
            np.ascontiguousarray(ids).ctypes.data_as(_u32),
            np.ascontiguousarray(patches).ctypes.data_as(_u32),
        )

    def push(self, arrived: NDArray[np.uint64], frames: list[bytes]) -> None:
        """Queue frames, destination MAC to ICRC, with the cycle at which each is there whole.

        Its last beat enters then, or later if the frame before it is in the way.
        """
        sizes = np.array([len(frame) for frame in frames], dtype=np.uint64)
        data = np.frombuffer(b"".join(frames), dtype=np.uint8)
        self._library.down_push(
            self._handle,
            len(frames),
            np.ascontiguousarray(arrived, dtype=np.uint64).ctypes.data_as(_u64),
            sizes.ctypes.data_as(_u64),
            data.ctypes.data_as(_u8),
        )

    def run(self, until: int = FOREVER) -> Corrections:
        """Run to cycle ``until``, by default until all is out; return what came out meanwhile."""
        self._library.down_run(self._handle, until)
        count = self._counts()[0]
        rows = np.empty(count, dtype=_ROW)
        data = np.empty((count, MAX_CORRECTION_BYTES), dtype=np.uint8)
        self._library.down_take(self._handle, rows.ctypes.data, data.ctypes.data_as(_u8))
        return Corrections(rows, data)

    @property
    def stats(self) -> dict[str, int]:
        """Pulses of each of STATS so far."""
        return dict(zip(STATS, self._counts()[2:], strict=True))

    def _counts(self) -> list[int]:
        counts = (c_uint64 * (2 + len(STATS)))()
        step = ctypes.sizeof(c_uint64)
        self._library.down_counts(self._handle, *(ctypes.byref(counts, k * step) for k in range(3)))
        return list(counts)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    library.down_new.restype = c_void_p
    library.down_new.argtypes = [c_uint64, c_uint32, c_uint32]
    library.down_free.argtypes = [c_void_p]
    library.down_request.argtypes = [c_void_p, c_uint64, _u64, _u32, _u32]
    library.down_push.argtypes = [c_void_p, c_uint64, _u64, _u64, _u8]
    library.down_run.argtypes = [c_void_p, c_uint64]
    library.down_counts.argtypes = [c_void_p] * 4
    library.down_take.argtypes = [c_void_p, c_void_p, _u8]
    return library
