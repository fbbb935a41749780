import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.results.theory import (
    dm1_wait,
    lindley_waits,
    little,
    md1_wait,
    mg1_wait,
    terhal_wait,
)

TIME = st.integers(0, 10**12)


@given(st.lists(st.tuples(TIME, TIME), min_size=1, max_size=60))
def test_lindley_is_the_recursion_to_the_picosecond(jobs: list[tuple[int, int]]) -> None:
    service = np.array([job[0] for job in jobs], dtype=np.int64)
    gaps = np.array([job[1] for job in jobs[1:]], dtype=np.int64)
    waits, wait = [0], 0
    for spent, gap in zip(service[:-1].tolist(), gaps.tolist(), strict=True):
        wait = max(0, wait + spent - gap)
        waits.append(wait)
    assert lindley_waits(service, gaps).tolist() == waits


def test_queues_beside_each_other_do_not_meet() -> None:
    rng = np.random.default_rng(2)
    service, gaps = rng.integers(0, 100, (2, 3, 5)), rng.integers(0, 100, (2, 3, 4))
    waits = lindley_waits(service, gaps)
    for queue in np.ndindex(2, 3):
        assert waits[queue].tolist() == lindley_waits(service[queue], gaps[queue]).tolist()


def test_lindley_refuses_arrays_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="3 services need 2 times between arrivals, got 3"):
        lindley_waits(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))


@pytest.mark.parametrize(
    ("load", "wait"), [(0.5, 0.255), (0.7, 0.876), (0.8, 1.693), (0.9, 4.179), (0.95, 9.172)]
)
def test_dm1_wait(load: float, wait: float) -> None:
    assert dm1_wait(load) == pytest.approx(wait, abs=6e-4)


def test_waits_agree_with_a_simulated_queue() -> None:
    rng = np.random.default_rng(1)
    count, mean = 1_000_000, 1_000_000
    exponential = rng.exponential(mean, count).astype(np.int64)
    fixed = np.full(count, mean, dtype=np.int64)
    slower = rng.exponential(mean / 0.7, count - 1).astype(np.int64)
    period = np.full(count - 1, round(mean / 0.7), dtype=np.int64)
    assert lindley_waits(fixed, slower).mean() / mean == pytest.approx(md1_wait(0.7), rel=0.03)
    assert lindley_waits(exponential, period).mean() / mean == pytest.approx(
        dm1_wait(0.7), rel=0.03
    )
    both = lindley_waits(exponential, slower).mean() / mean
    assert both == pytest.approx(mg1_wait(0.7, 1.0, 2.0), rel=0.03)


def test_overload_has_no_mean_wait() -> None:
    for wait in (md1_wait, dm1_wait):
        for load in (0.0, 1.0):
            with pytest.raises(ValueError, match=rf"load\(={load}\)"):
                wait(load)


@pytest.mark.parametrize("slowdown", [1.2, 2.0])
def test_terhal_wait_solves_its_recursion(slowdown: float) -> None:
    compute, wait = 100.0, 0.0
    for operation in range(1, 8):
        wait = slowdown * wait + (slowdown - 1) * compute
        assert terhal_wait(operation, slowdown, compute) == pytest.approx(wait)


def test_terhal_wait_vanishes_when_the_decoder_keeps_up() -> None:
    assert terhal_wait(5, 0.9, 100.0) == 0


def test_little_counts_the_rounds_in_flight() -> None:
    assert little(1 / 1.1e-6, 63e-6) == pytest.approx(57.3, abs=0.1)
