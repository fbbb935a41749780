import re
from collections import defaultdict

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from models.contract import circuit_of
from models.training.faults import Faults, faults
from models.training.noise import NoiseModel

Symptom = tuple[tuple[int, ...], bool]
"""Detectors that fire, and whether the observable flips."""


def depolarised(channel: re.Match[str]) -> str:
    return f"DEPOLARIZE1({3 * float(channel[1])})"


def expected(layout: IsingLayout, p: float) -> dict[Symptom, float]:
    """Rate of each symptom by Stim's own error analysis."""
    circuit = circuit_of(layout, p)
    # the same channel under the name by which Stim takes it apart exactly
    alike = stim.Circuit(re.sub(r"PAULI_CHANNEL_1\((\S+), \1, \1\)", depolarised, str(circuit)))
    rates: dict[Symptom, float] = defaultdict(float)
    for error in alike.detector_error_model().flattened():
        if error.type == "error":
            targets = error.targets_copy()
            fired = sorted(target.val for target in targets if target.is_relative_detector_id())
            flips = any(target.is_logical_observable_id() for target in targets)
            rates[tuple(fired), flips] += -np.log1p(-2 * error.args_copy()[0]) / 2
    return rates


def symptoms(layout: IsingLayout, part: Faults, t: int) -> list[Symptom]:
    """What the faults of one part do when they happen in round ``t``."""
    count, rounds = len(part.parameter), layout.rounds
    outcomes = np.zeros((count, rounds, 2, layout.half), dtype=np.int64)
    outcomes[:, t] = part.outcomes
    for k, matrix in enumerate((layout.patch.hx, layout.patch.hz)):
        outcomes[:, t + 1 :, k] += (part.data[:, k].astype(int) @ matrix.T)[:, None]
    events = outcomes.copy()
    events[:, 1:] += outcomes[:, :-1]
    boundary = np.zeros((count, layout.half))
    dets: NDArray[np.uint8] = layout.detectors(events % 2, boundary)
    logical = layout.patch.logical(layout.basis).astype(int)
    flips = part.data[:, layout.memory].astype(int) @ logical % 2
    return [
        (tuple(np.flatnonzero(row).tolist()), bool(flip))
        for row, flip in zip(dets, flips, strict=True)
    ]


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("distance", "rounds"), [(3, 2), (3, 4), (5, 3)])
def test_faults_make_up_stims_error_model(
    distance: int, rounds: int, basis: PauliType, orientation: Orientation
) -> None:
    layout, p = IsingLayout(distance, rounds, basis, orientation), 0.004
    found: dict[Symptom, float] = defaultdict(float)
    every = faults(layout)
    rates = NoiseModel.depolarising(p).rates
    for part, when in (
        (every.preparation, range(1)),
        (every.extraction, range(rounds - 1)),
        (every.readout, range(rounds - 2, rounds - 1)),
    ):
        for t in when:
            for symptom, parameter in zip(symptoms(layout, part, t), part.parameter, strict=True):
                found[symptom] += rates[parameter]
    found.pop(((), False), None)
    wanted = expected(layout, p)
    assert found.keys() == wanted.keys()
    # Stim prints six digits
    assert all(found[key] == pytest.approx(wanted[key], rel=1e-5) for key in wanted)


def test_faults_do_not_depend_on_the_rounds() -> None:
    one, other = (faults(IsingLayout(3, rounds, "Z")) for rounds in (2, 9))
    assert np.array_equal(one.extraction.data, other.extraction.data)
    assert np.array_equal(one.extraction.outcomes, other.extraction.outcomes)


def test_no_fault_is_without_effect() -> None:
    every = faults(IsingLayout(3, 3, "X"))
    for part in (every.preparation, every.extraction, every.readout):
        assert (part.data.any(axis=(1, 2)) | part.outcomes.any(axis=(1, 2))).all()
    assert len(every.preparation.parameter) == len(every.readout.parameter) == 9
