"""Each step of a run is done once in a command, and what two runs share is done once for both."""

import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.cli import main
from emulator.run import (
    decode,
    durations,
    judge,
    prepare,
    run_experiment,
    same_answers,
    simulate,
)
from tests.run.examples import PREDECODER, SLIDING, answers_of, ran, resolved, wrong_of

STEPS = {
    "source": "emulator.run.preparation.build_source",
    "decode": "emulator.run.decoding.answer_shots",
    "loop": "emulator.run.simulation.run_engine",
    "judge": "emulator.run.judgement.judge_record",
    "frames": "emulator.run.simulation.send_messages",
}
SCENARIO = """
[qpu]
round_period = "1 us"

[code]
task = "surface_code:rotated_memory_z"
distance = 3
rounds = 4

[noise]
model = "depolarizing"
p = 0.01

[fpga]
preset = "roundtrip_512"

[decoder]
timing = { kind = "constant", value = "1 us" }

[run]
shots = 12
"""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each step was done."""
    counter: Counter[str] = Counter()

    def counted(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counter[step] += 1
            return function(*args, **kwargs)

        return call

    for step, place in STEPS.items():
        module, _, name = place.rpartition(".")
        function = getattr(__import__(module, fromlist=[name]), name)
        monkeypatch.setattr(f"{module}.{name}", counted(step, function))
    return counter


ONCE = {"source": 1, "decode": 1, "loop": 1, "judge": 1}


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (("run", "s.toml"), ONCE),
        (("compare", "s.toml", "--against", "link.up.latency.value=9 us"), {
            **ONCE, "loop": 2, "judge": 2
        }),
        (("compare", "s.toml", "--against", "decoder.workers=2"), {**ONCE, "loop": 2, "judge": 2}),
        (("compare", "s.toml", "--against", "decoder.algorithm=pymatching_correlated"), {
            **dict.fromkeys(ONCE, 2), "source": 1
        }),
        (("trace", "stimulus", "s.toml"), ONCE),
        (("profile", "s.toml", "--out", "p.json"), {"source": 1, "decode": 1}),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_step_is_done_twice_in_a_command(
    command: tuple[str, ...],
    wanted: dict[str, int],
    calls: Counter[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_text(SCENARIO)
    assert main(command) in {0, 1, 4}
    assert dict(calls) == wanted


def test_traces_of_a_finished_run_repeat_only_what_it_did_not_keep(
    calls: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_text(SCENARIO)
    main(["run", "s.toml", "--out", "r"])
    calls.clear()
    assert main(["trace", "perfetto", "r"]) == 0
    assert main(["report", "r"]) in {0, 1, 4}
    assert not calls
    assert main(["trace", "pcapng", "r"]) == 0
    assert dict(calls) == {"source": 1, "decode": 1}


# -- reuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "link.up.latency.value=3 us",
        "decoder.workers=2",
        "qpu.round_period=2 us",
        "host.ring_slots=9",
    ],
)
def test_what_only_takes_time_shares_its_answers(change: str) -> None:
    first = ran()
    second = run_experiment(resolved(change), like=first)
    assert second.answers is first.answers
    assert second.prepared.source is first.prepared.source
    assert second.result == run_experiment(resolved(change)).result


@pytest.mark.parametrize(
    ("change", "shares_source"),
    [
        (("noise.p=0.01",), False),
        (("code.rounds=5",), False),
        (("run.seed=6",), True),
        (("run.shots=100",), True),
        (("qpu.patches=2", "run.shots=60"), True),
        (SLIDING, True),
        (("decoder.algorithm=pymatching_correlated",), True),
        (("decoder.timing=measured",), True),
    ],
)
def test_what_changes_answers_shares_none(change: tuple[str, ...], shares_source: bool) -> None:
    first, second = resolved(), resolved(*change)
    assert not same_answers(first.scenario, second.scenario)
    prepared = prepare(second, like=prepare(first))
    like = prepare(first)
    assert (prepare(second, like=like).source is like.source) == shares_source
    answers = decode(prepared)
    assert answers is not None
    assert answers.wrong is not None
    assert (answers.wrong == wrong_of(run_experiment(second))).all()


def test_the_predecoder_belongs_to_the_answers() -> None:
    plain = resolved("code.distance=5", "code.rounds=5").scenario
    behind = resolved(*PREDECODER).scenario
    assert not same_answers(plain, behind)
    assert same_answers(behind, resolved(*PREDECODER, "predecoder.streams=3").scenario)
    measured = (*PREDECODER, "predecoder.timing=measured")
    assert not same_answers(behind, resolved(*measured).scenario)
    batched = resolved(*measured, "predecoder.batch=4").scenario
    assert not same_answers(resolved(*measured).scenario, batched)


def test_answers_without_some_errors_serve_no_run_that_does_not_allow_it() -> None:
    lax = resolved("decoder.allow_dropped=0.5").scenario
    assert not same_answers(lax, resolved().scenario)


def test_the_steps_one_by_one_are_the_whole_run() -> None:
    prepared = prepare(resolved())
    answers = decode(prepared)
    times = durations(prepared, answers)
    record = simulate(prepared, times)
    assert judge(prepared, times, record, answers) == ran().result


def test_answers_of_another_run_are_refused() -> None:
    answers = decode(prepare(resolved("run.shots=7")))
    with pytest.raises(ValueError, match="answers of 7 shots are not those of this run"):
        durations(prepare(resolved()), answers)


# -- timing-only ---------------------------------------------------------------------------------


def test_a_timing_only_run_has_the_times_of_the_whole_one() -> None:
    whole, only = ran(), ran("decoder.algorithm=none")
    assert only.answers is None
    for name, column in whole.record.windows.items():
        np.testing.assert_array_equal(column, only.record.windows[name], name)
    assert only.result.stages == whole.result.stages
    assert only.result.verdict.logical.rate is None


# -- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("overrides", [(), SLIDING, PREDECODER, ("link.up.loss=0.1",)])
def test_every_value_of_a_run_survives_pickling(overrides: tuple[str, ...]) -> None:
    run = ran(*overrides)
    again = pickle.loads(pickle.dumps(run))
    assert again.prepared.scenario == run.prepared.scenario
    assert (wrong_of(again) == wrong_of(run)).all()
    assert (answers_of(again).corrections == answers_of(run).corrections).all()
    assert again.result == run.result
    # and what was pickled still runs
    repeated = run_experiment(again.prepared.resolved, like=again)
    for name, column in run.record.windows.items():
        np.testing.assert_array_equal(column, repeated.record.windows[name], name)
