"""What cutting an error model into windows takes, on arrays and line by line."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show, take_turns
from emulator.syndromes import cut
from emulator.syndromes.circuits import generated_source
from emulator.windows import sliding_windows
from tests.syndromes.plain_cut import plain_cut

TURNS = 5


@pytest.mark.parametrize(("distance", "rounds"), [(9, 90), (13, 104)])
def test_cpu_time_of_a_cut(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, distance: int, rounds: int
) -> None:
    monkeypatch.setattr(cut, "MAX_CACHED_CUTS", 0)
    source = generated_source(
        "surface_code:rotated_memory_z",
        distance=distance,
        rounds=rounds,
        noise="depolarizing",
        p=0.003,
    )
    plan = sliding_windows(source.num_rounds, distance, distance)
    arms = take_turns(
        benchmark,
        {
            "plain": lambda: plain_cut(source.dem, source.detector_round, plan),
            "arrays": lambda: cut.cut_windows(source.dem, source.detector_round, plan),
        },
        turns=TURNS,
    )
    plain, arrays = (min(arms[name].cpu_s) for name in ("plain", "arrays"))
    show(
        f"cut of d={distance}, T={rounds} into {len(plan)} sliding windows, "
        f"least processor time of {TURNS} turns",
        f"line by line: {plain:7.3f} s",
        f"on arrays:    {arrays:7.3f} s",
        f"ratio {plain / arrays:.1f}, bound 5",
    )
