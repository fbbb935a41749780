"""Bench of hdl.replay: plays recorded windows through roce_tx and writes down its frames.

The environment names the recording (REPLAY_FILE) and the file for the frames (REPLAY_OUT): a JSON
list with, for every window, the list of its frames as hex text. What differs is for the caller to
say; the bench fails only if the transmitter cannot be driven.
"""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from emulator.wire import HsbRegisters
from hdl.tb.roce_tx_driver import Board, Transmitter

_DRAIN_CYCLES = 100


@cocotb.test()
async def play(dut: Any) -> None:
    lines = Path(os.environ["REPLAY_FILE"]).read_text(encoding="utf-8").splitlines()
    windows = [json.loads(line) for line in lines]
    tx = Transmitter(dut)
    frames: list[list[str]] = []
    for number, window in enumerate(windows):
        board = Board(
            registers=HsbRegisters.from_mapping(window["registers"]),
            mac=bytes.fromhex(window["board_mac"]),
            ip=bytes.fromhex(window["board_ip"]),
        )
        place = {"psn": window["psn"], "buffer": window["buffer"]}
        if number == 0:
            await tx.start(board, native=False, **place)
        else:
            await tx.configure(board, native=False, **place)
        await tx.source.send(bytes.fromhex(window["payload_hex"]))
        # what the payload lacks is sent as zeros, so the last frame may still be long
        await ClockCycles(dut.clk, board.registers.bytes_per_window // tx.lanes + _DRAIN_CYCLES)
        frames.append([])
        while not tx.sink.empty():
            frames[-1].append((await tx.sink.recv()).data.hex())
    Path(os.environ["REPLAY_OUT"]).write_text(json.dumps(frames), encoding="utf-8")
