from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.errors import SyndromeError
from emulator.syndromes import cut, layout
from emulator.syndromes.cut import Ids, WindowModel, cut_windows
from emulator.syndromes.window_model import WindowShape
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window
from tests.syndromes.plain_cut import plain_cut


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


@pytest.mark.parametrize("reverse", [False, True])
def test_a_tie_of_indistinguishable_errors_does_not_depend_on_their_order(reverse: bool) -> None:
    # combined in this order floats give 0.248 for the first, and 0.24800000000000003 for the others
    lines = [f"error({p}) D0 D1" for p in (0.05, 0.1, 0.15)]
    lines += [f"error({p}) D0 D2" for p in (0.1, 0.15, 0.05)]
    dem = stim.DetectorErrorModel("\n".join(lines[::-1] if reverse else lines))
    rounds = np.array([0, 1, 1], dtype=np.int32)
    first, _ = cut_windows(dem, rounds, sliding_windows(2, commit=1, buffer=0))
    assert {error.split(") ")[1] for error in errors(first.dem)} == {"D0 L0"}


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
    rounds = np.array([0, 1, 4], dtype=np.int32)
    dem = stim.DetectorErrorModel("error(0.1) D0 D2\nerror(0.1) D1")
    with pytest.raises(SyndromeError, match=r"windows 0 and 1 .* larger buffer"):
        cut_windows(dem, rounds, parallel_windows(5, commit=1, buffer=1))


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
    for text in ("detector D2", "error(0.1) L0\ndetector D2"):
        dem = stim.DetectorErrorModel(text)
        models = cut_windows(dem, CHAIN_ROUND, sliding_windows(3, 1, 1))
        assert [model.detectors.tolist() for model in models] == [[0, 1], [1, 2], [2]]
        assert all(model.dem.num_errors == len(model.carried) == 0 for model in models)
        assert all(model.predicted == dem.num_observables for model in models)


def assert_plain(dem: stim.DetectorErrorModel, rounds: Ids, plan: tuple[Window, ...]) -> None:
    """Check that the plain cut gives the same models, or refuses for the same reason."""
    if len(plan) == 1:
        assert cut_windows(dem, rounds, plan)[0].dem == dem
        return
    try:
        expected = plain_cut(dem, rounds, plan)
    except SyndromeError as reason:
        with pytest.raises(SyndromeError, match=str(reason)[:20]):
            cut_windows(dem, rounds, plan)
        return
    found = cut_windows(dem, rounds, plan)
    assert len(found) == len(expected)
    for mine, plain in zip(found, expected, strict=True):
        assert str(mine.dem) == str(plain.dem)
        assert mine.detectors.tolist() == plain.detectors.tolist()
        assert mine.carried.tolist() == plain.carried.tolist()
        assert mine.observables == plain.observables
    texts = [errors(model.dem) for model in found]
    for mine, text in zip(found, texts, strict=True):
        first = next(i for i, model in enumerate(found) if model.errors == mine.errors)
        assert text == texts[first]


def plans(rounds: int) -> list[tuple[Window, ...]]:
    return [
        sliding_windows(rounds, 3, 3),
        sliding_windows(rounds, 4, 1, "absorb"),
        sliding_windows(rounds, 5, 0),
        sliding_windows(rounds, 1, 2),
        parallel_windows(rounds, 3, 2),
    ]


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(
    "task",
    [
        "surface_code:rotated_memory_z",
        "surface_code:unrotated_memory_x",
        "repetition_code:memory",
        "color_code:memory_xyz",
    ],
)
def test_every_cut_is_the_plain_one(task: str, flat: bool) -> None:
    circuit = stim.Circuit.generated(
        task,
        distance=3,
        rounds=14,
        after_clifford_depolarization=0.004,
        before_round_data_depolarization=0.001,
        before_measure_flip_probability=0.003,
        after_reset_flip_probability=0.002,
    )
    decomposed = not task.startswith("color")
    dem = circuit.detector_error_model(decompose_errors=decomposed)
    dem = dem.flattened() if flat else dem
    places = dem.get_detector_coordinates().values()
    times = [position[min(2, len(position) - 1)] for position in places]
    rounds = np.array(times, dtype=np.int32)
    for plan in plans(int(rounds.max()) + 1):
        assert_plain(dem, rounds, plan)


TARGETS = st.lists(
    st.sampled_from(["D0", "D1", "D2", "D3", "D4", "D5", "L0", "L1", "L2", "^"]),
    min_size=1,
    max_size=7,
).map(lambda names: " ".join(names).strip("^ ").replace("^ ^", "^"))
LINES = st.one_of(
    st.tuples(st.sampled_from(["0.1", "0.1", "0.25", "1e-07", "0.0001234567890123"]), TARGETS).map(
        lambda found: f"error({found[0]}) {found[1]}"
    ),
    st.sampled_from(
        ["shift_detectors 2", "shift_detectors(0, 0, 1) 1", "detector(1, 2.5) D1", "detector D7"]
    ),
)
BLOCKS = st.recursive(
    st.lists(LINES, max_size=6).map("\n".join),
    lambda body: st.tuples(body, st.integers(1, 3), body).map(
        lambda found: f"{found[0]}\nrepeat {found[1]} {{\nerror(0.2) D0 D2\n{found[2]}\n}}"
    ),
    max_leaves=3,
)


@given(BLOCKS, st.integers(1, 3), st.integers(0, 4), st.randoms(use_true_random=False))
def test_cuts_of_any_model_are_the_plain_ones(
    text: str, pace: int, which: int, random: object
) -> None:
    try:
        dem = stim.DetectorErrorModel(f"{text}\nerror(0.125) D0 D8 L1\ndetector D9")
    except ValueError:  # separators that Stim does not take
        return
    rounds = np.arange(dem.num_detectors, dtype=np.int32) // pace
    random.shuffle(rounds)  # type: ignore[attr-defined]
    assert_plain(dem, rounds, plans(int(rounds.max()) + 1)[which])


FOLDED = st.tuples(BLOCKS, st.integers(3, 9), BLOCKS, st.integers(1, 3), BLOCKS).map(
    lambda found: (
        f"{found[0]}\nrepeat {found[1]} {{\nerror(0.2) D0 D2\n{found[2]}\n"
        f"shift_detectors {found[3]}\n}}\n{found[4]}"
    )
)


@settings(max_examples=60)
@given(FOLDED, st.integers(1, 3), st.integers(0, 4), st.sampled_from([0, 4]))
def test_cuts_of_repeated_rounds_are_the_plain_ones(
    text: str, pace: int, which: int, far: int
) -> None:
    """As above, with detectors in the order of their rounds, where windows are recognised."""
    try:
        dem = stim.DetectorErrorModel(f"{text}\nerror(0.125) D0 D8 L1\ndetector D9")
    except ValueError:  # separators that Stim does not take
        return
    rounds = np.arange(dem.num_detectors, dtype=np.int32) // pace
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_FAR", far)  # 0: all but the shortest runs are looked into
        assert_plain(dem, rounds, plans(int(rounds.max()) + 1)[which])


CHAINS = "repeat 40 {\nerror(0.1) D0\nerror(0.2) D0 D1 L0\nshift_detectors 1\n}"

TWO_ROUNDS = (
    "repeat 10 {\nerror(0.1) D0 D2\nerror(0.1) D1 D3\nerror(0.2) D2 D3 L0\nshift_detectors 4\n}"
)

UNEVEN = (
    "repeat 13 {\nrepeat 2 {\nerror(0.1) D0 L0\nshift_detectors 1\n}\n"
    "shift_detectors 1\n}\ndetector D0"
)
LOUD = (
    "repeat 4 {\nrepeat 5 {\nerror(0.1) D0 D1\nshift_detectors 1\n}\n"
    "error(0.2) D0 D1\nshift_detectors 1\n}"
)


def sliding(rounds: int, reads: list[int], commits: list[int]) -> tuple[Window, ...]:
    """Sliding windows whose lengths take turns."""
    plan: list[Window] = []
    start = 0
    while start < rounds:
        k = len(plan)
        stop = min(rounds, start + commits[k % len(commits)])
        reach = max(stop, min(rounds, start + reads[k % len(reads)]))
        plan.append(Window(range(start, reach), range(start, stop), (k - 1,) if k else ()))
        start = stop
    return tuple(plan)


@pytest.mark.parametrize(
    ("text", "moved", "plan"),
    [
        # one window reads a detector less than the others, with the same owners and errors
        (
            "repeat 20 {\nerror(0.1) D0 D1\nerror(0.2) D1 L0\nshift_detectors 2\n}",
            25,
            sliding(20, [3], [2]),
        ),
        # the same, of a detector that no error flips
        (
            "repeat 19 {\nerror(0.1) D0 L0\nshift_detectors 2\n}\nerror(0.1) D0\ndetector D1",
            25,
            sliding(20, [3], [2]),
        ),
        # windows read alike and commit differently, or the other way round
        (CHAINS, None, sliding(21, [4], [1, 2])),
        (TWO_ROUNDS, None, sliding(20, [3, 4], [2])),
        # the same errors in the same order, but not at the same distance
        (
            UNEVEN,
            None,
            sliding(20, [2], [2]),
        ),
        # other errors in the same places
        (
            LOUD,
            None,
            sliding(13, [2], [1]),
        ),
        # every third window builds on none: it sees what the one before it has committed
        (
            CHAINS.replace("D0 D1", "D0"),
            None,
            tuple(
                Window(range(max(0, k - 1), k + 1), range(k, k + 1), (k - 1,) if k % 3 else ())
                for k in range(20)
            ),
        ),
    ],
    ids=["reads", "isolated", "commits", "lengths", "distances", "errors", "after"],
)
def test_windows_that_differ_in_one_thing_are_cut_apart(
    text: str, moved: int | None, plan: tuple[Window, ...]
) -> None:
    dem = stim.DetectorErrorModel(text)
    rounds = np.arange(dem.num_detectors, dtype=np.int32) // 2
    if moved is not None:
        rounds[moved] += 1
    assert plan[-1].rounds.stop == rounds.max() + 1
    assert_plain(dem, rounds, plan)
    shapes = {id(model.shape) for model in cut_windows(dem, rounds, plan)}
    assert len(shapes) < len(plan)


@pytest.mark.parametrize(("plan", "distinct"), [(sliding_windows, 5), (parallel_windows, 4)])
def test_a_long_plan_is_cut_as_often_as_it_has_distinct_windows(
    plan: Callable[[int, int, int], tuple[Window, ...]],
    distinct: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dem, rounds = memory(3, 2000)
    made: list[int] = []
    shape = cut._Cut._shape

    def counted(self: cut._Cut, k: int, detectors: Ids) -> WindowShape:
        made.append(k)
        return shape(self, k, detectors)

    monkeypatch.setattr(cut._Cut, "_shape", counted)
    models = cut_windows(dem, rounds, plan(2001, 3, 3))
    assert len(models) > 300
    assert len(made) == len({id(model.shape) for model in models}) == distinct


def test_windows_that_differ_by_a_translation_share_their_errors() -> None:
    dem, rounds = memory(3, 40)
    models = cut_windows(dem, rounds, sliding_windows(41, 3, 3))
    assert len(models) == 14
    assert len({model.errors for model in models}) == 5
    alike = [model for model in models if model.errors == models[5].errors]
    assert len(alike) == 6
    assert len({str(model.dem) for model in alike}) == len(alike)  # detectors lie in other rounds


def test_the_same_cut_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dem, rounds = memory(3, 12)
    plan = sliding_windows(13, 3, 3)
    first = cut_windows(dem, rounds, plan)
    assert cut_windows(dem.copy(), rounds.copy(), plan) is first
    assert cut_windows(dem, rounds, sliding_windows(13, 4, 3)) is not first
    moved = rounds.copy()
    moved[moved == 1] = 2
    assert cut_windows(dem, moved, plan) is not first
    monkeypatch.setattr(cut, "MAX_CACHED_CUTS", 1)
    cut_windows(dem, rounds, sliding_windows(13, 4, 2))
    assert cut_windows(dem, rounds, plan) is not first
