from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.wire.errors import WireError
from emulator.wire.fields import LAYOUTS, SEND_ONLY, WRITE_WITH_IMMEDIATE, Field, Layout


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_fields_follow_each_other_without_gap_and_by_unique_name(layout: Layout) -> None:
    assert layout.fields[0].offset == 0
    assert all(left.end == right.offset for left, right in pairwise(layout))
    assert len({field.name for field in layout}) == len(layout.fields)


def test_header_sizes_are_those_of_the_protocols() -> None:
    sizes = {layout.name: layout.size for layout in LAYOUTS}
    assert sizes["UDP datagram"] == 14 + 20 + 8
    assert sizes["RoCE SEND Only"] == 42 + 12
    assert sizes["RoCE WRITE Only"] == 42 + 12 + 16
    assert sizes["RoCE WRITE Only with Immediate"] == 74
    assert sizes["RPC request header"] == sizes["RPC response header"] == 24
    assert sizes["enqueue_syndromes arguments"] == 32
    assert sizes["get_corrections arguments"] == 17
    assert sizes["reset_decoder arguments"] == 8


@given(st.data())
def test_every_layout_reads_back_what_it_wrote(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(LAYOUTS))
    values = {field.name: data.draw(st.integers(*_range(field))) for field in layout}
    encoded = layout.encode(**values)
    assert len(encoded) == layout.size
    assert layout.decode(encoded) == values


def _range(field: Field) -> tuple[int, int]:
    bits = 8 * field.size
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if field.signed else (0, (1 << bits) - 1)


def test_byte_order_is_that_of_the_field() -> None:
    assert Field("a", 0, 2).encode(0x0102) == b"\x01\x02"
    assert Field("a", 0, 2, "little").encode(0x0102) == b"\x02\x01"


def test_a_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        WireError, match=r"bth_psn\(=16777216\) does not fit its 24-bit unsigned field"
    ):
        SEND_ONLY.encode(bth_psn=1 << 24)


def test_too_few_bytes_are_counted() -> None:
    with pytest.raises(WireError, match="73 bytes are too few for the 74 bytes"):
        WRITE_WITH_IMMEDIATE.decode(bytes(73))


def test_an_unknown_field_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="has no field colour"):
        SEND_ONLY.encode(colour=1)
