"""The frames of a finished run: every message and response as the bytes its times belong to."""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.run.addressing import (
    BOARD_IP,
    BOARD_MAC,
    PSN_MASK,
    Identity,
    ptp_stamp,
    registers_of,
)
from emulator.run.experiment import Again, decode_again, sent_again
from emulator.run.parts import messages_of
from emulator.run.responses import Responder
from emulator.run.traffic import payload_sizes, window_plan
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import bits_per_round
from emulator.wire import (
    EnqueueSyndromes,
    Predecode,
    Request,
    encode_window,
)

__all__ = ["INTERFACES", "encoded_messages", "run_frames"]

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
    _check_framing(scenario)
    again = decode_again(scenario, shots)
    shape = messages_of(scenario, again.source)
    identity = Identity(scenario.qpu.patches, [message.rounds for message in shape])
    plan = window_plan(scenario.window, again.source.num_rounds)
    responder = Responder(identity, plan, sent, again.corrections)
    up = (
        (framed_ps, 0, frame)
        for framed_ps, frames in encoded_messages(scenario, sent, again)
        for frame in frames
    )
    down = _responses(windows, responder, shots)
    return sorted(chain(up, down), key=lambda frame: frame[0])


def _check_framing(scenario: Scenario) -> None:
    """Raise ScenarioError for links whose frames are not written here."""
    for name, link in (("up", scenario.link.up), ("down", scenario.link.down)):
        if link.framing != "roce":
            raise ScenarioError(
                f'link.{name}.framing: "{link.framing}" has no frames to write; '
                'a capture needs framing = "roce"'
            )


def encoded_messages(
    scenario: Scenario, sent: Table, again: Again
) -> Iterator[tuple[int, list[bytes]]]:
    """Instant and frames of each message up of the shots that are there again, in order."""
    if scenario.fpga.timing == "rtl":
        return _from_hardware(scenario, sent, len(again.detectors) // scenario.qpu.patches)
    return _from_model(scenario, sent, again)


def _from_hardware(
    scenario: Scenario, sent: Table, shots: int
) -> Iterator[tuple[int, list[bytes]]]:
    framed = sent_again(scenario, shots)
    for framed_ps, _, patch, shot, number, _ in _sorted(sent, _SENT):
        if shot < shots:
            yield framed_ps, framed.frames[framed.identity.request_id(patch, shot, number)]


def _from_model(scenario: Scenario, sent: Table, again: Again) -> Iterator[tuple[int, list[bytes]]]:
    shape = messages_of(scenario, again.source)
    identity = Identity(scenario.qpu.patches, [message.rounds for message in shape])
    order = np.argsort(again.source.detector_round, kind="stable")
    events, rounds = again.detectors[:, order], again.source.detector_round[order]
    bits = bits_per_round(again.source).tolist()
    longest_bytes = max(payload_sizes(scenario.fpga, identity.carried, bits))
    psn = [0] * scenario.qpu.patches
    slots = scenario.host.ring_slots
    for framed_ps, index, patch, shot, number, taken_ps in _sorted(sent, _SENT):
        port = patch if scenario.link.up.port == "per_patch" else 0
        first_psn = psn[port]
        psn[port] = (first_psn + len(shape[number].packets)) & PSN_MASK
        row = shot * identity.patches + patch
        if row >= len(events):
            continue
        carried = identity.carried[number]
        part = slice(*np.searchsorted(rounds, (carried.start, carried.stop)))
        if scenario.fpga.encoding == "bytes":
            call: Predecode | EnqueueSyndromes = Predecode(events[row, part].tobytes())
        else:
            counter = identity.counter(shot, number)
            call = EnqueueSyndromes.from_bits(events[row, part], decoder_id=patch, counter=counter)
        request_id = identity.request_id(patch, shot, number)
        frames = encode_window(
            Request(call, request_id, ptp_stamp(taken_ps)).encode(),
            registers_of(scenario, longest_bytes, port),
            board_mac=BOARD_MAC,
            board_ip=BOARD_IP,
            psn=first_psn,
            buffer=index % slots,
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
