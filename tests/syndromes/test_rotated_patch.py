import numpy as np
import pytest

from emulator.errors import SyndromeError
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType, RotatedPatch

# Published by the mapping code of github.com/NVIDIA/Ising-Decoding (Apache-2.0).
XV_D3_HX = [{0, 1, 3, 4}, {2, 5}, {3, 6}, {4, 5, 7, 8}]
XV_D3_HZ = [{0, 1}, {3, 4, 6, 7}, {1, 2, 4, 5}, {7, 8}]


def test_supports_of_the_distance_3_patch() -> None:
    patch = RotatedPatch(3, "XV")
    assert [set(row.nonzero()[0].tolist()) for row in patch.hx] == XV_D3_HX
    assert [set(row.nonzero()[0].tolist()) for row in patch.hz] == XV_D3_HZ


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("distance", [3, 5, 7])
def test_checks_and_logicals_form_a_code(distance: int, orientation: Orientation) -> None:
    patch = RotatedPatch(distance, orientation)
    lx, lz = patch.logical("X").astype(int), patch.logical("Z").astype(int)
    hx, hz = patch.hx.astype(int), patch.hz.astype(int)
    assert hx.shape == hz.shape == (patch.half, distance**2)
    assert not np.any(hx @ hz.T % 2)
    assert not np.any(hx @ lz % 2)
    assert not np.any(hz @ lx % 2)
    assert lx @ lz % 2 == 1
    assert set((hx.sum(axis=0) + hz.sum(axis=0)).tolist()) <= {2, 3, 4}


@pytest.mark.parametrize(
    ("orientation", "first", "vertical"),
    [("XV", "X", "X"), ("XH", "X", "Z"), ("ZV", "Z", "Z"), ("ZH", "Z", "X")],
)
def test_a_name_says_first_bulk_check_and_how_its_relatives_lie(
    orientation: Orientation, first: PauliType, vertical: PauliType
) -> None:
    patch = RotatedPatch(5, orientation)
    assert patch.type_at(1, 1) == first
    assert {patch.type_at(i, 0) for i in range(6)} == {vertical, None}
    assert patch.logical(vertical).reshape(5, 5)[0].all()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_no_two_checks_meet_a_data_qubit_in_the_same_step(orientation: Orientation) -> None:
    patch = RotatedPatch(5, orientation)
    kinds: tuple[PauliType, PauliType] = ("X", "Z")
    for step in range(4):
        met = [
            patch.support((i, j), patch.cnot_steps(kind))[step]
            for kind in kinds
            for i, j in patch.corners(kind).tolist()
        ]
        met = [q for q in met if q is not None]
        assert len(met) == len(set(met))


@pytest.mark.parametrize("distance", [1, 4, -3])
def test_refuses_an_impossible_distance(distance: int) -> None:
    with pytest.raises(SyndromeError, match=f"distance: {distance} "):
        RotatedPatch(distance)


def test_refuses_an_unknown_orientation() -> None:
    with pytest.raises(SyndromeError, match="give one of XV, XH, ZV, ZH"):
        RotatedPatch(3, "HV")  # type: ignore[arg-type]
