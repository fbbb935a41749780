"""The one table of header fields: every frame and message is encoded and decoded from it.

Offsets of the frame layouts count from the first byte of the destination MAC address, offsets of
the message layouts from the first byte of the message or of its body. Generators of other
languages (Verilog constants) walk ``LAYOUTS``.

Sources: InfiniBand Architecture Specification 1.4 vol. 1, ch. 9 and annexes A16/A17 (BTH, RETH,
ImmDt, RoCEv2); RFC 791 and RFC 768; constants as sent by nvidia-holoscan/holoscan-sensor-bridge,
fpga/nv_hsb_ip/dp_pkt/dp_pkt_hdr.sv; NVIDIA/cuda-quantum, realtime/docs/
cudaq_realtime_message_protocol.md; NVIDIA/cudaqx, decoder_rpc_wire_format.h.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emulator.wire.errors import WireError

__all__ = [
    "ENQUEUE_BODY",
    "GET_CORRECTIONS_BODY",
    "LAYOUTS",
    "REQUEST_HEADER",
    "RESET_BODY",
    "RESPONSE_HEADER",
    "ROCE_UDP_PORT",
    "SEND_ONLY",
    "UDP_DATAGRAM",
    "WRITE_ONLY",
    "WRITE_WITH_IMMEDIATE",
    "Field",
    "Layout",
]

ROCE_UDP_PORT = 4791


@dataclass(frozen=True, slots=True)
class Field:
    """One integer at a fixed place; ``default`` is the constant or the reset value it carries."""

    name: str
    offset: int
    size: int
    order: Literal["big", "little"] = "big"
    default: int = 0
    signed: bool = False

    @property
    def end(self) -> int:
        """Offset of the first byte after the field."""
        return self.offset + self.size

    def encode(self, value: int) -> bytes:
        """Write ``value``; raise WireError if it does not fit."""
        try:
            return value.to_bytes(self.size, self.order, signed=self.signed)
        except OverflowError:
            sign = "signed" if self.signed else "unsigned"
            raise WireError(
                f"{self.name}(={value}) does not fit its {self.size * 8}-bit {sign} field."
            ) from None

    def decode(self, data: bytes) -> int:
        """Read the field from ``data``, which begins where offsets begin."""
        return int.from_bytes(data[self.offset : self.end], self.order, signed=self.signed)


@dataclass(frozen=True, slots=True)
class Layout:
    """Fields that follow each other without a gap, the first at offset 0."""

    name: str
    fields: tuple[Field, ...]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    @property
    def size(self) -> int:
        """Bytes of the whole layout."""
        return self.fields[-1].end

    def encode(self, **values: int) -> bytes:
        """Write every field, those not named with their default.

        Raises WireError for a value that does not fit.
        """
        unknown = values.keys() - {field.name for field in self.fields}
        if unknown:
            raise TypeError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        return b"".join(field.encode(values.get(field.name, field.default)) for field in self)

    def decode(self, data: bytes) -> dict[str, int]:
        """Read every field by name; raise WireError if ``data`` is shorter than the layout."""
        if len(data) < self.size:
            raise WireError(
                f"{len(data)} bytes are too few for the {self.size} bytes of {self.name}; "
                "it is truncated."
            )
        return {field.name: field.decode(data) for field in self}


_ETHERNET_IPV4_UDP = (
    Field("dst_mac", 0, 6),
    Field("src_mac", 6, 6),
    Field("ethertype", 12, 2, default=0x0800),
    Field("ip_version_ihl", 14, 1, default=0x45),
    Field("ip_tos", 15, 1),
    Field("ip_total_length", 16, 2),
    Field("ip_identification", 18, 2),
    Field("ip_flags_fragment", 20, 2, default=0x4000),  # do not fragment
    Field("ip_ttl", 22, 1, default=64),
    Field("ip_protocol", 23, 1, default=17),
    Field("ip_checksum", 24, 2),
    Field("src_ip", 26, 4),
    Field("dst_ip", 30, 4),
    Field("udp_src_port", 34, 2, default=0x3000),
    Field("udp_dst_port", 36, 2, default=ROCE_UDP_PORT),
    Field("udp_length", 38, 2),
    Field("udp_checksum", 40, 2),  # zero: the ICRC covers the payload
)
_BTH = (
    Field("bth_opcode", 42, 1),
    Field("bth_flags", 43, 1),  # bit 7 solicited, 6 migrated, 5:4 pad count, 3:0 version
    Field("bth_pkey", 44, 2, default=0xFFFF),
    Field("bth_reserved", 46, 1),
    Field("bth_dest_qp", 47, 3),
    Field("bth_ack_req", 50, 1),
    Field("bth_psn", 51, 3),
)
_RETH = (
    Field("reth_va", 54, 8),
    Field("reth_rkey", 62, 4),
    Field("reth_dma_len", 66, 4),
)
_IMMEDIATE = (Field("immediate", 70, 4),)

UDP_DATAGRAM = Layout("UDP datagram", _ETHERNET_IPV4_UDP)
SEND_ONLY = Layout("RoCE SEND Only", _ETHERNET_IPV4_UDP + _BTH)
WRITE_ONLY = Layout("RoCE WRITE Only", _ETHERNET_IPV4_UDP + _BTH + _RETH)
WRITE_WITH_IMMEDIATE = Layout(
    "RoCE WRITE Only with Immediate", _ETHERNET_IPV4_UDP + _BTH + _RETH + _IMMEDIATE
)

REQUEST_HEADER = Layout(
    "RPC request header",
    (
        Field("magic", 0, 4, "little", default=0x43555152),  # "RQUC" on the wire
        Field("function_id", 4, 4, "little"),
        Field("arg_len", 8, 4, "little"),
        Field("request_id", 12, 4, "little"),
        Field("ptp_timestamp", 16, 8, "little"),
    ),
)
RESPONSE_HEADER = Layout(
    "RPC response header",
    (
        Field("magic", 0, 4, "little", default=0x43555153),  # "SQUC" on the wire
        Field("status", 4, 4, "little", signed=True),
        Field("result_len", 8, 4, "little"),
        Field("request_id", 12, 4, "little"),
        Field("ptp_timestamp", 16, 8, "little"),
    ),
)
ENQUEUE_BODY = Layout(
    "enqueue_syndromes arguments",
    (
        Field("decoder_id", 0, 8, "little", signed=True),
        Field("counter", 8, 8, "little", signed=True),
        Field("syndrome_mapping_id", 16, 8, "little", signed=True),
        Field("num_syndromes", 24, 8, "little", signed=True),
    ),
)
GET_CORRECTIONS_BODY = Layout(
    "get_corrections arguments",
    (
        Field("decoder_id", 0, 8, "little", signed=True),
        Field("return_size", 8, 8, "little", signed=True),
        Field("reset", 16, 1, "little"),
    ),
)
RESET_BODY = Layout("reset_decoder arguments", (Field("decoder_id", 0, 8, "little", signed=True),))

LAYOUTS = (
    UDP_DATAGRAM,
    SEND_ONLY,
    WRITE_ONLY,
    WRITE_WITH_IMMEDIATE,
    REQUEST_HEADER,
    RESPONSE_HEADER,
    ENQUEUE_BODY,
    GET_CORRECTIONS_BODY,
    RESET_BODY,
)
