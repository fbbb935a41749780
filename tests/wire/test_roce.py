from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.wire.errors import WireError
from emulator.wire.fields import SEND_ONLY
from emulator.wire.icrc import icrc, with_ipv4_checksum
from emulator.wire.registers import HsbRegisters
from emulator.wire.roce import Opcode, Oversize, decode_frame, encode_send, encode_window
from emulator.wire.rpc import Response, Status
from tests.wire.conftest import Recorded

HOST_MAC, BOARD_MAC = bytes.fromhex("123456789abc"), bytes.fromhex("cafec0ffee00")
HOST_IP, BOARD_IP = bytes([192, 168, 1, 1]), bytes([192, 168, 0, 2])


def _window(
    payload: bytes,
    registers: dict[str, int],
    psn: int = 0,
    buffer: int = 0,
    oversize: Oversize = "refuse",
) -> list[bytes]:
    return encode_window(
        payload,
        HsbRegisters.from_mapping(registers),
        board_mac=BOARD_MAC,
        board_ip=BOARD_IP,
        psn=psn,
        buffer=buffer,
        oversize=oversize,
    )


def _send(payload: bytes) -> bytes:
    return encode_send(
        payload, src_mac=HOST_MAC, dst_mac=BOARD_MAC, src_ip=HOST_IP, dst_ip=BOARD_IP
    )


def _sealed(frame: bytes, change: Callable[[bytearray], None]) -> bytes:
    """Change a frame and make both of its checksums right again."""
    body = bytearray(frame[:-4])
    change(body)
    body[24:26] = b"\0\0"
    sealed = with_ipv4_checksum(bytes(body))
    return sealed + icrc(sealed)


def test_recorded_windows_are_encoded_byte_for_byte(recorded: list[Recorded]) -> None:
    assert len(recorded) == 89
    for window in recorded:
        frames = encode_window(
            window.payload,
            window.registers,
            board_mac=window.board_mac,
            board_ip=window.board_ip,
            psn=window.psn,
            buffer=window.buffer,
        )
        assert frames == window.frames


def test_recorded_frames_decode_to_what_was_offered(recorded: list[Recorded]) -> None:
    for window in recorded:
        frames = [decode_frame(frame) for frame in window.frames]
        received = b"".join(frame.payload for frame in frames)
        assert received == window.payload.ljust(window.registers.bytes_per_window, b"\0")
        assert (
            frames[0].va == window.registers.base_va + window.buffer * window.registers.slot_bytes
        )
        assert frames[-1].slot == window.buffer
        assert {frame.qp for frame in frames} == {window.registers.dest_qp}
        assert {frame.rkey for frame in frames} == {window.registers.rkey}


def test_the_recordings_hold_a_window_of_several_packets(recorded: list[Recorded]) -> None:
    (several,) = [window for window in recorded if len(window.frames) > 1]
    opcodes = [decode_frame(frame).opcode for frame in several.frames]
    assert opcodes == [Opcode.WRITE_ONLY, Opcode.WRITE_ONLY, Opcode.WRITE_ONLY_WITH_IMMEDIATE]


def test_recorded_sends_are_encoded_byte_for_byte(sends: list[Any]) -> None:
    for sample in sends:
        frame = bytes.fromhex(sample["frame_hex"])
        read = decode_frame(frame)
        assert read.opcode is Opcode.SEND_ONLY
        assert (read.va, read.rkey, read.dma_len, read.immediate, read.slot) == (None,) * 5
        assert read.qp == 2
        assert _send(read.payload) == frame
    assert {decode_frame(bytes.fromhex(sample["frame_hex"])).pad for sample in sends} == {0, 3}


def test_the_recorded_send_carries_an_rpc_response(sends: list[Any]) -> None:
    payload = decode_frame(bytes.fromhex(sends[0]["frame_hex"])).payload
    expected = Response(Status.OK, request_id=7, ptp_timestamp=0x1122334455667788, result=b"\x01")
    assert Response.decode(payload) == expected
    assert expected.encode() == payload


def test_psn_wraps_at_24_bits_inside_a_window(registers: dict[str, int]) -> None:
    wide = registers | {
        "bytes_per_window": 384,
        "pkt_len_pages128": 1,
        "buf_increment_pages128": 3,
    }
    frames = [decode_frame(frame) for frame in _window(b"x" * 384, wide, psn=0xFFFFFF, buffer=9)]
    assert [frame.psn for frame in frames] == [0xFFFFFF, 0, 1]
    assert frames[-1].immediate == 1 << 12 | 9


def test_the_immediate_keeps_20_bits_of_psn(registers: dict[str, int]) -> None:
    (frame,) = _window(b"x", registers, psn=0xABCDEF, buffer=63)
    assert decode_frame(frame).immediate == 0xBCDEF03F


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_windows_survive_encoding(registers: dict[str, int], data: st.DataObject) -> None:
    window = 4 * data.draw(st.integers(1, 400))
    payload = data.draw(st.binary(min_size=1, max_size=window))
    values = registers | {
        "bytes_per_window": window,
        "buf_increment_pages128": -(-window // 128),
        "pkt_len_pages128": data.draw(st.integers(1, 31)),
    }
    psn, buffer = data.draw(st.integers(0, (1 << 24) - 1)), data.draw(st.integers(0, 63))
    frames = [decode_frame(frame) for frame in _window(payload, values, psn, buffer)]
    assert b"".join(frame.payload for frame in frames) == payload.ljust(window, b"\0")
    assert [frame.psn for frame in frames] == [(psn + n) % 2**24 for n in range(len(frames))]
    position = 0x7F5510000000 + buffer * 128 * values["buf_increment_pages128"]
    for frame in frames:
        assert frame.va == position
        assert frame.dma_len == len(frame.payload)
        position += len(frame.payload)
    assert [frame.immediate is None for frame in frames] == [True] * (len(frames) - 1) + [False]


@given(st.binary(max_size=200))
def test_sends_survive_encoding(payload: bytes) -> None:
    frame = _send(payload)
    read = decode_frame(frame)
    assert read.payload == payload
    assert (len(payload) + read.pad) % 4 == 0
    assert len(frame) == 58 + len(payload) + read.pad


def test_zeros_that_fill_a_minimum_ethernet_frame_are_accepted() -> None:
    assert decode_frame(_send(b"") + bytes(2)).payload == b""


def test_every_flipped_bit_behind_the_mac_addresses_is_detected(recorded: list[Recorded]) -> None:
    frame = recorded[0].frames[0]
    unprotected = {
        offset
        for name in ("udp_checksum", "bth_reserved")
        for offset in range(SEND_ONLY[name].offset, SEND_ONLY[name].end)
    }
    for offset in set(range(12, len(frame))) - unprotected:
        for bit in range(8):
            flipped = bytearray(frame)
            flipped[offset] ^= 1 << bit
            with pytest.raises(WireError):
                decode_frame(bytes(flipped))


def test_every_truncation_is_detected(recorded: list[Recorded]) -> None:
    frame = recorded[0].frames[0]
    for length in range(len(frame)):
        with pytest.raises(WireError, match="truncated"):
            decode_frame(frame[:length])


def _patch(offset: int, text: str) -> Callable[[bytearray], None]:
    data = bytes.fromhex(text)

    def change(body: bytearray) -> None:
        body[offset : offset + len(data)] = data

    return change


@pytest.mark.parametrize(
    ("offset", "text", "sentence"),
    [
        (12, "86dd", "ethertype is 0x86DD; .* has 0x800"),
        (14, "46", "ip_version_ihl is 0x46"),
        (20, "2000", "IPv4 fragment"),
        (23, "06", "ip_protocol is 0x6"),
        (36, "12b8", "udp_dst_port is 0x12B8; .* has 0x12B7"),
        (38, "006d", "UDP length 109 disagrees with IPv4 total length 128"),
        (42, "04", "BTH opcode 0x04 is none of the UC opcodes"),
        (66, "00000041", "DMA length 65 disagrees with 64 payload bytes"),
    ],
)
def test_well_sealed_nonsense_is_refused(
    recorded: list[Recorded], offset: int, text: str, sentence: str
) -> None:
    with pytest.raises(WireError, match=sentence):
        decode_frame(_sealed(recorded[0].frames[0], _patch(offset, text)))


def test_lengths_without_room_for_roce_are_refused() -> None:
    def shorten(body: bytearray) -> None:
        body[16:18] = (43).to_bytes(2, "big")
        body[38:40] = (23).to_bytes(2, "big")

    with pytest.raises(WireError, match="IPv4 total length 43 leaves no room for RoCE"):
        decode_frame(_sealed(_send(b""), shorten))


def test_a_pad_count_beyond_the_payload_is_refused() -> None:
    with pytest.raises(WireError, match="pad count 3 exceeds the 0 bytes"):
        decode_frame(_sealed(_send(b""), _patch(43, "70")))


def test_wrong_checksums_are_told_apart(recorded: list[Recorded]) -> None:
    frame = recorded[0].frames[0]
    stale = frame[:24] + b"\0\0" + frame[26:]
    with pytest.raises(WireError, match="IPv4 header checksum 0x0000 is wrong"):
        decode_frame(stale)
    with pytest.raises(WireError, match=f"ICRC 00000000 is wrong; .* {frame[-4:].hex()}"):
        decode_frame(frame[:-4] + bytes(4))


@pytest.mark.parametrize("rest", [b"\x01", bytes(1)])
def test_bytes_after_the_frame_are_refused(recorded: list[Recorded], rest: bytes) -> None:
    with pytest.raises(WireError, match="1 bytes follow the end of the frame at 142"):
        decode_frame(recorded[0].frames[0] + rest)


@pytest.mark.parametrize(
    ("payload", "psn", "buffer", "sentence"),
    [
        (b"", 0, 0, "payload is empty"),
        (bytes(65), 0, 0, "payload of 65 bytes is longer than the window of 64"),
        (b"x", 1 << 24, 0, r"bth_psn\(=16777216\) does not fit"),
        (b"x", -1, 0, r"bth_psn\(=-1\) does not fit"),
        (b"x", 0, 64, r"buffer\(=64\) is not a slot of the ring 0\.\.63"),
        (b"x", 0, -1, r"buffer\(=-1\) is not a slot"),
    ],
)
def test_impossible_windows_are_refused(
    registers: dict[str, int], payload: bytes, psn: int, buffer: int, sentence: str
) -> None:
    with pytest.raises(WireError, match=sentence):
        _window(payload, registers, psn, buffer)


def test_a_window_too_long_is_truncated_as_the_packetiser_does(registers: dict[str, int]) -> None:
    payload = bytes(range(200))
    frames = _window(payload, registers, oversize="truncate")
    assert frames == _window(payload[:64], registers)
    assert _window(payload[:60], registers, oversize="truncate") == _window(payload[:60], registers)
    with pytest.raises(WireError, match=r'write oversize="truncate" to drop what is beyond it'):
        _window(payload, registers)
    with pytest.raises(WireError, match=r'oversize\(="cut"\) must be "refuse" or "truncate"'):
        _window(payload, registers, oversize="cut")  # type: ignore[arg-type]


def test_addresses_of_the_wrong_length_are_named() -> None:
    with pytest.raises(WireError, match=r"dst_ip\(=c0a8\) must be 4 bytes, not 2"):
        encode_send(b"x", src_mac=HOST_MAC, dst_mac=BOARD_MAC, src_ip=HOST_IP, dst_ip=b"\xc0\xa8")
