import pytest

from emulator.errors import RoundtripError
from emulator.wire.errors import WireError
from emulator.wire.registers import HsbRegisters


def test_wire_errors_end_with_the_exit_code_of_a_user_mistake() -> None:
    assert issubclass(WireError, RoundtripError)
    assert WireError.exit_code == 2


def test_what_the_registers_mean(registers: dict[str, int]) -> None:
    values = HsbRegisters.from_mapping(registers)
    assert values.host_mac == 0x123456789ABC
    assert values.base_va == 0x7F5510000000
    assert values.host_udp_port == 4791
    assert values.packet_bytes == 3968
    assert values.slot_bytes == 128


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pkt_len_pages128": 0}, r"pkt_len_pages128\(=0\) must be at least 1"),
        ({"bytes_per_window": 0}, r"bytes_per_window\(=0\) must be at least 1"),
        ({"vip_mask": 0}, r"vip_mask\(=0\) must be at least 1"),
        ({"bytes_per_window": 62}, "must be a multiple of 4"),
        (
            {"bytes_per_window": 192},
            r"slots of 128 bytes, too small for bytes_per_window\(=192\); raise it to 2\.",
        ),
        ({"last_buffer": 64}, r"last_buffer\(=64\) makes a ring of 65 slots; .* at most 63\."),
        ({"host_udp_port_and_md_disable": 4791}, "metadata packet on.*set bit 16"),
        ({"dest_qp": 1 << 24}, r"register dest_qp\(=16777216\) must be in 0\.\.16777215"),
        ({"rkey": -1}, r"register rkey\(=-1\) must be in"),
        ({"host_mac_hi": 0x10000}, r"register host_mac_hi\(=65536\)"),
        ({"psn": 1}, "registers have no psn"),
        ({"rkey": "7"}, r"register rkey\(='7'\) must be an integer"),
        ({"rkey": True}, r"register rkey\(=True\) must be an integer"),
    ],
)
def test_impossible_registers_are_refused(
    registers: dict[str, int], change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(WireError, match=sentence):
        HsbRegisters.from_mapping(registers | change)


def test_missing_registers_are_listed(registers: dict[str, int]) -> None:
    rest = {name: value for name, value in registers.items() if not name.startswith("va_")}
    with pytest.raises(WireError, match="registers lack va_hi, va_lo"):
        HsbRegisters.from_mapping(rest)
