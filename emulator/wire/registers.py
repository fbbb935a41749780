"""The registers that tell a sensor-bridge packetiser where a window goes and how it is cut."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from emulator.wire.errors import WireError

__all__ = ["PAGE_BYTES", "HsbRegisters"]

PAGE_BYTES = 128
"""The packetiser counts packet lengths and slot sizes in pages of 128 bytes."""

_METADATA_OFF = 1 << 16
_MAX_SLOTS = 64
_WIDTH_BITS = {
    "src_udp_port": 16,
    "dest_qp": 24,
    "host_mac_hi": 16,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HsbRegisters:
    """Register values of one sensor port, with metadata off (the mode used for decoding).

    Constructing one raises WireError for values the packetiser cannot work with. Register map and
    meaning: nvidia-holoscan/holoscan-sensor-bridge, HSB_IP 0x2606, fpga/nv_hsb_ip/reg_map.
    """

    vip_mask: int
    """Sensors that feed this host, one bit each."""
    pkt_len_pages128: int
    """Largest payload of one packet, in pages of 128 bytes."""
    src_udp_port: int
    dest_qp: int
    rkey: int
    va_lo: int
    va_hi: int
    buf_increment_pages128: int
    """Distance between two slots of the ring, in pages of 128 bytes."""
    last_buffer: int
    """Number of the last slot of the ring; the first is 0."""
    bytes_per_window: int
    """Bytes of a window; whole beats of the bus on the real packetiser."""
    host_mac_lo: int
    host_mac_hi: int
    host_ip: int
    host_udp_port_and_md_disable: int
    """UDP destination port in bits 15:0; bit 16 switches the metadata packet off."""

    def __post_init__(self) -> None:
        """Refuse values that do not fit their register or contradict each other."""
        for field in fields(self):
            self._check_width(field.name, _WIDTH_BITS.get(field.name, 32))
        for name in ("vip_mask", "pkt_len_pages128", "bytes_per_window"):
            if getattr(self, name) == 0:
                raise WireError(f"{name}(=0) must be at least 1, or nothing is ever sent.")
        if self.bytes_per_window % 4:
            raise WireError(
                f"bytes_per_window(={self.bytes_per_window}) must be a multiple of 4: "
                "the packetiser never sends a pad count."
            )
        if self.slot_bytes < self.bytes_per_window:
            raise WireError(
                f"buf_increment_pages128(={self.buf_increment_pages128}) gives slots of "
                f"{self.slot_bytes} bytes, too small for bytes_per_window"
                f"(={self.bytes_per_window}); raise it to "
                f"{-(-self.bytes_per_window // PAGE_BYTES)}."
            )
        if self.last_buffer >= _MAX_SLOTS:
            raise WireError(
                f"last_buffer(={self.last_buffer}) makes a ring of {self.last_buffer + 1} slots; "
                f"the receiver has {_MAX_SLOTS} work queue entries, so use at most "
                f"{_MAX_SLOTS - 1}."
            )
        if not self.host_udp_port_and_md_disable & _METADATA_OFF:
            raise WireError(
                f"host_udp_port_and_md_disable(=0x{self.host_udp_port_and_md_disable:X}) leaves "
                "the metadata packet on, which is not encoded; set bit 16."
            )

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> "HsbRegisters":
        """Registers from names and integers, e.g. a JSON object; raise WireError for any other."""
        names = {field.name for field in fields(cls)}
        if missing := sorted(names - values.keys()):
            raise WireError(f"registers lack {', '.join(missing)}.")
        if unknown := sorted(values.keys() - names):
            raise WireError(f"registers have no {', '.join(unknown)}.")
        checked: dict[str, int] = {}
        for name, value in values.items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise WireError(f"register {name}(={value!r}) must be an integer.")
            checked[name] = value
        return cls(**checked)

    def _check_width(self, name: str, width_bits: int) -> None:
        value = getattr(self, name)
        if not 0 <= value < 1 << width_bits:
            raise WireError(f"register {name}(={value}) must be in 0..{(1 << width_bits) - 1}.")

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot of the ring."""
        return self.buf_increment_pages128 * PAGE_BYTES

    @property
    def packet_bytes(self) -> int:
        """Largest payload of one packet."""
        return self.pkt_len_pages128 * PAGE_BYTES

    @property
    def base_va(self) -> int:
        """Virtual address of slot 0."""
        return self.va_hi << 32 | self.va_lo

    @property
    def host_mac(self) -> int:
        """MAC address of the host as a 48-bit number."""
        return self.host_mac_hi << 32 | self.host_mac_lo

    @property
    def host_udp_port(self) -> int:
        """UDP destination port."""
        return self.host_udp_port_and_md_disable & 0xFFFF
