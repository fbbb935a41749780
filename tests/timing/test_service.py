import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import ScenarioError
from emulator.timing import Durations, Fixed, Losses, Recorded, Stream, TimingContext, build
from emulator.timing.combined import Batched, Loaded
from emulator.timing.service import Replayed, Service
from tests.timing.helpers import READ, constant, draws, lognormal, service

BODY = lognormal("60 us", 0.3)
TAIL = {
    "kind": "mixture",
    "components": [
        {"weight": 0.9, "delay": BODY},
        {"weight": 0.1, "delay": lognormal("300 us", 0.6)},
    ],
}
QUANTILES = {"kind": "quantiles", "points": {"0.1": "50 us", "0.9": "400 us"}}
CURVE = {"kind": "curve", "per": "round", "points": [{"distance": 5, "value": "1 us"}]}
BATCH = {"kind": "batch", "points": {"2": "20 us", "8": "40 us", "9": "40.000001 us"}}
LOAD = {"kind": "load", "idle": BODY, "loaded": TAIL, "servers": 4}
WARMUP = {"kind": "warmup", "messages": 3, "first": LOAD, "then": BATCH}

TABLES: list[dict[str, Any]] = [
    constant("12 ns"),
    {"kind": "normal", "mean": "3 us", "sd": "1 us", "floor": "1 us"},
    BODY,
    TAIL,
    QUANTILES,
    CURVE,
    BATCH,
    LOAD,
    WARMUP,
]

SERVICES: list[Service] = [
    *(service(table, distance=5, window_rounds={7}) for table in TABLES),
    Recorded(np.arange(40_000, dtype=np.int64), "here", cost_ppm=(400_000,) * 8 + (1_000_000,)),
    Replayed(np.arange(100, dtype=np.int64)),
]

every_service = pytest.mark.parametrize("made", SERVICES, ids=lambda s: type(s).__name__)

JOBS = st.lists(
    st.tuples(st.integers(0, 30_000), st.integers(1, 6), st.integers(1, 9)),
    min_size=1,
    max_size=30,
)


@every_service
@given(jobs=JOBS)
def test_a_duration_does_not_depend_on_what_was_asked_before(
    made: Service, jobs: list[tuple[int, int, int]]
) -> None:
    one_by_one = [made.reader()(index, busy, fill, 7) for index, busy, fill in jobs]
    read = made.reader()
    assert [read(index, busy, fill, 7) for index, busy, fill in jobs] == one_by_one
    backwards = [read(index, busy, fill, 7) for index, busy, fill in reversed(jobs)]
    assert backwards == one_by_one[::-1]
    assert all(0 <= time_ps <= made.longest_ps(7) for time_ps in one_by_one)
    assert all(type(time_ps) is int for time_ps in one_by_one)


@every_service
def test_a_service_is_a_value(made: Service) -> None:
    copy = pickle.loads(pickle.dumps(made))
    assert copy == made
    assert hash(copy) == hash(made)
    read, again = made.reader(), copy.reader()
    assert [read(i, 2, 3, 7) for i in range(5_000)] == [again(i, 2, 3, 7) for i in range(5_000)]
    assert all(made != other for other in SERVICES if other is not made)
    with pytest.raises(AttributeError):
        made.source = "elsewhere"


def test_services_with_other_numbers_differ() -> None:
    assert service(BODY, 1) != service(BODY, 2)
    assert Recorded(np.array([1, 2])) != Recorded(np.array([1, 3]))
    assert Recorded(np.array([1, 2])) != Replayed(np.array([1, 2]))
    assert Recorded(np.array([1, 2])) != (1, 2)


def test_durations_are_a_value() -> None:
    readout, up, dispatch, decode, down, predecode = SERVICES[:6]
    losses = Losses(0.1, Stream(1, 4))
    durations = Durations(readout, up, dispatch, decode, down, predecode, losses)
    copy = pickle.loads(pickle.dumps(durations))
    assert copy == durations
    assert hash(copy) == hash(durations)


def test_a_constant_says_so() -> None:
    made = service(constant("12 ns"))
    assert made.constant_ps == 12_000
    read = made.reader()
    assert read(0) == read(10**9, 7, 3, 5) == 12_000
    assert service(TAIL).constant_ps is None


@pytest.mark.parametrize("table", [BODY, TAIL], ids=["lognormal", "mixture"])
def test_the_same_seed_gives_the_same_times(table: dict[str, object]) -> None:
    first, same, other = (draws(service(table, seed), 10_000) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert len(np.unique(first)) > 9_900  # blocks do not repeat


def test_stages_with_streams_of_their_own_are_independent() -> None:
    delay = READ.validate_python(BODY)
    up, down = (build(delay, context=TimingContext(), stream=Stream(3, k)) for k in (2, 3))
    correlation = np.corrcoef(draws(up, 10_000), draws(down, 10_000))[0, 1]
    assert abs(correlation) < 0.05


def test_load_is_linear_from_idle_to_loaded_and_then_flat() -> None:
    table = {
        "kind": "load",
        "idle": constant("75.6 us"),
        "loaded": constant("225.6 us"),
        "servers": 16,
    }
    made = service(table)
    assert made.uses_busy
    assert made.constant_ps is None
    read = made.reader()
    assert [read(0, busy) for busy in (1, 2, 16, 40)] == [
        75_600_000,
        85_600_000,
        225_600_000,
        225_600_000,
    ]
    # a third of 10 ps is rounded down, of -10 ps as well
    for loaded, expected in ((110, [100, 103, 106, 110]), (90, [100, 96, 93, 90])):
        read = Loaded(Fixed(100), Fixed(loaded), 4).reader()
        assert [read(0, busy) for busy in (1, 2, 3, 4)] == expected


@pytest.mark.parametrize("idle", [BODY, TAIL, QUANTILES], ids=lambda table: str(table["kind"]))
@pytest.mark.parametrize("loaded", [BODY, TAIL, QUANTILES], ids=lambda table: str(table["kind"]))
def test_an_unlucky_job_is_unlucky_at_every_load(
    idle: dict[str, Any], loaded: dict[str, Any]
) -> None:
    """The order of the jobs by time is the same at both ends, even of different kinds.

    The components of TAIL overlap, so its order is that of luck within each of them only.
    """
    made = service({"kind": "load", "idle": idle, "loaded": loaded, "servers": 2})
    alone, busy = draws(made, 2_000, busy=1), draws(made, 2_000, busy=2)
    luck = Stream(1, 3).block(0)[:2_000]
    order = np.argsort(luck)
    for times, table in ((alone, idle), (busy, loaded)):
        assert times.std() > 0
        for part in (luck < 0.9, luck >= 0.9):
            if table is TAIL:
                assert (np.diff(times[order][part[order]]) >= 0).all()
        if table is not TAIL:
            assert (np.diff(times[order]) >= 0).all()


def test_only_the_first_messages_are_cold() -> None:
    table = {
        "kind": "warmup",
        "messages": 2,
        "first": constant("4.64 us"),
        "then": constant("2.305 us"),
    }
    made = service(table)
    read = made.reader()
    assert [read(index) for index in range(4)] == [4_640_000, 4_640_000, 2_305_000, 2_305_000]
    assert made.constant_ps is None
    assert not made.uses_busy
    assert service(WARMUP, distance=5).uses_busy


def test_a_batch_takes_its_time_by_fill() -> None:
    made = service(BATCH, batch=9)
    read = made.reader()
    times = [read(0, 1, fill) for fill in range(1, 10)]
    # a sixth of 20 us more for each job from 2 to 8
    assert times == [
        20_000_000,
        20_000_000,
        23_333_333,
        26_666_666,
        30_000_000,
        33_333_333,
        36_666_666,
        40_000_000,
        40_000_001,
    ]
    with pytest.raises(ValueError, match=r"fill\(=10\) must be <= 9"):
        read(0, 1, 10)


@given(
    points=st.dictionaries(st.integers(1, 60), st.integers(1, 10**15), min_size=1),
    fill=st.integers(1, 60),
)
def test_the_time_of_a_batch_is_exact_between_its_neighbours(
    points: dict[int, int], fill: int
) -> None:
    fills = tuple(sorted(points))
    fill = min(fill, fills[-1])
    made = Batched(fills, tuple(points[f] for f in fills))
    found = made.reader()(0, 1, fill)
    below = max((f for f in fills if f <= fill), default=fills[0])
    above = min(f for f in fills if f >= fill)
    if fill in points:
        assert found == points[fill]
    elif fill < fills[0]:
        assert found == points[fills[0]]
    else:
        rise = (points[above] - points[below]) * (fill - below)
        assert 0 <= rise - (found - points[below]) * (above - below) < above - below


def test_a_batch_larger_than_listed_is_refused() -> None:
    with pytest.raises(
        ScenarioError, match="lists fills up to 9, but batches have up to 16 jobs; list 16"
    ):
        service(BATCH, batch=16)


@pytest.mark.parametrize("table", [BODY, constant("1 us"), LOAD], ids=lambda t: str(t["kind"]))
def test_any_other_delay_is_the_time_of_a_call(table: dict[str, Any]) -> None:
    read = service(table, batch=16).reader()
    assert len({read(4, 2, fill) for fill in (1, 2, 16)}) == 1


def test_recorded_times_belong_to_their_jobs() -> None:
    made = Recorded(np.array([5, 7, 11], dtype=np.int64), source="this machine")
    read = made.reader()
    assert [read(index) for index in (2, 0, 1)] == [11, 5, 7]
    assert read(2, 1, 8) == 11
    assert (made.source, made.confidence) == ("this machine", "measured")
    with pytest.raises(ScenarioError, match="job 3 was not measured: 3 times are recorded"):
        read(3)


def test_a_partial_batch_costs_its_part_of_the_recorded_time() -> None:
    made = Recorded(np.array([1001, 2000]), cost_ppm=(250_000, 600_000, 1_000_000))
    read = made.reader()
    assert [read(0, 1, fill) for fill in (1, 2, 3)] == [250, 600, 1001]
    assert read(1, 1, 2) == 1200
    assert made.longest_ps() == 2000
    for fill in (0, 4):
        with pytest.raises(ValueError, match="must be from 1 to 3"):
            read(0, 1, fill)


def test_source_and_confidence_are_those_of_the_delay() -> None:
    stated = service({**constant("1 us"), "source": "arXiv 1", "confidence": "published"})
    assert (stated.source, stated.confidence) == ("arXiv 1", "published")
    assert service(constant("1 us")).confidence == "assumed"


@pytest.mark.parametrize(
    ("table", "lengths"),
    [
        (lognormal("1 s", 4.0), {1}),
        (lognormal("1 us", 0.1, "9223372036.854 ms"), {1}),
        ({"kind": "normal", "mean": "9000000 s", "sd": "100000 s"}, {1}),
        ({"kind": "mixture", "components": [{"weight": 1, "delay": lognormal("1 s", 4.0)}]}, {1}),
        ({**LOAD, "loaded": lognormal("1 s", 4.0)}, {1}),
        ({**WARMUP, "first": lognormal("1 s", 4.0)}, {1}),
        (CURVE, {1, 10**13}),
    ],
)
def test_a_time_that_no_table_can_hold_is_refused(table: dict[str, Any], lengths: set[int]) -> None:
    with pytest.raises(ScenarioError, match=r"can take as long as [\d.]+ s, and no time may exce"):
        service(table, distance=5, window_rounds=lengths)


def test_the_longest_times_are_exact() -> None:
    longest = constant("9223372036854775807 ps")
    assert service(longest).reader()(0) == 2**63 - 1
    table = {"kind": "quantiles", "points": {"0.5": "1 ps", "0.9": "9223372036854775807 ps"}}
    times = draws(service(table), 1000)
    assert times.min() == 1
    assert times.max() == 2**63 - 1
    near = lognormal("1 ps", 0.01, "9223372036854775800 ps")
    assert draws(service(near), 1000).min() == 2**63 - 7
