import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.results.thinning import COUNTS, Thinning

ROWS = st.lists(st.tuples(st.just(24), st.integers(0, 24), st.integers(0, 24)), max_size=30)


def _count(rows: list[tuple[int, int, int]]) -> Thinning:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Thinning.of(dict(zip(COUNTS, columns, strict=True)))


@given(ROWS, ROWS)
def test_parts_add_up(
    first: list[tuple[int, int, int]], second: list[tuple[int, int, int]]
) -> None:
    assert _count(first) + _count(second) == _count(first + second)


def test_densities_and_factor() -> None:
    found = _count([(24, 6, 2), (24, 2, 0), (24, 0, 0), (28, 2, 2)])
    assert (found.windows, found.emptied) == (4, 1)
    assert found.density_in == pytest.approx(0.1)
    assert found.density_out == pytest.approx(0.04)
    assert found.factor == pytest.approx(2.5)


def test_nothing_left_or_nothing_there() -> None:
    assert _count([(24, 3, 0)]).factor is None
    assert _count([]).density_in is None
    assert _count([]).density_out is None
