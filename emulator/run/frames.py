"""The frames of a finished run: every message and response as the bytes its times belong to."""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.run.addressing import (
    BOARD_IP,
    BOARD_MAC,
    HOST_IP,
    HOST_MAC,
    PSN_MASK,
    Identity,
    ptp_stamp,
    registers_of,
)
from emulator.run.experiment import Again, decode_again
from emulator.run.traffic import carried_rounds, payload_sizes, window_plan
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import bits_per_round
from emulator.wire import (
    EnqueueSyndromes,
    Predecode,
    Request,
    Response,
    Status,
    encode_send,
    encode_window,
)

__all__ = ["INTERFACES", "check_framing", "run_frames"]

INTERFACES = ("FPGA to host", "host to FPGA")
"""Names of the capture's interfaces, by the number that `run_frames` gives."""

Table = Mapping[str, NDArray[np.int64]]
Frame = tuple[int, int, bytes]
"""Time in ps, number of the interface, bytes from destination MAC to ICRC."""


def run_frames(scenario: Scenario, windows: Table, sent: Table, *, shots: int) -> list[Frame]:
    """Frames of the first ``shots`` shots of every patch, in order of time.

    ``windows`` and ``sent`` are the window and message tables of the run. The syndromes are
    sampled and decoded again, which gives the same bits for the same seed and version of Stim. A
    message stands at the instant its first bit may enter the line, a response at that of the end
    of decoding. Ids and counters are those of `Identity`; the PTP stamp of a message is the instant
    at which its first bit entered the packetiser, and the responses to it repeat it. Packet numbers
    count the frames in order of time, for each port up of its own. Raises ScenarioError for links
    that are not RoCE.
    """
    check_framing(scenario)
    again = decode_again(scenario, shots)
    bits = bits_per_round(again.source).tolist()
    carried = carried_rounds(scenario.fpga, scenario.window, len(bits))
    identity = Identity(scenario.qpu.patches, carried)
    longest = max(payload_sizes(scenario.fpga, carried, bits))
    up = _messages(scenario, sent, identity, longest, again, shots)
    down = _responses(scenario, windows, sent, identity, again, shots)
    return sorted(chain(up, down), key=lambda frame: frame[0])


def check_framing(scenario: Scenario) -> None:
    """Raise ScenarioError for links whose frames are not written here."""
    for name, link in (("up", scenario.link.up), ("down", scenario.link.down)):
        if link.framing != "roce":
            raise ScenarioError(
                f'link.{name}.framing: "{link.framing}" has no frames to write; '
                'a capture needs framing = "roce"'
            )


def _messages(  # noqa: PLR0917
    scenario: Scenario,
    sent: Table,
    identity: Identity,
    longest_bytes: int,
    again: Again,
    shots: int,
) -> Iterator[Frame]:
    """Encode the messages up."""
    order = np.argsort(again.source.detector_round, kind="stable")
    events, rounds = again.detectors[:, order], again.source.detector_round[order]
    psn = [0] * scenario.qpu.patches
    slots = scenario.host.ring_slots
    for framed_ps, index, patch, shot, number, taken_ps in _first_shots(sent, _SENT, shots):
        port = patch if scenario.link.up.port == "per_patch" else 0
        carried = identity.carried[number]
        part = slice(*np.searchsorted(rounds, (carried.start, carried.stop)))
        bits = events[shot * identity.patches + patch, part]
        if scenario.fpga.encoding == "bytes":
            call: Predecode | EnqueueSyndromes = Predecode(bits.tobytes())
        else:
            counter = identity.counter(shot, number)
            call = EnqueueSyndromes.from_bits(bits, decoder_id=patch, counter=counter)
        request_id = identity.request_id(patch, shot, number)
        frames = encode_window(
            Request(call, request_id, ptp_stamp(taken_ps)).encode(),
            registers_of(scenario, longest_bytes, port),
            board_mac=BOARD_MAC,
            board_ip=BOARD_IP,
            psn=psn[port],
            buffer=index % slots,
        )
        psn[port] = (psn[port] + len(frames)) & PSN_MASK
        for frame in frames:
            yield framed_ps, 0, frame


_SENT = ("framed_ps", "message", "patch", "shot", "number", "taken_ps")
_TAKEN = ("taken_ps", "patch", "shot", "number")
_ANSWERED = ("decode_end_ps", "window", "patch", "shot")


def _first_shots(table: Table, names: tuple[str, ...], shots: int) -> list[tuple[int, ...]]:
    """Rows of the first shots, in order of their first column, a time."""
    columns = [table[name][table["shot"] < shots].tolist() for name in names]
    return sorted(zip(*columns, strict=True))


def _responses(  # noqa: PLR0917
    scenario: Scenario,
    windows: Table,
    sent: Table,
    identity: Identity,
    again: Again,
    shots: int,
) -> Iterator[Frame]:
    plan = window_plan(scenario.window, again.source.num_rounds)
    answered = [identity.answered(window) for window in plan]
    stamps = {tuple(key): ptp_stamp(taken) for taken, *key in _first_shots(sent, _TAKEN, shots)}
    rows = _first_shots(windows, _ANSWERED, shots)
    for psn, (decoded_ps, window, patch, shot) in enumerate(rows):
        position = window % len(plan)
        number = answered[position]
        result = again.corrections[shot * identity.patches + patch, position]
        response = Response(
            Status.OK,
            identity.request_id(patch, shot, number),
            stamps[patch, shot, number],
            result.tobytes(),
        )
        frame = encode_send(
            response.encode(),
            src_mac=HOST_MAC,
            dst_mac=BOARD_MAC,
            src_ip=HOST_IP,
            dst_ip=BOARD_IP,
            psn=psn & PSN_MASK,
        )
        yield decoded_ps, 1, frame
