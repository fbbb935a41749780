import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emulator.loop.records import Pool, Record
from emulator.numbering import Emission
from emulator.results.growth import Growth, lag_growth
from emulator.results.idle import distance_to_compensate, idle_cost
from emulator.results.loads import LoadEstimate, stage_loads, utilisation
from emulator.results.result import StageLoad, Throughput
from emulator.results.stability import (
    _backlog_rises,
    _bottleneck,
    _few_jobs_doubt,
    _growth_doubt,
    _length_doubt,
    _load_doubt,
    _shown,
    _starts_at_once,
    _too_much,
    stability,
)
from emulator.results.student import student_quantile
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
    for at_most_one in (0.9, 1.0):
        with pytest.raises(ValueError, match="suppression"):
            distance_to_compensate(5, 1, at_most_one)


def test_idle_rounds_are_reaction_times_rounded_up() -> None:
    reaction = np.array([1, ROUND_PS, ROUND_PS + 1, 3 * ROUND_PS], dtype=np.int64)
    cost = idle_cost(reaction, ROUND_PS, distance=5, suppression=2.0)
    assert cost is not None
    assert (cost.operations, cost.mean_rounds, cost.max_rounds) == (None, 7 / 4, 3)
    assert cost.distance_to_compensate == pytest.approx(2 * np.log2(1.35))
    # where distance does not help, or is not known, nothing makes up for it
    for known in ({"distance": 5, "suppression": 1.0}, {"distance": 5}, {"suppression": 2.0}):
        plain = idle_cost(reaction, ROUND_PS, **known)
        assert plain is not None
        assert plain.distance_to_compensate is None


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


def _sure(value: float, half: float, confidence: float) -> LoadEstimate:
    """A load whose bound at ``confidence`` is a factor exp(``half``) away."""
    return LoadEstimate(value, half / student_quantile(99, confidence), freedom=99)


def test_too_much_is_more_than_one_with_ninety_per_cent_and_almost_surely_not_less() -> None:
    assert _too_much("decode", LoadEstimate(1.001, 0.0))
    assert not _too_much("decode", LoadEstimate(1.0, 0.0))
    assert not _too_much("decode", LoadEstimate(5.0, None))
    for error, too_much in ((0.0118, True), (0.012, False)):
        # just above 1 with 90 %, and so sure of more than 0.97, or not
        value = 1.0001 * math.exp(error * student_quantile(99, 0.9))
        assert (value > 0.97 * math.exp(error * student_quantile(99, 0.9999))) is too_much
        assert _too_much("decode", LoadEstimate(value, error, 99)) is too_much
    assert not _too_much("decode", _sure(1.001, 0.002, 0.9))
    # the slots of a ring are held for what the stages behind it take, unless nearly all waits
    assert not _too_much("ring", LoadEstimate(2.0, 0.0))
    assert _too_much("ring", LoadEstimate(2.0, None, swamped=True))


def test_stages_of_which_too_few_jobs_were_seen_are_named() -> None:
    known, unknown = LoadEstimate(0.5, 0.0), LoadEstimate(0.5, None)
    assert _few_jobs_doubt({"a": known, "b": LoadEstimate(0.5, None, idle=True)}) is None
    one = _few_jobs_doubt({"a": known, "b": unknown})
    two = _few_jobs_doubt({"a": unknown, "b": unknown})
    assert one is not None
    assert two is not None
    assert one.text == "too few jobs of stage b were seen to tell the load"
    assert two.text == "too few jobs of stages a, b were seen to tell the load"
    assert (one.times, two.times) == (10, 10)


def test_what_a_load_near_one_leaves_open() -> None:
    assert _load_doubt("decode", LoadEstimate(0.999, 0.0)) is None  # exactly known
    assert _load_doubt("decode", LoadEstimate(0.5, None)) is None  # said elsewhere
    at = _load_doubt("decode", LoadEstimate(1.0, 0.0))
    assert at is not None
    assert (at.times, at.fix) == (None, "a load of stage decode away from 1")
    assert at.text == "stage decode works at its capacity, load 1.000"
    for distance, is_at in ((0.0049, True), (0.0051, False)):
        for value in (math.exp(-distance), math.exp(distance)):
            doubt = _load_doubt("decode", LoadEstimate(value, 0.02, 99))
            assert doubt is not None
            assert (doubt.times is None) is is_at
    # above 1, the bound of 90 % has to come down to it
    over = _load_doubt("decode", _sure(1.02, 0.1, 0.9))
    assert over is not None
    assert over.text == "the load of stage decode may be above 1 or below"
    assert over.times == pytest.approx((0.1 / math.log(1.02)) ** 2)
    just = _load_doubt("decode", _sure(1.02, 0.021, 0.9))
    assert just is not None
    assert just.times == 2
    # a load above 1 without an error, which only slack excuses
    slack = _load_doubt("decode", LoadEstimate(1.02, 0.0, slack=0.9))
    assert slack is not None
    assert slack.times == 10


def _growth(rate: float, half: float) -> Growth:
    """A growth whose interval of 95 % reaches ``half`` to either side."""
    return Growth(rate, half / student_quantile(19, 0.975), 19)


def _of_shots(shots: list[int]) -> dict[str, np.ndarray]:
    return {"shot": np.array(shots, dtype=np.int64), "emitted_ps": np.arange(len(shots)) // 2}


def test_what_a_growth_leaves_open() -> None:
    windows = _of_shots([0] * 8)
    assert _growth_doubt(windows, _growth(0.0, 0.009), 0.95) is None
    for rate, half, times in (
        (0.0, 0.03, 3.0),
        (0.02, 0.04, 4.0),
        (0.0, 0.011, 2.0),
        (0.01, 0.5, 4.0),
        (0.01 - 1e-9, 0.5, 1e4),
    ):
        doubt = _growth_doubt(windows, _growth(rate, half), 0.95)
        assert doubt is not None
        assert doubt.text == ("the backlog may grow by more than 1% of the rounds emitted, or not")
        assert doubt.times == pytest.approx(times)
    edge = _growth_doubt(windows, Growth(0.01, 0.0, 19), 0.95)
    assert edge is not None


@pytest.mark.parametrize(
    ("shots", "times"),
    [
        ([0] * 8, 5.0),  # four instants of one shot
        ([0, 1, 1, 2, 3], 5.0),  # four shots
        ([0, 1], 10.0),
        (list(range(15)), 2.0),
        ([], 20.0),
    ],
)
def test_too_few_points_ask_for_ten_of_them_twice(shots: list[int], times: float) -> None:
    doubt = _growth_doubt(_of_shots(shots), None, 0.95)
    assert doubt is not None
    assert doubt.text == "too few windows were seen to tell whether the backlog grows"
    assert doubt.times == times


@pytest.mark.parametrize(
    ("count", "waiting", "at_once"),
    [(12, 3, True), (12, 4, False), (11, 3, True), (11, 4, False), (10, 0, True), (9, 0, False)],
)
def test_half_of_the_later_windows_must_wait_for_nothing(
    count: int, waiting: int, at_once: bool
) -> None:
    record = run_of(np.full(count, ROUND_PS, dtype=np.int64))
    stages = ("slotted_ps", "predecode_start_ps", "decode_start_ps")
    for stage in stages:
        windows = {name: column.copy() for name, column in record.windows.items()}
        # the last windows wait at a stage, and all of the first half, which does not count
        late = np.r_[np.arange(count // 2), np.arange(count - waiting, count)]
        names = list(windows)
        for name in names[names.index(stage) :]:
            windows[name][late] += 7
        order = np.random.default_rng(count).permutation(count)
        shuffled = {name: column[order] for name, column in windows.items()}
        assert _starts_at_once(shuffled) is at_once


def _at(record: Record, **changes: Any) -> str | None:
    doubt = _length_doubt(replace(record, **changes), record.windows)
    return None if doubt is None else doubt.text


def test_a_run_of_three_reaction_times_is_long_enough() -> None:
    record = run_of(np.full(20, ROUND_PS, dtype=np.int64))  # reaction times of one round
    assert _at(record, horizon_ps=3 * ROUND_PS) is None
    assert "still fills" in (_at(record, horizon_ps=3 * ROUND_PS - 1) or "")
    doubt = _length_doubt(replace(record, horizon_ps=ROUND_PS), record.windows)
    assert doubt is not None
    assert doubt.times == 3
    none = {name: column[:0] for name, column in record.windows.items()}
    assert _length_doubt(replace(record, horizon_ps=1), none) is None


def test_rounds_are_out_for_too_long_beyond_twice_the_longest_reaction() -> None:
    # 20 windows of 5 rounds in 100 us; a round in flight is one us of the backlog's age
    record = run_of(np.full(20, ROUND_PS, dtype=np.int64))
    fits = 2 + 5  # twice the reaction time, and a shot of five rounds
    for out, said in ((fits, False), (fits + 1, True)):
        text = _at(record, in_flight=out, drained=False)
        assert (text is not None) is said
        assert _at(record, in_flight=out, drained=True) is None
    assert "out at the end for longer" in (_at(record, in_flight=8, drained=False) or "")
    # of longer shots a tenth of the run counts
    long = replace(record.emission, shot_period_ps=50 * ROUND_PS)
    for out, said in ((12, False), (13, True)):
        found = _at(record, in_flight=out, drained=False, emission=long)
        assert (found is not None) is said
    doubt = _length_doubt(replace(record, in_flight=50, drained=False), record.windows)
    assert doubt is not None
    assert (doubt.times, doubt.fix) == (2, "a run that is drained (run.drain = true)")


def _with_backlog(second: int, last: int, patches: int = 1) -> Record:
    """A run of 800 rounds with these backlogs in its second and last quarter."""
    record = run_of(np.full(20, ROUND_PS, dtype=np.int64))
    times = np.arange(1, 801, dtype=np.int64)
    backlog = np.repeat([0, second, 100, last], 200)
    # a round is emitted at the end of its period, and one is done then
    done = np.stack([times * ROUND_PS, patches * times - np.append(backlog[1:], last)], axis=1)
    emission = Emission(ROUND_PS, rounds=1, shots=800, patches=patches)
    emitted, horizon_ps = 800 * patches, 800 * ROUND_PS
    return replace(
        record, emission=emission, horizon_ps=horizon_ps, done=done, decoded=60, emitted=emitted
    )


@pytest.mark.parametrize(
    ("patches", "last", "rises"), [(1, 13, False), (1, 14, True), (2, 16, False), (2, 17, True)]
)
def test_a_backlog_rises_by_a_quarter_and_the_rounds_of_a_window_a_patch(
    patches: int, last: int, rises: bool
) -> None:
    record = _with_backlog(8, last, patches)  # 1.25 * 8, and windows of three rounds
    assert _backlog_rises(record) is rises


def test_the_rounds_of_no_window_are_all() -> None:
    for last, rises in ((70, False), (71, True)):
        record = _with_backlog(8, last)
        none = {name: column[:0] for name, column in record.windows.items()}
        assert _backlog_rises(replace(record, windows=none)) is rises


def test_a_rising_backlog_is_doubted_in_a_run_that_was_cut_short() -> None:
    record = replace(_with_backlog(8, 30), drained=False)
    assert _at(record, in_flight=1) == "the backlog still rises when the run is cut short"
    assert _at(record, in_flight=0) is None
    assert _at(replace(_with_backlog(8, 8), drained=False), in_flight=1) is None


def test_the_bottleneck_has_the_highest_load_and_is_the_ring_only_far_above_all() -> None:
    def of(shares: dict[str, float] | None = None, **loads: float) -> str | None:
        found = {name: LoadEstimate(value, 0.0) for name, value in loads.items()}
        return _bottleneck(found, shares or dict.fromkeys(loads, 0.0))

    assert of() is None
    assert of(uplink=0.3, decode=0.2) == "uplink"
    assert of({"uplink": 0.1, "decode": 0.2}, uplink=0.3, decode=0.3) == "decode"
    assert of(ring=0.2) == "ring"
    assert of(ring=0.95, decode=0.8) == "ring"
    assert of(ring=0.95, decode=0.9) == "decode"
    assert of(ring=0.9, decode=0.5) == "decode"


def test_a_load_is_shown_with_the_interval_of_the_confidence() -> None:
    shown = _shown(_sure(0.5, math.log(2), 0.95), 0.9)
    assert shown.value == 0.5
    assert shown.ci == pytest.approx((0.25, 1.0))
    assert _shown(LoadEstimate(0.5, None), 0.9) == StageLoad(value=0.5, ci=None)
    assert _shown(LoadEstimate(0.5, None, idle=True), 0.9) == StageLoad(value=None, ci=None)


def test_rounds_lost_at_the_ring_are_a_miss_from_one_per_cent_on() -> None:
    record = run_of(np.full(40, ROUND_PS, dtype=np.int64))  # of 200 rounds
    for lost, stable in ((1, True), (2, False)):
        found = _judge(replace(record, lost_by_cause={"link_loss": 9, "ring_overrun": lost}))
        assert (found.stable, found.lost_share) == (stable, lost / 200)
        assert (found.ci is None) is (lost == 2)  # and then no growth is believed


def test_a_run_cut_short_with_a_tenth_of_its_rounds_out_has_no_growth() -> None:
    record = run_of(np.full(40, ROUND_PS, dtype=np.int64))
    for out, drained, told in ((20, False, True), (21, False, False), (21, True, True)):
        found = _judge(replace(record, in_flight=out, drained=drained))
        assert (found.ci is not None) is told


def test_the_slope_is_that_of_the_growth_in_rounds_per_second() -> None:
    # every window comes 1 us later than the one before, which is 5 us older
    found = _judge(run_of(np.full(400, 6 * ROUND_PS, dtype=np.int64)))
    assert found.backlog_slope_rounds_per_s == pytest.approx(1e6 * 0.2 / 1.2)
    assert found.ci == pytest.approx((1e6 * 0.2 / 1.2,) * 2)
    record = _run(1.05, 3000, 3, noise=0.5)
    growth = lag_growth(record.windows, record.emission)
    assert growth is not None
    ends = [growth.backlog_slope(growth.bound(tail), 1e6) for tail in (0.025, 0.975)]
    assert _judge(record).ci == pytest.approx(ends)
