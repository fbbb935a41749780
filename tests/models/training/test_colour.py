import numpy as np
import pytest
import stim

from models.training.colour import ColourGrid
from models.training.networks import TrainingError

DISTANCES = (3, 5, 7, 9)


def rank(matrix: np.ndarray) -> int:
    """Rank over GF(2)."""
    rows, found = matrix.copy() % 2, 0
    for column in range(rows.shape[1]):
        pivots = np.flatnonzero(rows[found:, column])
        if len(pivots) == 0:
            continue
        rows[[found, found + pivots[0]]] = rows[[found + pivots[0], found]]
        below = np.flatnonzero(rows[:, column])
        rows[below[below != found]] ^= rows[found]
        found += 1
        if found == len(rows):
            break
    return found


@pytest.mark.parametrize("distance", DISTANCES)
def test_faces_are_the_stabilisers_of_one_logical_qubit(distance: int) -> None:
    grid = ColourGrid(distance)
    faces, qubits = grid.supports.shape
    assert (faces, qubits) == (3 * (distance**2 - 1) // 8, (3 * distance**2 + 1) // 4)
    assert set(grid.supports.sum(axis=1).tolist()) <= {4, 6}
    overlaps = grid.supports.astype(int) @ grid.supports.T
    assert not (overlaps % 2).any()  # every X check commutes with every Z check
    assert rank(grid.supports) == faces
    assert qubits - 2 * faces == 1


@pytest.mark.parametrize("distance", DISTANCES)
def test_sites_are_those_of_stim(distance: int) -> None:
    circuit = stim.Circuit.generated("color_code:memory_xyz", distance=distance, rounds=2)
    measured = {
        target.value
        for item in circuit.flattened()
        if item.name == "MR"
        for target in item.targets_copy()
    }
    places = {qubit: tuple(place) for qubit, place in circuit.get_final_qubit_coordinates().items()}
    grid = ColourGrid(distance)
    for sites, wanted in (
        (grid.faces, [place for qubit, place in places.items() if qubit in measured]),
        (grid.qubits, [place for qubit, place in places.items() if qubit not in measured]),
    ):
        assert sorted((x + y / 2, y) for x, y in sites) == sorted(wanted)


@pytest.mark.parametrize("distance", DISTANCES)
def test_every_check_has_a_cell_of_its_own_on_one_of_its_qubits(distance: int) -> None:
    grid = ColourGrid(distance)
    cells = grid.rows * distance
    assert len(set(grid.qubit_cells.tolist())) == len(grid.qubits)
    assert len(set(grid.face_cells.tolist())) == len(grid.faces)
    assert max(grid.qubit_cells) < cells
    for cell, support in zip(grid.face_cells, grid.supports, strict=True):
        assert cell in grid.qubit_cells[support == 1]
    assert grid.presence.shape == (distance + (distance - 1) // 2, distance)
    weights = np.sort(grid.presence.ravel()[grid.face_cells] * 6)
    np.testing.assert_allclose(weights, np.sort(grid.supports.sum(axis=1)), rtol=1e-6)


def test_events_come_to_their_cells() -> None:
    grid = ColourGrid(5)
    events = np.random.default_rng(0).integers(0, 2, (3, 4, 2, len(grid.faces)))
    source = grid.input(events)
    assert source.shape == (3, 4, 4, 7, 5)
    assert source.dtype == np.float32
    flat = source.reshape(3, 4, 4, 35)
    np.testing.assert_array_equal(flat[:, :2, :, grid.face_cells].transpose(0, 2, 1, 3), events)
    elsewhere = np.delete(flat[:, :2], grid.face_cells, axis=3)
    assert not elsewhere.any()
    np.testing.assert_array_equal(source[:, 2], source[:, 3])
    np.testing.assert_array_equal(source[1, 2, 2], grid.presence)


@pytest.mark.parametrize("name", ["nano", "fast", "accurate"])
def test_networks_take_the_grid_as_it_is(name: str) -> None:
    torch = pytest.importorskip("torch", reason='networks need torch; pip install -e ".[train]"')
    from models.training.networks import architecture, build  # noqa: PLC0415 - only with torch

    grid = ColourGrid(3)
    source = grid.input(np.zeros((1, 3, 2, len(grid.faces))))
    with torch.no_grad():
        answer = build(architecture(name))(torch.from_numpy(source))
    assert answer.shape == source.shape


@pytest.mark.parametrize("distance", [1, 4, -3])
def test_a_distance_without_a_code_is_refused(distance: int) -> None:
    with pytest.raises(TrainingError, match=f"^distance: {distance} has no colour code"):
        ColourGrid(distance)
