"""Inputs in the shapes that other tools write (tests/data/found), from scenario to answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pymatching
import pytest
import stim

from emulator.errors import RoundtripError, ScenarioError
from emulator.run import Prepared, decode, load, prepare
from emulator.scenario import resolve

FOUND = Path(__file__).parents[1] / "data" / "found"

CIRCUIT = {"source": "circuit"}
SAMPLES = {"source": "samples"}


def prepared(code: dict[str, Any], *overrides: str) -> Prepared:
    tables = {
        "qpu": {"round_period": "1 us"},
        "code": {
            key: str(FOUND / value) if key in {"circuit", "detections", "model"} else value
            for key, value in code.items()
        },
        "decoder": {"timing": {"kind": "constant", "value": "1 us"}},
    }
    return prepare(resolve(tables, overrides))


def errors(run: Prepared) -> int:
    answers = decode(run)
    assert answers is not None
    assert answers.wrong is not None
    return int(answers.wrong.sum())


@pytest.mark.parametrize("name", ["time_fourth.stim", "time_first.stim"])
def test_rounds_are_counted_along_time(name: str) -> None:
    run = prepared(CIRCUIT | {"circuit": name}, "run.shots=2000")
    assert run.traffic.emission.horizon_ps == 2000 * 6 * 10**6
    for axis, rounds in ((0, 6 if "first" in name else 2), (1, 2 if "first" in name else 1)):
        stated = prepared(CIRCUIT | {"circuit": name}, f"code.time_coordinate={axis}")
        assert stated.source.num_rounds == rounds


def test_all_shots_of_a_file_are_decoded_if_none_are_asked_for() -> None:
    code = SAMPLES | {"detections": "crlf.01", "format": "01", "model": "crlf.dem"}
    run = prepared(code)
    assert run.scenario.run.shots == 2000
    assert run.resolved.origins["run.shots"].where == f"the 2000 shots of {FOUND / 'crlf.01'}"
    assert errors(run) == 88
    assert prepared(code, "qpu.patches=3").shots == 3 * 666
    assert prepared(code, "run.shots=7").shots == 7
    with pytest.raises(ScenarioError, match="2001 shots are more than the 2000 in"):
        prepared(code, "run.shots=2001")


def test_measurements_are_refused_or_converted() -> None:
    code = SAMPLES | {"detections": "measurements.b8", "format": "b8", "model": "surface.stim"}
    with pytest.raises(RoundtripError, match="these shots contradict"):
        prepared(code)
    run = prepared(code, "code.samples_hold=measurements")
    assert run.shots == 200
    circuit = stim.Circuit.from_file(FOUND / "surface.stim")
    measured = np.fromfile(FOUND / "measurements.b8", dtype=np.uint8).reshape(200, 6)
    events, flips = circuit.compile_m2d_converter().convert(
        measurements=np.unpackbits(measured, axis=1, count=41, bitorder="little").astype(bool),
        separate_observables=True,
    )
    matching = pymatching.Matching(circuit.detector_error_model(decompose_errors=True))
    assert errors(run) == int((matching.decode_batch(events) != flips).any(axis=1).sum())


@pytest.mark.parametrize("rounds", ["1", "3", "4", "measurements", "[0, 0, 1, 1, 2, 2, 3, 3]"])
def test_circuits_without_coordinates(rounds: str) -> None:
    run = prepared(
        CIRCUIT | {"circuit": "no_coordinates.stim"}, f"code.rounds={rounds}", "run.shots=500"
    )
    chunks = list(run.source.chunks(500, seed=run.seeds.syndromes))
    matching = pymatching.Matching(run.source.dem)
    wrong = sum(
        (
            matching.decode_batch(
                chunk.detectors, bit_packed_shots=True, bit_packed_predictions=True
            )
            != chunk.observables
        ).sum()
        for chunk in chunks
    )
    assert errors(run) == wrong


@pytest.mark.parametrize(
    ("rounds", "sentence"),
    [
        ("0", r'code\.rounds: 0 does not tell rounds; write their number, "measurements"'),
        ("sometimes", r'code\.rounds: "sometimes" does not tell rounds'),
        ("[0, -1]", r"code\.rounds: this list does not tell rounds"),
        ("[]", r"code\.rounds: this list does not tell rounds"),
        ("true", r"code\.rounds: True does not tell rounds"),
        ("2.5", r"code\.rounds: 2\.5 does not tell rounds"),
    ],
)
def test_rules_that_are_none(rounds: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        prepared(CIRCUIT | {"circuit": "no_coordinates.stim"}, f"code.rounds={rounds}")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"circuit": "surface.stim"}, r"code\.circuit: only serves to convert measurements"),
        (
            {"samples_hold": "measurements", "observables_at": "end"},
            r"code\.observables_at: has no effect: the circuit converts measurements",
        ),
        ({"observables_format": "01"}, r"code\.observables_format: has no effect without obs"),
        ({"sweep_format": "01"}, r"code\.sweep_format: has no effect without sweep"),
        (
            {"observables": str(FOUND / "measurements.b8"), "observables_at": "start"},
            r'code\.observables_at: "start" contradicts a file of their own',
        ),
    ],
)
def test_keys_without_effect_are_refused(keys: dict[str, str], sentence: str) -> None:
    code = SAMPLES | {"detections": "measurements.b8", "format": "b8", "model": "surface.stim"}
    with pytest.raises(ScenarioError, match=sentence):
        prepared(code | keys)


def test_a_plugin_beside_the_scenario_is_found(tmp_path: Path) -> None:
    (tmp_path / "beside_plugin.py").write_text(
        "import sinter\n\ndef decoders():\n    import beside_helper\n"
        "    return {'mine': sinter.BUILT_IN_DECODERS[beside_helper.NAME]}\n"
    )
    (tmp_path / "beside_helper.py").write_text("NAME = 'vacuous'\n")
    scenario = tmp_path / "s.toml"
    scenario.write_text(
        '[qpu]\nround_period = "1 us"\n[code]\nsource = "circuit"\n'
        f'circuit = "{FOUND / "time_first.stim"}"\n'
        '[decoder]\nalgorithm = "beside_plugin:decoders"\n'
        'timing = { kind = "constant", value = "1 us" }\n[run]\nshots = 20\n'
    )
    answers = decode(prepare(load(scenario)))
    assert answers is not None
    assert not answers.corrections.any()
