from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.lines import key_lines


def test_headers_keys_and_dotted_keys() -> None:
    text = '# [no]\na = 1\n\n[link.up] # x\nrate = "1"\nlatency.value = 2\n  [ code ]\n"d.e".f=3\n'
    assert key_lines(text) == {
        ("a",): 2,
        ("link",): 4,
        ("link", "up"): 4,
        ("link", "up", "rate"): 5,
        ("link", "up", "latency"): 6,
        ("link", "up", "latency", "value"): 6,
        ("code",): 7,
        ("code", "d.e"): 8,
        ("code", "d.e", "f"): 8,
    }


def test_inline_tables_are_looked_into_and_arrays_are_not() -> None:
    text = 't = { kind = "a=b, c", inner = { x = 1 } }\nl = [\n  { y = 1 },\n  "]",\n]\nz = 1\n'
    assert key_lines(text) == {
        ("t",): 1,
        ("t", "kind"): 1,
        ("t", "inner"): 1,
        ("t", "inner", "x"): 1,
        ("l",): 2,
        ("z",): 6,
    }


@pytest.mark.parametrize(
    "value",
    [
        '"""one\nb = 2\n[c]"""',
        "'''one\nb = 2\n'''",
        r'"a \" # b"',
        r"'C:\' ",
        "1979-05-27T07:32:00Z # [x]",
        "[1,\n# ]\n 2]",
        '""',
        '"""ends with a quote\\""""',
        '"""two quotes"""""',
    ],
)
def test_values_are_passed_over(value: str) -> None:
    lines = key_lines(f"a = {value}\nlast = true\n")
    assert lines == {("a",): 1, ("last",): 2 + value.count("\n")}


def test_the_last_of_an_array_of_tables_counts() -> None:
    assert key_lines("[[a]]\nx = 1\n[[a]]\nx = 2\n") == {("a",): 3, ("a", "x"): 4}


TABLES = st.dictionaries(
    st.text("abc-_", min_size=1, max_size=4),
    st.dictionaries(st.text("xyz", min_size=1, max_size=4), st.integers(), max_size=4),
    max_size=4,
)


@given(TABLES, st.integers(0, 3))
def test_every_key_of_a_document_is_found_on_its_line(
    tables: dict[str, dict[str, Any]], gap: int
) -> None:
    written: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for name, table in tables.items():
        written.append(f"[{name}]")
        expected[(name,)] = len(written)
        for key, value in table.items():
            written += ["# comment = 1"] * gap + [f"{key} = {value}"]
            expected[name, key] = len(written)
    assert key_lines("\n".join(written)) == expected
