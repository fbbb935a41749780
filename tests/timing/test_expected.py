"""The mean that a delay model states is the mean of what it draws."""

from typing import Any

import numpy as np
import pytest

from emulator.timing import Recorded, Service
from emulator.timing.combined import Mixed
from emulator.timing.distribution import Resampled
from emulator.timing.service import Replayed
from tests.timing.helpers import constant, lognormal, service

COUNT = 40_000
MIXTURE = {
    "kind": "mixture",
    "components": [
        {"weight": 3, "delay": lognormal("60 us", 0.3, "5 us")},
        {"weight": 1, "delay": {"kind": "normal", "mean": "3 us", "sd": "4 us"}},
    ],
}
DRAWN: list[dict[str, Any]] = [
    {"kind": "normal", "mean": "3 us", "sd": "1 us"},
    {"kind": "normal", "mean": "3 us", "sd": "4 us", "floor": "2 us"},
    {"kind": "normal", "mean": "1 us", "sd": "4 us", "floor": "9 us"},
    lognormal("60 us", 0.3, "5 us"),
    lognormal("60 us", 1.2),
    {"kind": "quantiles", "points": {"0.1": "50 us", "0.5": "50 us", "0.9": "400 us"}},
    MIXTURE,
]


@pytest.mark.parametrize("table", DRAWN, ids=lambda table: str(table["kind"]))
def test_it_is_the_mean_of_many_draws(table: dict[str, Any]) -> None:
    made = service(table)
    read = made.reader()
    times = np.array([read(index) for index in range(COUNT)], dtype=np.float64)
    error = times.std() / np.sqrt(COUNT)
    assert made.expected_ps() == pytest.approx(times.mean(), abs=4 * error)
    assert error < 0.02 * times.mean()


def service_mean(made: Service) -> float | None:
    return made.expected_ps()


def test_rare_long_times_count_in_full() -> None:
    assert service(lognormal("20 ns", 4.0)).expected_ps() == pytest.approx(
        20e3 * np.exp(8), rel=1e-4
    )
    rare = {"weight": 1e-5, "delay": constant("3 s")}
    usual = {"weight": 1 - 1e-5, "delay": constant("1 us")}
    made = service({"kind": "mixture", "components": [rare, usual]})
    assert made.expected_ps() == pytest.approx(3e12 * 1e-5 + 1e6 * (1 - 1e-5))


def test_load_batches_rounds_and_warm_up() -> None:
    ends = {"idle": constant("10 us"), "loaded": constant("40 us"), "servers": 4}
    load = service({"kind": "load", **ends})
    assert [load.expected_ps(busy) for busy in (1, 2, 4, 9)] == [10e6, 20e6, 40e6, 40e6]
    batch = service({"kind": "batch", "points": {"1": "20 us", "8": "34 us"}})
    assert [batch.expected_ps(1, fill) for fill in (1, 2, 8)] == [20e6, 22e6, 34e6]
    warm = service({"kind": "warmup", "first": constant("1 s"), "then": {"kind": "load", **ends}})
    assert warm.expected_ps(2) == 20e6
    curve = {"kind": "curve", "per": "round", "points": [{"distance": 5, "value": "1 us"}]}
    assert service(curve, distance=5, window_rounds={7}).expected_ps(1, 1, 7) == 7e6
    assert service(constant("3 us")).expected_ps() == 3e6


def test_recordings() -> None:
    times = np.array([1, 2, 9], dtype=np.int64)
    assert Replayed(times).expected_ps() == Resampled(times).expected_ps == 4
    measured = Recorded(times)
    assert service_mean(measured) is None
    mixed = service(MIXTURE)
    assert isinstance(mixed, Mixed)
    unknown = Mixed(mixed.bounds, (mixed.parts[0], measured), mixed.stream)
    assert unknown.expected_ps() is None
