import numpy as np
import pytest

from emulator.loop.records import Pool, Record
from emulator.results.stability import (
    Throughput,
    distance_to_compensate,
    idle_cost,
    throughput,
    utilisation,
)
from tests.results.queue import ROUND_PS, run_of


def _judge(record: Record) -> Throughput:
    return throughput(
        record.pools, record.backlog, emitted=record.emitted, horizon_ps=record.horizon_ps
    )


def _run(load: float, count: int, seed: int, noise: float = 0.1) -> Record:
    mean = load * 5 * ROUND_PS
    rng = np.random.default_rng(seed)
    return run_of(rng.normal(mean, noise * mean, count).astype(np.int64), drain=False)


def test_a_decoder_with_room_to_spare_is_stable() -> None:
    verdicts = [_judge(_run(0.95, 4000, seed)).stable for seed in range(40)]
    assert verdicts.count(True) >= 36
    assert verdicts.count(False) <= 2


def test_an_overloaded_decoder_is_unstable_and_falls_behind_at_the_excess_rate() -> None:
    for seed in range(10):
        found = _judge(_run(1.05, 4000, seed))
        assert found.stable is False
        assert found.bottleneck == "decode"
        assert found.utilisation_by_stage["decode"] == pytest.approx(1, abs=0.01)
        assert found.backlog_slope_rounds_per_s == pytest.approx(1e6 * (1 - 1 / 1.05), rel=0.2)


def test_slope_interval_covers_the_drift_of_an_overloaded_queue() -> None:
    truth = 1e6 * (1 - 1 / 1.05)
    covered = 0
    for seed in range(100):
        found = _judge(_run(1.05, 3000, seed, noise=0.5))
        assert found.ci is not None
        covered += found.ci[0] <= truth <= found.ci[1]
    assert covered >= 85


def test_an_undisturbed_queue_is_decided_at_once() -> None:
    assert _judge(_run(0.95, 100, 0, noise=0.0)).stable is True
    assert _judge(_run(1.05, 100, 0, noise=0.0)).stable is False


def test_a_short_run_is_undecided() -> None:
    undecided = _judge(_run(0.98, 60, 1, noise=0.5))
    assert undecided.stable is None
    assert undecided.ci is not None
    assert undecided.ci[0] < 0 < undecided.ci[1]


def test_too_few_samples_have_no_slope() -> None:
    found = _judge(_run(0.5, 20, 1))
    assert (found.backlog_slope_rounds_per_s, found.ci, found.stable) == (None, None, None)


def test_the_filling_of_the_queue_is_left_out() -> None:
    times = np.arange(1000, dtype=np.int64) * ROUND_PS
    backlog = np.stack([times, np.minimum(np.arange(1000), 300)], axis=1)
    kwargs = {"emitted": 1000, "horizon_ps": 1000 * ROUND_PS}
    assert throughput({}, backlog, **kwargs).stable is False
    settled = throughput({}, backlog, warmup_ps=300 * ROUND_PS, **kwargs)
    assert (settled.stable, settled.backlog_slope_rounds_per_s) == (True, 0)
    assert settled.bottleneck is None


def test_the_emptying_of_the_queue_after_the_last_round_is_left_out() -> None:
    overloaded = run_of(np.full(2000, 10 * ROUND_PS, dtype=np.int64))
    found = _judge(overloaded)
    assert found.stable is False
    assert found.backlog_slope_rounds_per_s == pytest.approx(0.5e6, rel=0.02)


def test_utilisation_is_per_server() -> None:
    assert utilisation({"decode": Pool(4, 200), "uplink": Pool(1, 50)}, 100) == {
        "decode": 0.5,
        "uplink": 0.5,
    }


def test_distance_makes_up_for_idling() -> None:
    assert distance_to_compensate(5, 57, 2.14) == pytest.approx(6.6, abs=0.1)
    assert distance_to_compensate(25, 10, 10.0) == pytest.approx(0.3, abs=0.02)
    extra = distance_to_compensate(11, 30, 4.0)
    assert (11 + 30) * 4.0 ** (-(11 + extra) / 2) == pytest.approx(11 * 4.0 ** (-11 / 2))
    with pytest.raises(ValueError, match="suppression"):
        distance_to_compensate(5, 1, 0.9)


def test_idle_rounds_are_reaction_times_rounded_up() -> None:
    reaction = np.array([1, ROUND_PS, ROUND_PS + 1, 3 * ROUND_PS], dtype=np.int64)
    cost = idle_cost(reaction, ROUND_PS, distance=5, suppression=2.0)
    assert cost is not None
    assert (cost.operations, cost.mean_rounds, cost.max_rounds) == (None, 7 / 4, 3)
    assert cost.distance_to_compensate == pytest.approx(2 * np.log2(1.35))


def test_idle_rounds_counted_in_a_run_come_first() -> None:
    reaction = np.array([5 * ROUND_PS], dtype=np.int64)
    cost = idle_cost(reaction, ROUND_PS, idle_rounds=np.array([0, 2, 4], dtype=np.int64))
    assert cost is not None
    assert (cost.operations, cost.mean_rounds, cost.max_rounds) == (3, 2, 4)
    assert cost.distance_to_compensate is None
    assert idle_cost(reaction[:0], ROUND_PS) is None


def test_a_backlog_that_is_short_because_rounds_are_lost_does_not_count_as_keeping_up() -> None:
    record = _run(0.9, 4000, seed=1)
    pools, backlog = record.pools, record.backlog
    judged = [
        throughput(
            pools, backlog, emitted=record.emitted, horizon_ps=record.horizon_ps, lost=lost
        ).stable
        for lost in (0, record.emitted // 200, record.emitted // 50)
    ]
    assert judged == [True, True, False]
