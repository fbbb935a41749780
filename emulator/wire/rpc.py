"""CUDA-Q Realtime remote procedure calls: the messages that a frame carries as its payload.

A request is a 24-byte header and the arguments, a response a 24-byte header and the result, both
little-endian and without padding; whatever follows in a ring slot is ignored.

Sources: NVIDIA/cuda-quantum, realtime/docs/cudaq_realtime_message_protocol.md; NVIDIA/cudaqx,
libs/qec/include/cudaq/qec/realtime/decoder_rpc_wire_format.h and, for the pre-decoder,
libs/qec/unittests/realtime/ (gpu_roce_predecoder_bridge.cpp, predecoder_pipeline_common.h).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from emulator.wire.bits import check_packed, pack_bits, packed_bytes, unpack_bits
from emulator.wire.errors import WireError
from emulator.wire.fields import (
    ENQUEUE_BODY,
    GET_CORRECTIONS_BODY,
    REQUEST_HEADER,
    RESET_BODY,
    RESPONSE_HEADER,
    Layout,
)

__all__ = [
    "MAX_DECODERS",
    "MAX_SYNDROME_BITS",
    "Call",
    "EnqueueSyndromes",
    "GetCorrections",
    "Predecode",
    "Request",
    "ResetDecoder",
    "Response",
    "Status",
    "function_id",
]

MAX_SYNDROME_BITS = 1 << 20
"""Syndrome bits of one enqueue_syndromes request (cudaqx kMaxSyndromeBits)."""
MAX_DECODERS = 32
"""Decoders behind one dispatcher (cudaqx kMaxDispatchedDecoders)."""


class Status(IntEnum):
    """Outcome of a call, as cudaqx RpcStatus numbers them."""

    OK = 0
    INVALID_DECODER = 1
    BAD_REQUEST = 2
    INTERNAL_ERROR = 3
    NOT_READY = 4
    BUSY = 5
    SYNDROMES_DROPPED = 6


def function_id(name: str) -> int:
    """32-bit FNV-1a hash of a function name, by which the dispatcher finds its handler.

    Offset basis and prime: Fowler, Noll and Vo, IETF draft-eastlake-fnv.
    """
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


@dataclass(frozen=True, slots=True)
class EnqueueSyndromes:
    """Add syndrome bits to what a decoder has received; answered before decoding ends.

    ``packed`` holds ``num_syndromes`` bits, the first one in the least significant place.
    """

    function: ClassVar[str] = "enqueue_syndromes"

    decoder_id: int
    counter: int
    syndrome_mapping_id: int
    num_syndromes: int
    packed: bytes

    def __post_init__(self) -> None:
        """Refuse more decoders or bits than the protocol allows."""
        _check_decoder(self.decoder_id)
        _check_bits("num_syndromes", self.num_syndromes)
        check_packed(self.packed, self.num_syndromes)

    @classmethod
    def from_bits(
        cls,
        bits: NDArray[np.bool_] | NDArray[np.uint8],
        *,
        decoder_id: int = 0,
        counter: int = 0,
        syndrome_mapping_id: int = 0,
    ) -> "EnqueueSyndromes":
        """Build the call from an array of shape (n,), one element per syndrome bit."""
        return cls(decoder_id, counter, syndrome_mapping_id, len(bits), pack_bits(bits))

    @property
    def bits(self) -> NDArray[np.uint8]:
        """Syndrome bits, shape (num_syndromes,), dtype uint8."""
        return unpack_bits(self.packed, self.num_syndromes)

    @property
    def result_bytes(self) -> int:
        """Bytes of a successful result: none, it is an acknowledgement."""
        return 0

    def encode(self) -> bytes:
        """Write the arguments: 32 bytes and ceil(num_syndromes / 8) bytes of bits."""
        head = ENQUEUE_BODY.encode(
            decoder_id=self.decoder_id,
            counter=self.counter,
            syndrome_mapping_id=self.syndrome_mapping_id,
            num_syndromes=self.num_syndromes,
        )
        return head + self.packed

    @classmethod
    def decode(cls, arguments: bytes) -> "EnqueueSyndromes":
        """Read the arguments; raise WireError where they are not this call's."""
        return cls(**ENQUEUE_BODY.decode(arguments), packed=arguments[ENQUEUE_BODY.size :])


@dataclass(frozen=True, slots=True)
class GetCorrections:
    """Fetch ``return_size`` correction bits, and reset the decoder afterwards if ``reset``."""

    function: ClassVar[str] = "get_corrections"

    decoder_id: int
    return_size: int
    reset: bool = False

    def __post_init__(self) -> None:
        """Refuse more decoders or bits than the protocol allows."""
        _check_decoder(self.decoder_id)
        _check_bits("return_size", self.return_size)

    @property
    def result_bytes(self) -> int:
        """Bytes of a successful result: the corrections, bit-packed."""
        return packed_bytes(self.return_size)

    def encode(self) -> bytes:
        """Write the arguments: 17 bytes."""
        return GET_CORRECTIONS_BODY.encode(
            decoder_id=self.decoder_id, return_size=self.return_size, reset=int(self.reset)
        )

    @classmethod
    def decode(cls, arguments: bytes) -> "GetCorrections":
        """Read the arguments; raise WireError where they are not this call's."""
        values = _decode_exactly(GET_CORRECTIONS_BODY, arguments)
        if values["reset"] > 1:
            raise WireError(f"reset(={values['reset']}) must be 0 or 1.")
        return cls(values["decoder_id"], values["return_size"], bool(values["reset"]))


@dataclass(frozen=True, slots=True)
class ResetDecoder:
    """Forget all syndromes that a decoder has received."""

    function: ClassVar[str] = "reset_decoder"

    decoder_id: int

    def __post_init__(self) -> None:
        """Refuse more decoders than the protocol allows."""
        _check_decoder(self.decoder_id)

    @property
    def result_bytes(self) -> int:
        """Bytes of a successful result: none."""
        return 0

    def encode(self) -> bytes:
        """Write the arguments: 8 bytes."""
        return RESET_BODY.encode(decoder_id=self.decoder_id)

    @classmethod
    def decode(cls, arguments: bytes) -> "ResetDecoder":
        """Read the arguments; raise WireError where they are not this call's."""
        return cls(**_decode_exactly(RESET_BODY, arguments))


@dataclass(frozen=True, slots=True)
class Predecode:
    """Run the pre-decoder on the detectors of a shot: one byte each, 0 or 1, not bit-packed."""

    function: ClassVar[str] = "predecode"

    detectors: bytes

    def __post_init__(self) -> None:
        """Refuse bytes that are not detection events."""
        if self.detectors and max(self.detectors) > 1:
            raise WireError(f"detector byte {max(self.detectors)} must be 0 or 1.")

    @property
    def result_bytes(self) -> int:
        """Bytes of a successful result: total corrections and convergence, int32 each."""
        return 8

    def encode(self) -> bytes:
        """Write the arguments: the detectors alone."""
        return self.detectors


Call = EnqueueSyndromes | GetCorrections | ResetDecoder | Predecode

_DECODERS: dict[int, Callable[[bytes], Call]] = {
    function_id(EnqueueSyndromes.function): EnqueueSyndromes.decode,
    function_id(GetCorrections.function): GetCorrections.decode,
    function_id(ResetDecoder.function): ResetDecoder.decode,
    function_id(Predecode.function): Predecode,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A call with the identity and the time that its response will echo.

    ``ptp_timestamp`` is opaque to the protocol; an FPGA player writes its PTP time there, 0 means
    unused.
    """

    call: Call
    request_id: int = 0
    ptp_timestamp: int = 0

    def encode(self) -> bytes:
        """Write header and arguments; raise WireError for a value that does not fit."""
        arguments = self.call.encode()
        header = REQUEST_HEADER.encode(
            function_id=function_id(self.call.function),
            arg_len=len(arguments),
            request_id=self.request_id,
            ptp_timestamp=self.ptp_timestamp,
        )
        return header + arguments

    @classmethod
    def decode(cls, message: bytes) -> "Request":
        """Read a request from the start of a slot; raise WireError for anything else."""
        header, arguments = _split(REQUEST_HEADER, "arg_len", message)
        return cls(
            _decode_call(header["function_id"], arguments),
            header["request_id"],
            header["ptp_timestamp"],
        )

    def respond(self, result: bytes = b"", *, status: Status = Status.OK) -> "Response":
        """Response to this request, echoing its identity and time.

        Raises WireError if a successful result does not have the length the caller expects.
        """
        if status is Status.OK and len(result) != self.call.result_bytes:
            raise WireError(
                f"the result of {self.call.function} takes {self.call.result_bytes} bytes, "
                f"not {len(result)}."
            )
        return Response(status, self.request_id, self.ptp_timestamp, result)


@dataclass(frozen=True, slots=True)
class Response:
    """Outcome of a request; ``result`` is bit-packed corrections or whatever the call returns."""

    status: Status
    request_id: int = 0
    ptp_timestamp: int = 0
    result: bytes = b""

    def encode(self) -> bytes:
        """Write header and result; raise WireError for a value that does not fit."""
        header = RESPONSE_HEADER.encode(
            status=self.status,
            result_len=len(self.result),
            request_id=self.request_id,
            ptp_timestamp=self.ptp_timestamp,
        )
        return header + self.result

    @classmethod
    def decode(cls, message: bytes) -> "Response":
        """Read a response from the start of a slot; raise WireError for anything else."""
        header, result = _split(RESPONSE_HEADER, "result_len", message)
        try:
            status = Status(header["status"])
        except ValueError:
            raise WireError(f"RPC status {header['status']} is none of 0..{max(Status)}.") from None
        return cls(status, header["request_id"], header["ptp_timestamp"], result)


def _split(layout: Layout, length: str, message: bytes) -> tuple[dict[str, int], bytes]:
    """Header and body of a message, once magic and length are right."""
    header = layout.decode(message)
    if header["magic"] != layout["magic"].default:
        raise WireError(
            f"magic 0x{header['magic']:08X} is not that of an {layout.name}, "
            f"0x{layout['magic'].default:08X}."
        )
    body = message[layout.size :]
    if len(body) < header[length]:
        raise WireError(f"{length} announces {header[length]} bytes; only {len(body)} follow.")
    return header, body[: header[length]]


def _decode_call(identifier: int, arguments: bytes) -> Call:
    if identifier not in _DECODERS:
        raise WireError(f"function id 0x{identifier:08X} is not one of a QEC decoder.")
    return _DECODERS[identifier](arguments)


def _decode_exactly(layout: Layout, arguments: bytes) -> dict[str, int]:
    if len(arguments) > layout.size:
        raise WireError(f"{layout.name} take {layout.size} bytes, not {len(arguments)}.")
    return layout.decode(arguments)


def _check_decoder(decoder_id: int) -> None:
    if not 0 <= decoder_id < MAX_DECODERS:
        raise WireError(f"decoder_id(={decoder_id}) must be in 0..{MAX_DECODERS - 1}.")


def _check_bits(name: str, count: int) -> None:
    if not 0 <= count <= MAX_SYNDROME_BITS:
        raise WireError(f"{name}(={count}) must be in 0..{MAX_SYNDROME_BITS} bits.")
