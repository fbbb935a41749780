import pytest

from models.training.networks import ARCHITECTURES, TrainingError, architecture


@pytest.mark.parametrize(
    ("name", "parameters", "reach"),
    [("nano", 34_628, 7), ("fast", 912_772, 9), ("accurate", 1_797_764, 13)],
)
def test_networks_have_the_published_size(name: str, parameters: int, reach: int) -> None:
    assert ARCHITECTURES[name].parameters == parameters
    assert ARCHITECTURES[name].reach == reach


def test_unknown_network_is_refused() -> None:
    with pytest.raises(TrainingError, match='"huge"; choose one of nano, fast, accurate'):
        architecture("huge")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_built_network_is_the_declared_one(name: str) -> None:
    torch = pytest.importorskip("torch", reason='needs torch; pip install -e ".[train]"')
    from models.training.networks import build  # noqa: PLC0415 - only with torch

    network = build(ARCHITECTURES[name])
    assert sum(weight.numel() for weight in network.parameters()) == ARCHITECTURES[name].parameters
    # one voxel reaches exactly so far
    reach = ARCHITECTURES[name].reach
    grid = torch.zeros(1, 4, 1, 1, reach + 2, requires_grad=True)
    network(grid)[0, :, 0, 0, reach // 2 + 1].sum().backward()
    touched = grid.grad[0].abs().sum(0)[0, 0] > 0
    assert touched.tolist() == [False, *[True] * reach, False]
