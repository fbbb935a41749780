"""What a pool of workers asks of the clock: no more events than it needs."""

from array import array
from typing import Any

import pytest

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import PoolSpec
from emulator.loop.job import Job, ShotState
from emulator.loop.pool import WorkerPool
from emulator.loop.records import Pool
from tests.loop.build import ROUND_PS, Fixed, Listed, loop_config


class Counted(Clockwork):
    """A clock that notes the delays for which it was set."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[int] = []

    def after(self, delay_ps: int, action: Any, value: Any, *, last: bool = False) -> None:
        """Note the delay, and set the clock."""
        self.delays.append(delay_ps)
        super().after(delay_ps, action, value, last=last)


def pool_of(spec: PoolSpec) -> tuple[Counted, WorkerPool, list[tuple[int, int]]]:
    """A pool, and the windows that have left it with their instants."""
    env, ended = Counted(), list[tuple[int, int]]()
    pool = WorkerPool(
        env, loop_config(rounds=2), spec, end=lambda job, now: ended.append((job.window, now))
    )
    return env, pool, ended


def job(window: int) -> Job:
    return Job(window, 0, ShotState(0, 0, [1]), array("q"))


@pytest.mark.parametrize(
    ("batch", "timeout_ps", "delays"),
    [
        (1, 0, [7]),  # three jobs, of which one is served
        (4, 0, [7]),
        (4, 50, [50, 50, 50]),  # all wait for a fourth
        (3, 50, [50, 50, 7]),  # the last starts the batch, and waits for nothing
        (1, 50, [7, 50, 50]),
    ],
)
def test_only_what_waits_for_a_batch_sets_the_clock(
    batch: int, timeout_ps: int, delays: list[int]
) -> None:
    env, pool, _ = pool_of(PoolSpec(1, Fixed(7), batch, timeout_ps))
    for window in range(3):
        pool.submit(job(window))
    assert env.delays == delays


def test_a_partial_batch_leaves_when_its_oldest_job_has_waited() -> None:
    env, pool, ended = pool_of(PoolSpec(1, Listed([5], filled_ps=100), 4, 50))
    for instant in (0, 20, 30):
        env.after(instant, pool.submit, job(instant))
    env.run()
    assert ended == [(window, 50 + 5 + 200) for window in (0, 20, 30)]
    assert [pool.pool().jobs, pool.pool().demand_ps] == [3, 205]


def test_a_service_is_asked_for_the_servers_the_fill_and_the_rounds() -> None:
    service = Listed([0], loaded_ps=1, filled_ps=10, round_ps=100)
    env, pool, ended = pool_of(PoolSpec(3, service, 2))
    pool.submit(job(0))
    pool.submit(job(1))
    pool.submit(job(2))
    for window in (3, 4, 5):
        pool.submit(job(window))
    env.run(until=ROUND_PS)
    # one, two and three servers busy, and windows of two rounds; then two jobs on the first to be
    # free while the other two still work, and one on the next
    assert ended == [(0, 200), (1, 201), (2, 202), (5, 403), (3, 412), (4, 412)]


def test_a_pool_of_which_nothing_more_is_known_has_done_nothing() -> None:
    pool = Pool(servers=2, busy_ps=5)
    assert (pool.demand_ps, pool.demand_ps2, pool.jobs, pool.left_over) == (0, 0, 0, 0)
