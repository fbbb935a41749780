from collections import Counter

import numpy as np
import pytest
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.cut import Ids, WindowModel, cut_windows
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window


def memory(distance: int, rounds: int) -> tuple[stim.DetectorErrorModel, Ids]:
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_z",
        distance=distance,
        rounds=rounds,
        after_clifford_depolarization=0.004,
        before_measure_flip_probability=0.003,
    )
    dem = circuit.detector_error_model(decompose_errors=True)
    times = [position[2] for position in dem.get_detector_coordinates().values()]
    return dem, np.array(times, dtype=np.int32)


def errors(dem: stim.DetectorErrorModel) -> list[str]:
    return [str(line) for line in dem.flattened() if line.type == "error"]


def components(model: WindowModel) -> Counter[tuple[float, frozenset[int], str]]:
    """Components as (probability, detectors of the whole model, labels)."""
    found: Counter[tuple[float, frozenset[int], str]] = Counter()
    for line in model.dem.flattened():
        if line.type != "error":
            continue
        for group in line.target_groups():
            flips = frozenset(
                int(model.detectors[t.val]) for t in group if t.is_relative_detector_id()
            )
            labels = " ".join(str(t) for t in group if t.is_logical_observable_id())
            found[line.args_copy()[0], flips, labels] += 1
    return found


# One row of three detectors, rounds 0, 1, 2: time-like edges, boundary edges, one hyperedge.
CHAIN = stim.DetectorErrorModel("""
    error(0.01) D0 L0
    error(0.02) D0 D1
    error(0.03) D1 ^ D2 L1
    error(0.04) D1 D2
    error(0.05) D2
    detector(5, 7, 1) D1
    logical_observable L1
""")
CHAIN_ROUND = np.array([0, 1, 2], dtype=np.int32)


def test_one_window_is_the_model_itself() -> None:
    dem, rounds = memory(3, 4)
    (model,) = cut_windows(dem, rounds, whole_window(5))
    assert model.dem == dem
    assert model.detectors.tolist() == list(range(dem.num_detectors))
    assert (model.observables, model.carried.size) == (1, 0)


def test_a_window_that_holds_everything_keeps_every_error_exactly() -> None:
    # The second window has nothing left but an isolated detector, so the cut is not bypassed.
    dem, rounds = memory(3, 4)
    dem.append("error", 0.25, [stim.target_relative_detector_id(dem.num_detectors)])
    rounds = np.append(rounds, np.int32(5))
    first, second = cut_windows(dem, rounds, sliding_windows(6, commit=5, buffer=1))
    assert errors(first.dem) == errors(dem)
    assert errors(second.dem) == ["error(0.25) D0"]
    coordinates = dem.get_detector_coordinates()
    assert first.dem.get_detector_coordinates() == coordinates


def test_two_windows_cut_by_hand() -> None:
    first, second = cut_windows(CHAIN, CHAIN_ROUND, sliding_windows(3, commit=1, buffer=1))[:2]
    assert errors(first.dem) == [
        "error(0.01) D0 L0",
        "error(0.02) D0 D1 L2",  # committed: L2 toggles D1 for the next window
        "error(0.03) D1",  # D2 is out of sight
        "error(0.04) D1",
    ]
    assert first.dem.num_observables == 3
    assert first.detectors.tolist() == [0, 1]
    assert first.carried.tolist() == [1]
    assert first.dem.get_detector_coordinates() == {0: [], 1: [5, 7, 1]}
    # Window 1 commits round 1, to which D1 D2 belongs, and carries D2.
    assert errors(second.dem) == [
        "error(0.03) D0 ^ D1",
        "error(0.04) D0 D1 L2",
        "error(0.05) D1",
    ]
    assert (second.detectors.tolist(), second.carried.tolist()) == ([1, 2], [2])


def test_a_window_builds_on_all_windows_before_its_predecessor() -> None:
    dem = stim.DetectorErrorModel("error(0.1) D0 D2\nerror(0.2) D1 D2\nerror(0.3) D2 L0")
    first, second, third = cut_windows(dem, CHAIN_ROUND, sliding_windows(3, 1, 2))
    assert errors(first.dem) == ["error(0.1) D0 D2 L1", "error(0.2) D1 D2", "error(0.3) D2"]
    assert errors(second.dem) == ["error(0.2) D0 D1 L1", "error(0.3) D1"]
    assert errors(third.dem) == ["error(0.3) D0 L0"]


def test_without_a_buffer_the_likeliest_of_indistinguishable_errors_wins() -> None:
    dem = stim.DetectorErrorModel("""
        error(0.1) D0 D1
        error(0.15) D0 D2 L0
        error(0.1) D0 D1
        error(0.3) D0 ^ D2
    """)
    rounds = np.array([0, 1, 1], dtype=np.int32)
    first, second = cut_windows(dem, rounds, sliding_windows(2, commit=1, buffer=0))
    # D0 alone is likeliest, then D0 D1 with 0.18, then D0 D2 with 0.15.
    assert errors(first.dem) == [
        "error(0.1) D0",
        "error(0.15) D0",
        "error(0.1) D0",
        "error(0.3) D0",
    ]
    assert errors(second.dem) == ["error(0.3) D1"]
    without = stim.DetectorErrorModel("\n".join(errors(dem)[:3]))
    first, rest = cut_windows(without, rounds, sliding_windows(2, commit=1, buffer=0))
    assert set(errors(first.dem)) == {"error(0.1) D0 L1", "error(0.15) D0 L1"}
    assert first.carried.tolist() == [1, 2]
    assert (errors(rest.dem), rest.dem.num_detectors) == ([], 2)


@pytest.mark.parametrize(
    "plan",
    [
        sliding_windows(13, 3, 3),
        sliding_windows(13, 4, 1, "absorb"),
        sliding_windows(13, 5, 0),
        parallel_windows(13, 3, 2),
    ],
    ids=["sliding", "absorb", "no-buffer", "parallel"],
)
def test_every_component_is_committed_once(plan: tuple[Window, ...]) -> None:
    # Each component gets an observable of its own, so its committing window can be recognised.
    dem, rounds = memory(3, 12)
    tagged, count = stim.DetectorErrorModel(), 0
    for line in dem.flattened():
        targets = []
        for group in line.target_groups() if line.type == "error" else []:
            flips = [t for t in group if t.is_relative_detector_id()]
            targets += [*flips, stim.target_logical_observable_id(count), stim.target_separator()]
            count += 1
        if targets:
            tagged.append("error", line.args_copy(), targets[:-1])
    seen = []
    for model in cut_windows(tagged, rounds, plan):
        names = [name for _, _, labels in components(model).elements() for name in labels.split()]
        seen += [name for name in names if int(name[1:]) < model.observables]
    if all(window.rounds.stop > window.commits.stop for window in plan[:-1] if not window.after):
        assert sorted(seen) == sorted(f"L{i}" for i in range(count))
    else:  # indistinguishable components share an observable, but none is committed twice
        assert len(seen) == count


def test_second_layer_sees_only_what_its_neighbours_left() -> None:
    dem, rounds = memory(3, 12)
    plan = parallel_windows(13, commit=3, buffer=2)
    gap = plan[2]
    assert gap.after == (0, 1)
    model = cut_windows(dem, rounds, plan)[2]
    reached = {d for _, flips, _ in components(model) for d in flips}
    assert {int(rounds[d]) for d in reached} == set(gap.commits)
    inside = Counter(
        (p, flips)
        for p, flips, _ in components(cut_windows(dem, rounds, whole_window(13))[0]).elements()
        if all(int(rounds[d]) in gap.commits for d in flips)
    )
    assert Counter((p, flips) for p, flips, _ in components(model).elements()) == inside
    assert model.carried.size == 0


def test_errors_longer_than_the_buffer_of_independent_windows_are_refused() -> None:
    rounds = np.array([0, 1, 3], dtype=np.int32)
    dem = stim.DetectorErrorModel("error(0.1) D0 D2\nerror(0.1) D1")
    with pytest.raises(SyndromeError, match=r"windows 0 and 1 .* larger buffer"):
        cut_windows(dem, rounds, parallel_windows(4, commit=1, buffer=1))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (whole_window(2), "no window commits round 2"),
        ((Window(range(1, 3), range(3)),), "commits rounds 0 to 2"),
        ((Window(range(3), range(2)), Window(range(3), range(1, 3))), "window 1 commits"),
        ((Window(range(3), range(3), (0,)),), "list those windows first"),
        (sliding_windows(4, 1, 0), "reads rounds 3 to 3"),
    ],
)
def test_plans_that_do_not_fit_the_model(plan: tuple[Window, ...], message: str) -> None:
    with pytest.raises(SyndromeError, match=message):
        cut_windows(CHAIN, CHAIN_ROUND, plan)


def test_rounds_that_do_not_fit_the_model() -> None:
    with pytest.raises(SyndromeError, match="2 detectors, but the error model has 3"):
        cut_windows(CHAIN, CHAIN_ROUND[:2], whole_window(3))


def test_a_model_without_noise() -> None:
    dem = stim.DetectorErrorModel("detector D2")
    with pytest.raises(SyndromeError, match="no error that flips a detector"):
        cut_windows(dem, CHAIN_ROUND, sliding_windows(3, 1, 1))
