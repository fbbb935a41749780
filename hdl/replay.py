"""Play recorded windows through the Verilog transmitter: ``python -m hdl.replay FILE.jsonl``.

The file is that of ``emulator.wire.replay``: registers, PSN, slot and payload of each line are
given to ``roce_tx`` in sensor-bridge mode, and its frames are compared with the recorded ones byte
for byte, at 64 and at 512 bits.
Exit code 0: all identical; 1: some differ; 2: the file cannot be used; 3: a tool is missing.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from emulator.errors import RoundtripError
from emulator.wire import WireError
from emulator.wire.replay import differences
from hdl.toolchain import ROOT, RTL, run_bench

__all__ = ["SOURCES", "WIDTHS", "main", "play"]

WIDTHS = (64, 512)
SOURCES = sorted(
    path.name
    for pattern in ("roce_tx*.v", "crc32_*.v", "axis_skid.v")
    for path in RTL.glob(pattern)
)
"""Names in hdl/rtl of the sources of ``roce_tx``."""

_MAX_PAGES = 511
_MAX_WINDOW_BYTES = (1 << 24) - 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay one file at the widths asked for, print the tallies, return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m hdl.replay",
        description="Play recorded windows through the Verilog transmitter, compare the frames.",
    )
    parser.add_argument("file", type=Path, help="recorded windows, one JSON object per line")
    parser.add_argument("--width", choices=[*map(str, WIDTHS), "both"], default="both")
    options = parser.parse_args(arguments)
    widths = WIDTHS if options.width == "both" else (int(options.width),)
    try:
        windows = _read(options.file)
        different = sum([_report(width, options.file, windows) for width in widths])
    except RoundtripError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 1 if different else 0


def play(path: Path, width: int, *, build_dir: Path) -> list[list[bytes]]:
    """Frames that ``roce_tx`` sends for each window of a recording.

    Raises MissingToolError without the tools to simulate, AssertionError if the bench fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "frames.json"
        run_bench(
            "roce_tx",
            SOURCES,
            "hdl.tb.tb_replay",
            {"DATA_W": width},
            build_dir=build_dir,
            extra_env={"REPLAY_FILE": str(path.resolve()), "REPLAY_OUT": str(out)},
        )
        frames: list[list[str]] = json.loads(out.read_text(encoding="utf-8"))
    return [[bytes.fromhex(frame) for frame in window] for window in frames]


def _read(path: Path) -> list[dict[str, Any]]:
    """Windows of the recording; raise WireError for what is none, or the hardware cannot take."""
    list(differences(path))  # reads every line and refuses a malformed one
    lines = path.read_text(encoding="utf-8").splitlines()
    windows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for number, window in enumerate(windows, start=1):
        for name, most in (
            ("pkt_len_pages128", _MAX_PAGES),
            ("bytes_per_window", _MAX_WINDOW_BYTES),
        ):
            value = window["registers"][name]
            if value > most:
                raise WireError(
                    f"{path}, line {number}: {name}(={value}) is more than the transmitter takes; "
                    f"use at most {most}."
                )
    return windows


def _report(width: int, path: Path, windows: Sequence[dict[str, Any]]) -> int:
    """Print the first difference and the tally; return how many windows differ."""
    played = play(path, width, build_dir=ROOT / "sim_build")
    found = [
        f"{width} bit, line {number}, {difference}"
        for number, (window, frames) in enumerate(zip(windows, played, strict=True), start=1)
        if (difference := _difference([*map(bytes.fromhex, window["frames_hex"])], frames))
    ]
    if found:
        print(found[0])
    print(f"{width} bit: {len(windows) - len(found)} identical, {len(found)} different")
    return len(found)


def _difference(recorded: Sequence[bytes], sent: Sequence[bytes]) -> str | None:
    for number, (old, new) in enumerate(zip(recorded, sent, strict=False), start=1):
        if old != new:
            at = next(n for n in count() if old[n : n + 1] != new[n : n + 1])
            return f"frame {number}: first differing byte at offset {at}"
    if len(recorded) != len(sent):
        return f"{len(recorded)} frames recorded but {len(sent)} sent"
    return None


if __name__ == "__main__":
    sys.exit(main())
