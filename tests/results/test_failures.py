"""What became of each shot, in runs of a few windows that are written down by hand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emulator.loop.records import Record
from emulator.numbering import Emission
from emulator.results.correlation import Series, binomial_interval
from emulator.results.failures import failures, shot_outcomes
from emulator.results.rates import failure_rate
from tests.results.queue import md1_latencies, run_of

Rows = list[tuple[int, int, int]]

EMISSION = Emission(10, rounds=3, shots=2, patches=2, patch_offset_ps=5, shot_period_ps=40)
"""Ends of the shots: 30 and 70 ps of patch 0, 35 and 75 ps of patch 1."""


def _record(rows: Rows, lost: Sequence[tuple[int, int]] = (), **kwargs: Any) -> Record:
    """A run with windows of these (patch, shot, reaction time), and lost ones of (patch, shot)."""
    patch, shot, reaction = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    windows = {"patch": patch, "shot": shot, "emitted_ps": 0 * shot, "applied_ps": reaction}
    gone = np.array([(9, *place, 0) for place in lost], dtype=np.int64).reshape(-1, 4)
    record = run_of(np.array([1, 1]))
    fields = {"horizon_ps": 75, "drained": False, **kwargs}
    return replace(record, windows=windows, lost=gone, emission=EMISSION, **fields)


ALL: Rows = [(patch, shot, 5) for patch in (0, 1) for shot in (0, 1) for _ in range(2)]
"""Two windows of each of two shots of two patches."""


def _found(record: Record, limit_ps: int | None) -> dict[str, list[tuple[int, int]]]:
    outcomes = shot_outcomes(record, record.windows, limit_ps, 2)
    kinds = {kind: getattr(outcomes, kind) for kind in ("late", "lost", "unfinished")}
    return {kind: list(zip(*np.nonzero(which), strict=True)) for kind, which in kinds.items()}


NONE: dict[str, list[tuple[int, int]]] = {"late": [], "lost": [], "unfinished": []}


def test_a_shot_is_late_when_one_of_its_windows_comes_after_the_limit() -> None:
    rows = [*ALL[:-1], (1, 1, 9)]
    assert _found(_record(rows, drained=True), 9) == NONE
    assert _found(_record(rows, drained=True), 8) == NONE | {"late": [(1, 1)]}
    assert _found(_record(rows, drained=True), None) == NONE


def test_windows_that_are_not_judged_are_not_late() -> None:
    record = _record([(patch, shot, 9) for patch, shot, _ in ALL])
    some = {name: column[:3] for name, column in record.windows.items()}
    late = shot_outcomes(record, some, 8, 2).late
    assert late.tolist() == [[True, True], [False, False]]


def test_a_shot_with_a_lost_window_is_lost_and_not_unfinished() -> None:
    assert _found(_record(ALL[:-1], [(1, 1)]), 9) == NONE | {"lost": [(1, 1)]}
    assert _found(_record(ALL[:-2], [(1, 1), (1, 1)]), 9) == NONE | {"lost": [(1, 1)]}
    assert _found(_record(ALL[:-2], [(1, 1)]), 0)["unfinished"] == []


@pytest.mark.parametrize(("limit", "due"), [(44, True), (45, False), (None, False)])
def test_an_answer_that_is_not_there_is_late_once_it_is_due(limit: int | None, due: bool) -> None:
    # the shot ends at 30 ps, the run at 75
    found = _found(_record(ALL[1:]), limit)
    assert found == NONE | {"late" if due else "unfinished": [(0, 0)]}


@pytest.mark.parametrize(
    ("missing", "end"), [((0, 0), 30), ((0, 1), 70), ((1, 0), 35), ((1, 1), 75)]
)
def test_a_shot_is_due_after_its_own_last_round(missing: tuple[int, int], end: int) -> None:
    rows = [row for row in ALL if row[:2] != missing]
    for horizon, kind in ((end + 6, "unfinished"), (end + 7, "late")):
        assert _found(_record(rows, horizon_ps=horizon), 6) == NONE | {kind: [missing]}


def test_a_drained_run_answers_every_shot() -> None:
    with pytest.raises(RuntimeError, match="without an answer"):
        _found(_record(ALL[1:], drained=True), None)


def test_windows_of_shots_that_were_not_emitted_are_a_defect() -> None:
    with pytest.raises(ValueError, match="invalid entry"):
        _found(_record([*ALL, (0, 2, 5)]), None)


def test_where_no_answer_came_the_number_of_shots_bounds_the_rate() -> None:
    none, nothing = np.zeros(20, dtype=bool), Series(np.empty(0, dtype=np.int64))
    found = failures(none, ~none, nothing, 5, 0.9)
    assert (found.failures, found.late, found.shots, found.rate) == (20, 20, 20, 1.0)
    assert found.ci == binomial_interval(20, 20, 0.9)
    empty = failures(none[:0], none[:0], nothing, 5, 0.9)
    assert (empty.shots, empty.rate, empty.ci) == (0, None, None)
    # of a single shot that is still on time nothing is known but the share of wrong answers
    assert failures(none, none, nothing, 5, 0.9).ci == binomial_interval(0, 20, 0.9)


def test_failures_of_shots_remember_what_windows_do() -> None:
    values = md1_latencies(np.random.default_rng(1), 0.7, 40_000, 1)[0]
    series, limit = Series(values), int(np.quantile(values, 0.99))
    memory = series.memory
    assert memory is not None
    late = (values > limit).reshape(-1, 4).any(axis=1)  # four windows a shot
    wrong = np.arange(10_000) % 100 == 0
    found = failures(wrong, late, series, limit, 0.9)
    assert found == failure_rate(wrong, late, memory.grouped(4), 0.9)
    # lost shots come in a row, too
    assert failures(wrong, late, series, None, 0.9) == found
    # where nothing is lost and no limit asked, no shot can be late
    alone = failures(wrong, np.zeros_like(late), series, None, 0.9)
    assert alone.ci == binomial_interval(100, 10_000, 0.9)
    asked = failures(wrong, np.zeros_like(late), series, limit, 0.9)
    assert asked.ci is not None
    assert alone.ci is not None
    assert asked.ci[1] > alone.ci[1]
    # a part of the windows is of no more shots than there are
    few = Series(values[:5000])
    assert few.memory is not None
    assert failures(wrong, late, few, limit, 0.9) == failure_rate(wrong, late, few.memory, 0.9)
