"""The two checksums of a RoCEv2 frame: the IPv4 header checksum and the invariant CRC."""

import struct
import zlib

from emulator.wire.fields import SEND_ONLY

__all__ = [
    "ICRC_SIZE",
    "has_valid_ipv4_checksum",
    "icrc",
    "ipv4_checksum",
    "with_ipv4_checksum",
]

ICRC_SIZE = 4

_IP_START = SEND_ONLY["ip_version_ihl"].offset
_IP_END = SEND_ONLY["dst_ip"].end
# What routers and congestion marking may change on the way; it counts as all ones.
_VARIANT = ("ip_tos", "ip_ttl", "ip_checksum", "udp_checksum", "bth_reserved")


def ipv4_checksum(header: bytes) -> bytes:
    """One's complement of the one's complement sum of a 20-byte IPv4 header (RFC 791), 2 bytes.

    Over a header with a correct checksum the result is zero; to compute one, zero it first.
    """
    words: tuple[int, ...] = struct.unpack(f"!{len(header) // 2}H", header)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


def with_ipv4_checksum(headers: bytes) -> bytes:
    """Fill the IPv4 checksum into headers that start at the destination MAC and carry it as 0."""
    field = SEND_ONLY["ip_checksum"]
    checksum = ipv4_checksum(headers[_IP_START:_IP_END])
    return headers[: field.offset] + checksum + headers[field.end :]


def has_valid_ipv4_checksum(frame: bytes) -> bool:
    """Whether the IPv4 checksum of a frame that starts at the destination MAC is right."""
    return ipv4_checksum(frame[_IP_START:_IP_END]) == b"\0\0"


def icrc(frame: bytes) -> bytes:
    """Invariant CRC of a RoCEv2/IPv4 frame from the destination MAC up to the ICRC, 4 wire bytes.

    CRC-32 as in Ethernet (zlib.crc32) over 8 bytes of ones and the frame from its IPv4 header on,
    with TOS, TTL, both checksums and the reserved byte of the BTH replaced by ones; sent least
    significant byte first (InfiniBand Architecture Specification 1.4, ch. 7.8.1 and annex A17).
    """
    masked = bytearray(frame)
    for name in _VARIANT:
        field = SEND_ONLY[name]
        masked[field.offset : field.end] = b"\xff" * field.size
    crc = zlib.crc32(masked[_IP_START:], zlib.crc32(b"\xff" * 8))
    return crc.to_bytes(ICRC_SIZE, "little")
