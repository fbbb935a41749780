import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.wire.errors import WireError
from emulator.wire.framing import Direction, Framing, line_bits, message_frames
from tests.wire.conftest import Recorded

# Bytes on the line around a payload, counted by hand: preamble 8, FCS 4, gap 12; Ethernet header
# 14, IPv4 20, UDP 8; BTH 12, RETH 16, immediate 4, ICRC 4.
MAC = 8 + 4 + 12
SEND = 14 + 20 + 8 + 12 + 4
WRITE = SEND + 16


@pytest.mark.parametrize(
    ("frame_bytes", "line_bytes"), [(1, 84), (59, 84), (60, 84), (61, 85), (142, 166), (1514, 1538)]
)
def test_line_bits(frame_bytes: int, line_bytes: int) -> None:
    assert line_bits(frame_bytes) == 8 * line_bytes


@pytest.mark.parametrize(
    ("payload", "framing", "mtu", "direction", "line_bytes"),
    [
        (1, "roce", 4096, "up", (MAC + WRITE + 4 + 64,)),
        (59, "roce", 4096, "up", (166,)),
        (64, "roce", 4096, "up", (166,)),
        (65, "roce", 4096, "up", (230,)),
        (512, "roce", 4096, "up", (614,)),
        (1024, "roce", 1500, "up", (1126,)),
        (1408, "roce", 1500, "up", (1510,)),
        (1409, "roce", 1500, "up", (MAC + WRITE + 1408, MAC + WRITE + 4 + 64)),
        (3968, "roce", 4096, "up", (4070,)),
        (4096, "roce", 4096, "up", (MAC + WRITE + 3968, MAC + WRITE + 4 + 128)),
        # one shot of distance 13 and 104 rounds: five packets
        (17496, "roce", 4096, "up", (MAC + WRITE + 3968,) * 4 + (MAC + WRITE + 4 + 1664,)),
        (1, "roce", 4096, "down", (MAC + SEND + 4,)),
        (25, "roce", 4096, "down", (MAC + SEND + 28,)),
        (32, "roce", 4096, "down", (MAC + SEND + 32,)),
        (4052, "roce", 4096, "down", (MAC + SEND + 4052,)),
        (4053, "roce", 4096, "down", (MAC + SEND + 4052, MAC + SEND + 4)),
        (1, "udp", 1500, "up", (84,)),
        (18, "udp", 1500, "down", (84,)),
        (19, "udp", 1500, "up", (85,)),
        (1472, "udp", 1500, "up", (1538,)),
        (1473, "udp", 1500, "down", (1538, 84)),
        (64, "raw", 1500, "up", (64,)),
        (9000, "raw", 1500, "down", (9000,)),
    ],
)
def test_frames_of_a_message(
    payload: int, framing: Framing, mtu: int, direction: Direction, line_bytes: tuple[int, ...]
) -> None:
    bits = message_frames(payload, framing, mtu=mtu, direction=direction)
    assert bits == tuple(8 * size for size in line_bytes)


def test_recorded_windows_take_the_counted_bits(recorded: list[Recorded]) -> None:
    for window in recorded:
        mtu = {31: 4096, 11: 1500}[window.registers.pkt_len_pages128]
        counted = message_frames(len(window.payload), "roce", mtu=mtu, direction="up")
        assert counted == tuple(line_bits(len(frame)) for frame in window.frames)


@given(
    st.integers(1, 20000),
    st.sampled_from(["roce", "udp", "raw"]),
    st.sampled_from([256, 1500, 4096, 9000]),
    st.sampled_from(["up", "down"]),
)
def test_a_longer_message_never_costs_less(
    payload: int, framing: Framing, mtu: int, direction: Direction
) -> None:
    frames = message_frames(payload, framing, mtu=mtu, direction=direction)
    longer = message_frames(payload + 1, framing, mtu=mtu, direction=direction)
    assert 8 * payload <= sum(frames) <= sum(longer)
    if framing != "raw":
        assert max(frames) <= 8 * (MAC + 14 + mtu)


@pytest.mark.parametrize(
    ("payload", "framing", "mtu", "direction", "sentence"),
    [
        (0, "raw", 1500, "up", r"payload_bytes\(=0\) must be at least 1"),
        (1, "roce", 191, "up", r"mtu\(=191\) leaves no room for a payload; use at least 192"),
        (1, "roce", 47, "down", r"mtu\(=47\) leaves no room for a payload; use at least 48"),
        (1, "udp", 28, "up", r"mtu\(=28\) leaves no room for a payload; use at least 29"),
    ],
)
def test_impossible_messages_are_refused(
    payload: int, framing: Framing, mtu: int, direction: Direction, sentence: str
) -> None:
    with pytest.raises(WireError, match=sentence):
        message_frames(payload, framing, mtu=mtu, direction=direction)
