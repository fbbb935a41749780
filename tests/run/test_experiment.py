from dataclasses import replace

import numpy as np
import pymatching
import pytest
import stim
from numpy.typing import NDArray

from emulator.errors import MissingToolError, ScenarioError
from emulator.results import Result
from emulator.run import decode, measure, prepare, run_experiment, run_tables
from emulator.scenario.codes import GeneratedCode
from tests.run.examples import (
    PARALLEL,
    PREDECODER,
    SLIDING,
    answers_of,
    ran,
    resolved,
    shots_of,
    wrong_of,
)

TASKS = (
    "surface_code:rotated_memory_x",
    "surface_code:rotated_memory_z",
    "repetition_code:memory",
)

VARIANTS = (
    (),
    SLIDING,
    PARALLEL,
    PREDECODER,
    ("qpu.patches=3", "qpu.patch_offset=300 ns"),
    ("link.up.loss=0.1", "budget.lost_rounds=10000"),
    (*SLIDING, "link.up.loss=0.1"),
    ("run.drain=false", "decoder.timing={kind = 'constant', value = '20 us'}"),
    ("host.ring_slots=2", "decoder.timing={kind = 'constant', value = '20 us'}"),
    ("feedback.every=6",),
)


def generated(code: GeneratedCode, p: float) -> stim.Circuit:
    return stim.Circuit.generated(
        code.task,
        distance=code.distance,
        rounds=code.rounds,
        after_clifford_depolarization=p,
        before_round_data_depolarization=p,
        before_measure_flip_probability=p,
        after_reset_flip_probability=p,
    )


def unpacked(corrections: NDArray[np.uint8], observables: int) -> NDArray[np.uint8]:
    return np.unpackbits(corrections, axis=-1, count=observables, bitorder="little")


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("patches", [1, 3])
def test_logical_errors_are_those_of_pymatching_on_the_same_shots(task: str, patches: int) -> None:
    overrides = (f"code.task={task}", "noise.p=0.03", f"qpu.patches={patches}")
    scenario, experiment = resolved(*overrides).scenario, ran(*overrides)
    detectors, observables = shots_of(scenario)
    assert isinstance(scenario.code, GeneratedCode)
    model = generated(scenario.code, 0.03).detector_error_model(decompose_errors=True)
    predictions = pymatching.Matching(model).decode_batch(detectors)
    wrong = (predictions != observables).any(axis=1)
    assert 0 < wrong.sum() < len(wrong) == 120 * patches
    assert (wrong_of(experiment) == wrong).all()
    logical = experiment.result.verdict.logical
    assert logical.decoder_errors == wrong.sum()
    assert (logical.shots, logical.unfinished) == (len(wrong), 0)


def test_late_and_wrong_shots_are_matched_by_patch_and_shot() -> None:
    overrides = ("qpu.patches=3", "decoder.workers=2", "budget.reaction=6 us")
    experiment = ran(*overrides)
    windows, wrong = experiment.record.windows, wrong_of(experiment)
    assert wrong is not None
    late = np.zeros_like(wrong)
    rows = windows["shot"] * 3 + windows["patch"]
    late[rows] = windows["applied_ps"] - windows["emitted_ps"] > 6_000_000
    assert (late & wrong).any()
    assert (late ^ wrong).any()
    found = experiment.result.verdict.logical
    assert found.rate == pytest.approx(float((late | wrong).mean()))
    assert (found.decoder_errors, found.late) == (wrong.sum(), late.sum())


@pytest.mark.parametrize("plan", [SLIDING, PARALLEL, (*SLIDING, "window.tail=absorb")])
def test_corrections_of_windows_add_up_to_the_prediction(plan: tuple[str, ...]) -> None:
    experiment = ran(*plan)
    corrections = unpacked(answers_of(experiment).corrections, 1)
    _, observables = shots_of(resolved(*plan).scenario)
    wrong = np.bitwise_xor.reduce(corrections, axis=1) != observables
    assert (wrong_of(experiment) == wrong[:, 0]).all()
    assert corrections.shape[1] > 1
    assert corrections.any(axis=(0, 2)).all()  # no window is idle
    # windows that see enough of the shot err hardly more often than the whole of it
    whole = ran().result.verdict.logical.errors
    assert whole is not None
    assert 0 < wrong.sum() < whole + 15


def test_windows_wait_for_those_they_build_on() -> None:
    first, start, end = (
        ran(*SLIDING).record.windows[name].reshape(120, 3)
        for name in ("first_round", "decode_start_ps", "decode_end_ps")
    )
    assert first.tolist() == [[0, 2, 4]] * 120
    assert (start[:, 1:] >= end[:, :-1]).all()


def test_layers_of_parallel_windows_run_side_by_side() -> None:
    first, start, end = (
        ran(*PARALLEL).record.windows[name].reshape(120, 4)
        for name in ("first_round", "decode_start_ps", "decode_end_ps")
    )
    assert first.tolist() == [[0, 4, 1, 5]] * 120  # two cores, then the gaps behind them
    assert (start[:, 2] >= end[:, :2].max(axis=1)).all()
    assert (start[:, 3] >= end[:, 1]).all()
    assert (start[:, 3] < end[:, 2]).any()


def test_a_predecoder_takes_events_away_and_its_batches_share_their_time() -> None:
    batched = (*PREDECODER, "predecoder.batch=4", "predecoder.batch_timeout=1 ms")
    one, four = ran(*PREDECODER), ran(*batched)
    counts = one.result.predecoder
    assert counts is not None
    assert counts.density_in is not None
    assert counts.density_out is not None
    assert 0 < counts.density_out < counts.density_in
    assert four.result.predecoder == counts
    assert four.result.verdict.logical == one.result.verdict.logical
    start = four.record.windows["predecode_start_ps"].reshape(-1, 4)
    assert (start == start[:, :1]).all()
    assert len(np.unique(start[:, 0])) == len(start)
    spent = four.record.windows["predecode_end_ps"] - four.record.windows["predecode_start_ps"]
    assert set(spent.tolist()) == {2_000_000}


def test_a_measured_batch_is_one_call() -> None:
    experiment = ran(*PREDECODER, "predecoder.timing=measured", "predecoder.batch=4")
    times = answers_of(experiment).predecode_ps
    assert times is not None
    assert (times.reshape(-1, 4) == times[::4, None]).all()
    stages = {stage.name: stage for stage in experiment.result.stages}
    assert stages["predecode"].timing_source == "timed on this machine, one call a window"
    assert stages["predecode"].timing_confidence == "measured"
    assert stages["predecode"].max_ps in times


def test_delay_takes_time_and_leaves_the_answers_alone() -> None:
    timing = "predecoder.timing={kind = 'constant', value = '9 us', source = 'a paper'}"
    with_time, without = ran("predecoder.kind=delay", timing), ran()
    assert (wrong_of(with_time) == wrong_of(without)).all()
    windows = with_time.record.windows
    assert (windows["predecode_end_ps"] - windows["predecode_start_ps"] == 9_000_000).all()
    stage = next(s for s in with_time.result.stages if s.name == "predecode")
    assert stage.timing_source == "a paper"
    assert with_time.result.predecoder is None


# -- the loop ------------------------------------------------------------------------------------


@pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)
def test_no_round_vanishes(overrides: tuple[str, ...]) -> None:
    scenario, rounds = resolved(*overrides).scenario, ran(*overrides).result.rounds
    assert isinstance(scenario.code, GeneratedCode)
    emitted = scenario.code.rounds * scenario.run.shots * scenario.qpu.patches
    assert rounds.emitted == emitted
    assert rounds.decoded + rounds.in_flight + rounds.lost == emitted
    assert sum(rounds.lost_by_cause.values()) == rounds.lost
    windows = ran(*overrides).record.windows
    applied = windows["last_round"] - windows["first_round"] + 1
    assert applied.sum() == rounds.decoded


def test_lost_messages_are_counted_and_miss_the_budget() -> None:
    experiment = ran("link.up.loss=0.1")
    lost = int(experiment.record.messages["lost"].sum())
    assert 0 < lost < 40
    assert experiment.result.rounds.lost_by_cause["link_loss"] == 6 * lost
    assert len(experiment.record.windows["window"]) == 120 - lost
    assert experiment.result.verdict.outcome == "missed"
    assert f"{6 * lost} rounds lost (link_loss {6 * lost})" in experiment.result.verdict.text
    few = ran("link.up.loss=0.01")
    assert few.result.rounds.lost == 18
    assert few.result.verdict.outcome == "missed"
    allowed = ran("link.up.loss=0.01", "budget.lost_rounds=18").result.verdict
    assert [found.outcome for found in allowed.findings if found.criterion == "losses"] == ["met"]


def test_what_is_not_waited_for_is_in_flight() -> None:
    slow = "decoder.timing={kind = 'constant', value = '20 us'}"
    left = ran("run.drain=false", slow).result.rounds
    assert left.in_flight > 0
    assert ran(slow, "host.on_full=wait").result.rounds.in_flight == 0


def test_a_program_with_feedback_idles() -> None:
    ideal = ("fpga.preset=ideal", "link.preset=ideal", "host.preset=ideal")
    timing = "decoder.timing={kind = 'constant', value = '3500 ns'}"
    unset = ("link.up.rate=1 Tbit/s", "link.down.rate=1 Tbit/s", "link.latency.value=0 ps")
    experiment = ran("feedback.every=6", "run.shots=50", *ideal, *unset, timing)
    applied = experiment.record.windows["applied_ps"]
    waits, end = [], 6
    while end <= 6 * 50:
        last_window = -(-end // 6) - 1
        wait = max(0, -(-(int(applied[last_window]) - end * 1_000_000) // 1_000_000))
        waits.append(wait)
        end += wait + 6
    idle = experiment.result.verdict.idle
    assert idle is not None
    assert idle.operations == len(waits)
    assert idle.mean_rounds == pytest.approx(sum(waits) / len(waits))
    assert idle.max_rounds == max(waits)
    assert waits[0] == 4  # 3.5 us and what frames take, in whole rounds
    derived = ran().result.verdict.idle
    assert derived is not None
    assert derived.operations is None


def test_what_is_asked_and_known_reaches_the_verdict() -> None:
    asked = ("budget.logical_error_rate=0.5", "run.warmup_windows=20", "qpu.suppression=2.5")
    verdict = ran(*asked, "budget.quantile=0.9", "budget.confidence=0.8").result.verdict
    assert verdict.logical.limit == 0.5
    assert verdict.reaction.samples == 100
    assert verdict.reaction.quantile == 0.9
    assert verdict.confidence == 0.8
    assert verdict.idle is not None
    assert (verdict.idle.distance_to_compensate or 0) > 0
    plain = ran().result.verdict.idle
    assert plain is not None
    assert plain.distance_to_compensate is None
    strict = ran("budget.logical_error_rate=0.01").result.verdict
    assert strict.outcome == "missed"
    assert "logical error rate" in strict.text


def test_a_published_curve_charges_a_window_for_the_rounds_it_reads() -> None:
    points = "[{distance = 3, p = 0.01, value = '1 us'}, {distance = 5, p = 0.01, value = '2 us'}]"
    curve = f"decoder.timing={{kind = 'curve', per = 'round', points = {points}}}"
    windows = ran(*SLIDING, curve, "noise.p=0.01").record.windows
    times = windows["decode_end_ps"] - windows["decode_start_ps"]
    # windows of 4 rounds, but the last of a shot has the 2 that are left
    assert times.tolist() == [4_000_000, 4_000_000, 2_000_000] * 120


def test_a_batch_takes_the_time_of_its_fill() -> None:
    points = "{'1' = '3 us', '2' = '5 us', '4' = '6 us'}"
    batches = (f"predecoder.timing={{kind = 'batch', points = {points}}}", "predecoder.batch=4")
    windows = ran(*SLIDING, "predecoder.kind=delay", *batches, "decoder.algorithm=none").windows
    starts, fills = np.unique(windows["predecode_start_ps"], return_counts=True)
    assert len(set(fills.tolist())) > 1
    expected = {1: 3_000_000, 2: 5_000_000, 3: 5_500_000, 4: 6_000_000}
    for start, fill in zip(starts.tolist(), fills.tolist(), strict=True):
        ends = windows["predecode_end_ps"][windows["predecode_start_ps"] == start]
        assert set(ends.tolist()) == {start + expected[fill]}


def test_a_load_is_that_of_the_windows_of_a_shot() -> None:
    points = "[{distance = 3, p = 0.01, value = '1 us'}, {distance = 5, p = 0.01, value = '2 us'}]"
    curve = f"decoder.timing={{kind = 'curve', per = 'round', points = {points}}}"
    load = ran(*SLIDING, curve, "noise.p=0.01").result.verdict.throughput.load_by_stage["decode"]
    # windows of 4, 4 and 2 rounds, three workers, a shot of 6 us
    assert load.value == pytest.approx(10 / (3 * 6))


# -- repeatability -------------------------------------------------------------------------------

MEASURED = ("decoder.timing=measured", "host.on_full=wait", "run.shots=60")
TIMES = ("mean_ps", "p50_ps", "p99_ps", "p999_ps", "max_ps", "share")
"""Of a stage, what depends on how long it took."""
LOGICAL = ("decoder_errors", "decoder_rate", "decoder_ci", "decoder_per_round")
"""Of the logical errors, what does not depend on it."""


def untimed(result: Result) -> list[object]:
    logical = result.verdict.logical.model_dump()
    return [
        *(result.scenario, result.sources, result.versions, result.rounds, result.predecoder),
        {name: logical[name] for name in LOGICAL},
        [stage.model_dump(exclude=set(TIMES)) for stage in result.stages],
    ]


def test_measured_runs_differ_in_times_only() -> None:
    first, second = (run_experiment(resolved(*MEASURED)) for _ in range(2))
    assert untimed(first.result) == untimed(second.result)
    times = answers_of(first).decode_ps, answers_of(second).decode_ps
    assert times[0] is not None
    assert times[1] is not None
    assert (times[0] != times[1]).any()


def test_the_windows_that_are_not_judged_are_marked_where_something_was_measured() -> None:
    experiment = run_experiment(resolved(*MEASURED))
    calls = np.zeros((60, 1), dtype=np.bool_)
    calls[[3, 41]] = True
    answers = replace(answers_of(experiment), disturbed_decode=calls)
    table = run_tables(replace(experiment, answers=answers))["windows"]
    assert table["window"][table["disturbed"] == 1].tolist() == [3, 41]
    assert set(table["disturbed"].tolist()) == {0, 1}
    assert "disturbed" not in run_tables(ran())["windows"]


def test_another_seed_gives_other_shots_and_other_times() -> None:
    first, second = ran(), ran("run.seed=6")
    assert (wrong_of(first) != wrong_of(second)).any()
    spent = [
        run.record.windows["decode_end_ps"] - run.record.windows["decode_start_ps"]
        for run in (first, second)
    ]
    assert (spent[0] != spent[1]).any()


def test_memory_of_a_chunk_changes_nothing() -> None:
    first, second = ran(*SLIDING), ran(*SLIDING, "run.chunk_shots=7")
    assert (answers_of(first).corrections == answers_of(second).corrections).all()
    tables = run_tables(first), run_tables(second)
    for name, table in tables[0].items():
        for column, values in table.items():
            assert (values == tables[1][name][column]).all(), (name, column)
    for key in ("verdict", "stages", "rounds"):
        assert getattr(first.result, key) == getattr(second.result, key)


def test_the_first_shots_are_decoded_again_as_they_were() -> None:
    overrides = (*SLIDING, "qpu.patches=2")
    again = decode(prepare(resolved(*overrides)), shots=11, timed=False, keep_detectors=True)
    detectors, _ = shots_of(resolved(*overrides).scenario)
    assert again is not None
    assert again.detectors is not None
    packed = np.packbits(detectors[:22], axis=1, bitorder="little")
    assert (again.detectors == packed).all()
    assert (again.corrections == answers_of(ran(*overrides)).corrections[:22]).all()


# -- progress, measuring, mistakes ---------------------------------------------------------------


def test_progress_reaches_all_shots() -> None:
    told: list[tuple[str, int, int]] = []
    overrides = ("run.shots=30", "run.chunk_shots=8", "qpu.patches=2")
    run_experiment(resolved(*overrides), progress=lambda *what: told.append(what))
    shots = [(done, of) for work, done, of in told if work == "decoding shots"]
    assert shots == [(k, 60) for k in (*range(8, 60, 8), 60)]
    loop = [(done, of) for work, done, of in told if work == "running the loop"]
    assert loop
    assert all(0 < done <= of == 360 for done, of in loop)


def test_measuring_times_what_can_run_whatever_the_scenario_says() -> None:
    answers = measure(resolved(*PREDECODER, "run.shots=20"))
    assert answers.predecode_ps is not None
    assert answers.decode_ps is not None
    assert answers.predecode_ps.shape == (20,)
    assert answers.decode_ps.shape == (20, 1)
    assert (answers.decode_ps > 0).all()
    assert measure(resolved("run.shots=9", *SLIDING)).predecode_ps is None


@pytest.mark.parametrize(
    ("overrides", "error", "text"),
    [
        (
            ["decoder.algorithm=mwpm"],
            ScenarioError,
            'decoder.algorithm: no decoder is called "mwpm"',
        ),
        (
            ["decoder.algorithm=no_such_package:decoders"],
            MissingToolError,
            'decoder.algorithm: the decoder "no_such_package:decoders" cannot be imported',
        ),
        (
            [*PREDECODER, "code.task=repetition_code:memory"],
            ScenarioError,
            "predecoder.kind: onnx needs a rotated surface code",
        ),
        (
            [*PREDECODER, "code.task=color_code:memory_xyz"],
            ScenarioError,
            "predecoder.kind: onnx needs a rotated surface code",
        ),
    ],
)
def test_what_cannot_be_decoded(overrides: list[str], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        run_experiment(resolved(*overrides))
