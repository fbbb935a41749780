"""The frames of a finished run: every message and response as the bytes its times belong to."""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.traffic.addressing import BOARD_IP, BOARD_MAC, PSN_MASK, ptp_stamp
from emulator.traffic.packetiser import Framed
from emulator.traffic.responses import Responder
from emulator.traffic.traffic import Traffic
from emulator.wire import EnqueueSyndromes, Predecode, Request, encode_window

__all__ = ["INTERFACES", "captured_frames", "check_framing", "encoded_messages"]

INTERFACES = ("FPGA to host", "host to FPGA")
"""Names of the capture's interfaces, by the number that `captured_frames` gives."""

Table = Mapping[str, NDArray[np.int64]]
Bits = NDArray[np.uint8]
Frame = tuple[int, int, bytes]
"""Time in ps, number of the interface, bytes from destination MAC to ICRC."""


def captured_frames(
    traffic: Traffic,
    windows: Table,
    sent: Table,
    *,
    detectors: Bits,
    corrections: Bits,
    framed: Framed | None = None,
) -> list[Frame]:
    """Frames of the first n shots of every patch, in order of time.

    ``windows`` and ``sent`` are the window and message tables of the run; ``detectors``, uint8
    (rows, ceil(D / 8)), and ``corrections``, uint8 (rows, windows, bytes), have the n * patches
    first rows of its syndromes and answers. With ``framed`` the messages are those of the
    packetiser itself. A message stands at the instant its first bit may enter the line, a response
    at that of the end of decoding. Ids and counters are those of `Numbering`; the PTP stamp of a
    message is the instant at which its first bit entered the packetiser, and the responses to it
    repeat it. Packet numbers count the frames in order of time, for each port up of its own.
    Raises ScenarioError for links that are not RoCE.
    """
    check_framing(traffic)
    responder = Responder(traffic, sent, corrections)
    up = (
        (framed_ps, 0, frame)
        for framed_ps, frames in encoded_messages(traffic, sent, detectors, framed)
        for frame in frames
    )
    down = _responses(windows, responder, len(detectors) // traffic.patches)
    return sorted(chain(up, down), key=lambda frame: frame[0])


def check_framing(traffic: Traffic) -> None:
    """Raise ScenarioError for links whose frames are not written here."""
    for name, link in (("up", traffic.link.up), ("down", traffic.link.down)):
        if link.framing != "roce":
            raise ScenarioError(
                f'link.{name}.framing: "{link.framing}" has no frames to write; '
                'a capture needs framing = "roce"'
            )


def encoded_messages(
    traffic: Traffic, sent: Table, detectors: Bits, framed: Framed | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Instant and frames of each message up of the shots in ``detectors``, in order of time."""
    if framed is not None:
        return _from_hardware(traffic, sent, len(detectors) // traffic.patches, framed)
    return _from_model(traffic, sent, detectors)


def _from_hardware(
    traffic: Traffic, sent: Table, shots: int, framed: Framed
) -> Iterator[tuple[int, list[bytes]]]:
    numbering = traffic.numbering
    for framed_ps, _, patch, shot, number, _ in _sorted(sent, _SENT):
        if shot < shots:
            yield framed_ps, framed.frames[numbering.request_id(patch, shot, number)]


def _from_model(
    traffic: Traffic, sent: Table, detectors: Bits
) -> Iterator[tuple[int, list[bytes]]]:
    numbering, carried_rounds = traffic.numbering, traffic.carried
    order = np.argsort(traffic.detector_round, kind="stable")
    unpacked = np.unpackbits(detectors, axis=1, count=len(order), bitorder="little")
    events, rounds = unpacked[:, order], traffic.detector_round[order]
    psn = [0] * traffic.patches
    registers = [traffic.registers(port) for port in range(traffic.patches)]
    for framed_ps, index, patch, shot, number, taken_ps in _sorted(sent, _SENT):
        port = patch if traffic.link.up.port == "per_patch" else 0
        first_psn = psn[port]
        psn[port] = (first_psn + len(traffic.messages[number].packets)) & PSN_MASK
        row = numbering.row(patch, shot)
        if row >= len(events):
            continue
        carried = carried_rounds[number]
        part = slice(*np.searchsorted(rounds, (carried.start, carried.stop)))
        if traffic.fpga.encoding == "bytes":
            call: Predecode | EnqueueSyndromes = Predecode(events[row, part].tobytes())
        else:
            counter = numbering.counter(shot, number)
            call = EnqueueSyndromes.from_bits(events[row, part], decoder_id=patch, counter=counter)
        request_id = numbering.request_id(patch, shot, number)
        frames = encode_window(
            Request(call, request_id, ptp_stamp(taken_ps)).encode(),
            registers[port],
            board_mac=BOARD_MAC,
            board_ip=BOARD_IP,
            psn=first_psn,
            buffer=index % traffic.ring_slots,
        )
        yield framed_ps, frames


_SENT = ("framed_ps", "message", "patch", "shot", "number", "taken_ps")
_ANSWERED = ("decode_end_ps", "window", "shot")


def _sorted(table: Table, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Rows of a table in order of their first column, a time."""
    return sorted(zip(*(table[name].tolist() for name in names), strict=True))


def _responses(windows: Table, responder: Responder, shots: int) -> Iterator[Frame]:
    for psn, (decoded_ps, window, shot) in enumerate(_sorted(windows, _ANSWERED)):
        if shot < shots:
            yield decoded_ps, 1, responder.frame(window, psn)
