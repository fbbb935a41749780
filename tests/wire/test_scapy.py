"""Frames against scapy's, which builds them from its own description of RoCEv2."""

from typing import Any

import pytest

from emulator.wire.fields import WRITE_WITH_IMMEDIATE
from emulator.wire.framing import roce_registers
from emulator.wire.roce import encode_send, encode_window
from tests.wire.conftest import Recorded

roce: Any = pytest.importorskip(
    "scapy.contrib.roce", reason="scapy is not installed: pip install scapy"
)
l2: Any = pytest.importorskip("scapy.layers.l2")
inet: Any = pytest.importorskip("scapy.layers.inet")

HOST_MAC, BOARD_MAC = bytes.fromhex("123456789abc"), bytes.fromhex("cafec0ffee00")
HOST_IP, BOARD_IP = bytes([192, 168, 1, 1]), bytes([192, 168, 0, 2])
BODY = bytes((89 * i + 7) & 0xFF for i in range(4096))


def built(
    body: bytes, *, macs: tuple[bytes, bytes], ips: tuple[bytes, bytes], port: int, **bth: int
) -> bytes:
    """A frame as scapy makes it; ``macs`` and ``ips`` are (source, destination)."""
    src_mac, dst_mac = (mac.hex(":") for mac in macs)
    src_ip, dst_ip = (".".join(map(str, ip)) for ip in ips)
    packet = (
        l2.Ether(src=src_mac, dst=dst_mac)
        / inet.IP(src=src_ip, dst=dst_ip, id=0, flags="DF", ttl=64)
        / inet.UDP(sport=port, dport=4791, chksum=0)
        / roce.BTH(**bth)
        / body
    )
    return bytes(packet)


def window_by_scapy(window: Recorded, capacity: int) -> list[bytes]:
    """Frames of a window whose packets hold ``capacity`` bytes; RETH and immediate are ours."""
    registers = window.registers
    payload = window.payload.ljust(registers.bytes_per_window, b"\0")
    starts = range(0, len(payload), capacity)
    frames = []
    for number, start in enumerate(starts):
        chunk, last = payload[start : start + capacity], start == starts[-1]
        psn = (window.psn + number) & 0xFFFFFF
        va = registers.base_va + window.buffer * registers.slot_bytes + start
        head = va.to_bytes(8, "big") + registers.rkey.to_bytes(4, "big")
        head += len(chunk).to_bytes(4, "big")
        if last:
            head += ((psn & 0xFFFFF) << 12 | window.buffer).to_bytes(4, "big")
        frames.append(
            built(
                head + chunk,
                macs=(window.board_mac, registers.host_mac.to_bytes(6, "big")),
                ips=(window.board_ip, registers.host_ip.to_bytes(4, "big")),
                port=registers.src_udp_port,
                opcode=0x2B if last else 0x2A,
                dqpn=registers.dest_qp,
                psn=psn,
            )
        )
    return frames


def recomputed(frame: bytes) -> bytes:
    """ICRC that scapy computes for a frame it has taken apart."""
    packet = l2.Ether(frame)
    packet[roce.BTH].icrc = None
    return bytes(packet)[-4:]


@pytest.mark.parametrize("mtu", [220, 1500, 4096])
def test_windows_of_many_lengths_are_those_of_scapy(mtu: int) -> None:
    for length in (*range(1, 64, 7), *range(64, 1600, 64), 3968, 4032, 4096):
        registers = roce_registers(
            length,
            mtu,
            src_udp_port=0x3000,
            dest_qp=0xABCDEF,
            rkey=0xFACEF00D,
            va_lo=0x10000000,
            va_hi=0x7F55,
            last_buffer=63,
            host_mac_lo=0x56789ABC,
            host_mac_hi=0x1234,
            host_ip=0xC0A80101,
            host_udp_port_and_md_disable=1 << 16 | 4791,
        )
        frames = encode_window(
            BODY[:length],
            registers,
            board_mac=BOARD_MAC,
            board_ip=BOARD_IP,
            psn=0xFFFFFE,
            buffer=length % 64,
        )
        case = Recorded(
            registers, BOARD_MAC, BOARD_IP, 0xFFFFFE, length % 64, BODY[:length], frames
        )
        overhead = WRITE_WITH_IMMEDIATE.size - 14 + 4
        assert window_by_scapy(case, (mtu - overhead) // 128 * 128) == frames


def test_sends_of_many_lengths_are_those_of_scapy() -> None:
    for length in (*range(70), 255, 256, 1021, 4093, 4096):
        payload = BODY[:length]
        frame = encode_send(
            payload,
            src_mac=HOST_MAC,
            dst_mac=BOARD_MAC,
            src_ip=HOST_IP,
            dst_ip=BOARD_IP,
            psn=length,
        )
        pad = -length % 4
        assert frame == built(
            payload + bytes(pad),
            macs=(HOST_MAC, BOARD_MAC),
            ips=(HOST_IP, BOARD_IP),
            port=0xC000,
            opcode=0x24,
            migreq=1,
            padcount=pad,
            dqpn=2,
            psn=length,
        )


def test_recorded_frames_are_those_of_scapy(recorded: list[Recorded]) -> None:
    for window in recorded:
        assert window_by_scapy(window, window.registers.packet_bytes) == window.frames
        assert [recomputed(frame) for frame in window.frames] == [f[-4:] for f in window.frames]


def test_scapy_sees_a_changed_byte(recorded: list[Recorded]) -> None:
    frame = bytearray(recorded[0].frames[0])
    frame[100] ^= 1
    assert recomputed(bytes(frame)) != frame[-4:]
