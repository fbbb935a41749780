"""Hold the Verilog packetiser against a run: ``python -m hdl.check STIMULUS.jsonl``.

``roundtrip trace stimulus`` writes the stimulus: the rounds and responses of a run, and the frames,
corrections and cycles that the emulator's FPGA stage made of them. They are played through
``packetiser_top`` in cocotb, and every byte and every cycle is compared.
Exit code 0: no difference; 1: some, the first of which is named; 2: the file cannot be used; 3: a
tool is missing.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulator.errors import RoundtripError
from emulator.rtl.limits import REMEMBERED_REQUESTS, depth_of
from emulator.traffic.stimulus import FORMAT
from hdl.toolchain import ROOT, RTL, run_bench

__all__ = ["SETTLED", "compare", "main", "play", "read"]

SETTLED = 48
"""First cycle in which a beat may be offered: after reset, and until settings count."""

Lines = list[dict[str, Any]]

_KEYS = {
    "round": ("patch", "cycle", "size", "ends", "bits"),
    "frame": ("first", "last", "frame"),
    "response": ("cycle", "frame"),
    "correction": ("cycle", "patch", "request_id", "bits"),
}
_BYTES = {"frame", "bits"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one file, print the outcome, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hdl.check", description=__doc__)
    parser.add_argument("file", type=Path, help="what roundtrip trace stimulus wrote")
    options = parser.parse_args(arguments)
    try:
        header, expected = read(options.file)
        found = play(options.file, header, build_dir=ROOT / "sim_build")
    except RoundtripError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    difference = compare(expected, found)
    if difference:
        print(f"DIFFERENT: {difference}")
        return 1
    print(
        f"identical, byte for byte and cycle for cycle: {len(expected['round'])} rounds in, "
        f"{len(expected['frame'])} frames out, {len(expected['response'])} responses in, "
        f"{len(expected['correction'])} corrections out ({header['data_w']} bit)"
    )
    return 0


def read(path: Path) -> tuple[dict[str, Any], dict[str, Lines]]:
    """Header of a stimulus, and its lines by kind.

    Raises RoundtripError, naming the line, for a file that is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise RoundtripError(f"{path} cannot be read: {reason}; name a stimulus file.") from error
    expected: dict[str, Lines] = {kind: [] for kind in _KEYS}
    header: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            entry = json.loads(line)
            if number == 1:
                header = entry
                known = header["format"] == FORMAT
            else:
                known = set(_KEYS[entry["kind"]]) <= set(entry)
                expected[entry["kind"]].append(entry)
                [bytes.fromhex(entry[key]) for key in _BYTES & set(entry)]
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            raise RoundtripError(
                f"{path}, line {number}: is none of a stimulus; "
                "write the file anew with roundtrip trace stimulus."
            )
    early = [entry["cycle"] for entry in expected["round"] if entry["cycle"] < SETTLED]
    if early:
        raise RoundtripError(
            f"{path}: a round enters in cycle {early[0]}, while the hardware is set up; "
            f"use a round period of {SETTLED} cycles or more."
        )
    if not header:
        raise RoundtripError(f"{path} is empty; write it with roundtrip trace stimulus.")
    return header, expected


def play(
    path: Path,
    header: Mapping[str, Any],
    *,
    build_dir: Path,
    waves: Path | None = None,
) -> dict[str, Any]:
    """What packetiser_top makes of a stimulus: lists of frames and corrections, and counts.

    Raises MissingToolError without the tools to simulate, AssertionError if the bench fails.
    ``waves`` is where the bench leaves a VCD file.
    """
    parameters = {
        "DATA_W": header["data_w"],
        "IN_W": header["in_w"],
        "PATCHES": header["patches"],
        "DEPTH": depth_of(header["data_w"], header["message_bits"]),
        "TABLE_W": REMEMBERED_REQUESTS.bit_length() - 1,
    }
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "outcome.json"
        run_bench(
            "packetiser_top",
            sorted(source.name for source in RTL.glob("*.v")),
            "hdl.tb.tb_stimulus",
            parameters,
            build_dir=build_dir,
            extra_env={
                "STIMULUS_FILE": str(path.resolve()),
                "STIMULUS_OUT": str(out),
                "STIMULUS_EXACT": "1" if waves else "0",
            },
            waves=waves,
        )
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def compare(expected: Mapping[str, Lines], found: Mapping[str, Any]) -> str | None:
    """Say what first differs, or None: frames before corrections, then what was counted."""
    for kind in ("frame", "correction"):
        for number, (wanted, got) in enumerate(
            zip(expected[kind], found[kind], strict=False), start=1
        ):
            for key in _KEYS[kind]:
                if wanted[key] != got[key]:
                    return f"{kind} {number}, {_difference(key, wanted[key], got[key])}"
        if len(expected[kind]) != len(found[kind]):
            return (
                f"{len(found[kind])} {kind}s came out of the hardware, "
                f"the emulator has {len(expected[kind])}"
            )
    return _count_difference(expected, found["counts"])


def _difference(key: str, wanted: Any, got: Any) -> str:
    if key not in _BYTES:
        return f"{key}: {got} in the hardware, {wanted} in the emulator"
    old, new = bytes.fromhex(wanted), bytes.fromhex(got)
    at = next((i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return f"{key}: {len(new)} bytes in the hardware, {len(old)} in the emulator"
    return f"byte {at} of its {key}: {new[at]:#04x} in the hardware, {old[at]:#04x} in the emulator"


def _count_difference(expected: Mapping[str, Lines], counts: Mapping[str, int]) -> str | None:
    messages = sum(entry["ends"] for entry in expected["round"])
    wanted = {
        "stat_message_sent": messages,
        "stat_window": messages,
        "stat_packet": len(expected["frame"]),
        "stat_accepted": len(expected["response"]),
        "stat_on_time": len(expected["correction"]),
    }
    # a window is filled up to the length of the longest, and requests may go unanswered
    open_ended = {"stat_window_short", "stat_displaced"}
    for name in sorted({*wanted, *counts} - open_ended):
        if counts.get(name, 0) != wanted.get(name, 0):
            return f"{name}: {counts.get(name, 0)} in the hardware, {wanted.get(name, 0)} expected"
    return None


if __name__ == "__main__":
    sys.exit(main())
