"""The frames of a finished run: every message and response as the bytes its times belong to."""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.loop.config import Message
from emulator.run.experiment import decode_again
from emulator.run.traffic import messages
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import bits_per_round
from emulator.units import PS_PER_S
from emulator.wire import (
    EnqueueSyndromes,
    Predecode,
    Request,
    Response,
    Status,
    encode_send,
    encode_window,
)
from emulator.wire.framing import roce_registers

__all__ = ["INTERFACES", "run_frames"]

INTERFACES = ("FPGA to host", "host to FPGA")
"""Names of the capture's interfaces, by the number that `run_frames` gives."""

# addresses for documentation (RFC 7042, RFC 5737), and the registers of the public examples
_BOARD_MAC, _HOST_MAC = bytes.fromhex("00005e005301"), bytes.fromhex("00005e005302")
_BOARD_IP, _HOST_IP = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
_ROCE_PORT, _BOARD_PORT, _QUEUE_PAIR, _METADATA_OFF = 4791, 0x3000, 0x000100, 1 << 16
_PSN_MASK = 0xFFFFFF

Table = Mapping[str, NDArray[np.int64]]
Frame = tuple[int, int, bytes]
"""Time in ps, number of the interface, bytes from destination MAC to ICRC."""


def run_frames(scenario: Scenario, windows: Table, sent: Table, *, shots: int) -> list[Frame]:
    """Frames of the first ``shots`` shots of every patch, in order of time.

    ``windows`` and ``sent`` are the window and message tables of the run. The syndromes are
    sampled and decoded again, which gives the same bits for the same seed and version of Stim. A
    message stands at the instant its first bit may enter the line, a response at that of the end
    of decoding; both carry the number of the message or window as request id, and a message the
    time at which it was framed as its PTP stamp. Packet numbers count the frames in order of time,
    for each port up of its own. Raises ScenarioError for links that are not RoCE.
    """
    for name, link in (("up", scenario.link.up), ("down", scenario.link.down)):
        if link.framing != "roce":
            raise ScenarioError(
                f'link.{name}.framing: "{link.framing}" has no frames to write; '
                'a capture needs framing = "roce"'
            )
    again = decode_again(scenario, shots)
    shape = messages(
        scenario.fpga,
        scenario.link.up,
        scenario.window,
        bits_per_round(again.source).tolist(),
    )
    order = np.argsort(again.source.detector_round, kind="stable")
    rounds = again.source.detector_round[order]
    up = _messages(scenario, sent, shape, again.detectors[:, order], rounds, shots)
    down = _responses(scenario, windows, again.corrections, shots)
    return sorted(chain(up, down), key=lambda frame: frame[0])


def _messages(  # noqa: PLR0917
    scenario: Scenario,
    sent: Table,
    shape: tuple[Message, ...],
    events: NDArray[np.uint8],
    rounds: NDArray[np.int32],
    shots: int,
) -> Iterator[Frame]:
    """Encode the messages up; ``events`` (shots, D) has its detectors in order of ``rounds``."""
    psn = [0] * scenario.qpu.patches
    slots = scenario.host.ring_slots
    for framed_ps, index, patch, shot, number in _first_shots(sent, _SENT, shots):
        port = patch if scenario.link.up.port == "per_patch" else 0
        carried = shape[number].rounds
        part = slice(*np.searchsorted(rounds, (carried.start, carried.stop)))
        bits = events[shot * scenario.qpu.patches + patch, part]
        payload = _request(scenario, bits, patch, number, index, framed_ps)
        registers = roce_registers(
            len(payload),
            scenario.link.up.mtu,
            src_udp_port=_BOARD_PORT,
            dest_qp=_QUEUE_PAIR + port,
            last_buffer=slots - 1,
            host_mac_lo=int.from_bytes(_HOST_MAC[2:]),
            host_mac_hi=int.from_bytes(_HOST_MAC[:2]),
            host_ip=int.from_bytes(_HOST_IP),
            host_udp_port_and_md_disable=_METADATA_OFF | _ROCE_PORT,
        )
        frames = encode_window(
            payload,
            registers,
            board_mac=_BOARD_MAC,
            board_ip=_BOARD_IP,
            psn=psn[port],
            buffer=index % slots,
        )
        psn[port] = (psn[port] + len(frames)) & _PSN_MASK
        for frame in frames:
            yield framed_ps, 0, frame


_SENT = ("framed_ps", "message", "patch", "shot", "number")
_ANSWERED = ("decode_end_ps", "window", "patch", "shot")


def _first_shots(table: Table, names: tuple[str, ...], shots: int) -> list[tuple[int, ...]]:
    """Rows of the first shots, in order of their first column, a time."""
    columns = [table[name][table["shot"] < shots].tolist() for name in names]
    return sorted(zip(*columns, strict=True))


def _request(  # noqa: PLR0917
    scenario: Scenario,
    bits: NDArray[np.uint8],
    patch: int,
    number: int,
    index: int,
    framed_ps: int,
) -> bytes:
    if scenario.fpga.encoding == "bytes":
        call: Predecode | EnqueueSyndromes = Predecode(bits.tobytes())
    else:
        call = EnqueueSyndromes.from_bits(bits, decoder_id=patch, counter=number)
    seconds, rest_ps = divmod(framed_ps, PS_PER_S)
    return Request(call, index & 0xFFFFFFFF, (rest_ps // 1000) << 32 | seconds).encode()


def _responses(
    scenario: Scenario, windows: Table, corrections: NDArray[np.uint8], shots: int
) -> Iterator[Frame]:
    plan_length = corrections.shape[1]
    rows = _first_shots(windows, _ANSWERED, shots)
    for psn, (decoded_ps, window, patch, shot) in enumerate(rows):
        result = corrections[shot * scenario.qpu.patches + patch, window % plan_length]
        response = Response(Status.OK, window & 0xFFFFFFFF, 0, result.tobytes())
        frame = encode_send(
            response.encode(),
            src_mac=_HOST_MAC,
            dst_mac=_BOARD_MAC,
            src_ip=_HOST_IP,
            dst_ip=_BOARD_IP,
            psn=psn & _PSN_MASK,
        )
        yield decoded_ps, 1, frame
