import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.wire import fields
from emulator.wire.rpc import function_id
from hdl import generate

RTL = Path(generate.__file__).parent / "rtl"
INVERTED = 0xFFFFFFFF
HEADER = (RTL / "roundtrip_fields.vh").read_text()
TERM = re.compile(r"\^\((\w+)(?:\[(\d+):(\d+)\])? & (\d+)'h([0-9a-f]+)\)")


def evaluate(module: str, **inputs: int) -> int:
    """What a generated module of XOR masks puts out, read from its Verilog text."""
    state = 0
    text = (RTL / f"{module}.v").read_text()
    assignments = re.findall(r"assign state_out\[(\d+)\] =([^;]+);", text)
    assert [int(bit) for bit, _ in assignments] == list(range(32))
    for bit, expression in assignments:
        parity = 0
        for signal, high, low, width, mask in TERM.findall(expression):
            assert high == "" or int(high) - int(low) + 1 == int(width)
            value = inputs[signal] >> int(low or 0)
            parity ^= (value & int(mask, 16)).bit_count() & 1
        state |= parity << int(bit)
    return state


def crc_of(data: bytes, data_w: int) -> int:
    """CRC as hardware takes it: whole beats, the last one filled with zeros, and those undone."""
    lanes = data_w // 8
    state = INVERTED
    for i in range(0, len(data), lanes):
        beat = int.from_bytes(data[i : i + lanes], "little")
        state = evaluate(f"crc32_w{data_w}", state_in=state, data_in=beat)
    padding = -len(data) % lanes
    for zeros in generate.UNPAD_BYTES:
        if padding & zeros:
            state = evaluate(f"crc32_unpad{zeros}", state_in=state)
    return state ^ INVERTED


def constant(name: str) -> int:
    found = re.findall(rf"^localparam (?:\[\d+:0\] )?{name} = (\d+);$", HEADER, re.MULTILINE)
    sized = re.findall(
        rf"^localparam \[(\d+):0\] {name} = (\d+)'h([0-9a-f]+);$", HEADER, re.MULTILINE
    )
    assert len(found) + len(sized) == 1, name
    if found:
        return int(found[0])
    high, width, value = sized[0]
    assert int(high) + 1 == int(width)
    return int(value, 16)


def test_the_files_are_fresh() -> None:
    assert generate.main(["--check"]) == 0


def test_check_names_a_stale_file_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "RTL", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    capsys.readouterr()
    (tmp_path / "crc32_w64.v").write_text("// edited by hand\n")
    assert generate.main(["--check"]) == 1
    assert "crc32_w64.v is stale; run python -m hdl.generate." in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_lines_fit_the_page() -> None:
    assert max(len(line) for text in generate.files().values() for line in text.split("\n")) <= 100


@pytest.mark.parametrize("data_w", generate.CRC_WIDTHS)
@given(data=st.binary(min_size=64, max_size=64), seed=st.integers(0, INVERTED))
def test_a_beat_steps_the_state_as_zlib_does(data_w: int, data: bytes, seed: int) -> None:
    beat = data[: data_w // 8]
    after = evaluate(
        f"crc32_w{data_w}", state_in=seed ^ INVERTED, data_in=int.from_bytes(beat, "little")
    )
    assert after ^ INVERTED == zlib.crc32(beat, seed)


@pytest.mark.parametrize("zeros", generate.UNPAD_BYTES)
@given(seed=st.integers(0, INVERTED))
def test_zeros_are_taken_back(zeros: int, seed: int) -> None:
    padded = zlib.crc32(bytes(zeros), seed)
    before = evaluate(f"crc32_unpad{zeros}", state_in=padded ^ INVERTED)
    assert before ^ INVERTED == seed


@pytest.mark.parametrize("data_w", generate.CRC_WIDTHS)
@pytest.mark.parametrize("length", range(4, 133, 4))
def test_every_tail_of_whole_words_gives_the_crc_of_zlib(data_w: int, length: int) -> None:
    data = bytes((7 * i + length) & 0xFF for i in range(length))
    assert crc_of(data, data_w) == zlib.crc32(data)


def test_a_singular_matrix_has_no_inverse() -> None:
    with pytest.raises(StopIteration):
        generate.invert((1, 1))


def test_every_field_of_every_layout_is_there() -> None:
    for name, layout in vars(fields).items():
        if not isinstance(layout, fields.Layout):
            continue
        assert constant(f"{name}_SIZE") == layout.size
        for field in layout:
            prefix = f"{name}_{field.name.upper()}"
            assert constant(f"{prefix}_OFFSET") == field.offset
            assert constant(f"{prefix}_W") == 8 * field.size
            assert constant(f"{prefix}_DEFAULT") == field.default


def test_constants_are_those_of_the_wire() -> None:
    assert constant("ROCE_UDP_PORT") == 4791
    assert constant("FUNCTION_ENQUEUE_SYNDROMES") == function_id("enqueue_syndromes")
    assert constant("OPCODE_WRITE_ONLY_WITH_IMMEDIATE") == 0x2B
    assert constant("STATUS_SYNDROMES_DROPPED") == 6


def test_every_constant_is_defined_once() -> None:
    names = re.findall(r"^localparam (?:\[\d+:0\] )?(\w+) =", HEADER, re.MULTILINE)
    assert len(names) == len(set(names))


@given(body=st.binary(min_size=1, max_size=64))
def test_data_before_its_own_crc_leaves_the_residue(body: bytes) -> None:
    own = zlib.crc32(body).to_bytes(4, "little")
    assert zlib.crc32(body + own) ^ INVERTED == constant("CRC32_RESIDUE")


def test_the_icrc_seed_stands_for_the_bytes_of_ones() -> None:
    assert zlib.crc32(b"\xff" * 8) ^ INVERTED == constant("ICRC_SEED")
