"""The bytes of a finished run: what is done once more for them, and what is not."""

from typing import Any

import numpy as np
import pytest

from emulator.decoders.answers import Answers
from emulator.errors import ScenarioError
from emulator.run import decode, run_capture, run_prepared, run_stimulus
from emulator.run.preparation import prepare
from tests.run.examples import SLIDING, answers_of, captured, ran, resolved

ROCE = (*SLIDING, "qpu.patches=2", "link.up.framing=roce", "link.down.framing=roce")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Answers]:
    """What was decoded for a capture."""
    found: list[Answers] = []

    def seen(*args: Any, **kwargs: Any) -> Answers | None:
        answers = decode(*args, **kwargs)
        assert answers is not None
        found.append(answers)
        return answers

    monkeypatch.setattr("emulator.run.trace.decode", seen)
    return found


@pytest.mark.parametrize(("shots", "there"), [(3, 3), (120, 120), (500, 120)])
def test_a_capture_decodes_its_shots_without_timing_them(
    shots: int, there: int, decoded: list[Answers]
) -> None:
    frames = captured((*ROCE, "decoder.timing=measured", "host.on_full=wait"), shots)
    # of each shot of both patches three messages up and as many responses
    assert len(frames) == 2 * there * (3 + 3)
    [answers] = decoded
    assert answers.decode_ps is None
    assert answers.detectors is not None
    assert len(answers.detectors) == 2 * there


def test_a_capture_of_the_law_decodes_no_shots_ahead(decoded: list[Answers]) -> None:
    apart = (*ROCE, "qpu.patch_offset=20 us")
    assert prepare(resolved(*apart)).traffic.shots_ahead > 0
    captured(apart, 3)
    detectors = decoded[0].detectors
    assert detectors is not None
    assert len(detectors) == 2 * 3


def test_the_first_frames_are_those_of_the_whole(decoded: list[Answers]) -> None:
    few, whole = captured(ROCE, 5), captured(ROCE)
    assert set(few) < set(whole)
    first, again = decoded[0], answers_of(ran(*ROCE))
    assert (first.corrections == again.corrections[:10]).all()


def test_a_run_that_only_timed_the_loop_has_no_bytes() -> None:
    run = ran(*ROCE, "decoder.algorithm=none")
    for ask in (
        lambda: run_stimulus(run),
        lambda: run_capture(run.prepared.resolved, run.windows, run.record.messages, shots=3),
    ):
        with pytest.raises(ScenarioError, match=r'^decoder.algorithm: "none" gives no '):
            ask()
    with pytest.raises(ValueError, match="a stimulus needs the syndromes"):
        run_stimulus(ran(*ROCE))


def test_a_stimulus_has_the_syndromes_of_a_run_that_kept_them() -> None:
    run = run_prepared(
        prepare(resolved(*ROCE, "fpga.preset=roundtrip_512", "run.shots=4")), keep=True
    )
    kept = answers_of(run)
    assert kept.detectors is not None
    assert np.array_equal(kept.corrections, answers_of(ran(*ROCE)).corrections[:8])
    assert len(list(run_stimulus(run))) > 8
