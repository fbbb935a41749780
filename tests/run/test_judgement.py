"""What a run hands to the judge: expected service times, corrections as they were applied."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emulator.loop.feedback import idle_rounds
from emulator.results import Budget
from emulator.run import judge, prepare
from emulator.run.judgement import _budget, _expected_ps, as_applied
from emulator.traffic.packetiser import AppliedCorrections
from tests.run.examples import PREDECODER, SLIDING, answers_of, ran, resolved


def _service(stage_ps: int, unknown_rounds: int = 0) -> Any:
    """A service whose mean tells what it was asked for, and is not known for some rounds."""

    def expected_ps(servers: int, batch: int, rounds: int) -> float | None:
        if rounds == unknown_rounds:
            return None
        return stage_ps + 1000 * servers + 100 * batch + rounds

    return SimpleNamespace(expected_ps=expected_ps)


def test_expected_times_are_those_of_busy_servers_full_batches_and_all_windows() -> None:
    asked = (*SLIDING, "predecoder.kind=delay", "predecoder.streams=5", "predecoder.batch=4")
    timing = "predecoder.timing={kind = 'constant', value = '1 us'}"
    prepared = prepare(resolved(*asked, timing, "fpga.rounds_per_message=2"))
    # windows of 4, 4 and 2 rounds on 3 workers
    mean = 10 / 3
    times = replace(
        prepared.durations, dispatch=_service(0), predecode=_service(10**5), decode=_service(10**6)
    )
    assert _expected_ps(prepared, times) == pytest.approx(
        {"dispatch": 1100 + mean, "predecode": 105_400 + mean, "decode": 1_003_100 + mean}
    )
    # a stage one of whose windows has no known mean has none
    unknown = replace(times, decode=_service(0, unknown_rounds=2), predecode=None)
    assert _expected_ps(prepared, unknown) == pytest.approx({"dispatch": 1100 + mean})


def test_corrections_count_when_the_packetiser_put_them_out() -> None:
    run = ran("feedback.every=6", "run.shots=50")
    record, prepared = run.record, run.prepared
    assert as_applied(record, None, prepared) is record
    later = AppliedCorrections(record.windows["applied_ps"] + 7_000_000)
    found = as_applied(record, later, prepared)
    assert (found.windows["applied_ps"] == later.applied_ps).all()
    assert (found.windows["returned_ps"] == record.windows["returned_ps"]).all()
    assert found.end_ps == later.applied_ps.max() > record.horizon_ps
    waits = idle_rounds(found.windows, prepared.traffic.emission, 6)
    assert found.idle_rounds is not None
    assert record.idle_rounds is not None
    assert (found.idle_rounds == waits).all()
    assert found.idle_rounds.mean() > record.idle_rounds.mean() + 6
    early = AppliedCorrections(record.windows["applied_ps"] // 2)
    assert as_applied(record, early, prepared).end_ps == record.horizon_ps
    plain = ran()
    none = AppliedCorrections(np.empty(0, dtype=np.int64))
    assert as_applied(plain.record, none, plain.prepared).end_ps == plain.record.horizon_ps
    applied = AppliedCorrections(plain.record.windows["applied_ps"])
    assert as_applied(plain.record, applied, plain.prepared).idle_rounds is None


def test_what_the_packetiser_put_out_is_judged() -> None:
    run = ran()
    later = AppliedCorrections(run.record.windows["applied_ps"] + 10**9)
    found = judge(run.prepared, run.durations, run.record, run.answers, later)
    assert run.result.verdict.reaction.value_ps is not None
    assert found.verdict.reaction.value_ps == run.result.verdict.reaction.value_ps + 10**9


def test_every_criterion_of_a_budget_is_asked() -> None:
    asked = ("reaction=7 us", "quantile=0.9", "confidence=0.8", "lost_rounds=3")
    scenario = resolved(*(f"budget.{key}" for key in asked), "budget.logical_error_rate=0.1")
    assert _budget(scenario.scenario) == Budget(
        limit_ps=7_000_000, quantile=0.9, confidence=0.8, logical_limit=0.1, lost_rounds=3
    )


def test_only_a_run_that_measured_names_its_machine_and_does_not_repeat() -> None:
    measured = ran(*PREDECODER, "predecoder.timing=measured", "run.shots=20")
    assert measured.result.machine is not None
    assert not measured.result.repeatable
    assert measured.result.verdict.disturbed is not None
    assert set(measured.result.verdict.disturbed.share_by_stage) == {"predecode"}
    decoder = ran("decoder.timing=measured", "host.on_full=wait", "run.shots=20").result
    assert decoder.verdict.disturbed is not None
    assert set(decoder.verdict.disturbed.share_by_stage) == {"decode"}
    # a pre-decoder that is not there is not measured, whatever its timing says
    unused = ran("predecoder.timing=measured", "run.shots=20").result
    assert (unused.machine, unused.repeatable) == (None, True)


def test_facts_of_the_scenario_reach_the_result() -> None:
    asked = (*PREDECODER, "run.seed=11", "run.warmup_windows=3", "qpu.suppression=2.5")
    run = ran(*asked)
    result, answers = run.result, answers_of(run)
    assert (result.seed, result.engine) == (11, run.record.engine)
    assert result.verdict.warmup_windows == 3
    assert result.predecoder is not None
    assert result.predecoder.detectors == 120 * run.prepared.source.num_detectors
    assert result.predecoder.events_in == answers.events_in.sum()
    assert set(result.versions) == {
        *("roundtrip-emulator", "numpy", "stim", "pymatching", "sinter", "onnxruntime", "simpy"),
    }
    assert result.sources["run.seed"].kind == "command line"
