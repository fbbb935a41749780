"""Codes of several families: as many logical errors as the decoder makes when called alone."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sinter
import stim
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.run import decode, prepare
from emulator.run.preparation import Prepared
from emulator.scenario import resolve
from tests.answers.css import bivariate_bicycle, memory, repetition, surface

DATA = Path(__file__).parents[1] / "data" / "answers"
SHOTS = 2000
Bits = NDArray[np.uint8]

SURFACE = memory(surface(3), 8, 0.01)
FAMILIES = {
    "repetition": memory(repetition(5), 10, 0.05),
    "surface": SURFACE,
    "transversal gates": memory(surface(3), 8, 0.01, blocks=2, gate_before=(3, 6)),
}


class Table(sinter.Decoder, sinter.CompiledDecoder):  # type: ignore[misc]
    """Knows the syndromes of single errors, of any number of detectors, and no others."""

    accepts_hyperedges = True

    def __init__(self, dem: stim.DetectorErrorModel | None = None) -> None:
        self.table: dict[bytes, Bits] = {}
        if dem is None:
            return
        self.none = np.zeros(-(-dem.num_observables // 8), dtype=np.uint8)
        for line in dem.flattened():
            if line.type == "error":
                bits = np.zeros(dem.num_detectors, dtype=np.uint8)
                flips = np.zeros(dem.num_observables, dtype=np.uint8)
                for target in line.targets_copy():
                    (bits if target.is_relative_detector_id() else flips)[target.val] ^= 1
                key = np.packbits(bits, bitorder="little").tobytes()
                self.table[key] = np.packbits(flips, bitorder="little")

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
        return Table(dem)

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data: Bits) -> Bits:
        rows = bit_packed_detection_event_data
        return np.array([self.table.get(row.tobytes(), self.none) for row in rows])


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> str:
    module = ModuleType("table_for_tests")
    module.__dict__["decoders"] = lambda: {"table": Table()}
    monkeypatch.setitem(sys.modules, "table_for_tests", module)
    return "table_for_tests:decoders"


def prepared(path: Path, algorithm: str, *overrides: str) -> Prepared:
    data: dict[str, Any] = {
        "qpu": {"round_period": "1 us"},
        "code": {"source": "circuit", "circuit": str(path)},
        "decoder": {"algorithm": algorithm, "timing": {"kind": "constant", "value": "1 us"}},
        "run": {"shots": SHOTS},
    }
    return prepare(resolve(data, overrides))


def errors(found: Prepared) -> int:
    answers = decode(found)
    assert answers is not None
    assert answers.wrong is not None
    return int(answers.wrong.sum())


def alone(found: Prepared, decoder: sinter.CompiledDecoder) -> int:
    """Errors of a compiled decoder on the shots of a run."""
    wrong = 0
    for chunk in found.source.chunks(SHOTS, seed=found.seeds.syndromes):
        flips = decoder.decode_shots_bit_packed(bit_packed_detection_event_data=chunk.detectors)
        wrong += int((flips != chunk.observables).any(axis=1).sum())
    return wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_matching_errs_as_often_as_alone(tmp_path: Path, family: str) -> None:
    path = tmp_path / "memory.stim"
    FAMILIES[family].to_file(path)
    dem = FAMILIES[family].detector_error_model(decompose_errors=True)
    sinters = sinter.BUILT_IN_DECODERS
    names = {"pymatching": "pymatching", "pymatching_correlated": "pymatching-correlated"}
    for mine, theirs in names.items():
        found = prepared(path, mine)
        expected = alone(found, sinters[theirs].compile_decoder_for_dem(dem=dem))
        assert errors(found) == expected > 0
    whole = errors(prepared(path, "pymatching"))
    sliding = ("window.kind=sliding", "window.commit=2", "window.buffer=5")
    assert errors(prepared(path, "pymatching", *sliding)) == pytest.approx(whole, rel=0.1, abs=5)


def test_gates_carry_errors_from_block_to_block() -> None:
    dem = FAMILIES["transversal gates"].detector_error_model()
    block = {detector: place[0] for detector, place in dem.get_detector_coordinates().items()}
    across = 0
    for line in dem.flattened():
        targets = line.targets_copy() if line.type == "error" else []
        blocks = {block[target.val] for target in targets if target.is_relative_detector_id()}
        across += len(blocks) == 2
    assert across >= 2 * 8  # each check misread before each gate


@pytest.mark.parametrize(
    "name", ["superdense_color_code_d5_r20_p1000", "midout_color_code_d5_r10_p1000"]
)
def test_chromobius_errs_as_often_as_alone(name: str) -> None:
    chromobius = pytest.importorskip("chromobius")
    path = DATA / f"{name}.stim"
    found = prepared(path, "chromobius")
    dem = stim.Circuit.from_file(str(path)).detector_error_model()
    decoder = chromobius.sinter_decoders()["chromobius"].compile_decoder_for_dem(dem=dem)
    assert errors(found) == alone(found, decoder) > 0
    with pytest.raises(ScenarioError, match=r"hyperedges.*chromobius"):
        errors(prepared(path, "pymatching"))


def test_a_bivariate_bicycle_code_is_not_matched_but_decoded(tmp_path: Path, table: str) -> None:
    circuit = memory(bivariate_bicycle(), 3, 1e-4)
    assert circuit.num_observables == 12
    path = tmp_path / "bb.stim"
    circuit.to_file(path)
    with pytest.raises(ScenarioError, match=r"cannot use [\d,]+ of .*hyperedges"):
        errors(prepared(path, "pymatching"))
    found = prepared(path, table)
    dem = circuit.detector_error_model()
    none = sinter.BUILT_IN_DECODERS["vacuous"].compile_decoder_for_dem(dem=dem)
    assert errors(found) == alone(found, Table(dem)) < alone(found, none) / 3
    sliding = ("window.kind=sliding", "window.commit=1", "window.buffer=2")
    assert errors(prepared(path, table, *sliding)) <= errors(found)


def test_a_bivariate_bicycle_code_and_minimum_weight_parity_factors(tmp_path: Path) -> None:
    pytest.importorskip("mwpf")
    circuit = memory(bivariate_bicycle(), 3, 1e-3)
    path = tmp_path / "bb.stim"
    circuit.to_file(path)
    found = prepared(path, "hypergraph_union_find", "run.shots=100")
    decoder = sinter.BUILT_IN_DECODERS["hypergraph_union_find"]
    compiled = decoder.compile_decoder_for_dem(dem=circuit.detector_error_model())
    (chunk,) = found.source.chunks(100, seed=found.seeds.syndromes)
    flips = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=chunk.detectors)
    assert errors(found) == int((flips != chunk.observables).any(axis=1).sum())
