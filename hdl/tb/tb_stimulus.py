"""Bench of hdl.check: plays the stimulus of a run through packetiser_top, writes down what it does.

The environment names the stimulus (STIMULUS_FILE, see emulator.traffic.stimulus) and the file for
the outcome (STIMULUS_OUT): a JSON object with the lists ``frame`` and ``correction``, in the form
they have in the stimulus, and ``counts``, the pulses of every ``stat_*`` port. STIMULUS_EXACT=1
puts clock edges where the emulator has them. What differs is for the caller to say.
"""

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from emulator.units import PS_PER_S, Clock
from emulator.wire import HsbRegisters
from hdl.tb.packetiser import Packetiser, Round, Settings

_DRAIN_CYCLES = 4096


@cocotb.test()
async def play(dut: Any) -> None:
    lines = Path(os.environ["STIMULUS_FILE"]).read_text(encoding="utf-8").splitlines()
    header, *entries = map(json.loads, lines)
    clock = Clock(Fraction(header["clock"]["edges"] * PS_PER_S, header["clock"]["span_ps"]))
    board = Packetiser(dut, clock, exact=os.environ.get("STIMULUS_EXACT") == "1")
    await board.start(
        Settings(
            registers=HsbRegisters.from_mapping(header["registers"]),
            board_mac=bytes.fromhex(header["board_mac"]),
            board_ip=bytes.fromhex(header["board_ip"]),
            board_qp=header["board_qp"],
            message_bits=header["message_bits"],
            as_bytes=header["bytes"],
        )
    )
    rounds = [
        Round(e["patch"], e["cycle"], e["size"], e["ends"], bytes.fromhex(e["bits"]))
        for e in entries
        if e["kind"] == "round"
    ]
    responses = [
        (e["cycle"], bytes.fromhex(e["frame"])) for e in entries if e["kind"] == "response"
    ]
    answering = cocotb.start_soon(board.respond(responses))
    await board.play(rounds)
    await answering
    await ClockCycles(dut.clk, _DRAIN_CYCLES)
    outcome = {
        "frame": [{"first": f.first, "last": f.last, "frame": f.data.hex()} for f in board.frames],
        "correction": [
            {
                "cycle": c.cycle,
                "patch": c.patch,
                "request_id": c.request_id,
                "bits": c.bits.hex(),
            }
            for c in board.corrections
        ],
        "counts": dict(board.counts),
    }
    Path(os.environ["STIMULUS_OUT"]).write_text(json.dumps(outcome), encoding="utf-8")
