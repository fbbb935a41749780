"""RoCEv2 frames between FPGA and host, from the destination MAC to the ICRC, byte for byte.

FPGA to host, a window of syndrome data is written into a slot of the host's ring: RDMA WRITE Only
packets, the last one with an immediate that names the slot. Host to FPGA, a message is a SEND
Only. Both use the unreliable connected (UC) service: no acknowledgement, no retransmission.
Preamble and frame check sequence belong to the MAC and are not part of a frame here.

Formats: InfiniBand Architecture Specification 1.4 and annex A17; values as sent by
nvidia-holoscan/holoscan-sensor-bridge, HSB_IP 0x2606 (dp_pkt_hdr.sv, roce_icrc.sv).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, get_args

from emulator.wire.errors import WireError
from emulator.wire.fields import (
    ROCE_UDP_PORT,
    SEND_ONLY,
    WRITE_ONLY,
    WRITE_WITH_IMMEDIATE,
    Layout,
)
from emulator.wire.icrc import ICRC_SIZE, has_valid_ipv4_checksum, icrc, with_ipv4_checksum
from emulator.wire.registers import HsbRegisters

__all__ = ["Opcode", "Oversize", "RoceFrame", "decode_frame", "encode_send", "encode_window"]

_IP_START = SEND_ONLY["ip_version_ihl"].offset
_UDP_START = SEND_ONLY["udp_src_port"].offset
_MIN_FRAME = 60  # shorter frames are filled with zeros by the MAC
_PSN_MODULUS = 1 << 24
_MIGRATED = 0x40


Oversize = Literal["refuse", "truncate"]
"""What is done with a payload that is longer than its window."""


class Opcode(IntEnum):
    """BTH operation codes of the UC service that travel on this link."""

    SEND_ONLY = 0x24
    WRITE_ONLY = 0x2A
    WRITE_ONLY_WITH_IMMEDIATE = 0x2B


_LAYOUT = {
    Opcode.SEND_ONLY: SEND_ONLY,
    Opcode.WRITE_ONLY: WRITE_ONLY,
    Opcode.WRITE_ONLY_WITH_IMMEDIATE: WRITE_WITH_IMMEDIATE,
}


@dataclass(frozen=True, slots=True)
class RoceFrame:
    """What a valid frame says; a field its opcode does not carry is None.

    ``payload`` is without the ``pad`` zero bytes (0 to 3) that fill its last 4-byte word.
    """

    opcode: Opcode
    psn: int
    qp: int
    va: int | None
    rkey: int | None
    dma_len: int | None
    immediate: int | None
    payload: bytes
    pad: int

    @property
    def slot(self) -> int | None:
        """Ring slot named by the immediate: its low 12 bits; above them are 20 bits of PSN."""
        return None if self.immediate is None else self.immediate & 0xFFF


def encode_window(
    payload: bytes,
    registers: HsbRegisters,
    *,
    board_mac: bytes,
    board_ip: bytes,
    psn: int,
    buffer: int,
    oversize: Oversize = "refuse",
) -> list[bytes]:
    """Frames in which the packetiser sends one window, in order.

    ``payload`` is filled with zeros to ``bytes_per_window`` and cut after every
    ``pkt_len_pages128`` pages: WRITE Only packets (0x2A) at rising addresses, the last one with
    Immediate (0x2B). ``psn`` is that of the first packet, counts packets and wraps at 24 bits;
    ``buffer`` is the ring slot. The immediate is {PSN[19:0], slot[11:0]}.

    The packetiser ends a window after ``bytes_per_window`` and drops what is left of a longer
    payload: ``oversize="truncate"`` does so too. Raises WireError if the payload is empty or,
    unless it is truncated, longer than the window, or a value does not fit.
    """
    _check_window(payload, registers, buffer, oversize)
    window = payload[: registers.bytes_per_window].ljust(registers.bytes_per_window, b"\0")
    starts = range(0, len(window), registers.packet_bytes)
    frames = []
    for number, start in enumerate(starts):
        chunk = window[start : start + registers.packet_bytes]
        packet_psn = psn if number == 0 else (psn + number) % _PSN_MODULUS
        values = {
            "dst_mac": registers.host_mac,
            "src_mac": _address(board_mac, 6, "board_mac"),
            "src_ip": _address(board_ip, 4, "board_ip"),
            "dst_ip": registers.host_ip,
            "udp_src_port": registers.src_udp_port,
            "udp_dst_port": registers.host_udp_port,
            "bth_dest_qp": registers.dest_qp,
            "bth_psn": packet_psn,
            "reth_va": registers.base_va + buffer * registers.slot_bytes + start,
            "reth_rkey": registers.rkey,
            "reth_dma_len": len(chunk),
        }
        if number == len(starts) - 1:
            values["immediate"] = (packet_psn & 0xFFFFF) << 12 | buffer
            frames.append(_frame(Opcode.WRITE_ONLY_WITH_IMMEDIATE, values, chunk))
        else:
            frames.append(_frame(Opcode.WRITE_ONLY, values, chunk))
    return frames


def encode_send(
    payload: bytes,
    *,
    src_mac: bytes,
    dst_mac: bytes,
    src_ip: bytes,
    dst_ip: bytes,
    dest_qp: int = 2,
    psn: int = 0,
    udp_src_port: int = 0xC000,
) -> bytes:
    """Frame of one UC SEND Only, host to FPGA; ``payload`` is padded to whole 4-byte words.

    The FPGA listens on queue pair 2 and ignores the PSN (holoscan-sensor-bridge,
    gpu_roce_transceiver). Raises WireError for a value that does not fit.
    """
    pad = -len(payload) % 4
    values = {
        "dst_mac": _address(dst_mac, 6, "dst_mac"),
        "src_mac": _address(src_mac, 6, "src_mac"),
        "src_ip": _address(src_ip, 4, "src_ip"),
        "dst_ip": _address(dst_ip, 4, "dst_ip"),
        "udp_src_port": udp_src_port,
        "bth_flags": _MIGRATED | pad << 4,  # a host channel adapter sends the migrated state
        "bth_dest_qp": dest_qp,
        "bth_psn": psn,
    }
    return _frame(Opcode.SEND_ONLY, values, payload + b"\0" * pad)


def decode_frame(frame: bytes) -> RoceFrame:
    """Read one frame, destination MAC to ICRC.

    Raises WireError for a truncated frame, bytes after its end (other than the zeros of a minimum
    Ethernet frame), another EtherType, protocol, port or opcode, lengths that disagree, a wrong
    IPv4 checksum and a wrong ICRC.
    """
    values = SEND_ONLY.decode(frame)
    _check_addressing(values)
    end = _checked_end(frame, values)
    if not has_valid_ipv4_checksum(frame):
        raise WireError(f"IPv4 header checksum 0x{values['ip_checksum']:04X} is wrong.")
    body, sent = frame[: end - ICRC_SIZE], frame[end - ICRC_SIZE : end]
    if sent != icrc(body):
        raise WireError(f"ICRC {sent.hex()} is wrong; the frame computes to {icrc(body).hex()}.")
    try:
        opcode = Opcode(values["bth_opcode"])
    except ValueError:
        raise WireError(
            f"BTH opcode 0x{values['bth_opcode']:02X} is none of the UC opcodes 0x24, 0x2A, 0x2B."
        ) from None
    return _read(opcode, _LAYOUT[opcode], body)


def _frame(opcode: Opcode, values: dict[str, int], payload: bytes) -> bytes:
    layout = _LAYOUT[opcode]
    end = layout.size + len(payload) + ICRC_SIZE
    headers = layout.encode(
        **values,
        bth_opcode=opcode,
        ip_total_length=end - _IP_START,
        udp_length=end - _UDP_START,
    )
    body = with_ipv4_checksum(headers) + payload
    return body + icrc(body)


def _address(address: bytes, size: int, name: str) -> int:
    if len(address) != size:
        raise WireError(f"{name}(={address.hex()}) must be {size} bytes, not {len(address)}.")
    return int.from_bytes(address, "big")


def _check_window(payload: bytes, registers: HsbRegisters, buffer: int, oversize: Oversize) -> None:
    if not payload:
        raise WireError("payload is empty; a window carries at least one byte.")
    if oversize not in get_args(Oversize):
        raise WireError(f'oversize(="{oversize}") must be "refuse" or "truncate".')
    if oversize == "refuse" and len(payload) > registers.bytes_per_window:
        raise WireError(
            f"payload of {len(payload)} bytes is longer than the window of "
            f"{registers.bytes_per_window}; raise bytes_per_window, send less, or write "
            'oversize="truncate" to drop what is beyond it, as the packetiser does.'
        )
    if not 0 <= buffer <= registers.last_buffer:
        raise WireError(f"buffer(={buffer}) is not a slot of the ring 0..{registers.last_buffer}.")


def _check_addressing(values: dict[str, int]) -> None:
    for name, expected in (
        ("ethertype", 0x0800),
        ("ip_version_ihl", 0x45),
        ("ip_protocol", 17),
        ("udp_dst_port", ROCE_UDP_PORT),
    ):
        if values[name] != expected:
            raise WireError(
                f"{name} is 0x{values[name]:X}; a RoCEv2 frame over IPv4 has 0x{expected:X}."
            )
    if values["ip_flags_fragment"] & 0x3FFF:
        raise WireError("the frame is an IPv4 fragment; RoCEv2 is never fragmented.")


def _checked_end(frame: bytes, values: dict[str, int]) -> int:
    """Offset after the ICRC, once the lengths agree with each other and with the frame."""
    end = _IP_START + values["ip_total_length"]
    if end > len(frame):
        raise WireError(f"frame is truncated: {len(frame)} bytes of the {end} that IPv4 announces.")
    if values["udp_length"] != end - _UDP_START:
        raise WireError(
            f"UDP length {values['udp_length']} disagrees with IPv4 total length "
            f"{values['ip_total_length']}."
        )
    if end < SEND_ONLY.size + ICRC_SIZE:
        raise WireError(f"IPv4 total length {values['ip_total_length']} leaves no room for RoCE.")
    if frame[end:].strip(b"\0") or len(frame) > max(end, _MIN_FRAME):
        raise WireError(f"{len(frame) - end} bytes follow the end of the frame at {end}.")
    return end


def _read(opcode: Opcode, layout: Layout, body: bytes) -> RoceFrame:
    values = layout.decode(body)
    padded = body[layout.size :]
    pad = values["bth_flags"] >> 4 & 0b11
    if pad > len(padded):
        raise WireError(f"pad count {pad} exceeds the {len(padded)} bytes of payload.")
    payload = padded[: len(padded) - pad]
    dma_len = values.get("reth_dma_len")
    if dma_len not in (None, len(payload)):
        raise WireError(f"RETH DMA length {dma_len} disagrees with {len(payload)} payload bytes.")
    return RoceFrame(
        opcode=opcode,
        psn=values["bth_psn"],
        qp=values["bth_dest_qp"],
        va=values.get("reth_va"),
        rkey=values.get("reth_rkey"),
        dma_len=dma_len,
        immediate=values.get("immediate"),
        payload=payload,
        pad=pad,
    )
