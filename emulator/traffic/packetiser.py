"""The Verilog packetiser in a run: frames and cycles of both ways, from the shots of the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.loop.config import Framing
from emulator.loop.records import Record
from emulator.rtl import Downlink, Sent, Uplink, UpSettings
from emulator.rtl.limits import REMEMBERED_REQUESTS, depth_of
from emulator.traffic.addressing import BOARD_IP, BOARD_MAC, BOARD_QP
from emulator.traffic.intake import Intake
from emulator.traffic.responses import Responder
from emulator.traffic.traffic import Traffic
from emulator.units import Clock
from emulator.wire import line_bits

__all__ = ["AppliedCorrections", "Framed", "receive_responses", "send_messages"]

Bits = NDArray[np.uint8]

_ROWS_AT_ONCE = 1024  # shots unpacked to a byte a detector at a time


@dataclass(frozen=True, eq=False)
class Framed:
    """What the packetiser did with the messages of a run.

    ``first_edges``, ``last_edges``: those of the beats of each frame, in the order of the request
    ids, ``packets`` frames a message.
    ``requests``: cycle, id and patch of each request as announced to the way down, int64 (m, 3).
    ``frames``: the frames of each message by request id, none where they were not kept.
    """

    packets: int
    first_edges: list[int]
    last_edges: list[int]
    requests: NDArray[np.int64]
    frames: dict[int, list[bytes]]

    def framing(self) -> Framing:
        """Edges of the frames of every message, as the loop asks for them."""
        first, last = (
            np.array(edges, dtype=np.int64).reshape(-1, self.packets)
            for edges in (self.first_edges, self.last_edges)
        )
        return Framing(first, last)


@dataclass(frozen=True, eq=False)
class AppliedCorrections:
    """What came out of the way down: ``applied_ps``, int64 (n,), for each row of the windows."""

    applied_ps: NDArray[np.int64]


def send_messages(
    traffic: Traffic,
    detectors: Bits,
    readout_ps: Callable[[int], int],
    *,
    keep_frames: bool = False,
) -> Framed:
    """Send shots through the packetiser's way up.

    ``detectors``: uint8 (n, ceil(D / 8)), first bit lowest, row shot * patches + patch, from the
    first shot on. ``readout_ps`` as in `Intake`. The bytes of the frames are kept if asked for.
    Raises RoundtripError where the hardware drops what the loop would not.
    """
    intake, uplink = Intake(traffic, readout_ps), _uplink(traffic)
    parts: list[Sent] = []
    for first_row, rows in _unpacked(detectors, len(traffic.detector_round)):
        for beats in intake.beats(first_row, rows):
            uplink.push(beats.patch, beats.cycles, beats.data, beats.user)
        part = uplink.run(until=intake.first_cycle(first_row + len(rows)))
        parts.append(part if keep_frames else replace(part, data=b""))
    parts.append(uplink.run())
    _check_losses(uplink.stats, len(detectors) * len(traffic.messages))
    return _framed(traffic, parts, keep_frames)


def _unpacked(packed: Bits, count: int) -> Iterator[tuple[int, Bits]]:
    for first in range(0, len(packed), _ROWS_AT_ONCE):
        rows = packed[first : first + _ROWS_AT_ONCE]
        yield first, np.unpackbits(rows, axis=1, count=count, bitorder="little")


def _uplink(traffic: Traffic) -> Uplink:
    fpga = traffic.fpga
    return Uplink(
        data_w=fpga.bus_bits,
        in_w=fpga.input_bits,
        patches=traffic.patches,
        depth=depth_of(fpga.bus_bits, traffic.max_message_bits),
        clock=Clock(fpga.clock),
        settings=UpSettings.of(
            traffic.registers(),
            board_mac=BOARD_MAC,
            board_ip=BOARD_IP,
            message_bits=traffic.max_message_bits,
            as_bytes=fpga.encoding == "bytes",
        ),
    )


def _check_losses(stats: dict[str, int], messages: int) -> None:
    if stats["message_sent"] == messages:
        return
    raise RoundtripError(
        f"fpga.timing: the packetiser sent {stats['message_sent']} of {messages} messages and "
        f"dropped {stats['round_dropped']} rounds for which it had no place; its bus takes "
        'less than the processor emits; write timing = "model", whose store has no end'
    )


def _framed(traffic: Traffic, parts: Sequence[Sent], keep_frames: bool) -> Framed:
    ids = np.concatenate([part.request_id for part in parts]).astype(np.int64)
    # windows are of one length, so all messages have the same packets
    packets = traffic.messages[0].packets
    wanted = np.tile([bits for _, bits in packets], len(ids))
    _check_sizes(np.concatenate([part.sizes for part in parts]), wanted)
    order, count = np.argsort(ids), len(packets)

    def by_request(edges: list[NDArray[np.uint64]]) -> list[int]:
        table: list[int] = np.concatenate(edges).reshape(-1, count)[order].ravel().tolist()
        return table

    frames: dict[int, list[bytes]] = {}
    if keep_frames:
        data = [frame for part in parts for frame in part.frames()]
        for place, request_id in enumerate(ids.tolist()):
            frames[request_id] = data[place * count : (place + 1) * count]
    columns = (
        np.concatenate([part.request_cycle for part in parts]),
        ids,
        np.concatenate([part.request_patch for part in parts]),
    )
    return Framed(
        count,
        by_request([part.first_cycle for part in parts]),
        by_request([part.last_cycle for part in parts]),
        np.stack([column.astype(np.int64) for column in columns], axis=1),
        frames,
    )


def _check_sizes(sizes: NDArray[np.uint64], wanted: NDArray[np.int64]) -> None:
    """Raise RuntimeError unless the frames are as long on the line as the loop has them."""
    kinds, kind = np.unique(sizes, return_inverse=True)
    found = np.array([line_bits(size) for size in kinds.tolist()], dtype=np.int64)[kind]
    if not np.array_equal(found, wanted):
        raise RuntimeError(
            "the packetiser's frames are not as long as those of the loop; "
            "this is a defect of the emulator"
        )


def receive_responses(
    traffic: Traffic, framed: Framed, record: Record, corrections: Bits
) -> AppliedCorrections:
    """Send the responses of a run through the packetiser's way down.

    ``corrections`` as in `Responder`. Raises RoundtripError for more unanswered requests than the
    packetiser remembers, and RuntimeError where a correction does not come out.
    """
    clock = Clock(traffic.fpga.clock)
    responder = Responder(traffic, record.messages, corrections)
    windows, returned_ps = record.responses.T.tolist()
    downlink = Downlink(data_w=traffic.fpga.bus_bits, mac=BOARD_MAC, ip=BOARD_IP, qp=BOARD_QP)
    wanted = [responder.request_id(window) for window in windows]
    # the others carry rounds that a later request is answered for
    asked = framed.requests[np.isin(framed.requests[:, 1], wanted)]
    downlink.requests(
        asked[:, 0].astype(np.uint64), asked[:, 1].astype(np.uint32), asked[:, 2].astype(np.uint32)
    )
    arrived = np.array([clock.edge_at_or_after(time) for time in returned_ps], dtype=np.uint64)
    frames = [responder.frame(window, psn) for psn, window in enumerate(windows)]
    downlink.push(arrived, frames)
    found = downlink.run()
    _check_corrections(found.rows["request_id"].tolist(), wanted, downlink.stats)
    applied = {
        window: clock.edge_ps(cycle)
        for window, cycle in zip(windows, found.rows["cycle"].tolist(), strict=True)
    }
    rows = [applied[window] for window in record.windows["window"].tolist()]
    return AppliedCorrections(np.array(rows, dtype=np.int64))


def _check_corrections(found: list[int], wanted: list[int], stats: dict[str, int]) -> None:
    if found == wanted:
        return
    if stats["displaced"]:
        raise RoundtripError(
            f"fpga.timing: {stats['displaced']} requests were still unanswered when "
            f"{REMEMBERED_REQUESTS} later ones had left, more than the packetiser remembers; "
            'write host.release = "response" and fewer ring_slots, or timing = "model"'
        )
    counts = ", ".join(f"{name} {count}" for name, count in stats.items() if count)
    raise RuntimeError(
        f"{len(found)} of {len(wanted)} corrections came out of the packetiser ({counts}); "
        "this is a defect of the emulator"
    )
