"""Parallel windows in the loop need as many decoders as the published formula says."""

from itertools import pairwise

import pytest

from emulator.loop.config import Host, PoolSpec
from emulator.loop.engine import run_loop
from emulator.windows import parallel_process_count, parallel_windows
from tests.loop.build import INSTANT, ROUND_PS, Fixed, loop_config

PAIRS = 24  # of one A and one B window


def lag_ps(workers: int, window_ps: int, commit: int, buffer: int, pairs: int) -> int:
    """Time from the end of the last round to the end of the last window."""
    rounds = pairs * (2 * commit + 2 * buffer) + commit
    record = run_loop(
        loop_config(
            rounds=rounds,
            plan=parallel_windows(rounds, commit, buffer),
            host=Host(rounds, INSTANT),
            decode=PoolSpec(workers, Fixed(window_ps)),
        )
    )
    return int(record.windows["decode_end_ps"].max()) - rounds * ROUND_PS


def keeps_up(workers: int, window_ps: int, commit: int, buffer: int) -> bool:
    """Tell whether twice the rounds leave the lag as it is.

    Too few workers fall behind by at least half a round for each pair and worker here.
    """
    once, twice = (lag_ps(workers, window_ps, commit, buffer, n * PAIRS) for n in (1, 2))
    return twice <= once


@pytest.mark.parametrize("commit", [1, 2, 5])
@pytest.mark.parametrize("buffer", [1, 3])
@pytest.mark.parametrize("window_rounds", [1, 4, 8.5, 16, 36])
def test_the_least_stable_number_of_workers_is_the_published_one(
    commit: int, buffer: int, window_rounds: float
) -> None:
    window_ps = round(window_rounds * ROUND_PS)
    expected = parallel_process_count(window_ps, ROUND_PS, commit, buffer)
    found = next(n for n in range(1, 50) if keeps_up(n, window_ps, commit, buffer))
    assert found == expected


@pytest.mark.parametrize(("commit", "buffer"), [(1, 1), (3, 2), (7, 7)])
def test_windows_of_both_layers_are_of_one_length_and_commit_every_round_once(
    commit: int, buffer: int
) -> None:
    length = commit + 2 * buffer
    rounds = 5 * (commit + length) + commit
    plan = parallel_windows(rounds, commit, buffer)
    first, second = plan[:6], plan[6:]
    assert all(not window.after and len(window.commits) == commit for window in first)
    assert {len(window.rounds) for window in first[1:-1]} == {length}
    reads = [window.rounds for window in first]
    assert all(a.stop < b.start for a, b in pairwise(reads))
    assert [window.after for window in second] == [(k, k + 1) for k in range(5)]
    assert all(
        window.rounds == window.commits and len(window.rounds) == length for window in second
    )
    committed = sorted(r for window in plan for r in window.commits)
    assert committed == list(range(rounds))
