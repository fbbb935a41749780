"""What a run tells the packetiser to do and expects of it: a file for a bench to play.

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

from emulator.rtl.uplink import ENDS_MESSAGE, LAST_BEAT
from emulator.run.addressing import BOARD_IP, BOARD_MAC, BOARD_QP, Identity, registers_of
from emulator.run.experiment import Again, Experiment, decode_again, source_and_plan
from emulator.run.fit import check_hardware
from emulator.run.frames import encoded_messages
from emulator.run.intake import Intake
from emulator.run.parts import emission_of, messages_of
from emulator.run.responses import Responder
from emulator.run.traffic import payload_sizes
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import bits_per_round
from emulator.units import Clock

__all__ = ["FORMAT", "check_stimulus", "stimulus"]

FORMAT = "roundtrip stimulus 1"

Line = dict[str, Any]


def check_stimulus(scenario: Scenario) -> None:
    """Raise ScenarioError for a scenario that the packetiser in hdl/rtl cannot run."""
    check_hardware(scenario, *source_and_plan(scenario))


def stimulus(scenario: Scenario, run: Experiment) -> Iterator[str]:
    """Lines of the stimulus of a finished run, all of its shots."""
    again = decode_again(scenario, scenario.run.shots)
    _, plan = source_and_plan(scenario)
    carried = [message.rounds for message in messages_of(scenario, again.source)]
    identity = Identity(scenario.qpu.patches, carried)
    responder = Responder(identity, plan, run.record.messages, again.corrections)
    lines = chain(
        [_settings(scenario, identity, again)],
        _rounds(scenario, again, run.readout_ps),
        _frames(scenario, run, again),
        _responses(scenario, run, responder),
    )
    return (json.dumps(line) for line in lines)


def _settings(scenario: Scenario, identity: Identity, again: Again) -> Line:
    fpga, bits = scenario.fpga, bits_per_round(again.source).tolist()
    longest_bytes = max(payload_sizes(fpga, identity.carried, bits))
    edges, span_ps = Clock(fpga.clock).ratio
    return {
        "format": FORMAT,
        "data_w": fpga.bus_bits,
        "in_w": fpga.input_bits,
        "patches": scenario.qpu.patches,
        "clock": {"edges": edges, "span_ps": span_ps},
        "message_bits": max(sum(bits[r] for r in rounds) for rounds in identity.carried),
        "bytes": fpga.encoding == "bytes",
        "registers": asdict(registers_of(scenario, longest_bytes)),
        "board_mac": BOARD_MAC.hex(),
        "board_ip": BOARD_IP.hex(),
        "board_qp": BOARD_QP,
    }


def _rounds(scenario: Scenario, again: Again, readout_ps: Callable[[int], int]) -> Iterator[Line]:
    intake = Intake(
        again.source,
        messages_of(scenario, again.source),
        emission_of(scenario, again.source),
        input_bits=scenario.fpga.input_bits,
        clock=Clock(scenario.fpga.clock),
        readout_ps=readout_ps,
    )
    for beats in intake.beats(0, again.detectors):
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


def _frames(scenario: Scenario, run: Experiment, again: Again) -> Iterator[Line]:
    clock, bus_bytes = Clock(scenario.fpga.clock), scenario.fpga.bus_bits // 8
    for framed_ps, frames in encoded_messages(scenario, run.record.messages, again):
        edge = clock.edge_at_or_after(framed_ps)
        for frame in frames:
            beats = -(-len(frame) // bus_bytes)
            yield {"kind": "frame", "first": edge, "last": edge + beats - 1, "frame": frame.hex()}
            edge += beats


def _responses(scenario: Scenario, run: Experiment, responder: Responder) -> Iterator[Line]:
    clock = Clock(scenario.fpga.clock)
    row_of = {window: row for row, window in enumerate(run.record.windows["window"].tolist())}
    applied_ps: NDArray[np.int64] = run.record.windows["applied_ps"]
    for psn, (window, returned_ps) in enumerate(run.record.responses.tolist()):
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
