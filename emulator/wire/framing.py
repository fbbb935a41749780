"""Bits on the line: what a message costs once it is framed, to the last gap between frames."""

from functools import cache
from typing import Literal

from emulator.wire.errors import WireError
from emulator.wire.fields import SEND_ONLY, UDP_DATAGRAM, WRITE_WITH_IMMEDIATE
from emulator.wire.icrc import ICRC_SIZE
from emulator.wire.registers import PAGE_BYTES, HsbRegisters
from emulator.wire.roce import encode_send, encode_window

__all__ = ["Direction", "Framing", "line_bits", "message_frames", "roce_registers"]

Framing = Literal["roce", "udp", "raw"]
Direction = Literal["up", "down"]

BEAT_BYTES = 64
"""Width of the packetiser's 512-bit bus; a window is sent in whole beats."""

_PREAMBLE = 8  # with start-of-frame delimiter; IEEE 802.3 clause 3 for all four
_FCS = 4
_MIN_FRAME = 64
_GAP = 12
LINE_OVERHEAD_BITS = 8 * (_PREAMBLE + _FCS + _GAP)
"""Bits that the MAC adds to a frame, padding to the minimum apart."""
_ETHERNET = UDP_DATAGRAM["ip_version_ihl"].offset  # not counted by an MTU


def line_bits(frame_bytes: int) -> int:
    """Bits for which a frame keeps an Ethernet line busy.

    ``frame_bytes`` counts from the destination MAC, without frame check sequence; preamble, frame
    check sequence, padding to the minimum frame and the inter-packet gap are added (IEEE 802.3).
    """
    return LINE_OVERHEAD_BITS + 8 * max(frame_bytes, _MIN_FRAME - _FCS)


@cache
def message_frames(
    payload_bytes: int, framing: Framing, *, mtu: int, direction: Direction, window_bytes: int = 0
) -> tuple[int, ...]:
    """Line bits of every frame that carries a message of ``payload_bytes``, in order.

    ``roce`` up (FPGA to host) is one window, filled to whole 64-byte beats and cut into RDMA
    writes of whole 128-byte pages, as many as the MTU holds; ``window_bytes`` is that of the
    longest message, since all windows of a packetiser are of one length. ``roce`` down is SEND
    Only packets.
    ``udp`` is plain datagrams. ``raw`` is the payload alone, as on a chip or a parallel bus.
    ``mtu`` is that of IP, in bytes: IPv4 header to the end of the ICRC or of the datagram.

    Raises WireError for an empty message or an MTU that leaves no room for one.
    """
    if payload_bytes < 1:
        raise WireError(f"payload_bytes(={payload_bytes}) must be at least 1.")
    if framing == "raw":
        return (8 * payload_bytes,)
    if framing == "udp":
        sizes = _udp_frames(payload_bytes, mtu)
    elif direction == "up":
        sizes = _write_frames(max(payload_bytes, window_bytes), mtu)
    else:
        sizes = _send_frames(payload_bytes, mtu)
    return tuple(line_bits(size) for size in sizes)


def roce_registers(payload_bytes: int, mtu: int, **values: int) -> HsbRegisters:
    """Registers of a packetiser whose windows hold ``payload_bytes`` and whose packets fit ``mtu``.

    The window is filled to whole beats, packets are whole pages; ``values`` sets other registers,
    which are 0 otherwise. Raises WireError where that cannot work.
    """
    window = -(-payload_bytes // BEAT_BYTES) * BEAT_BYTES
    overhead = WRITE_WITH_IMMEDIATE.size + ICRC_SIZE
    unset = {
        "src_udp_port": 0,
        "dest_qp": 0,
        "rkey": 0,
        "va_lo": 0,
        "va_hi": 0,
        "last_buffer": 0,
        "host_mac_lo": 0,
        "host_mac_hi": 0,
        "host_ip": 0,
        "host_udp_port_and_md_disable": 1 << 16,
    }
    return HsbRegisters(
        vip_mask=1,
        pkt_len_pages128=_room(mtu, overhead, PAGE_BYTES) // PAGE_BYTES,
        buf_increment_pages128=-(-window // PAGE_BYTES),
        bytes_per_window=window,
        **(unset | values),
    )


def _write_frames(payload_bytes: int, mtu: int) -> list[int]:
    frames = encode_window(
        bytes(payload_bytes),
        roce_registers(payload_bytes, mtu),
        board_mac=bytes(6),
        board_ip=bytes(4),
        psn=0,
        buffer=0,
    )
    return [len(frame) for frame in frames]


def _send_frames(payload_bytes: int, mtu: int) -> list[int]:
    room = _room(mtu, SEND_ONLY.size + ICRC_SIZE, 4)
    return [
        len(
            encode_send(
                bytes(size), src_mac=bytes(6), dst_mac=bytes(6), src_ip=bytes(4), dst_ip=bytes(4)
            )
        )
        for size in _pieces(payload_bytes, room)
    ]


def _udp_frames(payload_bytes: int, mtu: int) -> list[int]:
    room = _room(mtu, UDP_DATAGRAM.size, 1)
    return [UDP_DATAGRAM.size + size for size in _pieces(payload_bytes, room)]


def _room(mtu: int, overhead: int, grain: int) -> int:
    """Payload bytes that fit one packet, in whole grains; ``overhead`` includes Ethernet's."""
    room = (mtu + _ETHERNET - overhead) // grain * grain
    if room < grain:
        least = overhead - _ETHERNET + grain
        raise WireError(f"mtu(={mtu}) leaves no room for a payload; use at least {least}.")
    return room


def _pieces(payload_bytes: int, room: int) -> list[int]:
    return [min(room, payload_bytes - start) for start in range(0, payload_bytes, room)]
