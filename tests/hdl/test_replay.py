import json
from pathlib import Path

import pytest

from emulator.rtl import verilator
from hdl import replay

RECORDED = Path(__file__).parents[1] / "data" / "hsb_frames" / "frames.jsonl"


def lines() -> list[str]:
    return RECORDED.read_text().splitlines()


@pytest.mark.usefixtures("build_dir")
@pytest.mark.parametrize("width", replay.WIDTHS)
def test_every_recorded_window_is_sent_identically(
    width: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert replay.main([str(RECORDED), "--width", str(width)]) == 0
    assert capfd.readouterr().out.endswith(f"{width} bit: 89 identical, 0 different\n")


@pytest.mark.usefixtures("build_dir")
def test_a_changed_recording_is_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    windows = [json.loads(line) for line in lines()[:4]]
    frame = bytearray.fromhex(windows[1]["frames_hex"][0])
    frame[60] ^= 1
    windows[1]["frames_hex"][0] = frame.hex()
    windows[2]["frames_hex"].append("00")
    path = tmp_path / "changed.jsonl"
    path.write_text("\n".join(map(json.dumps, windows)))
    assert replay.main([str(path), "--width", "512"]) == 1
    assert capfd.readouterr().out.endswith(
        "512 bit, line 2, frame 1: first differing byte at offset 60\n"
        "512 bit: 2 identical, 2 different\n"
    )


def test_a_missing_frame_is_a_difference() -> None:
    assert replay._difference([b"a", b"b"], [b"a"]) == "2 frames recorded but 1 sent"
    assert replay._difference([b"ab"], [b"a"]) == "frame 1: first differing byte at offset 1"
    assert replay._difference([b"a"], [b"a"]) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no recorded windows"),
        ("{}\n", "line 1: frames_hex(=None) must be of JSON type array."),
        (
            lines()[0].replace('"pkt_len_pages128": 31', '"pkt_len_pages128": 512'),
            "line 1: pkt_len_pages128(=512) is more than the transmitter takes; use at most 511.",
        ),
    ],
)
def test_bad_input_is_told_before_the_simulator_starts(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    assert replay.main([str(path)]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_tool_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verilator, "_DEBIAN_PACKAGES", {"no-such-compiler": "compiler"})
    assert replay.main([str(RECORDED)]) == 3
    assert "no-such-compiler is not on PATH" in capsys.readouterr().err
