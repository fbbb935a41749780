from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emulator.loop.records import STAGES, TIMESTAMPS
from emulator.report.lanes import Lanes, Slice, lay_out, slices_of
from tests.report.fixture import make_windows


def _piece(row: int, start: int, end: int) -> Slice:
    return Slice(row, 0, start, end)


def test_the_lowest_free_lane_is_taken() -> None:
    lanes = Lanes()
    spans = [(0, 10), (1, 4), (2, 3), (3, 8), (4, 5), (10, 12)]
    assert [lanes.place(_piece(k, *span)) for k, span in enumerate(spans)] == [0, 1, 2, 2, 1, 0]


def test_a_batch_shares_a_lane_and_the_next_batch_does_not() -> None:
    lanes = Lanes(batch=2)
    spans = [(0, 10)] * 5 + [(3, 12)] * 2
    assert [lanes.place(_piece(k, *span)) for k, span in enumerate(spans)] == [
        0,
        0,
        1,
        1,
        2,
        3,
        3,
    ]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=60))
def test_slices_of_a_lane_never_overlap_and_lanes_are_as_few_as_possible(
    jobs: list[tuple[int, int]],
) -> None:
    slices = [_piece(k, start, start + takes) for k, (start, takes) in enumerate(jobs)]
    laid = lay_out(slices, {STAGES[0]: "part"}, {})
    lanes = laid["part"].lanes if jobs else []
    assert sorted(s.row for lane in lanes for s in lane) == list(range(len(jobs)))
    for lane in lanes:
        assert all(a.end_ps <= b.start_ps for a, b in pairwise(lane))
    busy = Counter(t for s in slices for t in range(s.start_ps, s.end_ps))
    assert len(lanes) == max(busy.values(), default=0)


def test_stages_without_duration_have_no_slice() -> None:
    windows = make_windows(5)
    windows["slotted_ps"] = windows["delivered_ps"].copy()
    pieces = list(slices_of(windows, 3))
    assert {piece.row for piece in pieces} == {0, 1, 2}
    assert STAGES.index("ring") not in {piece.stage for piece in pieces}
    for piece in pieces:
        assert piece.start_ps == windows[TIMESTAMPS[piece.stage]][piece.row]
        assert piece.end_ps == windows[TIMESTAMPS[piece.stage + 1]][piece.row]
        assert piece.end_ps > piece.start_ps
    spent = sum(p.end_ps - p.start_ps for p in pieces if p.row == 1)
    assert spent == int(np.subtract(windows["applied_ps"], windows["emitted_ps"])[1])
