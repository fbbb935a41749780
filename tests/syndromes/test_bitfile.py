from pathlib import Path

import numpy as np
import pytest
import stim
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.bitfile import FORMATS, open_bits

BLOCKED = ("01", "b8", "ptb64")


def random_bits(shots: int, bits: int, seed: int) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((shots, bits)) < 0.3


def write(path: Path, fmt: str, bits: NDArray[np.bool_], observables: int = 0) -> Path:
    stim.write_shot_data_file(
        data=bits,
        path=str(path),
        format=fmt,
        num_detectors=bits.shape[1] - observables,
        num_observables=observables,
    )
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    fmt=st.sampled_from(FORMATS),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 70)),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_every_format_is_read_as_stim_wrote_it(
    tmp_path: Path, fmt: str, shape: tuple[int, int], seed: int, data: st.DataObject
) -> None:
    """Any slice of any file, with any split into detectors and observables."""
    blocks, bits = shape
    table = random_bits(64 * blocks, bits, seed)
    observables = data.draw(st.integers(0, bits))
    path = write(tmp_path / "shots", fmt, table, observables)
    file = open_bits(path, fmt, num_detectors=bits - observables, num_observables=observables)
    assert file.num_rows == len(table)
    first = data.draw(st.integers(0, len(table) - 1))
    count = data.draw(st.integers(1, len(table)))
    expected = np.packbits(table[first : first + count], axis=1, bitorder="little")
    assert np.array_equal(file.read(first, count), expected)


@pytest.mark.parametrize("fmt", ["b8", "ptb64"])
def test_truncated_files_name_file_expected_and_found(tmp_path: Path, fmt: str) -> None:
    path = write(tmp_path / "shots", fmt, random_bits(64, 17, 1))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(SyndromeError, match=rf"expected a multiple.*found {len(whole) - 1}") as e:
        open_bits(path, fmt, num_detectors=17)
    assert str(path) in str(e.value)


@pytest.mark.parametrize(
    ("end", "last"), [("\n", "\n"), ("\r\n", "\r\n"), ("\r\n", ""), ("\n", "\r\n"), ("\n", "\n\n")]
)
def test_lines_may_end_in_any_way(tmp_path: Path, end: str, last: str) -> None:
    path = tmp_path / "shots"
    bits = random_bits(9, 17, 1)
    lines = ["".join("01"[bit] for bit in row) for row in bits.astype(int)]
    path.write_bytes((end.join(lines) + last).encode())
    expected = np.packbits(bits, axis=1, bitorder="little")
    assert np.array_equal(open_bits(path, "01", num_detectors=17).read(2, 5), expected[2:7])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"0101\n010",
            "line 2: expected 4 characters 0 or 1 .4 detectors.*found 3; it is truncated",
        ),
        (b"0101\r\n01\n", "line 2: expected 4 .* found 2"),
        (b"01011\n", "lines of 4 characters 0 or 1 .*the first has 5"),
        (b"0,1,0,1\n", "line 1: expected 4 characters 0 or 1.*found 7"),
        (b"01 1\n01", "line 2: expected 4"),
        (b"0101\n0121\n01", "line 3"),
        (b"0101\n0121", "line 2: expected 4 characters 0 or 1, found something else"),
        (b"\x1f\x8b\x08\x00ab", "first bytes are those of a gzip archive: unpack"),
    ],
)
def test_lines_of_another_length_or_alphabet(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "shots"
    path.write_bytes(content)
    with pytest.raises(SyndromeError, match=message):
        open_bits(path, "01", num_detectors=4)


@pytest.mark.parametrize("fmt", FORMATS)
def test_measurements_are_read_as_stim_wrote_them(tmp_path: Path, fmt: str) -> None:
    table = random_bits(64, 21, 2)
    path = tmp_path / "shots"
    stim.write_shot_data_file(data=table, path=str(path), format=fmt, num_measurements=21)
    file = open_bits(path, fmt, num_measurements=21)
    assert np.array_equal(file.read(0, 64), np.packbits(table, axis=1, bitorder="little"))


@pytest.mark.parametrize("fmt", BLOCKED)
def test_file_that_shrinks_while_it_is_read(tmp_path: Path, fmt: str) -> None:
    path = write(tmp_path / "shots", fmt, random_bits(128, 17, 1))
    file = open_bits(path, fmt, num_detectors=17)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SyndromeError, match="became shorter"):
        file.read(64, 64)


@pytest.mark.parametrize("fmt", FORMATS)
def test_empty_files(tmp_path: Path, fmt: str) -> None:
    path = tmp_path / "shots"
    path.touch()
    with pytest.raises(SyndromeError, match=r"holds no shots|but found 0"):
        open_bits(path, fmt, num_detectors=17)


@pytest.mark.parametrize(
    ("fmt", "content", "message"),
    [
        ("b8", b"\x01\x02", "a bit is set beyond the 9"),
        ("01", b"010010a01\n", "characters 0 or 1"),
        ("01", b"0100100010", "characters 0 or 1"),
        ("dets", b"shot D9\n", "does not hold shots of 9 detectors"),
        ("dets", b"shot L0\n", "does not hold shots of 9 detectors"),
        ("dets", b"shot D99999999999999999999\n", "9 detectors .* in format dets: Integer value"),
        ("hits", b"1" * 40 + b"\n", "9 detectors .* in format hits: Integer value .* too big"),
        ("hits", b"3,9\n", "does not hold shots of 9 detectors"),
        ("r8", b"\x01\x0a", "does not hold shots of 9 detectors"),
        ("r8", b"\x01", "does not hold shots of 9 detectors"),
        ("dets", b"shot M0\n", "does not hold shots of 9 detectors"),
        ("b8", b"\x93NUMPY\x01\x02", "a NumPy array"),
        ("b8", b"PK\x03\x04\x01", "found 5.*a zip archive"),
        ("dets", b"\x28\xb5\x2f\xfd", "a zstd archive"),
    ],
)
def test_files_of_another_model(tmp_path: Path, fmt: str, content: bytes, message: str) -> None:
    path = tmp_path / "shots"
    path.write_bytes(content)
    with pytest.raises(SyndromeError, match=message) as error:
        open_bits(path, fmt, num_detectors=9).read(0, 1)
    assert str(path) in str(error.value)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(SyndromeError, match="is a folder; give"):
        open_bits(tmp_path, "b8", num_detectors=1)
    with pytest.raises(SyndromeError, match="no such file"):
        open_bits(tmp_path / "none", "b8", num_detectors=1)
    with pytest.raises(SyndromeError, match='format "csv" is unknown'):
        open_bits(tmp_path / "none", "csv", num_detectors=1)
    with pytest.raises(SyndromeError, match="no bits"):
        open_bits(tmp_path / "none", "b8", num_detectors=0)
