import math

import numpy as np
import pytest

from emulator.loop.records import Pool
from emulator.results.loads import LoadEstimate, _batched, batch_means_error


def test_a_mean_is_as_sure_as_the_scatter_of_its_batches() -> None:
    services = np.arange(100, dtype=np.int64) + 1  # batches of 2: 1.5, 3.5, ...
    means = np.arange(50) * 2 + 1.5
    error, freedom = batch_means_error(services) or (0.0, 0)
    assert freedom == 49
    assert error == pytest.approx(means.std(ddof=1) / math.sqrt(50) / means.mean())


def test_ten_batches_are_needed() -> None:
    assert batch_means_error(np.arange(10, dtype=np.int64)) is not None
    assert batch_means_error(np.arange(9, dtype=np.int64)) is None
    assert batch_means_error(np.empty(0, dtype=np.int64)) is None
    assert batch_means_error(np.zeros(20, dtype=np.int64)) is None


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        (1, LoadEstimate(0.5, None)),
        (2, LoadEstimate(0.5, 0.0)),
    ],
)
def test_equal_batches_leave_no_doubt_from_the_second_on(
    batches: int, expected: LoadEstimate
) -> None:
    begin = np.repeat(np.arange(batches, dtype=np.int64) * 100, 2)
    windows = {"predecode_start_ps": begin, "predecode_end_ps": begin + 50}
    pool = Pool(1, 0, jobs=2 * batches)
    span_ps = 100 * batches
    found = _batched(pool, windows, "predecode", size=2, arrived=2 * batches, span_ps=span_ps)
    assert found == expected


def test_full_batches_are_weighed_by_their_services() -> None:
    begin = np.repeat(np.arange(40, dtype=np.int64) * 100, 2)
    took = np.repeat(np.where(np.arange(40) % 2 == 0, 20, 80), 2)
    windows = {"predecode_start_ps": begin, "predecode_end_ps": begin + took}
    found = _batched(Pool(1, 0, jobs=80), windows, "predecode", size=2, arrived=80, span_ps=4000)
    assert found.value == pytest.approx(0.5)
    assert found.error == pytest.approx(30.38 / math.sqrt(40) / 50, rel=1e-3)
    assert found.freedom == 39
