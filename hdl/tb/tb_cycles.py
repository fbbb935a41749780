"""Benches of hdl.cycles: they count and assert nothing; CYCLES_OUT names the file for the figures.

On roce_tx: cycles from the first beat of a window to the first beat of its frame, and between
windows that follow each other, by payload (CYCLES_SIZES, comma-separated bytes). On packetiser_top:
from the last beat of a round to the first beat of its frame, from the last beat of a response to
its correction, both with the crossing between two equal clocks.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from emulator.wire import Response, Status, encode_send
from hdl.tb.packetiser import Round
from hdl.tb.roce_tx_driver import Transmitter
from hdl.tb.tb_packetiser import HOST_IP, HOST_MAC, IP, MAC
from hdl.tb.tb_packetiser import Board as WholeBoard
from hdl.tb.tb_roce_tx import BOARD

_WINDOWS = 8
_ROUND_BITS = 24


def _write(figures: dict[str, Any]) -> None:
    Path(os.environ["CYCLES_OUT"]).write_text(json.dumps(figures), encoding="utf-8")


@cocotb.test()
async def transmitter(dut: Any) -> None:
    tx = Transmitter(dut)
    figures: dict[str, Any] = {"latency": {}, "spacing": {}}
    for number, size in enumerate(map(int, os.environ["CYCLES_SIZES"].split(","))):
        registers = replace(BOARD.registers, bytes_per_window=size, buf_increment_pages128=160)
        board = replace(BOARD, registers=registers)
        if number == 0:
            await tx.start(board, native=False)
        else:
            await tx.configure(board, native=False)
        begun = len(tx.source.sent)
        for _ in range(_WINDOWS):
            tx.send(bytes(size))
        frames = [await tx.sink.recv() for _ in range(_WINDOWS)]
        firsts = [frame.first_cycle for frame in frames]
        figures["latency"][size] = firsts[0] - tx.source.sent[begun].first_cycle
        figures["spacing"][size] = (firsts[-1] - firsts[1]) / (_WINDOWS - 2)
        await ClockCycles(dut.clk, 40)
    _write(figures)


@cocotb.test()
async def both_ways(dut: Any) -> None:
    board = WholeBoard(dut, _ROUND_BITS)
    await board.begin()
    cycle = board.cycle + 10
    beats = -(-_ROUND_BITS // board.in_w)
    await board.play([Round(0, cycle, _ROUND_BITS, True, bytes(3))])
    await ClockCycles(dut.clk, 100)
    arrived = board.cycle + 20
    response = Response(Status.OK, 0, 0, b"\1").encode()
    frame = encode_send(response, src_mac=HOST_MAC, dst_mac=MAC, src_ip=HOST_IP, dst_ip=IP)
    await board.respond([(arrived, frame)])
    await ClockCycles(dut.clk, 100)
    [sent], [correction] = board.frames, board.corrections
    _write({"up": sent.first - (cycle + beats - 1), "down": correction.cycle - arrived})
