from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.random import Generator

from emulator.decoders.answers import Answers
from emulator.errors import ScenarioError
from emulator.run.services import Seeds, Services, check_services, stage_services
from emulator.timing import Profile, TimingContext, write_profile
from tests.run.examples import PREDECODER, resolved

CONTEXT = TimingContext(distance=3, rounds=6, p=0.02)
RANDOM = "{kind = 'lognormal', median = '1 us', sigma = 0.5}"


def answers(predecode_ps: list[int] | None, decode_ps: list[list[int]] | None) -> Answers:
    nothing = np.empty(0, dtype=np.int64)
    return Answers(
        None,
        nothing.astype(np.uint8),
        None if predecode_ps is None else np.array(predecode_ps),
        None if decode_ps is None else np.array(decode_ps),
        nothing,
        nothing,
    )


def services(*overrides: str, measured: Answers | None = None, seed: int = 1) -> Services:
    scenario = resolved(*overrides).scenario
    return stage_services(scenario, measured or answers(None, None), CONTEXT, Seeds.of(seed))


def test_seeds_are_independent_and_repeat() -> None:
    first, again, other = Seeds.of(3), Seeds.of(3), Seeds.of(4)
    assert first.syndromes == again.syndromes != other.syndromes
    assert 0 <= first.syndromes < 2**63
    drawn = {}
    for field in fields(Seeds):
        part = getattr(first, field.name)
        if isinstance(part, Generator):
            drawn[field.name] = part.integers(2**62)
            assert drawn[field.name] == getattr(again, field.name).integers(2**62)
    assert len(set(drawn.values())) == len(fields(Seeds)) - 1


def test_measured_windows_keep_their_own_times() -> None:
    timing = ("decoder.timing=measured", *PREDECODER, "predecoder.timing=measured")
    found = services(*timing, measured=answers([7, 8], [[1, 2], [3, 4]]))
    assert found.predecode is not None
    assert [found.predecode(k, 1) for k in range(2)] == [7, 8]
    assert [found.decode(k, 1) for k in range(4)] == [1, 2, 3, 4]
    assert found.decode.confidence == "measured"


def test_what_was_not_timed_has_no_time() -> None:
    with pytest.raises(ValueError, match="stage decode was not timed"):
        services("decoder.timing=measured")


def test_profiles_are_replayed_from_their_stage(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    times = {"predecode": np.array([5, 6]), "decode": np.array([11, 12, 13])}
    write_profile(Profile({}, {}, times), file)
    found = services(
        *PREDECODER,
        *(
            f"{s}.{key}"
            for s in ("predecoder", "decoder")
            for key in ("timing=profile", f"profile={file}")
        ),
    )
    assert found.predecode is not None
    assert [found.predecode(k, 1) for k in range(3)] == [5, 6, 5]
    assert [found.decode(k, 1) for k in range(4)] == [11, 12, 13, 11]
    assert found.decode.source == f"recorded in {file}"


def test_every_stage_draws_from_its_own_stream() -> None:
    stages = ("qpu.readout", "link.latency", "host.dispatch", "decoder.timing")
    random = [f"{stage}={RANDOM}" for stage in stages]
    found = services(*random)
    kinds = ("readout", "up", "down", "dispatch", "decode")
    assert found.predecode is None
    firsts = {kind: getattr(found, kind)(0, 1) for kind in kinds}
    assert len(set(firsts.values())) == len(kinds)
    # a stage that starts to draw, or stops, leaves the others as they were
    without = services(*random, 'link.up.latency={kind = "constant", value = "1 us"}')
    assert without.up(0, 1) == 1_000_000
    for kind in ("readout", "down", "dispatch", "decode"):
        assert getattr(without, kind)(0, 1) == firsts[kind]
    other = services(*random, seed=2)
    assert all(getattr(other, kind)(0, 1) != firsts[kind] for kind in kinds)


def test_a_check_tells_what_is_wrong_without_answers(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    write_profile(Profile({}, {}, {"decode": np.array([1])}), file)
    check_services(resolved("decoder.timing=measured").scenario, CONTEXT)
    wrong = [*PREDECODER, "predecoder.timing=profile", f"predecoder.profile={file}"]
    with pytest.raises(ScenarioError, match='no column "predecode"; set column to one of decode'):
        check_services(resolved(*wrong).scenario, CONTEXT)
