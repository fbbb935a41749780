"""The input of the packetiser in a run and the output expected of it: a file that a bench plays.

One JSON object a line. The first has the parameters and settings of the hardware; then come, each
kind in order,

- ``round``: what enters: patch, ``cycle`` from which its first beat is offered, size in bits,
  whether it ends its message, and its bits as hexadecimal bytes, first bit lowest;
- ``frame``: what has to leave: edges of its first and its last beat, and its bytes;
- ``response``: what the host answers: edge at which its last beat is there, and the frame;
- ``correction``: what has to come out of it: edge, patch, request id and bits.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Record
from emulator.rtl.uplink import ENDS_MESSAGE, LAST_BEAT
from emulator.traffic.addressing import BOARD_IP, BOARD_MAC, BOARD_QP
from emulator.traffic.capture import encoded_messages
from emulator.traffic.intake import Intake
from emulator.traffic.packetiser import Framed
from emulator.traffic.responses import Responder
from emulator.traffic.traffic import Traffic
from emulator.units import Clock

__all__ = ["FORMAT", "stimulus"]

FORMAT = "roundtrip stimulus 1"

Bits = NDArray[np.uint8]
Line = dict[str, Any]


def stimulus(
    traffic: Traffic,
    record: Record,
    *,
    applied_ps: NDArray[np.int64],
    detectors: Bits,
    corrections: Bits,
    readout_ps: Callable[[int], int],
    framed: Framed | None = None,
) -> Iterator[str]:
    """Lines of the stimulus of a finished run, all of its shots.

    ``applied_ps``: int64 (n,), when the correction of each row of ``record.windows`` was applied;
    ``detectors``: uint8 (n, ceil(D / 8)), syndromes of all shots, ``corrections`` as in
    `Responder`, ``readout_ps`` as in `Intake`; ``framed`` is what the packetiser did, where it ran.
    """
    responder = Responder(traffic, record.messages, corrections)
    lines = chain(
        [_settings(traffic)],
        _rounds(traffic, detectors, readout_ps),
        _frames(traffic, encoded_messages(traffic, record.messages, detectors, framed)),
        _responses(traffic, record, applied_ps, responder),
    )
    return (json.dumps(line) for line in lines)


def _settings(traffic: Traffic) -> Line:
    fpga = traffic.fpga
    edges, span_ps = Clock(fpga.clock).ratio
    return {
        "format": FORMAT,
        "data_w": fpga.bus_bits,
        "in_w": fpga.input_bits,
        "patches": traffic.patches,
        "clock": {"edges": edges, "span_ps": span_ps},
        "message_bits": traffic.max_message_bits,
        "bytes": fpga.encoding == "bytes",
        "registers": asdict(traffic.registers()),
        "board_mac": BOARD_MAC.hex(),
        "board_ip": BOARD_IP.hex(),
        "board_qp": BOARD_QP,
    }


def _rounds(traffic: Traffic, detectors: Bits, readout_ps: Callable[[int], int]) -> Iterator[Line]:
    count = len(traffic.detector_round)
    rows = np.unpackbits(detectors, axis=1, count=count, bitorder="little")
    for beats in Intake(traffic, readout_ps).beats(0, rows):
        last = np.flatnonzero(beats.user & LAST_BEAT)
        starts = np.concatenate([[0], last[:-1] + 1])
        for begin, end in zip(starts.tolist(), last.tolist(), strict=True):
            user = int(beats.user[end])
            size = (user & ENDS_MESSAGE - 1) + 1
            yield {
                "kind": "round",
                "patch": beats.patch,
                "cycle": int(beats.cycles[begin]),
                "size": size,
                "ends": bool(user & ENDS_MESSAGE),
                "bits": beats.data[begin : end + 1].tobytes()[: -(-size // 8)].hex(),
            }


def _frames(traffic: Traffic, encoded: Iterator[tuple[int, list[bytes]]]) -> Iterator[Line]:
    clock, bus_bytes = Clock(traffic.fpga.clock), traffic.fpga.bus_bits // 8
    for framed_ps, frames in encoded:
        edge = clock.edge_at_or_after(framed_ps)
        for frame in frames:
            beats = -(-len(frame) // bus_bytes)
            yield {"kind": "frame", "first": edge, "last": edge + beats - 1, "frame": frame.hex()}
            edge += beats


def _responses(
    traffic: Traffic, record: Record, applied_ps: NDArray[np.int64], responder: Responder
) -> Iterator[Line]:
    clock = Clock(traffic.fpga.clock)
    row_of = {window: row for row, window in enumerate(record.windows["window"].tolist())}
    for psn, (window, returned_ps) in enumerate(record.responses.tolist()):
        yield {
            "kind": "response",
            "cycle": clock.edge_at_or_after(returned_ps),
            "frame": responder.frame(window, psn).hex(),
        }
        yield {
            "kind": "correction",
            "cycle": clock.edge_at_or_after(int(applied_ps[row_of[window]])),
            "patch": responder.patch(window),
            "request_id": responder.request_id(window),
            "bits": responder.correction(window).hex(),
        }
