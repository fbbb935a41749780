"""The addresses and registers of both ends of the link, request ids, counters, time stamps."""

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.units import PS_PER_S
from emulator.windows import Window
from emulator.wire import HsbRegisters
from emulator.wire.framing import roce_registers

__all__ = [
    "BOARD_IP",
    "BOARD_MAC",
    "BOARD_QP",
    "HOST_IP",
    "HOST_MAC",
    "PSN_MASK",
    "Identity",
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
_ID_MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class Identity:
    """How the messages of a run are told apart: patches count their own, ids are unique in all.

    ``carried`` has the rounds of each message of a shot.
    """

    patches: int
    carried: Sequence[range]

    def counter(self, shot: int, number: int) -> int:
        """Messages of the same patch before message ``number`` of a shot."""
        return shot * len(self.carried) + number

    def request_id(self, patch: int, shot: int, number: int) -> int:
        """Request id of a message, 32 bits."""
        return (self.counter(shot, number) * self.patches + patch) & _ID_MASK

    def answered(self, window: Window) -> int:
        """Place in the shot of the message that a window answers: that of its last commit."""
        last = window.commits[-1]
        return next(n for n, rounds in enumerate(self.carried) if last in rounds)


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
