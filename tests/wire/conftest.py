"""The recorded frames, read once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.wire.registers import HsbRegisters

DATA = Path(__file__).parents[1] / "data" / "hsb_frames"


@dataclass(frozen=True)
class Recorded:
    registers: HsbRegisters
    board_mac: bytes
    board_ip: bytes
    psn: int
    buffer: int
    payload: bytes
    frames: list[bytes]


def _recorded(line: str) -> Recorded:
    window = json.loads(line)
    return Recorded(
        registers=HsbRegisters.from_mapping(window["registers"]),
        board_mac=bytes.fromhex(window["board_mac"]),
        board_ip=bytes.fromhex(window["board_ip"]),
        psn=window["psn"],
        buffer=window["buffer"],
        payload=bytes.fromhex(window["payload_hex"]),
        frames=[bytes.fromhex(text) for text in window["frames_hex"]],
    )


@pytest.fixture(scope="session")
def frames_file() -> Path:
    return DATA / "frames.jsonl"


@pytest.fixture(scope="session")
def recorded(frames_file: Path) -> list[Recorded]:
    return [_recorded(line) for line in frames_file.read_text().splitlines()]


@pytest.fixture(scope="session")
def sends() -> list[Any]:
    samples: list[Any] = json.loads((DATA / "host_to_fpga_sample.json").read_text())
    return samples


@pytest.fixture(scope="session")
def registers() -> dict[str, int]:
    """Plausible register values to change one at a time."""
    return {
        "vip_mask": 1,
        "pkt_len_pages128": 31,
        "src_udp_port": 0x3000,
        "dest_qp": 0x1234,
        "rkey": 0xFACEF00D,
        "va_lo": 0x10000000,
        "va_hi": 0x7F55,
        "buf_increment_pages128": 1,
        "last_buffer": 63,
        "bytes_per_window": 64,
        "host_mac_lo": 0x56789ABC,
        "host_mac_hi": 0x1234,
        "host_ip": 0xC0A80101,
        "host_udp_port_and_md_disable": 0x112B7,
    }
