import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.wire.bits import pack_bits, unpack_bits
from emulator.wire.errors import WireError


def test_first_bit_is_the_least_significant() -> None:
    assert pack_bits(np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], dtype=np.uint8)) == b"\x01\x02"


@given(st.lists(st.booleans(), max_size=100))
def test_bits_survive_packing(bits: list[bool]) -> None:
    packed = pack_bits(np.array(bits, dtype=np.bool_))
    assert unpack_bits(packed, len(bits)).tolist() == bits


def test_length_must_be_that_of_the_count() -> None:
    with pytest.raises(WireError, match="9 bits take 2 bytes, not 1"):
        unpack_bits(b"\0", 9)


def test_unused_bits_must_be_zero() -> None:
    with pytest.raises(WireError, match="unused bits of the last byte 0x10 must be 0"):
        unpack_bits(b"\x10", 4)
