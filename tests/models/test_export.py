from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Contract, Predecoder
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from models.contract import opened
from models.export import main, network_graph
from models.training.networks import ARCHITECTURES, Activation, Architecture
from tests.models.test_pair_rule import random_rows

ASKED = ["nano", "--distance", "5", "--rounds", "4", "--basis", "Z"]
SMALL = {
    activation: Architecture("small", (5, 6), activation, rate=1e-3, batch=8)
    for activation in ("relu", "gelu")
}

Weights = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


def random_weights(entry: Architecture) -> Weights:
    rng = np.random.default_rng(4)
    widths = (4, *entry.filters, 4)
    return [
        (
            rng.normal(0, 0.3, (b, a, 3, 3, 3)).astype(np.float32),
            rng.normal(0, 0.1, b).astype(np.float32),
        )
        for a, b in pairwise(widths)
    ]


def convolved(grid: NDArray[np.float64], kernel: NDArray[Any]) -> NDArray[np.float64]:
    """Cross-correlation with zeros around, (B, C, T, D, D) with (K, C, 3, 3, 3)."""
    padded = np.pad(grid, ((0, 0), (0, 0), (1, 1), (1, 1), (1, 1)))
    t, d = grid.shape[2], grid.shape[3]
    found = np.zeros((len(grid), len(kernel), t, d, d))
    for i, j, k in product(range(3), repeat=3):
        part = padded[:, :, i : i + t, j : j + d, k : k + d]
        found += np.einsum("bctrs,kc->bktrs", part, kernel[:, :, i, j, k])
    return found


def by_hand(
    entry: Architecture, weights: Weights, grid: NDArray[np.float32]
) -> NDArray[np.float64]:
    values = grid.astype(np.float64)
    for layer, (kernel, bias) in enumerate(weights):
        values = convolved(values, kernel) + bias[:, None, None, None]
        if layer == len(weights) - 1:
            break
        if entry.activation == "relu":
            values = np.maximum(values, 0)
        else:
            inner = np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)
            values = values / 2 * (1 + np.tanh(inner))
    return values


def written(
    layout: IsingLayout, folder: Path, contract: Contract, entry: Architecture
) -> Predecoder:
    path = folder / f"{contract}.onnx"
    graph = network_graph(entry, random_weights(entry), layout, contract)
    path.write_bytes(graph.SerializeToString())
    return opened(path, layout)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_raw_graph_is_the_network(activation: Activation) -> None:
    layout, entry = IsingLayout(5, 4, "X"), SMALL[activation]
    grid = layout.cnn_input(random_rows(layout, 6, 0.1))
    weights = random_weights(entry)
    graph = network_graph(entry, weights, layout, "raw")
    (logits,) = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"events": grid})
    assert logits == pytest.approx(by_hand(entry, weights, grid), abs=1e-5)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("distance", "rounds"), [(3, 2), (5, 4)])
def test_fused_graph_is_the_raw_one_and_the_contract(
    tmp_path: Path, distance: int, rounds: int, basis: PauliType, orientation: Orientation
) -> None:
    layout = IsingLayout(distance, rounds, basis, orientation)
    dets = random_rows(layout, 40, 0.2)
    fused, raw = (written(layout, tmp_path, kind, SMALL["relu"]) for kind in ("fused", "raw"))
    assert (fused.contract, raw.contract) == ("fused", "raw")
    found, wanted = fused.run(dets), raw.run(dets)
    assert np.array_equal(found[0], wanted[0])
    assert np.array_equal(found[1], wanted[1])
    assert 0 < found[0].sum() < len(dets)
    assert (found[1] != dets).any()


def test_size_does_not_grow_with_the_rounds() -> None:
    entry = ARCHITECTURES["nano"]
    short, long = (
        network_graph(entry, random_weights(entry), IsingLayout(5, rounds, "X")).ByteSize()
        for rounds in (10, 1000)
    )
    assert long < short + 20_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["huge", *ASKED[1:]], 'no network is called "huge"'),
        ([*ASKED, "--distance", "4"], "distance: 4 "),
        ([*ASKED, "--distance", "1"], "distance: 1 "),
        ([*ASKED, "--rounds", "1"], "rounds: 1 "),
        ([*ASKED, "--shots", "0"], "--shots: 0 "),
    ],
)
def test_command_explains_what_is_wrong(
    wrong: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*wrong, "--out", str(tmp_path / "out.onnx")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"export: {message}")
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
