from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import stim

from emulator.errors import ScenarioError
from emulator.run import prepare, run_experiment
from emulator.run.compatibility import check_hardware
from emulator.scenario import Resolved, resolve
from tests.run.examples import PARALLEL, SLIDING, ran, resolved

RECORDED_SHOTS = 20
JITTER = "qpu.readout={kind = 'lognormal', median = '2 us', sigma = 1.0}"


@pytest.fixture
def recorded(tmp_path: Path) -> dict[str, object]:
    """The [code] table of a file with 20 shots of 4 rounds and a readout, 5 rounds by its model."""
    circuit = stim.Circuit.generated(
        "repetition_code:memory", distance=3, rounds=4, before_measure_flip_probability=0.1
    )
    circuit.detector_error_model().to_file(tmp_path / "model.dem")
    shots = circuit.compile_detector_sampler(seed=1).sample(RECORDED_SHOTS, append_observables=True)
    np.packbits(shots, axis=1, bitorder="little").tofile(tmp_path / "shots.b8")
    return {
        "source": "samples",
        "detections": str(tmp_path / "shots.b8"),
        "format": "b8",
        "model": str(tmp_path / "model.dem"),
    }


def from_file(code: dict[str, object], *overrides: str) -> Resolved:
    timing = "decoder.timing={kind = 'constant', value = '1 us'}"
    return resolve({"qpu": {"round_period": "1 us"}, "code": code}, [timing, *overrides])


def refused(scenario: Resolved) -> str:
    with pytest.raises(ScenarioError) as caught:
        run_experiment(scenario)
    return str(caught.value)


def test_a_file_gives_as_many_shots_as_it_holds(recorded: dict[str, object]) -> None:
    result = run_experiment(from_file(recorded, "run.shots=20")).result
    assert result.verdict.logical.shots == RECORDED_SHOTS
    text = refused(from_file(recorded, "run.shots=21"))
    assert text.startswith("run.shots: 21 shots are more than the 20 in ")
    assert text.endswith("shots.b8; write 20 or fewer")
    text = refused(from_file(recorded, "run.shots=7", "qpu.patches=3"))
    assert text.startswith("run.shots: 7 shots on 3 patches are more than the 20 in ")
    assert text.endswith("; write 6 or fewer")


def test_shots_of_a_file_must_not_overlap(recorded: dict[str, object]) -> None:
    asked = ("run.shots=5", "qpu.shot_period=3 us")
    assert refused(from_file(recorded, *asked)) == (
        'qpu.shot_period: "3 us" is shorter than a shot; write "5 us" or more'
    )


def test_a_program_with_feedback_has_no_gaps() -> None:
    assert refused(resolved("feedback.every=6", "qpu.shot_period=7 us")) == (
        'qpu.shot_period: "7 us" leaves gaps between shots, in which a program cannot go on; '
        "delete it"
    )
    run_experiment(resolved("qpu.shot_period=7 us", "run.shots=5"))
    run_experiment(resolved("feedback.every=6", "qpu.shot_period=6 us", "run.shots=5"))


def test_a_lost_response_is_not_passed_over() -> None:
    assert refused(resolved("link.down.loss=0.1")) == (
        "link.down.loss: 0.1 has no effect, responses are never lost; write 0"
    )


@pytest.mark.parametrize(
    ("overrides", "needed"),
    [
        ((*SLIDING, "fpga.rounds_per_message=1"), 4),
        ((*SLIDING, "qpu.patches=2"), 3),
        ((*SLIDING, "qpu.patches=2", JITTER), 7),
        ((*PARALLEL, "fpga.rounds_per_message=1"), 5),
    ],
)
def test_a_ring_in_which_all_wait_is_refused_and_one_slot_more_runs(
    overrides: tuple[str, ...], needed: int
) -> None:
    waits = (*overrides, "host.on_full=wait", "run.shots=10")
    text = refused(resolved(*waits, f"host.ring_slots={needed - 1}"))
    assert text.startswith(
        f"host.ring_slots: {needed - 1} are fewer than the {needed} messages that windows hold"
    )
    assert text.endswith(f'write {needed} or more, or release = "dispatch"')
    for enough in (f"host.ring_slots={needed}", "host.release=dispatch"):
        rounds = ran(*waits, "host.ring_slots=1", enough).result.rounds
        assert rounds.decoded == rounds.emitted


def test_all_that_does_not_fit_is_told_before_anything_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("emulator.run.decoding.answer_shots", never)
    scenario = resolved(*SLIDING, "link.down.loss=1", "host.ring_slots=1", "host.on_full=wait")
    first, second = refused(scenario).splitlines()
    assert first.startswith("link.down.loss: ")
    assert second.startswith("host.ring_slots: ")
    assert refused(resolved("link.up.mtu=40 B")).startswith("link.up.mtu(=40) leaves no room")
    assert refused(resolved("link.down.mtu=40 B")).startswith("link.down.mtu(=40) leaves no room")
    curve = "{kind = 'curve', per = 'window', points = [{distance = 9, value = '1 us'}]}"
    assert "distance" in refused(resolved(f"decoder.timing={curve}"))


WIDE = ("fpga.preset=roundtrip_512", "decoder.workers=8")
PATCHES = ("qpu.patches=3", "decoder.workers=12")
NARROW = ("fpga.preset=roundtrip_64", "link.up.rate=10 Gbit/s", "fpga.input_bits=8", *PATCHES)


LAW = (
    'fpga.timing: the packetiser in hdl/rtl has another law; write preset = "roundtrip_512" '
    'or fpga.timing = "model"'
)
OR_MODEL = 'or fpga.timing = "model"'


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((), LAW),
        ((*WIDE, "fpga.intake=message"), LAW),
        ((*WIDE, "fpga.bus_bits=256"), LAW),
        (
            (*WIDE, "fpga.pipeline_cycles=3"),
            "fpga.pipeline_cycles: 3 is not the 18 of the packetiser in hdl/rtl; write 18 "
            + OR_MODEL,
        ),
        (
            (*WIDE, "fpga.receive_cycles=3"),
            "fpga.receive_cycles: 3 is not the 13 of the packetiser in hdl/rtl; write 13 "
            + OR_MODEL,
        ),
        (
            (*NARROW, "fpga.input_bits=128"),
            "fpga.input_bits: 128 is wider than the bus of the packetiser; write 64 or less",
        ),
        (
            (*WIDE, "link.down.framing=udp"),
            'link.down.framing: "udp" is not what the packetiser speaks; write "roce" ' + OR_MODEL,
        ),
        (
            (*WIDE, *PATCHES, "link.up.port=per_patch"),
            'link.up.port: per_patch needs a packetiser a patch, rtl has one; write "shared" '
            + OR_MODEL,
        ),
        (
            (*WIDE, "qpu.patches=33"),
            "qpu.patches: 33 are more than the 32 inputs of the RTL; write 32 or fewer " + OR_MODEL,
        ),
        (
            (*WIDE, *SLIDING, "fpga.rounds_per_message=6"),
            "fpga.rounds_per_message: a message carries what 3 windows commit, and the RTL takes "
            "one response a request; write fewer rounds per message " + OR_MODEL,
        ),
        # what it just can do
        ((*WIDE, "fpga.input_bits=128"), ""),
        ((*NARROW, "fpga.input_bits=64"), ""),
        ((*WIDE, "link.up.port=per_patch"), ""),
        ((*WIDE, "qpu.patches=32"), ""),
        ((*WIDE, *SLIDING, "fpga.rounds_per_message=2"), ""),
    ],
)
def test_what_the_packetiser_cannot_do_is_refused_before_it_runs(
    overrides: tuple[str, ...], sentence: str
) -> None:
    if not sentence:
        prepare(resolved(*overrides, "fpga.timing=rtl"))
        return
    with pytest.raises(ScenarioError) as caught:
        prepare(resolved(*overrides, "fpga.timing=rtl"))
    assert str(caught.value) == sentence
    prepared = prepare(resolved(*overrides))  # what the model can do
    with pytest.raises(ScenarioError) as caught:
        check_hardware(prepared.scenario, prepared.source, prepared.traffic.plan)
    assert str(caught.value) == sentence


def of_size(bits: int, observables: int) -> str:
    """What is wrong with a source of six rounds of so many bits; nothing where it is empty."""
    prepared = prepare(resolved(*WIDE, "fpga.rounds_per_message=6"))
    source: Any = SimpleNamespace(
        detector_round=np.repeat(np.arange(6), bits),
        num_rounds=6,
        dem=SimpleNamespace(num_observables=observables),
    )
    try:
        check_hardware(prepared.scenario, source, prepared.traffic.plan)
    except ScenarioError as error:
        return str(error)
    return ""


def test_rounds_and_corrections_fit_into_the_memory_of_the_rtl() -> None:
    assert of_size(4096, 256) == ""
    assert of_size(4097, 256) == (
        'fpga.timing: a round of 4097 bits is longer than the 4096 of the RTL; write "model"'
    )
    assert of_size(8, 257) == (
        'fpga.timing: corrections of 257 bits are longer than those of the RTL; write "model"'
    )
    # a message of 6 rounds; four of them must fit into 8192 words of 512 bits
    long = of_size(200_000, 1).splitlines()[1]
    assert long.startswith("fpga.rounds_per_message: a message of 1200000 bits is longer than the ")


def test_times_of_the_way_up_are_those_of_the_code() -> None:
    # which slots are held depends on them, before anything is decoded
    for key in ("qpu.readout", "link.up.latency"):
        for points, told in (("distance = 3", None), ("distance = 5", f"{key}: ")):
            curve = f"{{kind = 'curve', per = 'window', points = [{{{points}, value = '1 us'}}]}}"
            asked = resolved(f"{key}={curve}", "host.on_full=wait", "host.ring_slots=1")
            if told is None:
                prepare(asked)
            else:
                assert refused(asked).startswith(told)
