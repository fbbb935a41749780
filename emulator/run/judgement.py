"""The last step of a run: what its record and its answers amount to."""

from dataclasses import replace
from importlib.metadata import version

from emulator.decoders.answers import Answers
from emulator.loop.feedback import idle_rounds
from emulator.loop.records import Record
from emulator.machine import machine_facts
from emulator.results.judge import RunFacts
from emulator.results.judge import judge as judge_record
from emulator.results.result import DroppedErrors, Result
from emulator.results.verdict import Budget
from emulator.run.build_loop import stage_sources
from emulator.run.preparation import Prepared
from emulator.run.stand_ins import stand_ins
from emulator.scenario.scenario import Scenario, dump
from emulator.timing import Durations
from emulator.traffic.packetiser import AppliedCorrections
from emulator.version import __version__

__all__ = ["as_applied", "judge", "measured_stages"]

_PACKAGES = ("numpy", "stim", "pymatching", "sinter", "onnxruntime", "simpy")


def judge(
    prepared: Prepared,
    durations: Durations,
    record: Record,
    answers: Answers | None,
    applied: AppliedCorrections | None = None,
) -> Result:
    """Judge a run by its budget, and say where its numbers come from.

    With ``applied`` corrections are applied when the packetiser itself put them out.
    """
    scenario, source = prepared.scenario, prepared.source
    measured = frozenset() if answers is None else measured_stages(scenario)
    facts = RunFacts(
        budget=_budget(scenario),
        scenario=dump(scenario),
        origins=prepared.resolved.origins,
        versions=_versions(),
        seed=scenario.run.seed,
        engine=record.engine,
        stage_sources=stage_sources(scenario, durations, prepared.resolved.origins),
        machine=machine_facts() if measured else None,
        measured=measured,
        batch={"predecode": scenario.predecoder.batch},
        expected_ps=_expected_ps(prepared, durations),
        warmup_windows=scenario.run.warmup_windows,
        distance=source.metadata.distance,
        suppression=scenario.qpu.suppression,
        feedback_every=scenario.feedback.every if scenario.feedback else None,
        detectors=source.num_detectors if scenario.predecoder.kind == "onnx" else None,
        stand_ins=stand_ins(scenario, prepared.resolved.origins),
        dropped=_dropped(answers, scenario.decoder.allow_dropped),
    )
    return judge_record(as_applied(record, applied, prepared), answers, facts)


def as_applied(record: Record, applied: AppliedCorrections | None, prepared: Prepared) -> Record:
    """View a record with the instants at which the packetiser put the corrections out."""
    if applied is None:
        return record
    windows = {**record.windows, "applied_ps": applied.applied_ps}
    feedback = prepared.scenario.feedback
    return replace(
        record,
        windows=windows,
        end_ps=max(record.horizon_ps, int(applied.applied_ps.max(initial=0))),
        idle_rounds=None
        if feedback is None
        else idle_rounds(windows, prepared.traffic.emission, feedback.every),
    )


def _expected_ps(prepared: Prepared, durations: Durations) -> dict[str, float]:
    """Mean service time of each stage when it has all it can do, where its delay model says it.

    Of a stage in batches it is that of a full one; of one whose time depends on the rounds of a
    window, the mean over the windows of a shot.
    """
    scenario, plan = prepared.scenario, prepared.traffic.plan
    pre = scenario.predecoder
    stages = {
        "dispatch": (durations.dispatch, 1, 1),
        "predecode": (durations.predecode, pre.streams, pre.batch),
        "decode": (durations.decode, scenario.decoder.workers, 1),
    }
    found = {}
    for stage, (service, servers, batch) in stages.items():
        if service is None:
            continue
        means = [service.expected_ps(servers, batch, len(window.rounds)) for window in plan]
        known = [mean_ps for mean_ps in means if mean_ps is not None]
        if len(known) == len(means):
            found[stage] = sum(known) / len(known)
    return found


def _dropped(answers: Answers | None, allowed: float) -> DroppedErrors | None:
    """What the decoder left out of the error model, None where that is nothing."""
    if answers is None or answers.unused is None:
        return None
    unused = answers.unused
    return DroppedErrors(
        errors=unused.errors,
        of=unused.of,
        share=float(unused.share),
        allowed=allowed,
        text=f"the decoder did without {unused}",
    )


def _budget(scenario: Scenario) -> Budget:
    asked = scenario.budget
    return Budget(
        limit_ps=scenario.reaction_limit_ps,
        quantile=asked.quantile,
        confidence=asked.confidence,
        logical_limit=asked.logical_error_rate,
        lost_rounds=asked.lost_rounds,
    )


def _versions() -> dict[str, str]:
    return {"roundtrip-emulator": __version__} | {name: version(name) for name in _PACKAGES}


def measured_stages(scenario: Scenario) -> frozenset[str]:
    """Stages whose times were taken on this machine in this run."""
    stages = {"decode": scenario.decoder.timing}
    if scenario.predecoder.kind != "none":
        stages["predecode"] = scenario.predecoder.timing
    return frozenset(stage for stage, timing in stages.items() if timing == "measured")
