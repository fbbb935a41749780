from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import stim
from numpy.typing import NDArray

from emulator.decoders.ising_embedding import ordinary_embedding
from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Contract, Predecoder
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from models.contract import opened
from models.pair_rule import SHIPPED, file_name, main, pair_rule, write
from tests.decoders.faults import inject, places

MODELS = Path(__file__).parents[2] / "models"
BASES: tuple[PauliType, PauliType] = ("X", "Z")
every_basis = pytest.mark.parametrize("basis", BASES)
every_orientation = pytest.mark.parametrize("orientation", ORIENTATIONS)
shipped = pytest.mark.parametrize("layout", SHIPPED, ids=file_name)


def exported(layout: IsingLayout, folder: Path, contract: Contract = "fused") -> Predecoder:
    path = folder / file_name(layout, contract)
    write(layout, path, contract)
    return opened(path, layout)


def random_rows(layout: IsingLayout, count: int, density: float) -> NDArray[np.uint8]:
    drawn = np.random.default_rng(7).random((count, layout.num_detectors))
    return (drawn < density).astype(np.uint8)


def neighbours(layout: IsingLayout) -> dict[frozenset[int], int]:
    """Pairs of detectors of one type that one fault of the circuit fires, with its observable."""
    circuit = memory_circuit(
        distance=layout.distance,
        rounds=layout.rounds,
        basis=layout.basis,
        orientation=layout.orientation,
        p=0.001,
    )
    dropped = set(layout.slots[-1, 1 - layout.memory].tolist())
    kinds = [set(layout.slots[:, k].ravel().tolist()) - dropped for k in range(2)]
    found: dict[frozenset[int], int] = {}
    for error in circuit.detector_error_model().flattened():
        if error.type != "error":
            continue
        targets = error.targets_copy()
        fired = {target.val for target in targets if target.is_relative_detector_id()}
        flip = sum(target.is_logical_observable_id() for target in targets)
        for k, kind in enumerate(kinds):
            if len(fired & kind) == 2:
                found[frozenset(fired & kind)] = flip if k == layout.memory else 0
    return found


def by_the_rule(
    layout: IsingLayout, joined: dict[frozenset[int], int], row: NDArray[np.uint8]
) -> tuple[int, NDArray[np.uint8]]:
    """The rule in words: remove two events that are each other's only neighbour."""
    left, pre_l = row.copy(), 0
    left[layout.slots[-1, 1 - layout.memory]] = 0
    fired = [pair for pair in joined if all(left[list(pair)])]
    for pair in fired:
        if not any(pair & other for other in fired if other != pair):
            left[list(pair)] = 0
            pre_l ^= joined[pair]
    return pre_l, left


@every_basis
@every_orientation
@pytest.mark.parametrize(("distance", "rounds"), [(3, 2), (5, 4)])
def test_graph_removes_the_pairs_that_one_fault_can_join(
    tmp_path: Path, distance: int, rounds: int, basis: PauliType, orientation: Orientation
) -> None:
    layout = IsingLayout(distance, rounds, basis, orientation)
    dets = random_rows(layout, 30, 0.1)
    joined = neighbours(layout)
    expected = [by_the_rule(layout, joined, row) for row in dets]
    for contract in ("fused", "raw"):
        pre_l, residual = exported(layout, tmp_path, contract).run(dets)
        assert pre_l.tolist() == [answer for answer, _ in expected]
        assert np.array_equal(residual, np.stack([left for _, left in expected]))
    assert residual.sum() < dets.sum()


@every_basis
@pytest.mark.parametrize("density", [0.02, 0.1, 0.5, 1.0])
def test_fused_graph_is_the_raw_one_and_the_layout(
    tmp_path: Path, basis: PauliType, density: float
) -> None:
    layout = IsingLayout(7, 5, basis)
    dets = random_rows(layout, 200, density)
    network = onnxruntime.InferenceSession(pair_rule(layout, "raw").SerializeToString())
    (logits,) = network.run(None, {"events": layout.cnn_input(dets)})
    assert set(np.unique(logits).tolist()) <= {-0.5, 0.5}
    pre_l, residual = layout.apply(logits, dets)
    fused = exported(layout, tmp_path).run(dets)
    assert np.array_equal(fused[0], pre_l)
    assert np.array_equal(fused[1], residual)


@every_basis
def test_events_only_ever_vanish_in_pairs(tmp_path: Path, basis: PauliType) -> None:
    layout = IsingLayout(5, 6, basis)
    dets = random_rows(layout, 300, 0.08)
    before = layout.events(dets).astype(int)
    _, residual = exported(layout, tmp_path).run(dets)
    after = layout.events(residual).astype(int)
    assert np.all(after <= before)
    removed = (before - after).sum(axis=(1, 3))  # by shot and type
    assert not np.any(removed % 2)
    assert removed.any()


@every_basis
@every_orientation
def test_single_faults_inside_the_patch_vanish(
    tmp_path: Path, basis: PauliType, orientation: Orientation
) -> None:
    rounds = 5
    circuit = memory_circuit(distance=3, rounds=rounds, basis=basis, orientation=orientation, p=0.0)
    layout = IsingLayout(3, rounds, basis, orientation)
    rule = exported(layout, tmp_path)
    ticks = places(circuit, "TICK")
    cancelled = 0
    # a data fault between any two layers of CNOTs of a noisy round, seen by two checks
    for k, qubit, t, layer in product(range(2), range(9), range(1, rounds - 2), range(5)):
        dets, flip = inject(circuit, ("Z_ERROR", "X_ERROR")[k], qubit, ticks[5 * t + layer])
        pre_l, residual = rule.run(dets)
        if dets.sum() == 2:
            assert not residual.any()
            assert pre_l[0] == flip
            cancelled += 1
        else:
            assert np.array_equal(residual, dets)
            assert pre_l[0] == 0
    assert cancelled > 0
    for k, check, t in product(range(2), range(4), range(1, rounds - 2)):
        measured = places(circuit, ("MRX", "MR")[k])[t]
        dets, flip = inject(circuit, ("Z_ERROR", "X_ERROR")[k], 9 + 4 * k + check, measured)
        pre_l, residual = rule.run(dets)
        assert dets.sum() == 2
        assert not residual.any()
        assert pre_l[0] == flip == 0


def test_doubtful_events_stay(tmp_path: Path) -> None:
    layout = IsingLayout(5, 6, "X")
    rule = exported(layout, tmp_path)
    check = int(np.flatnonzero(layout.patch.hx.sum(axis=1) == 4)[2])
    for rounds_fired in ([2], [1, 2, 3], [1, 3]):
        dets = np.zeros((1, layout.num_detectors), dtype=np.uint8)
        dets[0, layout.slots[rounds_fired, 0, check]] = 1
        pre_l, residual = rule.run(dets)
        assert np.array_equal(residual, dets)
        assert pre_l[0] == 0


@pytest.mark.parametrize(("basis", "orientation"), [("Z", "XV"), ("X", "XH")])
def test_it_thins_stims_own_circuit_and_keeps_the_answer(
    tmp_path: Path, basis: PauliType, orientation: Orientation
) -> None:
    circuit = stim.Circuit.generated(
        f"surface_code:rotated_memory_{basis.lower()}",
        distance=5,
        rounds=5,
        after_clifford_depolarization=0.003,
        before_measure_flip_probability=0.002,
    )
    embedding = ordinary_embedding(
        circuit, distance=5, rounds=5, basis=basis, orientation=orientation
    )
    rule = exported(embedding.layout, tmp_path)
    dets, flips = circuit.compile_detector_sampler(seed=3).sample(2000, separate_observables=True)
    pre_l, residual = rule.run(embedding.embed(dets))
    left = embedding.extract(residual)
    assert left.sum() < 0.6 * dets.sum()
    # where nothing is left, the rule's answer is final, and nearly always right; it is 0, as the
    # logical operator lies on the edge, where no qubit joins two checks of its type
    done = dets.any(axis=1) & ~left.any(axis=1)
    assert done.sum() > 300
    assert np.mean(pre_l[done] != flips[done, 0]) < 0.02
    assert not pre_l.any()


@shipped
def test_shipped_file_is_what_would_be_exported_now(layout: IsingLayout, tmp_path: Path) -> None:
    path = MODELS / file_name(layout)
    dets = random_rows(layout, 20, 0.05)
    committed, fresh = opened(path, layout).run(dets), exported(layout, tmp_path).run(dets)
    assert np.array_equal(committed[0], fresh[0])
    assert np.array_equal(committed[1], fresh[1])
    assert path.stat().st_size < 20_000


def test_every_shipped_file_is_accounted_for() -> None:
    expected = {file_name(layout) for layout in SHIPPED}
    assert {path.name for path in MODELS.glob("pair_rule*.onnx")} == expected


def test_size_does_not_grow_with_the_rounds() -> None:
    short, long = (pair_rule(IsingLayout(5, t, "X")).ByteSize() for t in (10, 1000))
    assert long < short + 10_000


def test_command_writes_a_file_that_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rule.onnx"
    wanted = ["--distance", "3", "--rounds", "4", "--basis", "Z", "--orientation", "ZH"]
    assert main([*wanted, "--contract", "raw", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: {out.stat().st_size} bytes\n"
    assert opened(out, IsingLayout(3, 4, "Z", "ZH")).contract == "raw"
    assert [path.name for path in tmp_path.iterdir()] == ["rule.onnx"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--distance", "4", "--rounds", "4"], "distance: 4 "),
        (["--distance", "3", "--rounds", "1"], "rounds: 1 "),
        (["--distance", "3", "--rounds", "3", "--measure", "--shots", "0"], "shots: 0 "),
        (["--distance", "3", "--rounds", "3", "--out", "/nowhere/at/all.onnx"], "/nowhere/at"),
    ],
)
def test_command_explains_what_is_wrong(
    wrong: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*wrong, "--basis", "X"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("pair_rule: ")
    assert message in printed.err
