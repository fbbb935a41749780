import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emulator.loop.records import Pool, Record
from emulator.results.idle import distance_to_compensate, idle_cost
from emulator.results.loads import LoadEstimate, stage_loads, utilisation
from emulator.results.result import Throughput
from emulator.results.stability import _load_doubt, stability
from tests.results.queue import ROUND_PS, run_of


def _judge(record: Record) -> Throughput:
    return stability(record, record.windows).throughput


def _run(load: float, count: int, seed: int, noise: float = 0.1, *, drain: bool = False) -> Record:
    mean = load * 5 * ROUND_PS
    rng = np.random.default_rng(seed)
    times = np.maximum(1, rng.normal(mean, noise * mean, count))
    return run_of(times.astype(np.int64), drain=drain)


def _exponential(load: float, count: int, seed: int) -> Record:
    times = np.random.default_rng((seed, count)).exponential(load * 5 * ROUND_PS, count)
    return run_of(times.astype(np.int64))


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
    record = _run(0.98, 60, 1, noise=0.5)
    found = stability(record, record.windows)
    assert found.throughput.stable is None
    assert found.throughput.ci is not None
    assert found.throughput.ci[0] < 0 < found.throughput.ci[1]
    load = found.throughput.load_by_stage["decode"]
    assert load.ci is not None
    assert load.ci[0] < 1 < load.ci[1]
    assert all(doubt.times is not None and doubt.times >= 2 for doubt in found.doubts)


def test_too_few_windows_have_no_slope() -> None:
    found = _judge(_run(0.5, 9, 1))
    assert (found.backlog_slope_rounds_per_s, found.ci, found.stable) == (None, None, None)


@pytest.mark.slow
def test_a_load_of_1_03_is_missed_and_one_of_0_97_never() -> None:
    over = [_judge(_exponential(1.03, 20_000, seed)).stable for seed in range(300)]
    assert over.count(False) >= 297
    assert over.count(True) == 0
    for count, runs in ((20_000, 100), (1000, 300), (100, 500), (12, 1000)):
        under = [_judge(_exponential(0.97, count, seed)).stable for seed in range(runs)]
        assert under.count(False) == 0, count


def test_a_load_above_one_is_known_from_service_times_at_any_length() -> None:
    for count in (2, 10, 1000):
        assert _judge(run_of(np.full(count, 5_100_000, dtype=np.int64))).stable is False
    for seed in range(20):
        assert _judge(_exponential(1.03, 20_000, seed)).stable is False
        assert _judge(_exponential(0.97, 2000, seed)).stable is not False


def test_a_loop_at_its_capacity_is_not_called_fit() -> None:
    record = run_of(np.full(500, 5 * ROUND_PS, dtype=np.int64))
    found = stability(record, record.windows)
    assert found.throughput.stable is None
    [doubt] = found.doubts
    assert (doubt.times, "at its capacity" in doubt.text) == (None, True)


def test_the_emptying_of_the_queue_after_the_last_round_is_left_out() -> None:
    overloaded = run_of(np.full(2000, 10 * ROUND_PS, dtype=np.int64))
    found = _judge(overloaded)
    assert found.stable is False
    assert found.backlog_slope_rounds_per_s == pytest.approx(0.5e6, rel=0.02)


def _pool(
    servers: int = 1, busy_ps: int = 0, services: tuple[int, ...] = (), left: int = 0
) -> Pool:
    squares = sum(service * service for service in services)
    return Pool(servers, busy_ps, sum(services), squares, len(services), left)


def test_utilisation_is_per_server() -> None:
    assert utilisation({"decode": _pool(4, 200), "uplink": _pool(1, 50)}, 100) == {
        "decode": 0.5,
        "uplink": 0.5,
    }


def _loads(pool: Pool, *, drained: bool = True) -> LoadEstimate:
    record = run_of(np.full(4, ROUND_PS, dtype=np.int64))  # four windows of five rounds
    record = replace(record, pools={"uplink": pool}, drained=drained)
    return stage_loads(record, record.windows, batch={})["uplink"]


def test_the_load_is_demand_over_time_and_servers() -> None:
    same = _loads(_pool(2, services=(10 * ROUND_PS,) * 4))
    assert (same.value, same.error) == (1.0, 0.0)
    assert same.low(0.9999) == same.high(0.9999) == 1.0
    one = _loads(_pool(services=(ROUND_PS,)))
    assert (one.error, one.low(0.9), one.high(0.9)) == (None, None, None)
    times = (ROUND_PS, 2 * ROUND_PS, 3 * ROUND_PS, 4 * ROUND_PS)
    varied = _loads(_pool(services=times))
    assert varied.value == 0.5
    assert varied.error == pytest.approx(np.std(times, ddof=1) / 2 / np.mean(times))
    assert varied.freedom == 3
    low, high = varied.low(0.95), varied.high(0.95)
    assert low is not None
    assert high is not None
    assert low < 0.5 < high
    assert low * high == pytest.approx(0.25)


def test_work_that_never_began_counts_in_a_run_that_was_cut_short() -> None:
    services = (ROUND_PS,) * 5
    assert _loads(_pool(services=services, left=15), drained=True).value == 0.25
    assert _loads(_pool(services=services, left=15), drained=False).value == 1.0


@pytest.mark.parametrize(
    ("jobs", "left", "swamped"), [(1, 9, False), (1, 10, True), (2, 17, False)]
)
def test_a_stage_that_leaves_nearly_all_its_work_is_swamped(
    jobs: int, left: int, swamped: bool
) -> None:
    pool = _pool(services=(ROUND_PS,) * jobs, left=left)
    assert _loads(pool, drained=False).swamped is swamped


def test_a_stage_without_work_has_no_load() -> None:
    assert _loads(_pool()) == LoadEstimate(0.0, 0.0)
    assert _loads(_pool(left=3), drained=False).error is None


def test_correlated_services_make_a_load_less_certain() -> None:
    rng = np.random.default_rng(3)
    slow = np.repeat(rng.normal(1.0, 0.2, 50), 100)  # a decoder with good and bad times
    record = run_of((5 * ROUND_PS * 0.9 * slow).astype(np.int64))
    load = stage_loads(record, record.windows, batch={})["decode"]
    independent = 0.2 / np.sqrt(5000)
    assert load.error is not None
    assert load.error > 7 * independent


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


def test_an_operation_of_a_program_with_feedback_is_as_long_as_it_says() -> None:
    waits = np.array([5, 15], dtype=np.int64)
    reaction = np.array([ROUND_PS], dtype=np.int64)
    kwargs: dict[str, Any] = {"idle_rounds": waits, "distance": 5, "suppression": 4.0}
    known = idle_cost(reaction, ROUND_PS, every=30, **kwargs)
    plain = idle_cost(reaction, ROUND_PS, **kwargs)
    assert known is not None
    assert plain is not None
    assert known.distance_to_compensate == pytest.approx(np.log2(40 / 30))
    assert plain.distance_to_compensate == pytest.approx(np.log2(15 / 5))


def test_a_backlog_that_is_short_because_rounds_are_lost_does_not_count_as_keeping_up() -> None:
    record = _run(0.9, 4000, seed=1, drain=True)
    judged = [
        _judge(replace(record, lost_by_cause={"ring_overrun": lost})).stable
        for lost in (0, record.emitted // 200, record.emitted // 50)
    ]
    assert judged == [True, True, False]


@pytest.mark.parametrize(("value", "error", "at_least"), [(0.9, 0.04, 2.0), (0.98, 0.05, 20.0)])
def test_a_doubt_about_a_load_asks_for_as_much_as_its_scatter_needs(
    value: float, error: float, at_least: float
) -> None:
    doubt = _load_doubt("decode", LoadEstimate(value, error, 1000))
    assert doubt is not None
    assert doubt.times is not None
    # the distance to 1 in errors grows with the root of the length; 3.1 of them are asked for
    needed = (3.1 * error / -math.log(value)) ** 2
    assert doubt.times == pytest.approx(max(2.0, needed), rel=0.01)
    assert doubt.times >= at_least
