from copy import deepcopy

import pytest

from emulator.run import run_experiment
from emulator.run.stand_ins import stand_ins
from emulator.scenario import preset_names, read_preset, resolve
from tests.run.examples import MODELS, SMALL, resolved

MODEL = MODELS / "pair_rule_d5_T6_Z.onnx"
FIXED = 'decoder.timing={kind = "constant", value = "2 us"}'
HELIOS = ("decoder.preset=helios_uf", "code.distance=17", "run.shots=20")


def found(*overrides: str) -> list[tuple[str, str | None, str]]:
    data = deepcopy(SMALL)
    if any(text.startswith("decoder.preset") for text in overrides):
        del data["decoder"]["timing"]
    prepared = resolve(data, overrides)
    listed = stand_ins(prepared.scenario, prepared.origins)
    return [(each.stage, each.answers, each.times) for each in listed]


def test_every_preset_that_stands_in_is_named() -> None:
    named = set()
    for name in preset_names("decoder"):
        preset = read_preset("decoder", name)
        other = preset.values.get("algorithm", "pymatching") != "pymatching"
        expected = [("decode", "pymatching", preset.title)] if preset.stands_in or other else []
        assert found(f"decoder.preset={name}", "decoder.algorithm=pymatching") == expected
        named |= {name} if preset.stands_in else set()
    assert {"helios_uf", "collision_clustering", "relay_bp_fpga", "lcd"} <= named


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("decoder.preset=this_machine",),
        ("decoder.preset=pymatching_grace",),
        ("decoder.preset=helios_uf", FIXED),  # times of the user's own
        ("decoder.preset=helios_uf", "decoder.algorithm=none"),  # no answers
    ],
)
def test_nothing_stands_in(overrides: tuple[str, ...]) -> None:
    assert found(*overrides) == []


def test_another_algorithm_than_the_preset_timed() -> None:
    title = read_preset("decoder", "pymatching_grace").title
    algorithm = "decoder.algorithm=fusion_blossom"
    assert found("decoder.preset=pymatching_grace", algorithm) == [
        ("decode", "fusion_blossom", title)
    ]
    title = read_preset("decoder", "helios_uf").title
    assert found("decoder.preset=helios_uf", "decoder.workers=2", algorithm) == [
        ("decode", "fusion_blossom", title)
    ]


def test_a_pre_decoder_that_has_no_part_in_the_answers() -> None:
    title = read_preset("predecoder", "ising_fast_gb300_p003").title
    preset = ("predecoder.preset=ising_fast_gb300_p003", "code.distance=13")
    assert found(*preset, "predecoder.kind=delay") == [("predecode", None, title)]
    other = ("predecoder.kind=onnx", f"predecoder.model={MODEL}")
    (stage, answers, times), *rest = found(*preset, *other)
    assert (stage, times, rest) == ("predecode", title, [])
    assert answers == str(MODEL)
    given = 'predecoder.timing={kind = "constant", value = "1 us"}'
    assert found("predecoder.kind=delay", given) == [
        ("predecode", None, "a delay that the scenario gives")
    ]
    assert found(*other, given) == []


def test_the_verdict_says_so_first() -> None:
    data = deepcopy(SMALL)
    del data["decoder"]["timing"]
    verdict = run_experiment(resolve(data, HELIOS)).result.verdict
    (stand_in,) = verdict.stand_ins
    assert verdict.caveats == (stand_in.text,)
    assert stand_in.text.startswith(
        "answers are those of pymatching, times those of Helios, union-find on an FPGA (preset "
    )
    assert run_experiment(resolved("run.shots=20")).result.verdict.caveats == ()
