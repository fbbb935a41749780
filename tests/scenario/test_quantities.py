import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from emulator.scenario.quantities import (
    Frequency,
    PositiveSize,
    PositiveTime,
    Probability,
    Rate,
    Section,
    Size,
    Time,
)
from emulator.units import format_rate, format_size, format_time


class Everything(Section):
    time: Time = 0
    positive_time: PositiveTime = 1
    rate: Rate | None = None
    size: Size = 0
    positive_size: PositiveSize = 1
    frequency: Frequency | None = None
    share: Probability = 0.5


def read(**values: object) -> Everything:
    return Everything.model_validate(values)


def test_text_with_units_becomes_exact_numbers() -> None:
    found = read(time="3.96 us", rate="100 Gbit/s", size="4 KiB", frequency="322.265625 MHz")
    assert found.time == 3_960_000
    assert found.rate == 10**11
    assert found.size == 4096
    assert found.frequency == Fraction(10_312_500_000, 32)


def test_the_longest_time_is_read_exactly() -> None:
    assert read(time="9223372036854775807 ps").time == 2**63 - 1


@given(
    time=st.integers(min_value=0, max_value=10**18),
    rate=st.integers(min_value=1, max_value=10**15),
    size=st.integers(min_value=0, max_value=10**12),
    hertz=st.decimals(min_value=1, max_value=10**11, places=9),
)
def test_json_text_reads_back_as_the_same(time: int, rate: int, size: int, hertz: Any) -> None:
    first = read(
        time=format_time(time),
        rate=format_rate(rate),
        size=format_size(size),
        frequency=f"{hertz:f} Hz",
    )
    assert (first.time, first.rate, first.size) == (time, rate, size)
    assert first.frequency == Fraction(hertz)
    assert Everything.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("time", 25, "25 has no unit; write a time with its unit"),
        ("time", "25 uss", '"25 uss" is not a time'),
        ("time", "0.1 ps", "finer than 1 ps"),
        ("time", "-1 ns", '"-1 ns" is negative'),
        ("time", "9223372036854775808 ps", "is longer than 106 days (2^63 - 1 ps); write less"),
        ("positive_time", "1e7 s", '"1e7 s" is longer than 106 days'),
        ("positive_time", "0 ps", '"0 ps" must be more than zero'),
        ("rate", "400 Gbps/s", '"400 Gbps/s" is not a rate; write e.g. "400 Gbit/s"'),
        ("rate", "0 bit/s", "must be more than zero"),
        ("size", 4096, "4096 has no unit"),
        ("positive_size", "0 B", "must be more than zero"),
        ("frequency", 3.2e8, "has no unit; write a frequency"),
        ("frequency", "0 Hz", "must be more than zero"),
        ("share", 1.5, "less than or equal to 1"),
        ("tiem", "1 ns", "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_refused_with_a_sentence(key: str, value: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        read(**{key: value})


def test_a_section_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().time = 3  # type: ignore[misc]


def test_the_schema_accepts_its_examples_and_no_bare_number() -> None:
    properties = Everything.model_json_schema(mode="serialization")["properties"]
    for name in ("time", "positive_time", "size", "positive_size"):
        pattern = re.compile(properties[name]["pattern"])
        assert properties[name]["type"] == "string"
        for example in properties[name]["examples"]:
            assert pattern.search(example)
            read(**{name: example})
        assert not pattern.search("25")
    assert properties["time"]["default"] == "0 ps"
