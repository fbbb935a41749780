"""Verilog that is computed: the constants of the wire format and the parallel CRC-32 steps.

``python -m hdl.generate`` writes the files into hdl/rtl, and the tables of the Wireshark dissector
into hdl/wireshark; ``--check`` only compares them.

CRC-32 is that of Ethernet and of the ICRC: polynomial 0x04C11DB7, reflected (0xEDB88320), the
state without the initial and final inversion. One step over n bits is linear over GF(2), so every
bit of the next state is the parity of some bits of the state and of the data; a matrix is a tuple
of 32 rows and a row an ``int`` with one bit per input. The step over zero bytes can be inverted,
which takes padding back off a CRC (the idea of combining CRCs in zlib, crc32_combine).
"""

import argparse
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from emulator.wire import fields
from emulator.wire.roce import Opcode
from emulator.wire.rpc import (
    EnqueueSyndromes,
    GetCorrections,
    Predecode,
    ResetDecoder,
    Status,
    function_id,
)
from hdl import dissector

__all__ = ["crc_step", "files", "invert", "main", "unpad_step"]

RTL = Path(__file__).parent / "rtl"
CRC_WIDTHS = (64, 512)
UNPAD_BYTES = (4, 8, 16, 32)

_POLYNOMIAL = 0xEDB88320
_STATE_W = 32
_PART_W = 128  # data bits named in one line of Verilog

_SPDX = "// SPDX-License-Identifier: Apache-2.0"
_NOTICE = "// Written by python -m hdl.generate; change the generator, not this file."

Matrix = tuple[int, ...]


def crc_step(data_w: int) -> Matrix:
    """32 rows: bits 31:0 of a row select state, the ``data_w`` bits above select data.

    Data bit 0 goes first, so byte lane 0 of a little-endian beat is the first on the wire.
    """
    rows = [1 << i for i in range(_STATE_W)]
    for i in range(data_w):
        feedback = rows[0] ^ (1 << (_STATE_W + i))
        rows = [*rows[1:], 0]
        rows = [row ^ feedback * (_POLYNOMIAL >> b & 1) for b, row in enumerate(rows)]
    return tuple(rows)


def unpad_step(zero_bytes: int) -> Matrix:
    """32 rows over the state: from the state after ``zero_bytes`` zeros to the state before."""
    state_mask = (1 << _STATE_W) - 1
    return invert(tuple(row & state_mask for row in crc_step(8 * zero_bytes)))


def invert(matrix: Matrix) -> Matrix:
    """Inverse over GF(2) by Gauss-Jordan elimination; raises StopIteration for a singular one."""
    rows = [(row, 1 << i) for i, row in enumerate(matrix)]
    for column in range(len(rows)):
        pivot = next(r for r in range(column, len(rows)) if rows[r][0] >> column & 1)
        rows[column], rows[pivot] = rows[pivot], rows[column]
        left, right = rows[column]
        rows = [
            (row[0] ^ left, row[1] ^ right) if r != column and row[0] >> column & 1 else row
            for r, row in enumerate(rows)
        ]
    return tuple(right for _, right in rows)


def files() -> dict[str, str]:
    """Text of every generated file by its name in hdl/rtl."""
    texts = {"roundtrip_fields.vh": _fields_header()}
    texts |= {f"crc32_w{w}.v": _crc_module(w) for w in CRC_WIDTHS}
    texts |= {f"crc32_unpad{n}.v": _unpad_module(n) for n in UNPAD_BYTES}
    return texts


def _fields_header() -> str:
    head = [
        _SPDX,
        _NOTICE,
        "//",
        "// Include it inside a module. For every layout NAME and field F: NAME_SIZE in bytes,",
        "// NAME_F_OFFSET in bytes from the start of the layout, NAME_F_W in bits and",
        "// NAME_F_DEFAULT as a number. Frame layouts are big-endian on the wire and start at the",
        "// destination MAC; RPC layouts are little-endian.",
    ]
    return "\n".join([*head, *_layout_lines(), *_constant_lines()]) + "\n"


def _layout_lines() -> Iterator[str]:
    names = {id(value): name for name, value in vars(fields).items()}
    for layout in fields.LAYOUTS:
        prefix = names[id(layout)]
        yield f"\n// {layout.name}\nlocalparam {prefix}_SIZE = {layout.size};"
        for field in layout:
            name = f"{prefix}_{field.name.upper()}"
            yield f"localparam {name}_OFFSET = {field.offset};"
            yield f"localparam {name}_W = {field.size * 8};"
            yield _constant(f"{name}_DEFAULT", field.size * 8, field.default)


def _constant_lines() -> Iterator[str]:
    yield "\n// BTH operation codes"
    for opcode in Opcode:
        yield _constant(f"OPCODE_{opcode.name}", 8, opcode)
    yield "\n// RPC functions: FNV-1a of the name"
    for call in (EnqueueSyndromes, GetCorrections, ResetDecoder, Predecode):
        yield _constant(f"FUNCTION_{call.function.upper()}", 32, function_id(call.function))
    yield "\n// RPC status"
    for status in Status:
        yield _constant(f"STATUS_{status.name}", 32, status)
    yield "\n// UDP destination port of RoCEv2"
    yield _constant("ROCE_UDP_PORT", 16, fields.ROCE_UDP_PORT)
    yield "\n// CRC-32 state at the start, after the 8 bytes of ones that open the ICRC, and after"
    yield "// any data that is followed by its own CRC"
    ones = b"\xff" * 8
    yield _constant("CRC32_INIT", 32, 0xFFFFFFFF)
    yield _constant("ICRC_SEED", 32, ~zlib.crc32(ones) & 0xFFFFFFFF)
    own = zlib.crc32(ones).to_bytes(4, "little")
    yield _constant("CRC32_RESIDUE", 32, ~zlib.crc32(ones + own) & 0xFFFFFFFF)


def _constant(name: str, width: int, value: int) -> str:
    return f"localparam [{width - 1}:0] {name} = {width}'h{value:0{width // 4}x};"


def _crc_module(data_w: int) -> str:
    ports = [
        "    input  wire [31:0] state_in,",
        f"    input  wire [{data_w - 1}:0] data_in,",
        "    output wire [31:0] state_out",
    ]
    lines = []
    for bit, row in enumerate(crc_step(data_w)):
        terms = [_parity("state_in", row & 0xFFFFFFFF, 0, _STATE_W, _STATE_W)]
        for low in range(0, data_w, _PART_W):
            part_w = min(_PART_W, data_w - low)
            mask = row >> (_STATE_W + low) & ((1 << part_w) - 1)
            terms.append(_parity("data_in", mask, low, part_w, data_w))
        lines.append(f"    assign state_out[{bit}] = " + "\n        ^ ".join(terms) + ";")
    purpose = [
        f"// CRC-32 of Ethernet over {data_w} data bits, byte lane 0 first: reflected, as zlib,",
        "// but without the inversion at both ends. Combinational.",
    ]
    return _module(f"crc32_w{data_w}", purpose, ports, lines)


def _unpad_module(zero_bytes: int) -> str:
    ports = ["    input  wire [31:0] state_in,", "    output wire [31:0] state_out"]
    lines = [
        f"    assign state_out[{bit}] = {_parity('state_in', row, 0, _STATE_W, _STATE_W)};"
        for bit, row in enumerate(unpad_step(zero_bytes))
    ]
    purpose = [
        f"// CRC-32 state before {zero_bytes} zero bytes, given the state after them.",
        "// Combinational.",
    ]
    return _module(f"crc32_unpad{zero_bytes}", purpose, ports, lines)


def _parity(signal: str, mask: int, low: int, width: int, whole: int) -> str:
    part = signal if width == whole else f"{signal}[{low + width - 1}:{low}]"
    return f"(^({part} & {width}'h{mask:0{width // 4}x}))"


def _module(name: str, purpose: list[str], ports: list[str], body: list[str]) -> str:
    head = [_SPDX, _NOTICE, "//", *purpose, "", "`default_nettype none", "", f"module {name} ("]
    return "\n".join([*head, *ports, ");", "", *body, "", "endmodule", "", "`resetall"]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` name those that differ; exit code 1 if any does."""
    parser = argparse.ArgumentParser(prog="python -m hdl.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = parser.parse_args(arguments).check
    wanted = {RTL / name: text for name, text in files().items()}
    wanted[dissector.FILE] = dissector.text()
    stale = {path: text for path, text in wanted.items() if _content(path) != text}
    for path, text in stale.items():
        name = f"hdl/{path.parent.name}/{path.name}"
        if check:
            print(f"{name} is stale; run python -m hdl.generate.", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name} written")
    return int(check and bool(stale))


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
