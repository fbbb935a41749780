"""Which bytes travel: RPC messages, RoCEv2 frames with their ICRC, and captures of them."""

from emulator.wire.bits import pack_bits, unpack_bits
from emulator.wire.errors import WireError
from emulator.wire.framing import Direction, Framing, line_bits, message_frames
from emulator.wire.pcapng import write_pcapng
from emulator.wire.registers import HsbRegisters
from emulator.wire.roce import Opcode, RoceFrame, decode_frame, encode_send, encode_window
from emulator.wire.rpc import (
    Call,
    EnqueueSyndromes,
    GetCorrections,
    Predecode,
    Request,
    ResetDecoder,
    Response,
    Status,
    function_id,
)

__all__ = [
    "Call",
    "Direction",
    "EnqueueSyndromes",
    "Framing",
    "GetCorrections",
    "HsbRegisters",
    "Opcode",
    "Predecode",
    "Request",
    "ResetDecoder",
    "Response",
    "RoceFrame",
    "Status",
    "WireError",
    "decode_frame",
    "encode_send",
    "encode_window",
    "function_id",
    "line_bits",
    "message_frames",
    "pack_bits",
    "unpack_bits",
    "write_pcapng",
]
