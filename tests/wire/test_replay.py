import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emulator.wire.replay import main


@pytest.fixture
def window(frames_file: Path) -> dict[str, Any]:
    line = frames_file.read_text().splitlines()[0]
    window: dict[str, Any] = json.loads(line)
    return window


def _file(folder: Path, *lines: object) -> str:
    path = folder / "frames.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts))
    return str(path)


def test_all_recorded_windows_are_identical(
    frames_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(frames_file)]) == 0
    assert capsys.readouterr().out == "89 identical, 0 different\n"


def test_it_runs_as_a_module(frames_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emulator.wire.replay", str(frames_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "89 identical, 0 different\n")


def test_a_payload_beyond_its_window_is_truncated_as_recorded(
    window: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    longer = window | {"payload_hex": window["payload_hex"].ljust(128, "0") + "ff" * 64}
    assert main([_file(tmp_path, longer)]) == 0
    assert capsys.readouterr().out == "1 identical, 0 different\n"


def test_a_corrupted_byte_is_located(
    window: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = bytearray.fromhex(window["frames_hex"][0])
    frame[90] ^= 1
    file = _file(tmp_path, window, window | {"frames_hex": [frame.hex()]}, window)
    assert main([file]) == 1
    assert capsys.readouterr().out == (
        "line 2, frame 1: first differing byte at offset 90\n2 identical, 1 different\n"
    )


def test_a_shortened_frame_differs_where_it_ends(
    window: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window["frames_hex"][0] = window["frames_hex"][0][:-8]
    assert main([_file(tmp_path, window)]) == 1
    assert "line 1, frame 1: first differing byte at offset 138" in capsys.readouterr().out


def test_a_missing_frame_is_a_difference(
    window: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([_file(tmp_path, window | {"frames_hex": []})]) == 1
    assert "line 1, 0 frames recorded but 1 encoded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"psn": "5"}, "psn(='5') must be of JSON type integer."),
        ({"psn": True}, "psn(=True) must be of JSON type integer."),
        ({"registers": 1}, "registers(=1) must be of JSON type object."),
        ({"registers": {}}, "registers lack buf_increment_pages128, bytes_per_window"),
        ({"payload_hex": "0g"}, "payload_hex holds '0g', which is not hex text."),
        ({"frames_hex": [7]}, "frames_hex holds '7', which is not hex text."),
        ({"board_ip": "c0"}, "board_ip(=c0) must be 4 bytes, not 1."),
        ({"buffer": 64}, "buffer(=64) is not a slot of the ring 0..63."),
    ],
)
def test_a_bad_line_is_named(
    window: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, object],
    sentence: str,
) -> None:
    file = _file(tmp_path, window, window | change)
    assert main([file]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{file}, line 2: {sentence}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "sentence"), [("{", "not JSON"), ("[]", "not a JSON object."), ("", "not JSON")]
)
def test_a_line_that_is_no_object_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    assert main([_file(tmp_path, line)]) == 2
    assert f"line 1: {sentence}" in capsys.readouterr().err


def test_files_without_windows_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([_file(tmp_path)]) == 2
    assert "holds no recorded windows" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "cannot be read as text" in capsys.readouterr().err


def test_usage_errors_end_with_2() -> None:
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
