import pytest

from emulator.wire.fields import SEND_ONLY
from emulator.wire.icrc import has_valid_ipv4_checksum, icrc, ipv4_checksum, with_ipv4_checksum
from tests.wire.conftest import Recorded

# RFC 1071's worked example: the one's complement sum of these words is 0xDDF2.
RFC1071 = bytes.fromhex("0001f203f4f5f6f7")


def _crc32_bit_by_bit(data: bytes) -> int:
    """CRC-32 as the division it is, one bit at a time, without table or library."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0xEDB88320 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def test_ipv4_checksum_of_the_example_in_rfc_1071() -> None:
    assert ipv4_checksum(RFC1071) == (0xFFFF - 0xDDF2).to_bytes(2, "big")


def test_icrc_equals_division_with_the_variant_bytes_set_by_hand(recorded: list[Recorded]) -> None:
    frame = recorded[0].frames[0]
    masked = bytearray(b"\xff" * 8 + frame[14:-4])
    for index in (1, 8, 10, 11, 26, 27, 32):  # TOS, TTL, IP checksum, UDP checksum, BTH byte 4
        masked[8 + index] = 0xFF
    assert icrc(frame[:-4]) == frame[-4:] == _crc32_bit_by_bit(bytes(masked)).to_bytes(4, "little")


@pytest.mark.parametrize(
    "name", ["ip_tos", "ip_ttl", "ip_checksum", "udp_checksum", "bth_reserved", "dst_mac"]
)
def test_icrc_ignores_what_changes_on_the_way(name: str, recorded: list[Recorded]) -> None:
    frame = bytearray(recorded[0].frames[0][:-4])
    frame[SEND_ONLY[name].offset] ^= 0x5A
    assert icrc(bytes(frame)) == recorded[0].frames[0][-4:]


def test_filled_in_checksum_is_valid_and_a_changed_header_is_not(
    recorded: list[Recorded],
) -> None:
    frame = recorded[0].frames[0]
    blank = frame[:24] + b"\0\0" + frame[26:]
    assert not has_valid_ipv4_checksum(blank)
    assert with_ipv4_checksum(blank) == frame
    assert has_valid_ipv4_checksum(frame)
