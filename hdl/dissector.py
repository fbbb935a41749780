"""The tables of the Wireshark dissector, computed from those of the wire format.

``python -m hdl.generate`` writes them into hdl/wireshark/roundtrip.lua, between two lines that say
so; the rest of the file is written by hand.
"""

from collections.abc import Iterator
from pathlib import Path

from emulator.wire.fields import (
    ENQUEUE_BODY,
    GET_CORRECTIONS_BODY,
    REQUEST_HEADER,
    RESET_BODY,
    RESPONSE_HEADER,
    Field,
    Layout,
)
from emulator.wire.rpc import (
    EnqueueSyndromes,
    GetCorrections,
    Predecode,
    ResetDecoder,
    Status,
    function_id,
)

__all__ = ["FILE", "text"]

FILE = Path(__file__).parent / "wireshark" / "roundtrip.lua"

_LAYOUTS = {
    "request": REQUEST_HEADER,
    "response": RESPONSE_HEADER,
    "enqueue": ENQUEUE_BODY,
    GetCorrections.function: GET_CORRECTIONS_BODY,
    ResetDecoder.function: RESET_BODY,
}
_FUNCTIONS = (
    EnqueueSyndromes.function,
    f"{EnqueueSyndromes.function}_sparse",  # the syndrome packer's
    GetCorrections.function,
    ResetDecoder.function,
    Predecode.function,
    "mock_decode",  # the same bytes as predecode: cudaqx, hsb_fpga_syndrome_playback.cpp
)
_BEGIN = "-- Tables written by python -m hdl.generate: begin\n"
_END = "-- Tables written by python -m hdl.generate: end\n"


def text() -> str:
    """Text of the dissector with fresh tables; ValueError if the lines around them are gone."""
    head, rest = FILE.read_text(encoding="utf-8").split(_BEGIN)
    _, tail = rest.split(_END)
    return head + _BEGIN + "".join(f"{line}\n" for line in _tables()) + _END + tail


def _tables() -> Iterator[str]:
    yield "local LAYOUTS = {"
    for name, layout in _LAYOUTS.items():
        yield from _layout(name, layout)
    yield "}"
    yield "local FUNCTIONS = {"
    for function in _FUNCTIONS:
        yield f'    [0x{function_id(function):08x}] = "{function}",'
    yield "}"
    yield "local STATUS = {"
    for status in Status:
        yield f'    [{status}] = "{status.name}",'
    yield "}"


def _layout(name: str, layout: Layout) -> Iterator[str]:
    yield f'    {{ name = "{name}", size = {layout.size},'
    for field in layout:
        yield f"        {{ {_entry(field)} }},"
    yield "    },"


def _entry(field: Field) -> str:
    entry = f'name = "{field.name}", offset = {field.offset}, size = {field.size}'
    entry += ", signed = true" if field.signed else ""
    return entry + (f", default = 0x{field.default:08x}" if field.default else "")
