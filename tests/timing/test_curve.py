import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import ScenarioError
from tests.timing.helpers import service

VALUES = {(5, 0.003): 3.0, (9, 0.003): 12.0, (5, 0.006): 6.0, (9, 0.006): 18.0, (13, 0.006): 90.0}


def curve(per: str = "window", rounds: bool = False) -> dict[str, Any]:
    points = [
        {"distance": d, "p": p, "value": f"{us} us"} | ({"rounds": d} if rounds else {})
        for (d, p), us in VALUES.items()
    ]
    return {"kind": "curve", "per": per, "points": points, "source": "a chart"}


@pytest.mark.parametrize(("distance", "p"), VALUES)
def test_listed_points_are_met_exactly(distance: int, p: float) -> None:
    listed_ps = round(VALUES[distance, p] * 1e6)
    assert service(curve(), distance=distance, p=p).constant_ps == listed_ps
    read = service(curve("round"), distance=distance, p=p, window_rounds={7}).reader()
    assert read(0, rounds=7) == 7 * listed_ps


@given(
    distance=st.integers(5, 21),
    p=st.floats(0.001, 0.008),
    exponent=st.floats(-1, 4),
    slope=st.floats(-2, 2),
)
def test_a_power_law_is_found_again(distance: int, p: float, exponent: float, slope: float) -> None:
    def law(d: int, rate: float) -> float:
        return 1e9 * math.pow(d / 5, exponent) * math.pow(rate / 0.001, slope)

    points = [
        {"distance": d, "p": rate, "value": f"{round(law(d, rate))} ps"}
        for d in (5, 9, 21)
        for rate in (0.001, 0.008)
    ]
    made = service({"kind": "curve", "per": "window", "points": points}, distance=distance, p=p)
    assert made.constant_ps == pytest.approx(law(distance, p), rel=1e-6)


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"distance": 3, "p": 0.003}, "the curve of a chart has no value for distance 3 at p"),
        ({"distance": 11, "p": 0.003}, "distances 5 to 9 at p = 0.003 and distances 5 to 13"),
        ({"distance": 13, "p": 0.005}, "no value for distance 13 at p = 0.005"),
        ({"distance": 5, "p": 0.007}, "stay within that range"),
        ({"distance": 5}, "needs the physical error rate"),
        ({"p": 0.003}, "needs the code distance"),
    ],
)
def test_nothing_is_extrapolated(context: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        service(curve(), **context)


def test_a_value_per_round_needs_the_rounds() -> None:
    with pytest.raises(ScenarioError, match="needs the number of rounds per window"):
        service(curve("round"), distance=5, p=0.003)


@given(rounds=st.lists(st.integers(1, 1000), min_size=1), point=st.sampled_from(list(VALUES)))
def test_each_window_is_charged_for_the_rounds_it_reads(
    rounds: list[int], point: tuple[int, float]
) -> None:
    distance, p = point
    made = service(curve("round"), distance=distance, p=p, window_rounds=set(rounds))
    read = made.reader()
    times = [read(index, rounds=each) for index, each in enumerate(rounds)]
    assert times == [each * round(VALUES[point] * 1e6) for each in rounds]
    assert made.constant_ps is None
    with pytest.raises(ValueError, match=r"rounds\(=0\) must be >= 1"):
        read(0)


def test_figures_hold_for_the_rounds_they_were_taken_with() -> None:
    for lengths in ({7}, {7, 3}):  # the last windows of a shot may be shorter
        made = service(curve(rounds=True), distance=7, p=0.006, window_rounds=lengths)
        assert made.constant_ps is not None
    with pytest.raises(ScenarioError, match="for windows of 7 rounds, but the windows have 104"):
        service(curve(rounds=True), distance=7, p=0.006, window_rounds={104, 7})


def test_a_curve_without_error_rates_needs_none() -> None:
    points = [{"distance": 3, "value": "1 us"}, {"distance": 12, "value": "4 us"}]
    table = {"kind": "curve", "per": "window", "points": points}
    assert service(table, distance=6).constant_ps == 2_000_000
    with pytest.raises(ScenarioError, match="no value for distance 13: it lists distances 3 to 12"):
        service(table, distance=13)
