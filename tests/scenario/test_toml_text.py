import tomllib

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.overrides import parse_overrides
from emulator.scenario.toml_text import MAX_DEPTH, BoundsError, read_toml


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_tables_are_read() -> None:
    assert read_toml("a.b = [1, {c = 2}]") == {"a": {"b": [1, {"c": 2}]}}
    with pytest.raises(tomllib.TOMLDecodeError):
        read_toml("a = ")


def test_nesting_is_bounded() -> None:
    assert read_toml(f"a = {nested(MAX_DEPTH - 1)}")
    keys = ".".join("k" * (MAX_DEPTH + 1))
    for text in (f"a = {nested(MAX_DEPTH)}", f"a = {nested(100_000)}", f"{keys} = 1"):
        with pytest.raises(BoundsError, match="more than 32 deep"):
            read_toml(text)


def test_numbers_are_bounded() -> None:
    with pytest.raises(BoundsError, match="more than 4,300 digits"):
        read_toml(f"a = {'1' * 5000}")


def test_an_override_beyond_the_bounds_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"^--set code\.rounds: nests tables or lists more"):
        parse_overrides([f"code.rounds={nested(5000)}"])
