"""The last step of a run: what its record and its answers amount to."""

from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator import __version__
from emulator.decoders.answers import Answers
from emulator.loop.feedback import idle_rounds
from emulator.loop.records import LoopRecord
from emulator.results.outcome import assemble
from emulator.results.verdict import Budget
from emulator.run.build_loop import stage_sources
from emulator.run.preparation import Prepared
from emulator.run.simulation import ENGINE
from emulator.scenario.scenario import Scenario, dump
from emulator.timing import Durations
from emulator.traffic.packetiser import AppliedCorrections

__all__ = ["as_applied", "judge"]

_PACKAGES = ("numpy", "stim", "pymatching", "sinter", "onnxruntime", "simpy")


def judge(
    prepared: Prepared,
    durations: Durations,
    record: LoopRecord,
    answers: Answers | None,
    applied: AppliedCorrections | None = None,
) -> dict[str, Any]:
    """Judge a run by its budget, and say where its numbers come from.

    With ``applied`` corrections are applied when the packetiser itself put them out.
    """
    scenario, source = prepared.scenario, prepared.source
    return assemble(
        as_applied(record, applied, prepared),
        budget=_budget(scenario),
        timing=stage_sources(scenario, durations, prepared.resolved.origins),
        scenario=dump(scenario),
        sources={key: asdict(origin) for key, origin in prepared.resolved.origins.items()},
        versions=_versions(),
        seed=scenario.run.seed,
        engine=ENGINE,
        round_period_ps=scenario.qpu.round_period,
        rounds_per_shot=source.num_rounds,
        wrong=None if answers is None else _by_patch(answers.wrong, scenario.qpu.patches),
        table=_thinning(prepared, answers),
        warmup_windows=scenario.run.warmup_windows,
        distance=source.metadata.distance,
        suppression=scenario.qpu.suppression,
    )


def as_applied(
    record: LoopRecord, applied: AppliedCorrections | None, prepared: Prepared
) -> LoopRecord:
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


def _by_patch(wrong: NDArray[np.bool_] | None, patches: int) -> NDArray[np.bool_] | None:
    return None if wrong is None else wrong.reshape(-1, patches).T


def _thinning(prepared: Prepared, answers: Answers | None) -> dict[str, NDArray[np.int64]] | None:
    if answers is None or prepared.scenario.predecoder.kind != "onnx":
        return None
    shots = len(answers.events_in)
    return {
        "detectors": np.full(shots, prepared.source.num_detectors, dtype=np.int64),
        "events_in": answers.events_in,
        "events_out": answers.events_out,
    }
