from pathlib import Path

import pytest

from emulator.traffic.capture import INTERFACES
from emulator.wire.fields import (
    SEND_ONLY,
    WRITE_ONLY,
    WRITE_WITH_IMMEDIATE,
    Layout,
)
from emulator.wire.icrc import ICRC_SIZE
from emulator.wire.registers import HsbRegisters
from emulator.wire.roce import Opcode, encode_send, encode_window
from tests.run.examples import captured
from tests.wire.capture import Frame, dissected, needs_tshark
from tests.wire.conftest import Recorded

pytestmark = needs_tshark

SPLIT = ("link.up.mtu=220 B", "fpga.encoding=bytes", "code.distance=5")
PATCHES = ("qpu.patches=3", "link.up.port=per_patch")
LAYOUTS = {
    Opcode.SEND_ONLY: SEND_ONLY,
    Opcode.WRITE_ONLY: WRITE_ONLY,
    Opcode.WRITE_ONLY_WITH_IMMEDIATE: WRITE_WITH_IMMEDIATE,
}
CHECK = ("-o", "ip.check_checksum:TRUE", "-E", "occurrence=f")  # the immediate is listed twice
GOOD, BAD = "1", "0"

# tshark's name of a field of the table, and how many digits it writes it with: 0 for decimal.
NUMBERS = {
    "ip.len": ("ip_total_length", 0),
    "ip.ttl": ("ip_ttl", 0),
    "udp.srcport": ("udp_src_port", 0),
    "udp.dstport": ("udp_dst_port", 0),
    "udp.length": ("udp_length", 0),
    "udp.checksum": ("udp_checksum", 4),
    "infiniband.bth.opcode": ("bth_opcode", 0),
    "infiniband.bth.p_key": ("bth_pkey", 0),
    "infiniband.bth.destqp": ("bth_dest_qp", 6),
    "infiniband.bth.psn": ("bth_psn", 0),
    "infiniband.reth.va": ("reth_va", 16),
    "infiniband.reth.r_key": ("reth_rkey", 8),
    "infiniband.reth.dmalen": ("reth_dma_len", 0),
}
ADDRESSES = {"eth.dst": "dst_mac", "eth.src": "src_mac", "ip.src": "src_ip", "ip.dst": "dst_ip"}
FIELDS = (
    "frame.interface_name",
    "ip.checksum.status",
    *ADDRESSES,
    *NUMBERS,
    "infiniband.bth.m",
    "infiniband.bth.padcnt",
    "infiniband.immdt",
    "infiniband.invariant.crc",
    "data.data",
)


def expected(frame: Frame) -> dict[str, str]:
    """What tshark has to say of a frame, by the table it was encoded from."""
    _, interface, data = frame
    layout: Layout = LAYOUTS[Opcode(data[SEND_ONLY["bth_opcode"].offset])]
    values = layout.decode(data)
    said = {"frame.interface_name": INTERFACES[interface], "ip.checksum.status": GOOD}
    for name, field in ADDRESSES.items():
        address = values[field].to_bytes(layout[field].size, "big")
        said[name] = address.hex(":") if name.startswith("eth") else ".".join(map(str, address))
    for name, (field, digits) in NUMBERS.items():
        if field not in values:
            said[name] = ""
        else:
            said[name] = f"0x{values[field]:0{digits}x}" if digits else str(values[field])
    said["infiniband.bth.m"] = str(values["bth_flags"] >> 6 & 1)
    said["infiniband.bth.padcnt"] = str(values["bth_flags"] >> 4 & 3)
    said["infiniband.immdt"] = f"{values['immediate']:08x}" if "immediate" in values else ""
    said["infiniband.invariant.crc"] = f"0x{data[-ICRC_SIZE:].hex()}"
    said["data.data"] = data[layout.size : -ICRC_SIZE].hex()  # padding included
    return said


def run_of(*overrides: str) -> list[Frame]:
    return captured(overrides, shots=20)


@pytest.mark.parametrize("overrides", [(), SPLIT, PATCHES], ids=" ".join)
def test_frames_of_a_run_are_read_as_they_were_sent(
    overrides: tuple[str, ...], tmp_path: Path
) -> None:
    frames = run_of(*overrides)
    seen = dissected(frames, FIELDS, tmp_path, *CHECK)
    assert seen == [expected(frame) for frame in frames]
    opcodes = {line["infiniband.bth.opcode"] for line in seen}
    assert opcodes == {"36", "43"} | ({"42"} if overrides is SPLIT else set())
    assert {line["udp.dstport"] for line in seen} == {"4791"}


def test_every_field_at_its_extremes(registers: dict[str, int], tmp_path: Path) -> None:
    registers |= {
        "pkt_len_pages128": 1,
        "buf_increment_pages128": 8,
        "bytes_per_window": 1024,
        "last_buffer": 63,
        "dest_qp": 0xFFFFFF,
        "rkey": 0xFFFFFFFF,
        "va_lo": 0xFEDCB000,
        "va_hi": 0x76543210,
        "src_udp_port": 0xFFFF,
        "host_ip": 0xE9FEFDFC,
    }
    window = encode_window(
        bytes(i & 0xFF for i in range(1024)),
        HsbRegisters.from_mapping(registers),
        board_mac=bytes.fromhex("fafbfcfdfeff"),
        board_ip=bytes([203, 0, 113, 255]),
        psn=0xFFFFFE,
        buffer=63,
    )
    sends = [
        encode_send(
            bytes([0xA5]) * length,
            src_mac=bytes.fromhex("123456789abc"),
            dst_mac=bytes.fromhex("cafec0ffee00"),
            src_ip=bytes([192, 0, 2, 1]),
            dst_ip=bytes([192, 0, 2, 2]),
            dest_qp=qp,
            psn=psn,
        )
        for length in (17, 18, 19, 20)
        for qp, psn in ((2, 0), (0xFFFFFF, 0xFFFFFF))  # 0 and 1 are management
    ]
    frames = [(n * 1000, 0, data) for n, data in enumerate(window)]
    frames += [(n * 1000, 1, data) for n, data in enumerate(sends)]
    seen = dissected(frames, FIELDS, tmp_path, *CHECK)
    assert seen == [expected(frame) for frame in frames]
    numbers = [int(line["infiniband.bth.psn"]) for line in seen[:8]]
    assert numbers == [0xFFFFFE, 0xFFFFFF, 0, 1, 2, 3, 4, 5]
    assert seen[1]["infiniband.reth.va"] == f"0x{0x76543210FEDCB000 + 63 * 1024 + 128:016x}"
    assert [line["infiniband.immdt"] for line in seen[:8]] == [""] * 7 + ["0000503f"]


def test_recorded_frames_are_read_as_the_encoder_has_them(
    recorded: list[Recorded], tmp_path: Path
) -> None:
    frames = [(0, 0, frame) for window in recorded for frame in window.frames]
    assert dissected(frames, FIELDS, tmp_path, *CHECK) == [expected(frame) for frame in frames]


def test_a_wrong_header_checksum_is_seen(recorded: list[Recorded], tmp_path: Path) -> None:
    frame = bytearray(recorded[0].frames[0])
    frame[SEND_ONLY["ip_checksum"].offset] ^= 1
    [seen] = dissected([(0, 0, bytes(frame))], ["ip.checksum.status"], tmp_path, *CHECK)
    assert seen["ip.checksum.status"] == BAD
