import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emulator.decoders.answers import Answers
from emulator.errors import ScenarioError
from emulator.run import prepare
from emulator.run.service_times import durations, given_durations
from emulator.timing import Durations, Profile, Streams, TimingContext, write_profile
from tests.run.examples import PREDECODER, resolved

CONTEXT = TimingContext(distance=3, window_rounds=frozenset({2, 4}), p=0.02)
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


def built(*overrides: str, measured: Answers | None = None, seed: int = 1) -> Durations:
    prepared = prepare(resolved(*overrides, f"run.seed={seed}"))
    rows = np.zeros((prepared.shots, 1, 1), dtype=np.uint8)
    return durations(prepared, replace(measured or answers(None, None), corrections=rows))


def checked(*overrides: str) -> None:
    given_durations(resolved(*overrides).scenario, CONTEXT, Streams.of(1))


def test_measured_windows_keep_their_own_times() -> None:
    timing = ("decoder.timing=measured", *PREDECODER, "predecoder.timing=measured")
    found = built(*timing, measured=answers([7, 8], [[1, 2], [3, 4]]))
    assert found.predecode is not None
    predecode, decode = found.predecode.reader(), found.decode.reader()
    assert [predecode(k) for k in range(2)] == [7, 8]
    assert [decode(k) for k in range(4)] == [1, 2, 3, 4]
    assert found.decode.confidence == "measured"


def test_disturbed_times_and_partial_batches_take_what_undisturbed_ones_do() -> None:
    timing = ("decoder.timing=measured", *PREDECODER, "predecoder.timing=measured")
    measured = replace(
        answers([700, 99_000, 900], [[1, 2], [88_000, 4], [5, 6]]),
        disturbed_predecode=np.array([False, True, False]),
        disturbed_decode=np.array([[False, False], [True, False], [False, False]]),
        predecode_fill_ppm=(250_000, 1_000_000),
    )
    found = built(*timing, "predecoder.batch=2", measured=measured)
    assert found.predecode is not None
    predecode, decode = found.predecode.reader(), found.decode.reader()
    assert [predecode(k, fill=2) for k in range(3)] == [700, 700, 900]
    assert [predecode(k, fill=1) for k in range(3)] == [175, 175, 225]
    assert [decode(k) for k in range(6)] == [1, 2, 1, 4, 5, 6]


def test_what_was_not_timed_has_no_time() -> None:
    with pytest.raises(ValueError, match="the decoder was not timed"):
        built("decoder.timing=measured")


def test_profiles_are_replayed_from_their_stage(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    times = {"predecode": np.array([5, 6]), "decode": np.array([11, 12, 13])}
    write_profile(Profile({}, {}, times), file)
    found = built(
        *PREDECODER,
        *(
            f"{s}.{key}"
            for s in ("predecoder", "decoder")
            for key in ("timing=profile", f"profile={file}")
        ),
    )
    assert found.predecode is not None
    predecode, decode = found.predecode.reader(), found.decode.reader()
    assert [predecode(k) for k in range(3)] == [5, 6, 5]
    assert [decode(k) for k in range(4)] == [11, 12, 13, 11]
    assert found.decode.source == f"recorded in {file}"


def test_every_stage_draws_from_its_own_stream() -> None:
    stages = ("qpu.readout", "link.latency", "host.dispatch", "decoder.timing")
    random = [f"{stage}={RANDOM}" for stage in stages]
    found = built(*random)
    kinds = ("readout", "up", "down", "dispatch", "decode")
    assert found.predecode is None
    firsts = {kind: getattr(found, kind).reader()(0) for kind in kinds}
    assert len(set(firsts.values())) == len(kinds)
    # a stage that starts to draw, or stops, leaves the others as they were
    without = built(*random, 'link.up.latency={kind = "constant", value = "1 us"}')
    assert without.up.constant_ps == 1_000_000
    for kind in ("readout", "down", "dispatch", "decode"):
        assert getattr(without, kind).reader()(0) == firsts[kind]
    other = built(*random, seed=2)
    assert all(getattr(other, kind).reader()(0) != firsts[kind] for kind in kinds)


def test_wrong_times_are_refused_without_answers(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    write_profile(Profile({}, {}, {"decode": np.array([1])}), file)
    checked("decoder.timing=measured")
    wrong = [*PREDECODER, "predecoder.timing=profile", f"predecoder.profile={file}"]
    with pytest.raises(
        ScenarioError, match=r'^predecoder.timing: .*no column "predecode"; set column'
    ):
        checked(*wrong)


def test_a_timing_only_run_measures_nothing() -> None:
    given = prepare(resolved("decoder.algorithm=none"))
    assert durations(given, None) is given.durations


def test_durations_of_a_run_are_a_value() -> None:
    random = ("link.latency", "decoder.timing")
    found = built(*(f"{stage}={RANDOM}" for stage in random), "link.up.loss=0.25")
    assert (
        pickle.loads(pickle.dumps(found))
        == found
        == built(*(f"{stage}={RANDOM}" for stage in random), "link.up.loss=0.25")
    )
    assert found.loss_up is not None
    assert (found.loss_up.probability, found.loss_up.stream) == (0.25, Streams.of(1).loss)
    assert built().loss_up is None


@pytest.mark.parametrize("stage", ["qpu.readout", "link.up.latency", "host.dispatch"])
def test_a_message_has_no_rounds(stage: str) -> None:
    curve = "{kind = 'curve', per = 'round', points = [{distance = 3, value = '1 us'}]}"
    with pytest.raises(ScenarioError, match=f"^{stage}: .* needs the number of rounds per window"):
        built(f"{stage}={curve}")
    assert built(f"decoder.timing={curve}").decode.reader()(0, rounds=4) == 4_000_000


@pytest.mark.parametrize(
    ("override", "place"),
    [
        ("decoder.timing={kind = 'lognormal', median = '1 s', sigma = 4.0}", "decoder.timing"),
        ("link.down.latency={kind = 'normal', mean = '9e6 s', sd = '1e5 s'}", "link.down.latency"),
    ],
)
def test_a_delay_that_no_table_can_hold_is_refused_with_its_place(
    override: str, place: str
) -> None:
    with pytest.raises(ScenarioError, match=f"^{place}: this delay of kind .* can take as long as"):
        checked(override)


def test_batches_of_the_predecoder_must_be_listed() -> None:
    batch = "predecoder.timing={kind = 'batch', points = {'1' = '20 us', '8' = '40 us'}}"
    kind = "predecoder.kind=delay"
    found = built(kind, batch, "predecoder.batch=8").predecode
    assert found is not None
    assert found.reader()(0, fill=8) == 40_000_000
    with pytest.raises(ScenarioError, match=r"^predecoder.timing: .* batches have up to 9 jobs"):
        built(kind, batch, "predecoder.batch=9")
