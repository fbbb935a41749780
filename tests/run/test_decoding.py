"""How the shots of a scenario are laid out for its pre-decoder, and which answers serve two."""

import pytest

from emulator.errors import ScenarioError
from emulator.run import prepare
from emulator.run.decoding import _predecode_stage, same_answers
from tests.run.examples import MODELS, PREDECODER, resolved

ISING = (
    "code.task=ising:memory_z",
    "code.distance=5",
    "code.rounds=6",
    *(setting for setting in PREDECODER if setting.startswith("predecoder.")),
)


def test_a_circuit_of_stims_is_embedded_with_one_round_more_and_an_ising_memory_is_not() -> None:
    for overrides, embedded in ((PREDECODER, True), (ISING, False)):
        for orientation in ("", "XH", "ZV"):
            asked = [*overrides, "predecoder.batch=3"]
            if orientation:
                asked.append(f"predecoder.orientation={orientation}")
            stage = _predecode_stage(prepare(resolved(*asked)))
            assert stage is not None
            assert (stage.embedding is not None) is embedded
            assert stage.batch == 3
            layout = stage.predecoder.layout
            assert (layout.distance, layout.rounds, layout.basis) == (5, 6, "Z")
            assert layout.orientation == (orientation or "XV")
    turned = _predecode_stage(prepare(resolved(*ISING, "code.orientation=ZH")))
    assert turned is not None
    assert turned.predecoder.layout.orientation == "ZH"
    assert _predecode_stage(prepare(resolved())) is None


@pytest.mark.parametrize("code", ["repetition_code:memory", "color_code:memory_xyz"])
def test_a_predecoder_of_surface_codes_is_for_nothing_else(code: str) -> None:
    source = prepare(resolved(*PREDECODER, f"code.task={code}"))
    with pytest.raises(ScenarioError) as caught:
        _predecode_stage(source)
    assert str(caught.value) == (
        "predecoder.kind: onnx needs a rotated surface code memory of known distance and basis, "
        f'which {source.source.name} is not; write kind = "none"'
    )


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("predecoder.orientation=XV", False),
        (f"predecoder.model={MODELS / 'pair_rule_d5_T26_Z.onnx'}", False),
        ("predecoder.batch=4", True),  # of a pre-decoder whose times are given
        ("decoder.timing=measured", False),
        ("link.up.latency.value=9 us", True),
    ],
)
def test_answers_serve_two_runs_that_decode_and_time_alike(change: str, same: bool) -> None:
    first, second = resolved(*PREDECODER).scenario, resolved(*PREDECODER, change).scenario
    assert same_answers(first, second) is same


def test_the_hardware_itself_needs_answers_that_keep_their_syndromes() -> None:
    wide = ("fpga.preset=roundtrip_512", "decoder.workers=8")
    model = resolved(*wide).scenario
    assert not same_answers(model, resolved(*wide, "fpga.timing=rtl").scenario)
    assert same_answers(model, resolved(*wide, "fpga.input_bits=8").scenario)
