from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.errors import SyndromeError
from emulator.syndromes.cudaq_files import (
    map_dense,
    read_csr,
    read_metadata,
    read_priors,
    write_csr,
    write_metadata,
    write_priors,
)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little", signed=value < 0) for value in values)


def test_dense_table_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "detectors.bin"
    path.write_bytes(words(2, 3, 0, 1, 1, 1, 0, 0))
    assert map_dense(path).tolist() == [[0, 1, 1], [1, 0, 0]]


def test_sparse_matrix_byte_for_byte(tmp_path: Path) -> None:
    """Columns {0, 1}, {1}, {}: rows {0}, {0, 1}, {}."""
    path = tmp_path / "H_csr.bin"
    write_csr(path, 3, [(0, 1), (1,), ()])
    assert path.read_bytes() == words(3, 3, 3, 0, 1, 3, 3, 0, 0, 1)
    assert [column.tolist() for column in read_csr(path).columns()] == [[0, 1], [1], []]


def test_priors_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "priors.bin"
    write_priors(path, [0.5])
    assert path.read_bytes() == words(1) + bytes.fromhex("000000000000e03f")
    assert read_priors(path).tolist() == [0.5]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(num_rows=st.integers(0, 9), data=st.data())
def test_sparse_matrices_round_trip(tmp_path: Path, num_rows: int, data: st.DataObject) -> None:
    column = st.sets(st.integers(0, num_rows - 1)) if num_rows else st.just(set[int]())
    columns = [tuple(sorted(rows)) for rows in data.draw(st.lists(column, max_size=9))]
    path = tmp_path / "H_csr.bin"
    write_csr(path, num_rows, columns)
    matrix = read_csr(path)
    assert (matrix.num_rows, matrix.num_columns) == (num_rows, len(columns))
    assert [tuple(rows.tolist()) for rows in matrix.columns()] == columns


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (words(2, 3, 0, 1, 1, 1, 0), "expected 32 bytes.*found 28"),
        (words(2, 3, 0, 1, 1, 1, 0, 0, 0), "expected 32 bytes.*found 36"),
        (words(2), "header of 8 bytes, found 4"),
        (words(0, 3), "0 rows of 3"),
    ],
)
def test_dense_tables_that_disagree_with_their_header(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "detectors.bin"
    path.write_bytes(content)
    with pytest.raises(SyndromeError, match=message) as error:
        map_dense(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (words(1, 2, 1, 0, 1), "expected 24 bytes.*found 20"),
        (words(2, 2, 1, 0, 2, 1, 0), "do not ascend"),
        (words(1, 2, 1, 1, 1, 0), "do not ascend"),
        (words(1, 2, 1, 0, 0, 0), "do not ascend"),
        (words(1, 2, 1, 0, 1, 2), "2 columns"),
        (words(1, 2, 1, 0, 1, -1), "2 columns"),
    ],
)
def test_broken_sparse_matrices(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "H_csr.bin"
    path.write_bytes(content)
    with pytest.raises(SyndromeError, match=message):
        read_csr(path)


@pytest.mark.parametrize("prior", [-0.1, 1.1, np.nan])
def test_priors_are_probabilities(tmp_path: Path, prior: float) -> None:
    path = tmp_path / "priors.bin"
    write_priors(path, [0.1, prior])
    with pytest.raises(SyndromeError, match="prior 1 is"):
        read_priors(path)


def test_metadata(tmp_path: Path) -> None:
    path = tmp_path / "metadata.txt"
    write_metadata(path, {"distance": 5, "basis": None, "note": "a=b"})
    assert read_metadata(path) == {"distance": "5", "note": "a=b"}
    path.write_text("distance 5\n")
    with pytest.raises(SyndromeError, match='"distance 5" is not of the form key=value'):
        read_metadata(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(SyndromeError, match="no such file"):
        map_dense(tmp_path / "detectors.bin")
    with pytest.raises(SyndromeError, match="cannot be read"):
        read_metadata(tmp_path / "metadata.txt")
