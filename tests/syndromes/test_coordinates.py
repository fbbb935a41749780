import numpy as np
import pytest
import stim
from hypothesis import given
from hypothesis import strategies as st

from emulator.syndromes.coordinates import Model, detector_coordinates


def assert_as_stim_says(model: Model) -> None:
    table = detector_coordinates(model)
    expected = model.get_detector_coordinates()
    assert len(table) == model.num_detectors == len(expected)
    for k, row in enumerate(table):
        size = len(expected[k])
        assert row[:size].tolist() == expected[k]
        assert np.isnan(row[size:]).all()


@pytest.mark.parametrize(
    "task",
    ["surface_code:rotated_memory_z", "repetition_code:memory", "color_code:memory_xyz"],
)
def test_generated_circuits_and_their_models(task: str) -> None:
    circuit = stim.Circuit.generated(
        task, distance=3, rounds=12, after_clifford_depolarization=0.01
    )
    for model in (circuit, circuit.flattened(), circuit.detector_error_model()):
        assert_as_stim_says(model)


NUMBERS = st.sampled_from(["0", "1", "-2", "0.5", "0.1", "1e15"])
PLACES = st.lists(NUMBERS, max_size=4).map(lambda found: f"({', '.join(found)})" if found else "")
GATES = st.one_of(
    PLACES.map(lambda place: f"DETECTOR{place}"),
    PLACES.filter(bool).map(lambda place: f"SHIFT_COORDS{place}"),
    st.just("M 0"),
)
LINES = st.one_of(
    st.tuples(PLACES, st.integers(0, 4)).map(lambda found: f"detector{found[0]} D{found[1]}"),
    st.tuples(PLACES, st.integers(0, 3)).map(lambda found: f"shift_detectors{found[0]} {found[1]}"),
    st.integers(0, 6).map(lambda number: f"error(0.1) D{number}"),
)


def blocks(lines: st.SearchStrategy[str], word: str) -> st.SearchStrategy[str]:
    return st.recursive(
        st.lists(lines, max_size=5).map("\n".join),
        lambda body: st.tuples(body, st.integers(1, 4), body, body).map(
            lambda found: f"{found[0]}\n{word} {found[1]} {{\nTICK\n{found[2]}\n}}\n{found[3]}"
        ),
        max_leaves=4,
    )


@given(blocks(GATES, "REPEAT"))
def test_coordinates_of_any_circuit(text: str) -> None:
    assert_as_stim_says(stim.Circuit(text))


@given(blocks(LINES, "repeat"))
def test_coordinates_of_any_model(text: str) -> None:
    assert_as_stim_says(stim.DetectorErrorModel(text.replace("TICK", "shift_detectors 0")))


def test_a_million_rounds_are_not_unrolled_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = stim.Circuit.generated("repetition_code:memory", distance=3, rounds=10**6)
    monkeypatch.delattr(stim.Circuit, "get_detector_coordinates")
    table = detector_coordinates(circuit)
    assert table.shape == (2 * (10**6 + 1), 2)
    assert table[-1].tolist() == [3, 10**6]
