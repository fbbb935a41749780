"""Captures read by tshark, a dissector that shares nothing with this project."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from emulator.traffic.capture import INTERFACES
from emulator.wire.pcapng import write_pcapng

Frame = tuple[int, int, bytes]
"""Time in ps, number of the interface, bytes from destination MAC to ICRC."""

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="tshark is not installed: apt-get install tshark"
)


def dissected(
    frames: Sequence[Frame], fields: Sequence[str], folder: Path, *options: str
) -> list[dict[str, str]]:
    """What tshark reads in the given fields of each frame; "" for one that it does not have.

    A field that occurs several times has its values separated by commas.
    """
    path = folder / "link.pcapng"
    with path.open("wb") as stream:
        write_pcapng(stream, INTERFACES, frames)
    command = ["tshark", *options, "-r", str(path), "-T", "fields"]
    command += [part for field in fields for part in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Lua" not in done.stderr, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == len(frames)
    return [dict(zip(fields, line, strict=True)) for line in lines]
