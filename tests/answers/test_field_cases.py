"""Inputs that were once answered wrongly without a word (`tests/data/answers/README.md`)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.errors import RoundtripError, ScenarioError, SyndromeError
from emulator.results.result import Result
from emulator.run import decode, prepare, run_experiment
from emulator.scenario import resolve
from emulator.syndromes import read_cudaq_folder
from emulator.syndromes.cudaq_files import write_csr, write_metadata, write_priors

DATA = Path(__file__).parents[1] / "data" / "answers"
MATCHERS = ("pymatching", "pymatching_correlated", "pymatching-correlated", "fusion_blossom")


def scenario(code: dict[str, Any], shots: int, **tables: Any) -> dict[str, Any]:
    return {
        "qpu": {"round_period": "1 us"},
        "code": code,
        "decoder": {"timing": {"kind": "constant", "value": "1 us"}},
        "budget": {"reaction": "100 us"},
        "run": {"shots": shots},
        **tables,
    }


def samples(name: str, model: str | None = None) -> dict[str, Any]:
    return {
        "source": "samples",
        "format": "b8",
        "detections": str(DATA / f"{name}_detections.b8"),
        "observables": str(DATA / f"{name}_observables.b8"),
        "model": str(DATA / (model or f"{name}.dem")),
    }


def circuit(name: str) -> dict[str, Any]:
    return {"source": "circuit", "circuit": str(DATA / f"{name}.stim")}


def run(data: dict[str, Any], *overrides: str) -> Result:
    return run_experiment(resolve(data, overrides)).result


def errors(data: dict[str, Any], *overrides: str) -> int:
    """Shots that the decoder answers wrong, without the loop."""
    answers = decode(prepare(resolve(data, overrides)))
    assert answers is not None
    assert answers.wrong is not None
    return int(answers.wrong.sum())


@pytest.mark.parametrize("algorithm", MATCHERS)
def test_hyperedges_of_an_error_model(algorithm: str) -> None:
    if algorithm == "fusion_blossom":
        pytest.importorskip(algorithm)
    data = scenario(samples("hyperedge"), 4000)
    with pytest.raises(ScenarioError, match=r"cannot use 1 of 4 errors .*, 40 % .*hyperedges"):
        run(data, f"decoder.algorithm={algorithm}")
    result = run(data, f"decoder.algorithm={algorithm}", "decoder.allow_dropped=0.4")
    assert result.verdict.logical.decoder_errors == 425
    dropped = result.verdict.dropped
    assert dropped is not None
    assert (dropped.errors, dropped.of, dropped.share, dropped.allowed) == (1, 4, 0.4, 0.4)
    assert dropped.text.startswith("the decoder did without 1 of 4 errors of the model, 40 % of")
    assert result.verdict.caveats == (dropped.text,)


def test_a_decoder_of_hyperedges_uses_them() -> None:
    pytest.importorskip("mwpf")
    data = scenario(samples("hyperedge"), 4000)
    assert errors(data, "decoder.algorithm=mw_parity_factor") == 26  # as maximum likelihood


@pytest.mark.parametrize(
    "window", [(), ("window.kind=sliding", "window.commit=3", "window.buffer=3")]
)
def test_a_colour_code_is_not_matched(window: tuple[str, ...]) -> None:
    data = scenario(
        {"task": "color_code:memory_xyz", "distance": 5, "rounds": 10},
        1000,
        noise={"model": "depolarizing", "p": 0.001},
    )
    with pytest.raises(ScenarioError, match=r"2,173 of 2,409 errors .*63\.5 % .*chromobius"):
        run(data, *window)
    small = ("code.distance=3", "code.rounds=2")
    with pytest.raises(ScenarioError, match="hyperedges"):
        run(data, *small)


def test_the_preset_of_chromobius_runs_on_a_colour_code() -> None:
    pytest.importorskip("chromobius")
    data = scenario(
        {"task": "color_code:memory_xyz", "distance": 5, "rounds": 5},
        4000,
        noise={"model": "depolarizing", "p": 0.001},
        decoder={"preset": "chromobius_grace_p001"},
    )
    result = run(data)
    assert 0 < (result.verdict.logical.decoder_errors or 0) < 30  # 0.3 %, undecoded 5 %
    assert result.verdict.caveats == ()


def test_a_circuit_whose_only_error_flips_three_detectors() -> None:
    data = scenario(circuit("three_detectors"), 1000)
    with pytest.raises(ScenarioError, match="1 of 1 errors of the model, 100 %"):
        run(data)
    with pytest.raises(SyndromeError) as error:
        run(data, "decoder.allow_dropped=1")
    assert "no error of the model flips the detector D0" in str(error.value)
    assert "shots belong" not in str(error.value)


@pytest.mark.parametrize("algorithm", [*MATCHERS, "mw_parity_factor"])
def test_an_error_that_is_certain(algorithm: str) -> None:
    package = {"fusion_blossom": "fusion_blossom", "mw_parity_factor": "mwpf"}.get(algorithm)
    if package is not None:
        pytest.importorskip(package)
    data = scenario(circuit("certain_error"), 2000)
    assert errors(data, f"decoder.algorithm={algorithm}") == 0


def test_priors_of_zero_and_one_in_a_folder(tmp_path: Path) -> None:
    """Three detectors in a row; the certain error flips the first and the observable."""
    write_csr(tmp_path / "H_csr.bin", 3, [[0], [0], [0, 1], [1, 2], [2]])
    write_csr(tmp_path / "O_csr.bin", 1, [[0], [0], [], [], []])
    write_priors(tmp_path / "priors.bin", [1.0, 0.0, 0.01, 0.01, 0.01])
    write_metadata(
        tmp_path / "metadata.txt", {"distance": 3, "n_rounds": 3, "detector_rounds": "0x1 1x1 2x1"}
    )
    rng = np.random.default_rng(1)
    happened = rng.random((500, 5)) < [1, 0, 0.01, 0.01, 0.01]
    checks = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]])
    events = (happened @ checks) % 2
    for name, table in (("detectors", events), ("observables", np.ones((500, 1)))):
        with (tmp_path / f"{name}.bin").open("wb") as file:
            np.array(table.shape, "<u4").tofile(file)
            table.astype("<i4").tofile(file)
    assert read_cudaq_folder(tmp_path).dem.num_errors == 4
    data = scenario({"source": "cudaq", "folder": str(tmp_path)}, 500)
    sliding = ("window.kind=sliding", "window.commit=1", "window.buffer=1")
    for window in ((), sliding):
        assert errors(data, *window) == 0


@pytest.mark.parametrize("algorithm", MATCHERS)
def test_parallel_errors_in_any_order(algorithm: str) -> None:
    if algorithm == "fusion_blossom":
        pytest.importorskip(algorithm)
    for model in ("parallel.dem", "parallel_reversed.dem"):
        for window in ((), ("window.kind=sliding", "window.commit=1", "window.buffer=1")):
            data = scenario(samples("parallel", model), 4000)
            assert errors(data, f"decoder.algorithm={algorithm}", *window) == 0


def test_a_network_that_answers_in_floats() -> None:
    data = scenario(
        {"task": "ising:memory_z", "distance": 3, "rounds": 6},
        100,
        noise={"model": "depolarizing", "p": 0.005},
        predecoder={
            "kind": "onnx",
            "model": str(DATA / "float_answer.onnx"),
            "timing": {"kind": "constant", "value": "1 us"},
        },
    )
    with pytest.raises(RoundtripError, match=r"predecoder\.model: .*tensor\(float\).*uint8"):
        run(data)
