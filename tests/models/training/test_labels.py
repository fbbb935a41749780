from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from models.training.faults import faults
from models.training.noise import NoiseModel
from tests.models.training.test_faults import symptoms

torch = pytest.importorskip("torch", reason='labels need torch; pip install -e ".[train]"')
torch.set_num_threads(1)

from models.training.labels import Labels, Sampler, Symmetries  # noqa: E402 - only with torch
from models.training.targets import answer  # noqa: E402 - ditto

BASES: tuple[PauliType, PauliType] = ("X", "Z")
every_basis = pytest.mark.parametrize("basis", BASES)
every_orientation = pytest.mark.parametrize("orientation", ORIENTATIONS)
sizes = pytest.mark.parametrize(("distance", "rounds"), [(3, 2), (3, 3), (5, 4), (5, 7)])


def applied(
    layout: IsingLayout, labels: Labels, dets: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """pre_L and residual by the contract, with the labels as the network's answer."""
    return layout.apply(answer(layout, labels).numpy() - 0.5, dets)


def random_labels(layout: IsingLayout, shots: int, density: float) -> Labels:
    generator = torch.Generator().manual_seed(5)
    shape = (shots, layout.rounds, 2)
    data = (torch.rand(*shape, layout.distance**2, generator=generator) < density).float()
    flips = (torch.rand(*shape, layout.half, generator=generator) < density).float()
    opposite = 1 - layout.memory
    data[:, [0, -1], opposite] = 0
    flips[:, -1, opposite] = flips[:, -2, opposite]
    return Labels(data, flips)


@every_basis
@every_orientation
@pytest.mark.parametrize(("distance", "rounds"), [(3, 2), (3, 4), (5, 3)])
def test_every_fault_is_answered_without_residual(
    distance: int, rounds: int, basis: PauliType, orientation: Orientation
) -> None:
    layout = IsingLayout(distance, rounds, basis, orientation)
    every = faults(layout)
    sampler = Sampler(every, NoiseModel.depolarising(0.01))
    for part, columns in zip(
        sampler.parts, (every.preparation, every.extraction, every.readout), strict=True
    ):
        for t in range(part.first, part.first + part.rounds):
            count = len(columns.parameter)
            bits, index = sampler.empty(count), torch.arange(count)
            part.add(bits, index, index, torch.full((count,), t))
            wanted = symptoms(layout, columns, t)
            dets = np.zeros((count, layout.num_detectors), dtype=np.uint8)
            for row, (fired, _) in zip(dets, wanted, strict=True):
                row[list(fired)] = 1
            plain = sampler.labels(bits)
            assert np.array_equal(sampler.events(plain).numpy(), layout.events(dets))
            for labels in (plain, sampler.symmetries.canonical(plain)):
                pre_l, residual = applied(layout, labels, dets)
                assert not residual.any()
                assert pre_l.tolist() == [flip for _, flip in wanted]


@every_basis
@sizes
def test_events_of_many_faults_are_answered_without_residual(
    distance: int, rounds: int, basis: PauliType
) -> None:
    layout = IsingLayout(distance, rounds, basis)
    sampler = Sampler(faults(layout), NoiseModel.depolarising(0.02))
    plain = sampler.faults(300, torch.Generator().manual_seed(1))
    events = sampler.events(plain).numpy()
    dets = layout.detectors(events, np.zeros(layout.half))
    labels = sampler.symmetries.canonical(plain)
    before, after = applied(layout, plain, dets), applied(layout, labels, dets)
    assert dets.mean() > 0.05
    assert not before[1].any()
    assert not after[1].any()
    assert np.array_equal(before[0], after[0])
    assert labels.weight().sum() < plain.weight().sum()


@every_basis
@every_orientation
@pytest.mark.parametrize("density", [0.02, 0.2, 0.5, 1.0])
def test_canonical_labels_are_equivalent_lighter_and_final(
    basis: PauliType, orientation: Orientation, density: float
) -> None:
    for distance, rounds in ((3, 2), (5, 6)):
        layout = IsingLayout(distance, rounds, basis, orientation)
        symmetries = Symmetries(layout)
        labels = random_labels(layout, 50, density)
        found = symmetries.canonical(labels)
        dets = np.random.default_rng(3).integers(0, 2, (50, layout.num_detectors), dtype=np.uint8)
        before, after = applied(layout, labels, dets), applied(layout, found, dets)
        assert np.array_equal(before[0], after[0])
        assert np.array_equal(before[1], after[1])
        assert (found.weight() <= labels.weight()).all()
        again = symmetries.canonical(found)
        assert torch.equal(again.data, found.data)
        assert torch.equal(again.flips, found.flips)


@every_basis
def test_every_single_move_is_an_equivalence(basis: PauliType) -> None:
    layout = IsingLayout(3, 4, basis)
    symmetries = Symmetries(layout)
    dets = np.zeros((1, layout.num_detectors), dtype=np.uint8)
    moves = 0
    for k, check in product(range(2), range(4)):
        stabiliser = symmetries.stabilisers[0][k, check] + symmetries.stabilisers[1][k, check]
        for t in range(4):
            data, flips = torch.zeros(1, 4, 2, 9), torch.zeros(1, 4, 2, 4)
            data[0, t, k] = stabiliser
            moves += 1
            pre_l, residual = applied(layout, Labels(data, flips), dets)
            assert pre_l[0] == 0
            assert not residual.any()
    for k, q, t in product(range(2), range(9), range(3)):
        data, flips = torch.zeros(1, 4, 2, 9), torch.zeros(1, 4, 2, 4)
        data[0, [t, t + 1], k, q] = 1
        flips[0, t, k] = symmetries.checks[k, :, q]
        symmetries.close(data, flips)
        moves += 1
        pre_l, residual = applied(layout, Labels(data, flips), dets)
        assert pre_l[0] == 0
        assert not residual.any()
    assert moves == 2 * 4 * 4 + 2 * 9 * 3


@every_basis
@every_orientation
def test_faults_that_look_alike_have_one_label(basis: PauliType, orientation: Orientation) -> None:
    layout = IsingLayout(5, 6, basis, orientation)
    every = faults(layout)
    sampler = Sampler(every, NoiseModel.depolarising(0.01))
    found: dict[tuple[int, bytes], bytes] = {}
    count, alike = len(every.extraction.parameter), 0
    for t in range(layout.rounds - 2):  # one round on, the opposite basis sees but half of it
        bits, index = sampler.empty(count), torch.arange(count)
        sampler.parts[1].add(bits, index, index, torch.full((count,), t))
        labels = sampler.symmetries.canonical(sampler.labels(bits))
        events = sampler.events(labels)
        for fault, k in product(range(count), range(2)):
            seen = k, events[fault, :, k].numpy().tobytes()
            label = b"".join(
                bits[fault, :, k].numpy().tobytes() for bits in (labels.data, labels.flips)
            )
            alike += seen in found
            assert found.setdefault(seen, label) == label
    assert alike > 5 * count


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([(1, 1), (1, 2), (2, 1), (2, 2)], []),  # a whole stabiliser
        ([(1, 1), (1, 2), (2, 1)], [(2, 2)]),
        ([(1, 1), (2, 1)], [(1, 2), (2, 2)]),  # left pair to the right
        ([(2, 1), (2, 2)], [(1, 1), (1, 2)]),  # lower pair up
        ([(1, 1), (2, 2)], [(1, 2), (2, 1)]),  # diagonal to antidiagonal
    ],
)
def test_pairs_have_one_place(given: list[tuple[int, int]], wanted: list[tuple[int, int]]) -> None:
    layout = IsingLayout(5, 4, "X")
    corner = (2, 2)
    k = 0 if layout.patch.type_at(*corner) == "Z" else 1  # stabilisers of type 0 are Z checks
    labels = Labels(torch.zeros(1, 4, 2, 25), torch.zeros(1, 4, 2, 12))
    for r, c in given:
        labels.data[0, 2, k, 5 * r + c] = 1
    found = Symmetries(layout).canonical(labels)
    places = torch.nonzero(found.data)
    assert [(int(q) // 5, int(q) % 5) for _, t, _, q in places] == wanted
    assert all(int(t) == 2 for _, t, _, _ in places)


def test_labels_move_in_time_when_that_is_lighter() -> None:
    layout = IsingLayout(5, 5, "X")
    symmetries = Symmetries(layout)
    checks = symmetries.checks[0, :, 12]
    labels = Labels(torch.zeros(2, 5, 2, 25), torch.zeros(2, 5, 2, 12))
    # an error that its own round does not show, and the same qubit twice under one wrong outcome
    labels.data[0, 1, 0, 12] = 1
    labels.flips[0, 1, 0] = checks
    labels.data[1, [1, 2], 0, 12] = 1
    labels.flips[1, 1, 0, int(checks.nonzero()[0])] = 1
    found = symmetries.canonical(labels)
    assert found.weight().tolist() == [1, 1]
    assert found.data[0, 2, 0, 12] == 1
    assert found.flips[1, 1, 0, int(checks.nonzero()[1])] == 1


def test_sampling_is_as_frequent_as_the_noise_says() -> None:
    layout, shots = IsingLayout(3, 4, "Z"), 40_000
    every, noise = faults(layout), NoiseModel.depolarising(0.01)
    sampler = Sampler(every, noise)
    events, _ = sampler.sample(shots, torch.Generator().manual_seed(2))
    # a detector fires with (1 - exp(-2 μ))/2, where μ is the rate of all faults that flip it
    rates = np.zeros(layout.num_detectors)
    for part, columns in zip(
        sampler.parts, (every.preparation, every.extraction, every.readout), strict=True
    ):
        for t in range(part.first, part.first + part.rounds):
            for (fired, _), parameter in zip(
                symptoms(layout, columns, t), columns.parameter, strict=True
            ):
                rates[list(fired)] += noise.rates[parameter]
    wanted = (1 - np.exp(-2 * rates)) / 2
    found = layout.detectors(events.numpy(), np.zeros(layout.half)).mean(axis=0)
    wanted[layout.slots[-1, 1 - layout.memory]] = 0  # dropped by the contract
    error = np.sqrt(wanted * (1 - wanted) / shots)
    assert np.all(np.abs(found - wanted) <= 5 * error)


def test_the_same_seed_draws_the_same() -> None:
    layout = IsingLayout(3, 3, "X")
    sampler = Sampler(faults(layout), NoiseModel.depolarising(0.01))
    one, other = (sampler.sample(20, torch.Generator().manual_seed(9)) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1].data, other[1].data)
