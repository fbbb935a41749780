from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stim
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import SyndromeError
from emulator.syndromes.rounds import RoundRule, detector_rounds, find_rounds

FOUND = Path(__file__).parents[1] / "data" / "found"


@pytest.fixture(scope="module")
def bare() -> stim.Circuit:
    return stim.Circuit.from_file(FOUND / "no_coordinates.stim")


def test_no_detectors() -> None:
    with pytest.raises(SyndromeError, match="declares no detectors"):
        find_rounds(stim.Circuit("M 0"), "mine.stim")


@pytest.mark.parametrize("rounds", [0, 4])
def test_rounds_that_do_not_exist(rounds: int) -> None:
    with pytest.raises(SyndromeError, match=rf"rounds\(={rounds}\) must be from 1 to 3"):
        detector_rounds(np.array([0.0, 2.0, 1.0]), "here", rounds)


@given(st.lists(st.integers(-50, 50), min_size=1), st.data())
def test_rounds_keep_the_order_of_times(times: list[int], data: st.DataObject) -> None:
    first, last = min(times), max(times)
    times += range(first, last + 1)
    rounds = data.draw(st.integers(1, last - first + 1))
    found, count = detector_rounds(np.array(times, dtype=float) / 4, "here", rounds)
    assert count == rounds
    assert found.tolist() == [min(time - first, rounds - 1) for time in times]


def test_gaps_between_times_are_decided_by_the_number_of_rounds() -> None:
    times = np.array([-1.0, 0.0, 1.0, 4.0])
    with pytest.raises(SyndromeError, match=r"rounds = 4 if each time is a round, 6 if rounds"):
        detector_rounds(times, "here")
    assert detector_rounds(times, "here", 4)[0].tolist() == [0, 1, 2, 3]
    assert detector_rounds(times, "here", 6)[0].tolist() == [0, 1, 2, 5]
    with pytest.raises(SyndromeError, match="not equally far apart"):
        detector_rounds(times, "here", 3)


def test_times_between_steps_are_rounds_only_if_that_is_said() -> None:
    assert detector_rounds(np.array([0.0, 1.0, 2.0, 2.25]), "here")[0].tolist() == [0, 1, 2, 3]
    times = np.array([0.0, 0.5, 1.5, 2.25])
    with pytest.raises(SyndromeError, match=r"write code\.rounds = 4 if each time is a round, or"):
        detector_rounds(times, "here")
    assert detector_rounds(times, "here", 4)[1] == 4


def test_sums_of_small_shifts_are_one_time() -> None:
    text = (
        "R 0\n" + "M 0\nDETECTOR(3, 0) rec[-1]\nDETECTOR(5, 0) rec[-1]\nSHIFT_COORDS(0, 0.1)\n" * 9
    )
    found = find_rounds(stim.Circuit(text), "here", time_coordinate=-1)
    assert found.num_rounds == 9
    assert found.detector_round.tolist() == [k // 2 for k in range(18)]


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        (1, [8]),
        (3, [2, 2, 4]),
        (4, [2, 2, 2, 2]),
        ("measurements", [2, 2, 4]),
        ("ticks", [2, 2, 4]),
        ([0, 0, 0, 2, 2, 2, 2, 2], [3, 0, 5]),
    ],
)
def test_rounds_of_detectors_without_coordinates(
    bare: stim.Circuit, rule: Any, counts: list[int]
) -> None:
    found = find_rounds(bare, "here", rounds=rule)
    assert np.bincount(found.detector_round).tolist() == counts
    assert found.num_rounds == len(counts)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (None, "8 of 8 detectors, the first of them D0, have no coordinates"),
        (2, "come in 3 or 4 layers"),
        (5, "come in 3 or 4 layers"),
        ([0, 1], "lists 2 rounds, but the model has 8 detectors"),
    ],
)
def test_rules_that_do_not_fit(bare: stim.Circuit, rule: Any, message: str) -> None:
    with pytest.raises(SyndromeError, match=message):
        find_rounds(bare, "here", rounds=rule)


def test_a_readout_in_another_basis_joins_the_last_round() -> None:
    text = "R 0 1\n" + "CX 0 1\nMR 1\nDETECTOR rec[-1]\n" * 3 + "H 0\nM 0\nDETECTOR rec[-1]"
    for rounds, expected in ((4, [0, 1, 2, 3]), (3, [0, 1, 2, 2])):
        found = find_rounds(stim.Circuit(text), "here", rounds=rounds)
        assert found.detector_round.tolist() == expected


def test_a_number_that_could_be_read_in_two_ways_is_refused() -> None:
    """Two steps of two parts each: three rounds would join the last two parts, or nothing."""
    text = "M 0\nDETECTOR rec[-1]\nM 1\nDETECTOR rec[-1]\n"
    with pytest.raises(SyndromeError, match="come in 1 or 2 or 4 layers"):
        find_rounds(stim.Circuit(f"{text}H 0 1\n{text}"), "here", rounds=3)


def test_an_error_model_has_no_measurements() -> None:
    dem = stim.DetectorErrorModel("error(0.1) D0 D1\nerror(0.1) D1")
    assert find_rounds(dem, "here", rounds=1).num_rounds == 1
    assert find_rounds(dem, "here", rounds=[0, 1]).num_rounds == 2
    rules: tuple[RoundRule, ...] = ("measurements", "ticks")
    for rule in rules:
        with pytest.raises(SyndromeError, match="needs a circuit"):
            find_rounds(dem, "here", rounds=rule)
    with pytest.raises(SyndromeError, match=r"does not say which of 2 detectors"):
        find_rounds(dem, "here", rounds=2)


def test_detectors_of_which_some_have_no_coordinates() -> None:
    text = "M 0\nDETECTOR(1, 0) rec[-1]\nTICK\nM 0\nDETECTOR rec[-1] rec[-2]"
    with pytest.raises(SyndromeError, match="1 of 2 detectors, the first of them D1, have no"):
        find_rounds(stim.Circuit(text), "here")
    assert find_rounds(stim.Circuit(text), "here", rounds="ticks").num_rounds == 2


def test_a_detector_of_what_was_never_measured() -> None:
    with pytest.raises((SyndromeError, ValueError)):
        find_rounds(stim.Circuit("M 0\nDETECTOR rec[-2]"), "here", rounds="ticks")
