"""The frames that carry corrections back: one for each window, as an answer to its message."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from emulator.traffic.addressing import (
    BOARD_IP,
    BOARD_MAC,
    HOST_IP,
    HOST_MAC,
    PSN_MASK,
    ptp_stamp,
)
from emulator.traffic.traffic import Traffic
from emulator.wire import Response, Status, encode_send
from emulator.wire.fields import RESPONSE_HEADER, SEND_ONLY
from emulator.wire.icrc import ICRC_SIZE, icrc

__all__ = ["Responder"]


class Responder:
    """Writes the responses of a run.

    ``sent`` is the message table of the run, whose stamps the responses repeat; ``corrections``
    uint8 (n, windows, bytes) has the answer of each window, shot s of patch p in row
    s * patches + p.
    """

    def __init__(
        self,
        traffic: Traffic,
        sent: Mapping[str, NDArray[np.int64]],
        corrections: NDArray[np.uint8],
    ) -> None:
        numbering = self._numbering = traffic.numbering
        self._answered = traffic.answered
        self._corrections = corrections
        self._bodies: dict[int, bytearray] = {}
        names = ("patch", "shot", "number", "taken_ps")
        self._taken_ps = {
            numbering.request_id(patch, shot, number): taken_ps
            for patch, shot, number, taken_ps in zip(
                *(sent[name].tolist() for name in names), strict=True
            )
        }

    def request_id(self, window: int) -> int:
        """Request that window number ``window`` of the run answers."""
        patch, shot, position = self._numbering.of_window(window)
        return self._numbering.request_id(patch, shot, self._answered[position])

    def patch(self, window: int) -> int:
        """Patch of a window."""
        return self._numbering.of_window(window)[0]

    def correction(self, window: int) -> bytes:
        """Correction bits of a window, the first observable lowest."""
        patch, shot, position = self._numbering.of_window(window)
        return bytes(self._corrections[self._numbering.row(patch, shot), position])

    def frame(self, window: int, psn: int) -> bytes:
        """Response of a window as a SEND Only frame, destination MAC to ICRC."""
        request_id, result = self.request_id(window), self.correction(window)
        body = self._bodies.get(len(result))
        if body is None:
            body = self._bodies[len(result)] = _body(len(result))
        stamp = ptp_stamp(self._taken_ps[request_id])
        body[_PSN] = (psn & PSN_MASK).to_bytes(3, "big")
        body[_ID] = request_id.to_bytes(4, "little")
        body[_STAMP] = stamp.to_bytes(8, "little")
        body[_RESULT : _RESULT + len(result)] = result
        return bytes(body) + icrc(bytes(body))


_HEADER = SEND_ONLY.size
_PSN = slice(SEND_ONLY["bth_psn"].offset, SEND_ONLY["bth_psn"].end)
_ID, _STAMP = (
    slice(_HEADER + RESPONSE_HEADER[name].offset, _HEADER + RESPONSE_HEADER[name].end)
    for name in ("request_id", "ptp_timestamp")
)
_RESULT = _HEADER + RESPONSE_HEADER.size


def _body(result_bytes: int) -> bytearray:
    """Frame of a response up to its ICRC, in which number, id, time stamp and result are zero.

    Responses of a run differ in nothing else, and to encode each anew takes ten times as long.
    """
    frame = encode_send(
        Response(Status.OK, result=bytes(result_bytes)).encode(),
        src_mac=HOST_MAC,
        dst_mac=BOARD_MAC,
        src_ip=HOST_IP,
        dst_ip=BOARD_IP,
    )
    return bytearray(frame[:-ICRC_SIZE])
