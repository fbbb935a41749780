import numpy as np
import pytest

from tests.results.coverage import (
    LENGTHS,
    MODELS,
    RUNS,
    Cell,
    all_cells,
    latencies,
    latency_beyond,
    logical_cells,
    paired_cells,
    problems,
    queue_cells,
)


@pytest.mark.parametrize("model", MODELS)
def test_the_closed_forms_are_those_of_the_simulated_queues(model: str) -> None:
    rng = np.random.default_rng(1)
    settled = latencies(model, 0.8, (20, 60_000), rng)[:, 5000:]
    for latency in (1.5, 3.0, 6.0, 9.0):
        found = float(np.mean(settled > latency * 1e6))
        assert latency_beyond(model, 0.8, latency) == pytest.approx(found, rel=0.1)


def test_intervals_cover() -> None:
    cells = [*logical_cells(1000), *logical_cells(100_000), *paired_cells(20, 100, seed=1)]
    for model, load, length in (
        ("D/M/1", 0.8, 10**4),
        ("M/D/1", 0.5, 10**4),
        ("M/D/1", 0.9, 10**3),
    ):
        cells += queue_cells(model, load, length, 300, seed=1)
    assert problems(cells) == []
    assert sum(cell.answered == 0 for cell in cells) == 9  # 1,000 windows at load 0.9, and p99.9


def test_problems_are_named() -> None:
    def cell(coverage: float, width: float, answered: int = RUNS, *, count: bool = False) -> Cell:
        return Cell("p50", "", 1000, RUNS, answered, coverage, 0.005, width, count, due=True)

    assert problems([cell(0.93, 1.5), cell(0.97, 1.0)]) == []
    for bad, word in (
        (cell(0.929, 1.0), "too rarely"),
        (cell(0.971, 1.0), "too often"),
        (cell(0.95, 1.51), "too wide"),
        (cell(0.95, 1.0, RUNS - 1), "refused"),
        (cell(0.935, 1.0, count=True), "mean coverage"),
    ):
        (found,) = problems([bad])
        assert word in found
    assert problems([cell(0.99, 1.0, count=True)]) == []
    few = Cell("p50", "", 1000, RUNS, 10, 0.5, 0.1, None, count=False)
    assert problems([few]) == []


@pytest.mark.slow
@pytest.mark.unlimited
def test_every_interval_covers_over_the_whole_grid() -> None:
    cells = [cell for found in all_cells(RUNS, 0, LENGTHS) for cell in found]
    assert problems(cells) == []
