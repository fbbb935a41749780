import io
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.wire.errors import WireError
from emulator.wire.pcapng import write_pcapng
from tests.wire.conftest import Recorded


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of every block; the two lengths around it must agree."""
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from("<II", data, position)
        (repeated,) = struct.unpack_from("<I", data, position + length - 4)
        assert length == repeated
        assert length % 4 == 0
        yield kind, data[position + 8 : position + length - 4]
        position += length


def _options(data: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    position = 0
    while True:
        code, length = struct.unpack_from("<HH", data, position)
        if code == 0:
            return options
        options[code] = data[position + 4 : position + 4 + length]
        position += 4 + -(-length // 4) * 4


def _read(data: bytes) -> tuple[list[str], list[tuple[int, int, bytes]]]:
    """Interface names and packets (time in ns, interface, frame) of a capture."""
    section, *rest = _blocks(data)
    assert section[0] == 0x0A0D0D0A
    assert struct.unpack_from("<IHH", section[1]) == (0x1A2B3C4D, 1, 0)
    names, packets = [], []
    for kind, body in rest:
        if kind == 1:
            assert struct.unpack_from("<HHI", body) == (1, 0, 0)
            options = _options(body[8:])
            assert options[9] == b"\x09"
            names.append(options[2].decode())
        else:
            assert kind == 6
            interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
            assert captured == original
            packets.append((high << 32 | low, interface, body[20 : 20 + captured]))
    return names, packets


@given(
    st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2**70), st.binary(max_size=80)), max_size=5),
    st.data(),
)
def test_captures_read_back(
    names: list[str], stamped: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    interfaces = st.integers(0, len(names) - 1)
    packets = [(time_ps, data.draw(interfaces), frame) for time_ps, frame in stamped]
    stream = io.BytesIO()
    write_pcapng(stream, names, iter(packets))
    expected = [(time_ps // 1000, interface, frame) for time_ps, interface, frame in packets]
    assert _read(stream.getvalue()) == (names, expected)


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        ((0, 1, b"x"), "interface 1 is not one of the 1 of this capture"),
        ((0, -1, b"x"), "interface -1 is not one of"),
        ((-5, 0, b"x"), "packet time -5 ps is before the start"),
    ],
)
def test_impossible_packets_are_refused(packet: tuple[int, int, bytes], sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        write_pcapng(io.BytesIO(), ["fpga"], [packet])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_the_frames(recorded: list[Recorded], tmp_path: Path) -> None:
    path = tmp_path / "link.pcapng"
    frames = [frame for window in recorded for frame in window.frames]
    with path.open("wb") as stream:
        write_pcapng(
            stream,
            ["fpga"],
            [(number * 1_000_000, 0, frame) for number, frame in enumerate(frames)],
        )
    fields = ["frame.interface_name", "infiniband.bth.opcode", "infiniband.bth.psn"]
    options = [part for field in fields for part in ("-e", field)]
    output = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", *options],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    expected = [f"fpga\t{frame[42]}\t{int.from_bytes(frame[51:54], 'big')}" for frame in frames]
    assert output == expected
