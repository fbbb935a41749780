import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from emulator.decoders.stopwatch import (
    BLOCK_NS,
    CLOCKS,
    LOST_SHARE,
    MIN_LOST_NS,
    Clocks,
    _steal,
    time_calls,
)
from tests.decoders.clocks import QUIET, HandClock


def timed(clock: HandClock, *calls: Callable[[], None], clocks: Clocks | None = None) -> list[bool]:
    """Which of the calls count as disturbed."""
    _, found = time_calls(calls, lambda answer: answer, clocks or clock.clocks)
    marked: list[bool] = found.disturbed.tolist()
    return marked


def test_times_are_those_of_the_wall_clock() -> None:
    clock = HandClock()
    calls = [lambda: clock.work(7), lambda: clock.preempt(1000), lambda: clock.sleep(12)]
    answers, found = time_calls(calls, lambda answer: answer is None, clock.clocks)
    assert answers == [True] * 3
    assert found.elapsed_ps.tolist() == [7000, 1_000_000, 12_000]
    assert found.elapsed_ps.dtype == np.int64


def test_what_is_kept_of_an_answer_is_not_timed() -> None:
    clock = HandClock()
    _, found = time_calls([lambda: 5] * 3, lambda _: clock.preempt(10**9), clock.clocks)
    assert found.elapsed_ps.tolist() == [0, 0, 0]
    assert not found.disturbed.any()


def test_work_is_not_disturbed_however_long_it_takes() -> None:
    clock = HandClock()
    calls = [partial(clock.work, 10**k) for k in range(10)]
    assert timed(clock, *calls) == [False] * 10


def test_a_thread_that_lost_its_core_was_disturbed() -> None:
    clock = HandClock()

    def preempted() -> None:
        clock.work(5000)
        clock.preempt(1)

    assert timed(clock, preempted, lambda: clock.work(5000), preempted) == [True, False, True]


def test_a_decoder_that_sleeps_is_not_excused() -> None:
    clock = HandClock()

    def sleeping() -> None:
        clock.work(5000)
        clock.sleep(50_000_000)

    assert timed(clock, sleeping, sleeping) == [False, False]


def test_time_without_the_core_counts_from_a_threshold_and_a_share() -> None:
    clock = HandClock()

    def lost(work_ns: int, lost_ns: int) -> Callable[[], None]:
        def call() -> None:
            clock.work(work_ns)
            clock.interrupt(lost_ns)

        return call

    assert timed(clock, lost(0, MIN_LOST_NS), lost(0, MIN_LOST_NS + 1)) == [False, True]
    long_ns = 100 * MIN_LOST_NS
    share_ns = round(long_ns * LOST_SHARE / (1 - LOST_SHARE))
    assert share_ns > MIN_LOST_NS
    assert timed(clock, lost(long_ns, share_ns - 1), lost(long_ns, share_ns + 2)) == [False, True]


def test_a_decoder_whose_own_threads_take_its_core_is_not_excused() -> None:
    clock = HandClock()

    def crowded() -> None:
        clock.work(5000)
        clock.preempt(1_000_000)
        clock.others_work(1_000_000)

    def crowded_and_disturbed() -> None:
        crowded()
        clock.preempt(1_000_000)

    assert timed(clock, crowded, crowded_and_disturbed) == [False, True]


def test_steal_marks_the_calls_of_its_block() -> None:
    clock = HandClock()

    def stolen() -> None:
        clock.work(BLOCK_NS // 2)
        clock.stolen += 1

    def quiet() -> None:
        clock.work(BLOCK_NS // 2)

    found = timed(clock, quiet, quiet, quiet, stolen, quiet, quiet, stolen)
    assert found == [False, False, True, True, False, False, True]


def test_nothing_is_excused_where_switches_are_not_counted() -> None:
    clock = HandClock()
    clocks = replace(clock.clocks, switches=None)
    assert timed(clock, lambda: clock.preempt(10**9), clocks=clocks) == [False]


def test_no_calls_take_no_time() -> None:
    calls: list[Callable[[], None]] = []
    answers, found = time_calls(calls, lambda answer: answer, QUIET)
    assert answers == []
    assert found.elapsed_ps.shape == found.disturbed.shape == (0,)


def test_other_python_threads_wait_and_are_let_go_again() -> None:
    before = sys.getswitchinterval()
    answers, _ = time_calls([sys.getswitchinterval], lambda answer: answer, QUIET)
    assert answers[0] > 100
    assert sys.getswitchinterval() == before


def test_steal_is_that_of_the_cores_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = tmp_path / "stat"
    stat.write_text(
        "cpu  1 2 3 4 5 6 7 30 9 10\ncpu0 1 2 3 4 5 6 7 1 9 0\ncpu1 1 2 3 4 5 6 7 8 0 0\n"
        "cpu10 1 2 3 4 5 6 7 21 9 0\nintr 5\n"
    )
    for cores, expected in (({0}, 1), ({1}, 8), ({0, 10}, 22)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: cores, raising=False)
        assert _steal(stat) == expected
    assert _steal(tmp_path / "absent") == 0


@contextmanager
def competitor() -> Iterator[None]:
    """A process that computes on the one core that this thread runs on meanwhile."""
    cores = os.sched_getaffinity(0)
    core = min(cores)
    program = f"import os; os.sched_setaffinity(0, {{{core}}}); print(flush=True)\nwhile True: pass"
    os.sched_setaffinity(0, {core})
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        yield
    finally:
        other.kill()
        other.communicate()
        os.sched_setaffinity(0, cores)


needs_linux = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or CLOCKS.switches is None,
    reason="this system has no cores to choose or counts no context switches",
)


@needs_linux
def test_a_competitor_on_the_same_core_is_excused() -> None:
    spent_ns = 50_000_000  # of processor time: several turns of any scheduler

    def compute() -> None:
        end = time.thread_time_ns() + spent_ns
        while time.thread_time_ns() < end:
            pass

    with competitor():
        _, found = time_calls([compute] * 8, lambda answer: answer)
    assert found.disturbed.any()
    left = found.elapsed_ps[~found.disturbed] / 1000
    assert (left <= 1.02 * spent_ns + MIN_LOST_NS).all()


@needs_linux
def test_a_real_sleep_is_not_excused() -> None:
    clocks = replace(CLOCKS, steal=lambda: 0)
    _, found = time_calls([lambda: time.sleep(0.002)] * 20, lambda answer: answer, clocks)
    # On a busy machine a sleeper may lose its core as well, but hardly each time.
    assert not found.disturbed.all()
    assert (found.elapsed_ps >= 2 * 10**9).all()
