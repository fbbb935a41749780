import numpy as np
import pytest
import stim
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import SyndromeError
from emulator.syndromes.rounds import coordinate_table, detector_rounds


def test_ragged_coordinates_are_padded_and_still_end_with_time() -> None:
    circuit = stim.Circuit("DETECTOR(5, 1)\nDETECTOR(2)\nDETECTOR(0, 0, 3)")
    table = coordinate_table(circuit, "here")
    assert np.isnan(table).sum() == 3
    rounds, count = detector_rounds(table, "here")
    assert rounds.tolist() == [0, 1, 2]
    assert count == 3


def test_a_fourth_coordinate_is_a_mark_not_a_time() -> None:
    circuit = stim.Circuit("DETECTOR(0, 0, 1, 9)\nDETECTOR(0, 0, 0, 9)\nDETECTOR(0, 0, 1, 4)")
    table = coordinate_table(circuit, "here")
    assert detector_rounds(table, "here")[0].tolist() == [1, 0, 1]


@pytest.mark.parametrize("bare", ["error(0.1) D0 D1", "detector D1"])
def test_missing_coordinates_are_named(bare: str) -> None:
    dem = stim.DetectorErrorModel(f"detector(1) D0\n{bare}")
    with pytest.raises(SyndromeError, match=r"mine.dem: 1 of 2 detectors.*D1.*coordinates"):
        coordinate_table(dem, "mine.dem")


def test_no_detectors() -> None:
    with pytest.raises(SyndromeError, match="declares no detectors"):
        coordinate_table(stim.Circuit("M 0"), "mine.stim")


@pytest.mark.parametrize("rounds", [0, 4])
def test_rounds_that_do_not_exist(rounds: int) -> None:
    with pytest.raises(SyndromeError, match=rf"rounds\(={rounds}\) must be from 1 to 3"):
        detector_rounds(np.array([[0.0], [2.0], [1.0]]), "here", rounds)


@given(st.lists(st.integers(-50, 50), min_size=1), st.data())
def test_rounds_keep_the_order_of_times(times: list[int], data: st.DataObject) -> None:
    distinct = sorted(set(times))
    rounds = data.draw(st.integers(1, len(distinct)))
    found, count = detector_rounds(np.array(times, dtype=float)[:, None], "here", rounds)
    assert count == rounds
    assert set(found.tolist()) == set(range(rounds))
    for time, at in zip(times, found.tolist(), strict=True):
        assert at == min(distinct.index(time), rounds - 1)
