import numpy as np
import pytest

from emulator.errors import ScenarioError
from emulator.timing import Recorded, TimingContext, build
from tests.timing.helpers import READ, constant, draws, lognormal, service

TAIL = {
    "kind": "mixture",
    "components": [
        {"weight": 0.9, "delay": lognormal("60 us", 0.3)},
        {"weight": 0.1, "delay": lognormal("300 us", 0.6)},
    ],
}


def test_a_constant_says_so() -> None:
    made = service(constant("12 ns"))
    assert made.constant_ps == 12_000
    assert made(0, 1) == made(10**9, 7) == 12_000
    assert service(TAIL).constant_ps is None


@pytest.mark.parametrize("table", [lognormal("60 us", 0.3), TAIL], ids=["lognormal", "mixture"])
def test_the_same_seed_gives_the_same_times(table: dict[str, object]) -> None:
    first, same, other = (draws(service(table, seed), 10_000) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert len(np.unique(first)) > 9_900  # blocks do not repeat


def test_times_do_not_depend_on_the_order_of_asking() -> None:
    forward, backward = service(TAIL), service(TAIL)
    times = [forward(index, 1) for index in range(9_000)]
    assert [backward(index, 5) for index in reversed(range(9_000))] == times[::-1]


def test_stages_of_one_generator_are_independent() -> None:
    rng = np.random.default_rng(3)
    delay = READ.validate_python(lognormal("60 us", 0.3))
    up, down = (build(delay, context=TimingContext(), rng=rng) for _ in range(2))
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
    assert [made(0, busy) for busy in (1, 2, 16, 40)] == [
        75_600_000,
        85_600_000,
        225_600_000,
        225_600_000,
    ]


def test_an_unlucky_job_is_unlucky_at_every_load() -> None:
    table = {
        "kind": "load",
        "idle": lognormal("60 us", 0.3),
        "loaded": lognormal("180 us", 0.3),
        "servers": 2,
    }
    made = service(table)
    idle, loaded = draws(made, 2_000, busy=1), draws(made, 2_000, busy=2)
    assert np.allclose(loaded, 3 * idle, atol=3)
    assert idle.std() > 0


def test_only_the_first_messages_are_cold() -> None:
    table = {
        "kind": "warmup",
        "messages": 2,
        "first": constant("4.64 us"),
        "then": constant("2.305 us"),
    }
    made = service(table)
    assert [made(index, 1) for index in range(4)] == [4_640_000, 4_640_000, 2_305_000, 2_305_000]
    assert made.constant_ps is None
    assert not made.uses_busy


def test_recorded_times_belong_to_their_jobs() -> None:
    made = Recorded(np.array([5, 7, 11], dtype=np.int64), source="this machine")
    assert [made(index, 1) for index in (2, 0, 1)] == [11, 5, 7]
    assert (made.source, made.confidence) == ("this machine", "measured")
    with pytest.raises(ScenarioError, match="job 3 was not measured: 3 times are recorded"):
        made(3, 1)


def test_source_and_confidence_are_those_of_the_delay() -> None:
    stated = service({**constant("1 us"), "source": "arXiv 1", "confidence": "published"})
    assert (stated.source, stated.confidence) == ("arXiv 1", "published")
    assert service(constant("1 us")).confidence == "assumed"
