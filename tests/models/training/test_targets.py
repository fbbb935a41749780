import numpy as np
import pytest

from emulator.decoders.ising_layout import IsingLayout
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType

torch = pytest.importorskip("torch", reason='grids need torch; pip install -e ".[train]"')
torch.set_num_threads(1)

from models.training.targets import Grid  # noqa: E402 - only with torch


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("distance", "rounds"), [(3, 2), (5, 4)])
def test_input_is_that_of_the_contract(
    distance: int, rounds: int, basis: PauliType, orientation: Orientation
) -> None:
    layout = IsingLayout(distance, rounds, basis, orientation)
    dets = np.random.default_rng(1).integers(0, 2, (6, layout.num_detectors), dtype=np.uint8)
    events = torch.from_numpy(layout.events(dets)).float()
    assert np.array_equal(Grid(layout).input(events).numpy(), layout.cnn_input(dets))


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_bits_outside_the_read_ones_change_nothing(basis: PauliType) -> None:
    layout = IsingLayout(3, 3, basis)
    read = Grid(layout).read.numpy().astype(bool)
    assert np.count_nonzero(read) == 3 * (2 * 9 + 2 * 4)
    dets = np.zeros((1, layout.num_detectors), dtype=np.uint8)
    pre_l, residual = layout.apply(np.where(read, -1.0, 1.0), dets)
    assert pre_l[0] == 0
    assert not residual.any()
