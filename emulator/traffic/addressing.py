"""The addresses and registers of both ends of the link, and the time stamps on it."""

from emulator.units import PS_PER_S
from emulator.wire import HsbRegisters
from emulator.wire.framing import roce_registers

__all__ = [
    "BOARD_IP",
    "BOARD_MAC",
    "BOARD_QP",
    "HOST_IP",
    "HOST_MAC",
    "PSN_MASK",
    "link_registers",
    "ptp_stamp",
]

# addresses for documentation (RFC 7042, RFC 5737), and the registers of the public examples
BOARD_MAC, HOST_MAC = bytes.fromhex("00005e005301"), bytes.fromhex("00005e005302")
BOARD_IP, HOST_IP = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
BOARD_QP = 2
"""Queue pair on which the FPGA listens (holoscan-sensor-bridge, gpu_roce_transceiver)."""
_ROCE_PORT, _BOARD_PORT, _QUEUE_PAIR, _METADATA_OFF = 4791, 0x3000, 0x000100, 1 << 16

PSN_MASK = 0xFFFFFF
"""Packet sequence numbers have 24 bits."""


def ptp_stamp(time_ps: int) -> int:
    """A time as 64 bits: seconds in the lower half, whole nanoseconds above."""
    seconds, rest_ps = divmod(time_ps, PS_PER_S)
    return (rest_ps // 1000) << 32 | seconds


def link_registers(
    payload_bytes: int, mtu_bytes: int, *, last_buffer: int, port: int = 0
) -> HsbRegisters:
    """Registers of the packetiser of a port up whose longest message has ``payload_bytes``.

    ``last_buffer`` is the number of the last slot of the receive ring.
    """
    return roce_registers(
        payload_bytes,
        mtu_bytes,
        src_udp_port=_BOARD_PORT,
        dest_qp=_QUEUE_PAIR + port,
        last_buffer=last_buffer,
        host_mac_lo=int.from_bytes(HOST_MAC[2:]),
        host_mac_hi=int.from_bytes(HOST_MAC[:2]),
        host_ip=int.from_bytes(HOST_IP),
        host_udp_port_and_md_disable=_METADATA_OFF | _ROCE_PORT,
    )
