"""The Verilog packetiser in a run: frames and cycles of both ways, from the shots of the run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.loop.config import LoopConfig
from emulator.loop.feedback import idle_rounds
from emulator.loop.records import Record
from emulator.rtl import Downlink, Sent, Uplink, UpSettings
from emulator.rtl.law import REMEMBERED, depth_of
from emulator.run.addressing import BOARD_IP, BOARD_MAC, BOARD_QP, Identity, registers_of
from emulator.run.intake import Intake
from emulator.run.parts import emission_of, messages_of
from emulator.run.responses import Responder
from emulator.run.traffic import payload_sizes
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import SyndromeSource, bits_per_round
from emulator.units import Clock
from emulator.wire import line_bits

__all__ = ["Framed", "Sender", "apply_responses"]


@dataclass(frozen=True, eq=False)
class Framed:
    """What the hardware did with the messages of a run.

    ``first_edges``, ``last_edges``: those of the beats of each frame, in the order of the request
    ids, ``packets`` frames a message.
    ``requests``: cycle, id and patch of each request as the way down was told of it, int64 (m, 3).
    ``frames``: the frames of each message by request id, none where they were not kept.
    """

    identity: Identity
    packets: int
    first_edges: list[int]
    last_edges: list[int]
    requests: NDArray[np.int64]
    frames: dict[int, list[bytes]]

    def __call__(self, patch: int, shot: int, number: int) -> list[tuple[int, int]]:
        """Edges of the frames of a message, as the loop asks for them."""
        end = self.packets * (self.identity.request_id(patch, shot, number) + 1)
        own = slice(end - self.packets, end)
        return list(zip(self.first_edges[own], self.last_edges[own], strict=True))


class Sender:
    """The way up of a scenario: takes the shots of its source, gives what became of them.

    ``readout`` as in `Intake`.
    """

    def __init__(
        self, scenario: Scenario, source: SyndromeSource, readout_ps: Callable[[int], int]
    ) -> None:
        self._messages = messages_of(scenario, source)
        self._emission = emission_of(scenario, source)
        self._identity = Identity(scenario.qpu.patches, [m.rounds for m in self._messages])
        clock = Clock(scenario.fpga.clock)
        self._uplink = _uplink(scenario, self._identity, source, clock)
        self._intake = Intake(
            source,
            self._messages,
            self._emission,
            input_bits=scenario.fpga.input_bits,
            clock=clock,
            readout_ps=readout_ps,
        )

    def send(self, chunks: Iterable[NDArray[np.uint8]], *, keep: bool = False) -> Framed:
        """Send shots: uint8 (n, D) each, in order from the first, row shot * patches + patch.

        Frames are kept if asked for. Raises RoundtripError where the hardware drops what the loop
        would not.
        """
        row, parts = 0, []
        for detectors in chunks:
            for beats in self._intake.beats(row, detectors):
                self._uplink.push(beats.patch, beats.cycles, beats.data, beats.user)
            row += len(detectors)
            parts.append(self._uplink.run(until=self._intake.first_cycle(row)))
            if not keep:
                parts[-1] = replace(parts[-1], data=b"")
        parts.append(self._uplink.run())
        self._check_losses(row * len(self._messages))
        return self._framed(parts, keep=keep)

    def _check_losses(self, messages: int) -> None:
        stats = self._uplink.stats
        if stats["message_sent"] == messages:
            return
        raise RoundtripError(
            f"fpga.timing: the packetiser sent {stats['message_sent']} of {messages} messages and "
            f"dropped {stats['round_dropped']} rounds for which it had no place; its bus takes "
            'less than the processor emits; write timing = "model", whose store has no end'
        )

    def _framed(self, parts: Sequence[Sent], *, keep: bool) -> Framed:
        ids = np.concatenate([part.request_id for part in parts]).astype(np.int64)
        # windows are of one length, so all messages have the same packets
        packets = self._messages[0].packets
        self._check_sizes(np.concatenate([part.sizes for part in parts]), len(ids))
        order, count = np.argsort(ids), len(packets)

        def by_request(edges: list[NDArray[np.uint64]]) -> list[int]:
            table: list[int] = np.concatenate(edges).reshape(-1, count)[order].ravel().tolist()
            return table

        data = [frame for part in parts for frame in part.frames()] if keep else []
        frames = {
            request_id: data[place * count : (place + 1) * count]
            for place, request_id in enumerate(ids.tolist() if keep else [])
        }
        columns = (
            np.concatenate([part.request_cycle for part in parts]),
            ids,
            np.concatenate([part.request_patch for part in parts]),
        )
        return Framed(
            self._identity,
            count,
            by_request([part.first_cycle for part in parts]),
            by_request([part.last_cycle for part in parts]),
            np.stack([column.astype(np.int64) for column in columns], axis=1),
            frames,
        )

    def _check_sizes(self, sizes: NDArray[np.uint64], messages: int) -> None:
        """Raise RoundtripError unless the frames are as long on the line as the loop has them."""
        wanted = np.tile([bits for _, bits in self._messages[0].packets], messages)
        kinds, kind = np.unique(sizes, return_inverse=True)
        found = np.array([line_bits(size) for size in kinds.tolist()], dtype=np.int64)[kind]
        if not np.array_equal(found, wanted):
            raise RoundtripError(
                "the packetiser's frames are not as long as those of the loop; "
                "this is a defect of the emulator"
            )


def _uplink(scenario: Scenario, identity: Identity, source: SyndromeSource, clock: Clock) -> Uplink:
    bits, fpga = bits_per_round(source).tolist(), scenario.fpga
    longest_bits = max(sum(bits[r] for r in rounds) for rounds in identity.carried)
    longest_bytes = max(payload_sizes(fpga, identity.carried, bits))
    return Uplink(
        data_w=fpga.bus_bits,
        in_w=fpga.input_bits,
        patches=scenario.qpu.patches,
        depth=depth_of(fpga.bus_bits, longest_bits),
        clock=clock,
        settings=UpSettings.of(
            registers_of(scenario, longest_bytes),
            board_mac=BOARD_MAC,
            board_ip=BOARD_IP,
            message_bits=longest_bits,
            as_bytes=fpga.encoding == "bytes",
        ),
    )


def apply_responses(
    scenario: Scenario,
    config: LoopConfig,
    framed: Framed,
    record: Record,
    corrections: NDArray[np.uint8],
) -> Record:
    """Send the responses of a run through the way down; its record with what came out.

    ``corrections`` as in `Responder`. Raises RoundtripError where a correction does not come out.
    """
    clock = config.fpga.clock
    responder = Responder(framed.identity, config.plan, record.messages, corrections)
    windows, returned_ps = record.responses.T.tolist()
    downlink = Downlink(data_w=scenario.fpga.bus_bits, mac=BOARD_MAC, ip=BOARD_IP, qp=BOARD_QP)
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
    columns = dict(record.windows)
    columns["applied_ps"] = np.array(
        [applied[window] for window in columns["window"].tolist()], dtype=np.int64
    )
    every = config.feedback_every
    return replace(
        record,
        windows=columns,
        end_ps=max(record.horizon_ps, int(columns["applied_ps"].max(initial=0))),
        idle_rounds=None if every is None else idle_rounds(columns, config.emission, every),
    )


def _check_corrections(found: list[int], wanted: list[int], stats: dict[str, int]) -> None:
    if found == wanted:
        return
    if stats["displaced"]:
        raise RoundtripError(
            f"fpga.timing: {stats['displaced']} requests were still unanswered when {REMEMBERED} "
            "later ones had left, more than the packetiser remembers; "
            'write host.release = "response" and fewer ring_slots, or timing = "model"'
        )
    counts = ", ".join(f"{name} {count}" for name, count in stats.items() if count)
    raise RoundtripError(
        f"{len(found)} of {len(wanted)} corrections came out of the packetiser ({counts}); "
        "this is a defect of the emulator"
    )
