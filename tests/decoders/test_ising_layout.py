from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.errors import SyndromeError
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from tests.decoders.faults import inject, places

# Cell of each check in check order, as given by the mapping code of
# github.com/NVIDIA/Ising-Decoding (Apache-2.0).
CELLS: dict[tuple[Orientation, int], tuple[list[int], list[int]]] = {
    ("XV", 3): ([0, 2, 3, 4], [1, 4, 2, 8]),
    ("XV", 5): (
        [0, 2, 4, 5, 6, 8, 10, 12, 14, 15, 16, 18],
        [1, 6, 16, 2, 12, 22, 3, 8, 18, 4, 14, 24],
    ),
    ("XH", 3): ([1, 0, 4, 6], [0, 4, 2, 5]),
    ("XH", 5): (
        [1, 3, 0, 2, 6, 8, 10, 12, 16, 18, 20, 22],
        [0, 10, 6, 16, 2, 12, 8, 18, 4, 14, 9, 19],
    ),
    ("ZV", 3): ([0, 1, 3, 7], [3, 1, 5, 2]),
    ("ZV", 5): (
        [0, 2, 1, 3, 5, 7, 11, 13, 15, 17, 21, 23],
        [5, 15, 1, 11, 7, 17, 3, 13, 9, 19, 4, 14],
    ),
    ("ZH", 3): ([0, 1, 3, 5], [1, 7, 2, 5]),
    ("ZH", 5): (
        [0, 1, 3, 5, 7, 9, 10, 11, 13, 15, 17, 19],
        [1, 11, 21, 2, 7, 17, 3, 13, 23, 4, 9, 19],
    ),
}
BASES: tuple[PauliType, PauliType] = ("X", "Z")
layouts = st.builds(
    IsingLayout,
    st.sampled_from([3, 5]),
    st.integers(2, 5),
    st.sampled_from(BASES),
    st.sampled_from(ORIENTATIONS),
)


def logits_of(bits: NDArray[np.uint8]) -> NDArray[np.float32]:
    return bits.astype(np.float32) - np.float32(0.5)


@pytest.mark.parametrize(("orientation", "distance"), list(CELLS))
def test_checks_sit_on_the_published_cells(orientation: Orientation, distance: int) -> None:
    layout = IsingLayout(distance, 2, "X", orientation)
    assert layout.cells.tolist() == list(CELLS[orientation, distance])


def test_presence_weights_of_the_distance_3_patch() -> None:
    x, z = IsingLayout(3, 2, "X", "XV").presence
    assert {k: w for k, w in enumerate(x.tolist()) if w} == {0: 1, 2: 0.5, 3: 0.5, 4: 1}
    assert {k: w for k, w in enumerate(z.tolist()) if w} == {1: 0.5, 2: 1, 4: 1, 8: 0.5}


@given(layouts, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_events_and_detectors_undo_each_other(layout: IsingLayout, seed: int) -> None:
    dets = np.random.default_rng(seed).integers(0, 2, (3, layout.num_detectors), dtype=np.uint8)
    back = layout.detectors(layout.events(dets), dets[:, -layout.half :])
    dropped = layout.slots[-1, 1 - layout.memory]
    assert not back[:, dropped].any()
    back[:, dropped] = dets[:, dropped]
    assert np.array_equal(back, dets)


@given(layouts, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_network_input_shows_each_event_once(layout: IsingLayout, seed: int) -> None:
    dets = np.random.default_rng(seed).integers(0, 2, (2, layout.num_detectors), dtype=np.uint8)
    grid = layout.cnn_input(dets)
    assert grid.shape == (2, 4, layout.rounds, layout.distance, layout.distance)
    assert grid.dtype == np.float32
    assert grid[:, :2].sum() == layout.events(dets).sum()
    assert not np.any(grid[:, :2] * (grid[:, 2:] == 0))  # an event only where a check is present
    opposite = 1 - layout.memory
    assert not grid[:, [opposite, 2 + opposite]][:, :, [0, -1]].any()
    assert np.array_equal(grid[0, 2 + layout.memory, 0], grid[0, 2 + layout.memory, -1])


@given(layouts, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_residual_is_the_formula_of_the_contract(layout: IsingLayout, seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, rounds = layout.distance, layout.rounds
    dets = rng.integers(0, 2, (1, layout.num_detectors), dtype=np.uint8)
    bits = rng.integers(0, 2, (1, 4, rounds, d, d), dtype=np.uint8)
    pre_l, residual = layout.apply(logits_of(bits), dets)

    flat = bits[0].reshape(4, rounds, d * d).astype(int)
    matrices = (layout.patch.hx, layout.patch.hz)
    for t, k, check in product(range(rounds), range(2), range(layout.half)):
        slot = layout.slots[t, k, check]
        if slot < 0:
            continue
        seen = 0 if t == rounds - 1 and k != layout.memory else int(dets[0, slot])
        cell = layout.cells[k, check]
        seen += flat[2 + k, t, cell] + (flat[2 + k, t - 1, cell] if t else 0)
        seen += matrices[k][check].astype(int) @ flat[k, t]
        assert residual[0, slot] == seen % 2
    assert np.array_equal(residual[0, -layout.half :], dets[0, -layout.half :])
    logical = layout.patch.logical(layout.basis).astype(int)
    assert pre_l[0] == (flat[layout.memory] @ logical).sum() % 2


@given(layouts, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_a_silent_network_leaves_everything_as_it_was(layout: IsingLayout, seed: int) -> None:
    dets = np.random.default_rng(seed).integers(0, 2, (2, layout.num_detectors), dtype=np.uint8)
    dets[:, layout.slots[-1, 1 - layout.memory]] = 0
    pre_l, residual = layout.apply(np.full_like(layout.cnn_input(dets), -1.0), dets)
    assert not pre_l.any()
    assert np.array_equal(residual, dets)


def test_a_logit_of_zero_sets_the_bit() -> None:
    layout = IsingLayout(3, 2, "Z")
    dets = np.zeros((1, layout.num_detectors), dtype=np.uint8)
    logits = np.full_like(layout.cnn_input(dets), -1.0)
    logits[0, 1, 0, 0, 0] = 0.0  # X on data qubit 0, in the first column: on Lz
    pre_l, residual = layout.apply(logits, dets)
    assert pre_l[0] == 1
    assert residual.any()


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_correcting_a_data_fault_cancels_it(basis: PauliType, orientation: Orientation) -> None:
    rounds = 4
    circuit = memory_circuit(distance=3, rounds=rounds, basis=basis, orientation=orientation, p=0.0)
    layout = IsingLayout(3, rounds, basis, orientation)
    ticks = places(circuit, "TICK")
    for k, qubit, t in product(range(2), range(9), range(rounds)):
        if k != layout.memory and t in {0, rounds - 1}:
            continue  # not seen, and dropped
        dets, flip = inject(circuit, ("Z_ERROR", "X_ERROR")[k], qubit, ticks[5 * t])
        bits = np.zeros((1, 4, rounds, 9), dtype=np.uint8)
        bits[0, k, t, qubit] = 1
        pre_l, residual = layout.apply(logits_of(bits.reshape(1, 4, rounds, 3, 3)), dets)
        assert dets.any()
        assert not residual.any()
        assert pre_l[0] == flip


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_correcting_a_measurement_fault_cancels_it(
    basis: PauliType, orientation: Orientation
) -> None:
    rounds = 4
    circuit = memory_circuit(distance=3, rounds=rounds, basis=basis, orientation=orientation, p=0.0)
    layout = IsingLayout(3, rounds, basis, orientation)
    for k, check, t in product(range(2), range(4), range(rounds - 1)):
        if k != layout.memory and t == rounds - 2:
            continue  # one of its two events is dropped
        measured = places(circuit, ("MRX", "MR")[k])[t]
        dets, flip = inject(circuit, ("Z_ERROR", "X_ERROR")[k], 9 + 4 * k + check, measured)
        bits = np.zeros((1, 4, rounds, 9), dtype=np.uint8)
        bits[0, 2 + k, t, layout.cells[k, check]] = 1
        pre_l, residual = layout.apply(logits_of(bits.reshape(1, 4, rounds, 3, 3)), dets)
        assert dets.any()
        assert not residual.any()
        assert pre_l[0] == flip == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((4, 3, "X"), "distance: 4"), ((3, 1, "X"), "rounds: 1"), ((3, 3, "Y"), 'basis: "Y"')],
)
def test_refuses_what_has_no_layout(arguments: tuple[int, int, PauliType], message: str) -> None:
    with pytest.raises(SyndromeError, match=message):
        IsingLayout(*arguments)


def test_says_which_shape_it_expected() -> None:
    layout = IsingLayout(3, 4, "X")
    with pytest.raises(SyndromeError, match=r"expected \(batch, 32\)"):
        layout.events(np.zeros((2, 31), dtype=np.uint8))
    with pytest.raises(SyndromeError, match=r"expected \(1, 4, 4, 3, 3\)"):
        layout.apply(np.zeros((1, 4, 4, 3, 4)), np.zeros((1, 32), dtype=np.uint8))
