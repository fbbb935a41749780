"""Captures that Wireshark opens: a writer of the pcapng subset a link trace needs.

Format: IETF draft-ietf-opsawg-pcapng (PCAP Next Generation Capture File Format), little-endian.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from emulator.wire.errors import WireError

__all__ = ["write_pcapng"]

_SECTION_HEADER = 0x0A0D0D0A
_INTERFACE = 1
_ENHANCED_PACKET = 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1
_ETHERNET = 1
_OPT_END, _OPT_IF_NAME, _OPT_IF_TSRESOL = 0, 2, 9
_NANOSECONDS = 9
_PS_PER_TICK = 1000


def write_pcapng(
    stream: BinaryIO, interfaces: Sequence[str], packets: Iterable[tuple[int, int, bytes]]
) -> None:
    """Write a capture with one named Ethernet interface per entry of ``interfaces``.

    Each packet is (time in ps, interface index, frame without frame check sequence). The file
    counts nanoseconds, the finest resolution that readers agree on, so times are rounded down to
    the nanosecond: order is kept and no packet is early or late by 1 ns or more.

    Raises WireError for a negative time or an interface that is not in the list.
    """
    stream.write(
        _block(_SECTION_HEADER, struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, _UNKNOWN_LENGTH))
    )
    for name in interfaces:
        options = (
            _option(_OPT_IF_NAME, name.encode())
            + _option(_OPT_IF_TSRESOL, bytes([_NANOSECONDS]))
            + _option(_OPT_END, b"")
        )
        stream.write(_block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0) + options))
    for time_ps, interface, frame in packets:
        if not 0 <= interface < len(interfaces):
            raise WireError(
                f"interface {interface} is not one of the {len(interfaces)} of this capture."
            )
        if time_ps < 0:
            raise WireError(f"packet time {time_ps} ps is before the start of the capture.")
        high, low = divmod(time_ps // _PS_PER_TICK, 1 << 32)
        head = struct.pack("<IIIII", interface, high, low, len(frame), len(frame))
        stream.write(_block(_ENHANCED_PACKET, head + _aligned(frame)))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _aligned(value)


def _aligned(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
