from typing import Any

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.checks import ContradictionError
from emulator.scenario.load import resolve
from emulator.scenario.scenario import Scenario
from tests.scenario.examples import minimal

DELAY = {"kind": "constant", "value": "1 us"}

WRONG: list[tuple[dict[str, dict[str, Any]], str]] = [
    ({"code": {"distance": 4}}, "code.distance: 4 is no distance of surface_code:rotated_memory_x"),
    (
        {"code": {"task": "color_code:memory_xyz", "distance": 6}},
        "code.distance: 6 is no distance of color_code",
    ),
    (
        {"code": {"task": "repetition_code:memory", "distance": 1}},
        "code.distance: 1 is too small; write 2 or more",
    ),
    (
        {"code": {"task": "color_code:memory_xyz", "rounds": 1}},
        "code.rounds: color_code:memory_xyz needs at least 2 rounds; write rounds = 2",
    ),
    ({"noise": {"p": None}}, "noise.p: si1000 needs a physical error rate; add p = 0.001"),
    (
        {"window": {"kind": "whole", "commit": 3}},
        'window.commit: a whole window has none; delete commit = 3 or write kind = "sliding"',
    ),
    (
        {"window": {"kind": "sliding", "buffer": 3}},
        "window.commit: a sliding window needs it; add e.g. commit = 5",
    ),
    (
        {"window": {"kind": "parallel", "commit": 3}},
        "window.buffer: a parallel window needs it; add e.g. buffer = 5",
    ),
    (
        {"window": {"kind": "parallel", "commit": 3, "buffer": 0}},
        "window.buffer: 0 leaves nothing for the windows in between; write buffer = 1 or more",
    ),
    (
        {"window": {"kind": "parallel", "commit": 7, "buffer": 7}},
        "window.commit: a window of 21 rounds is larger than a shot of 20",
    ),
    (
        {"qpu": {"shot_period": "19.9 us"}},
        (
            'qpu.shot_period: "19.9 us" is shorter than a shot: 20 rounds of 1 us; '
            'write at least "20 us"'
        ),
    ),
    (
        {"host": {"ring_slots": 65}},
        "host.ring_slots: 65 slots are more than the 64 that an FPGA addresses over RoCE",
    ),
    (
        {"predecoder": {"batch_timeout": "1 us"}},
        'predecoder.batch_timeout: "1 us" has no effect on batches of 1; add batch = 2',
    ),
    ({"predecoder": {"kind": "onnx"}}, "predecoder.model: an onnx pre-decoder needs it; add"),
    (
        {"predecoder": {"kind": "delay"}},
        'predecoder.timing: "measured" times an inference, and kind = "delay" has none; write',
    ),
    (
        {"decoder": {"timing": "profile"}},
        'decoder.profile: timing = "profile" needs it; add the file that roundtrip profile wrote',
    ),
]


@pytest.mark.parametrize(("tables", "text"), WRONG, ids=[text.split(";")[0] for _, text in WRONG])
def test_each_contradiction_names_key_value_and_fix(
    tables: dict[str, dict[str, Any]], text: str
) -> None:
    with pytest.raises(ScenarioError) as error:
        resolve(minimal(**tables))
    [line] = str(error.value).splitlines()
    assert line.startswith(f"scenario: {text}")


RIGHT: list[dict[str, dict[str, Any]]] = [
    {"code": {"task": "repetition_code:memory", "distance": 2}},
    {"code": {"task": "color_code:memory_xyz", "distance": 7, "rounds": 2}},
    {"noise": {"model": "none", "p": None}},
    {"window": {"kind": "sliding", "commit": 15, "buffer": 5}},
    {"window": {"kind": "sliding", "commit": 1, "buffer": 0}},
    {"window": {"kind": "parallel", "commit": 10, "buffer": 5}},
    {"qpu": {"shot_period": "20 us"}},
    {"host": {"ring_slots": 65}, "link": {"up": {"framing": "udp"}}},
    {"predecoder": {"batch": 2, "batch_timeout": "1 us"}},
    {"predecoder": {"kind": "delay", "timing": DELAY}, "window": {"kind": "whole"}},
    {
        "predecoder": {"kind": "delay", "timing": DELAY},
        "window": {"kind": "sliding", "commit": 2, "buffer": 2},
    },
    {"predecoder": {"kind": "none", "model": "left over.onnx", "timing": "profile"}},
]


@pytest.mark.parametrize("tables", RIGHT)
def test_the_limits_themselves_are_allowed(tables: dict[str, dict[str, Any]]) -> None:
    assert isinstance(resolve(minimal(**tables)).scenario, Scenario)


def test_a_generated_code_needs_noise() -> None:
    tables = minimal()
    del tables["noise"]
    with pytest.raises(ScenarioError, match=r"noise: a generated code needs noise; add \[noise\]"):
        resolve(tables)


def test_other_sources_bring_their_own_noise() -> None:
    tables = minimal(code={"source": "circuit"}, decoder={"timing": "profile"})
    tables["code"] = {"source": "circuit", "circuit": "a.stim"}
    with pytest.raises(ContradictionError) as error:
        Scenario.model_validate(tables)
    assert [mistake.path for mistake in error.value.mistakes] == [
        ("noise", "model"),
        ("decoder", "profile"),
    ]
    tables["noise"] = {"model": "none"}
    tables["decoder"] = {}
    assert Scenario.model_validate(tables).noise is not None


def test_an_onnx_predecoder_reads_whole_shots() -> None:
    tables = minimal(
        code={"source": "generated"},
        predecoder={"kind": "onnx", "model": "m.onnx"},
        window={"kind": "sliding", "commit": 3, "buffer": 3},
    )
    with pytest.raises(ContradictionError) as error:
        Scenario.model_validate(tables)
    assert str(error.value) == (
        "predecoder.kind: an onnx pre-decoder reads whole shots, not sliding windows; "
        'write window.kind = "whole" or predecoder.kind = "delay"'
    )


def test_rounds_of_a_circuit_count_where_they_are_given() -> None:
    tables: dict[str, Any] = {
        "qpu": {"round_period": "1 us", "shot_period": "9 us"},
        "code": {"source": "circuit", "circuit": "a.stim", "rounds": 10},
    }
    with pytest.raises(ContradictionError, match="is shorter than a shot"):
        Scenario.model_validate(tables)
    del tables["code"]["rounds"]
    assert Scenario.model_validate(tables).qpu.shot_period == 9_000_000


def test_samples_are_decoded_with_an_error_model() -> None:
    code = {"source": "samples", "detections": "d.b8", "format": "b8", "model": "m.onnx"}
    tables: dict[str, Any] = {"qpu": {"round_period": "1 us"}, "code": code}
    with pytest.raises(ContradictionError) as error:
        Scenario.model_validate(tables)
    assert str(error.value) == (
        'code.model: "m.onnx" is no error model; write the path of a .dem or a .stim file'
    )
    for name in ("m.dem", "m.stim"):
        assert Scenario.model_validate(tables | {"code": {**code, "model": name}})
