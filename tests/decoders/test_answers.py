import numpy as np
import pytest

from emulator.decoders.answers import undisturbed


def test_disturbed_times_become_those_of_calls_before_them() -> None:
    times = np.array([10, 11, 12, 13, 14, 15])
    disturbed = np.array([True, False, True, True, False, True])
    replaced = undisturbed(times, disturbed)
    assert replaced is not None
    assert replaced.tolist() == [11, 11, 11, 11, 14, 14]
    assert times.tolist() == [10, 11, 12, 13, 14, 15]


def test_each_window_has_its_own_times() -> None:
    times = np.arange(12).reshape(4, 3)
    disturbed = np.zeros((4, 3), dtype=bool)
    disturbed[1:3, 0] = disturbed[0, 1] = disturbed[:, 2] = True
    replaced = undisturbed(times, disturbed)
    assert replaced is not None
    assert replaced.T.tolist() == [[0, 0, 0, 9], [4, 4, 7, 10], [2, 5, 8, 11]]


@pytest.mark.parametrize("disturbed", [None, np.zeros(3, dtype=bool), np.ones(3, dtype=bool)])
def test_where_nothing_can_be_replaced_times_stay(disturbed: np.ndarray | None) -> None:
    times = np.array([1, 2, 3])
    replaced = undisturbed(times, disturbed)
    assert replaced is not None
    assert replaced.tolist() == [1, 2, 3]
    assert undisturbed(None, disturbed) is None
