from pathlib import Path

import numpy as np
import pytest
import stim

from emulator.errors import ScenarioError
from emulator.run import prepare, run_experiment
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
    assert refused(resolved("link.down.loss=0.1")).startswith("link.down.loss: 0.1 has no effect")


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


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((), "fpga.timing: the packetiser in hdl/rtl has another law"),
        ((*WIDE, "fpga.bus_bits=256"), "fpga.timing: the packetiser in hdl/rtl has another law"),
        ((*WIDE, "fpga.pipeline_cycles=3"), "fpga.pipeline_cycles: 3 is not the"),
        ((*WIDE, "fpga.receive_cycles=3"), "fpga.receive_cycles: 3 is not the"),
        ((*NARROW, "fpga.input_bits=128"), "fpga.input_bits: 128 is wider"),
        ((*WIDE, "link.down.framing=udp"), 'link.down.framing: "udp" is not what'),
        ((*WIDE, *PATCHES, "link.up.port=per_patch"), "link.up.port: per_patch needs"),
        ((*WIDE, "qpu.patches=33"), "qpu.patches: 33 are more than the 32"),
        ((*WIDE, *SLIDING, "fpga.rounds_per_message=6"), "carries what 3 windows commit"),
    ],
)
def test_what_the_packetiser_cannot_do_is_refused_before_it_runs(
    overrides: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        prepare(resolved(*overrides, "fpga.timing=rtl"))
    assert sentence in str(caught.value)
