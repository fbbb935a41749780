import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emulator.syndromes.spans import Spans

RANGES = st.lists(st.tuples(st.integers(-5, 60), st.integers(0, 40)), max_size=30)


@given(RANGES, st.integers(-5, 60), st.integers(1, 30))
def test_all_ranges_that_touch_are_found(
    ranges: list[tuple[int, int]], start: int, size: int
) -> None:
    low = np.array([first for first, _ in ranges], dtype=np.int32)
    high = np.array([first + more for first, more in ranges], dtype=np.int32)
    found = Spans(low, high).touching(start, start + size)
    expected = np.flatnonzero((low < start + size) & (high >= start))
    assert found.tolist() == expected.tolist()
