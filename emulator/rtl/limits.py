"""Cycle counts and limits of the Verilog packetiser, as its benches assert them."""

from emulator.errors import RoundtripError

__all__ = [
    "MAX_CORRECTION_BYTES",
    "MAX_PATCHES",
    "MAX_ROUND_BITS",
    "PIPELINE_CYCLES",
    "RECEIVE_CYCLES",
    "REMEMBERED_REQUESTS",
    "WIDTHS",
    "depth_of",
]

WIDTHS = (64, 512)
"""Bits of the MAC's bus for which it can be built."""

PIPELINE_CYCLES = 18
"""Last beat of a message in to first beat of its frame out (hdl/rtl/packetiser_up.v)."""

RECEIVE_CYCLES = 13
"""Last beat of a response in to its correction out (hdl/rtl/packetiser_down.v)."""

MAX_PATCHES = 32
MAX_ROUND_BITS = 4096
MAX_CORRECTION_BYTES = 32
REMEMBERED_REQUESTS = 256
"""Requests, the last ones, of which an answer is recognised; a power of two."""

_WORD_BITS = {64: 128, 512: 512}
_MIN_DEPTH, _MAX_DEPTH = 256, 8192


def depth_of(bus_bits: int, message_bits: int) -> int:
    """Words of a packer's memory that hold at least four of the longest messages.

    Raises RoundtripError for messages that are too long for the largest memory.
    """
    words = -(-message_bits // _WORD_BITS[bus_bits])
    depth = max(_MIN_DEPTH, 1 << (4 * words - 1).bit_length())
    if depth > _MAX_DEPTH:
        most = _MAX_DEPTH * _WORD_BITS[bus_bits] // 4
        raise RoundtripError(
            f"a message of {message_bits} bits is longer than the {most} that the packetiser in "
            "hdl/rtl holds four of; write fewer rounds per message"
        )
    return depth
