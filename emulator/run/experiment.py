"""One run: sample and decode real syndromes, send them through the loop, judge the outcome."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import sinter
from numpy.typing import NDArray

from emulator import __version__
from emulator.decoders.answers import Answers, Front, answer_shots
from emulator.decoders.ising_embedding import IsingEmbedding, ordinary_embedding
from emulator.decoders.matchers import resolve_decoder
from emulator.decoders.predecoder import Predecoder
from emulator.decoders.windowed import WindowedDecoder
from emulator.errors import RoundtripError, ScenarioError
from emulator.loop.config import LoopConfig
from emulator.loop.engine import run_loop
from emulator.loop.records import Record
from emulator.results.judge import RunFacts, judge
from emulator.results.result import Result
from emulator.results.verdict import Budget
from emulator.run.fit import check_fit
from emulator.run.hardware import Framed, Sender, apply_responses
from emulator.run.parts import loop_config, stage_sources
from emulator.run.services import Seeds, check_services, stage_services
from emulator.run.traffic import window_plan
from emulator.scenario.codes import GeneratedCode
from emulator.scenario.load import Resolved
from emulator.scenario.scenario import Scenario, dump
from emulator.syndromes.build import build_source
from emulator.syndromes.rotated_patch import PauliType
from emulator.syndromes.source import SyndromeSource
from emulator.timing import TimingContext, build
from emulator.windows import Window

__all__ = [
    "Again",
    "Experiment",
    "Progress",
    "decode_again",
    "measure",
    "run_experiment",
    "run_tables",
    "sent_again",
    "source_and_plan",
]

ENGINE = "simpy"

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

_BASES: dict[str, PauliType] = {"X": "X", "Z": "Z"}
_PACKAGES = ("numpy", "stim", "pymatching", "sinter", "onnxruntime", "simpy")


@dataclass(frozen=True, eq=False)
class Experiment:
    """A finished run: its result, the loop's record and the answers.

    ``answers`` has the shots of all patches in order of emission: shot s of patch p is row
    s * patches + p. ``readout_ps`` is the readout delay of each message, as `Intake` asks for it.
    """

    result: Result
    record: Record
    answers: Answers
    readout_ps: Callable[[int], int]


def run_experiment(resolved: Resolved, *, progress: Progress | None = None) -> Experiment:
    """Run a scenario from syndromes to verdict.

    Answers are computed first, by really decoding every shot; then the loop is run on the times of
    its stages, so that latency and logical error belong to the same shots. Raises RoundtripError.
    """
    scenario = resolved.scenario
    seeds = Seeds.of(scenario.run.seed)
    source, plan = source_and_plan(scenario)
    context = _timing_context(source, plan)
    check_services(scenario, context)
    answers = _answers(scenario, source, plan, seeds, progress)
    services = stage_services(scenario, answers, context, seeds)
    config = loop_config(scenario, source, plan, services, seeds.loss)
    loop_progress = _loop_progress(progress, config.emission)
    if scenario.fpga.timing == "rtl":
        chunks = unpacked(source, len(answers.events_in), seeds, scenario.run.chunk_shots)
        framed = Sender(scenario, source, readout_of(config)).send(chunks)
        record = run_loop(replace(config, framing=framed), progress=loop_progress)
        record = apply_responses(scenario, config, framed, record, answers.corrections)
    else:
        record = run_loop(config, progress=loop_progress)
    facts = RunFacts(
        budget=_budget(scenario),
        scenario=dump(scenario),
        origins=resolved.origins,
        versions=_versions(),
        seed=scenario.run.seed,
        engine=ENGINE,
        stage_sources=stage_sources(scenario, services, resolved.origins),
        measured=_measured(scenario),
        batch={"predecode": scenario.predecoder.batch},
        warmup_windows=scenario.run.warmup_windows,
        distance=source.metadata.distance,
        suppression=scenario.qpu.suppression,
        feedback_every=scenario.feedback.every if scenario.feedback else None,
        detectors=source.num_detectors if scenario.predecoder.kind == "onnx" else None,
    )
    result = judge(record, answers, facts)
    return Experiment(result, record, answers, readout_of(config))


def sent_again(scenario: Scenario, shots: int) -> Framed:
    """Frames of the first ``shots`` shots of a run, from the packetiser itself."""
    source, plan = source_and_plan(scenario)
    seeds = Seeds.of(scenario.run.seed)
    readout = build(scenario.qpu.readout, context=_timing_context(source, plan), rng=seeds.readout)
    # patches that begin later send while the first ones are some shots ahead
    qpu = scenario.qpu
    shot_ps = qpu.shot_period or source.num_rounds * qpu.round_period
    ahead = -(-(qpu.patches - 1) * qpu.patch_offset // shot_ps)
    count = min(shots + ahead, scenario.run.shots) * qpu.patches
    sender = Sender(scenario, source, lambda index: readout(index, 1))
    return sender.send(unpacked(source, count, seeds), keep=True)


def _timing_context(source: SyndromeSource, plan: tuple[Window, ...]) -> TimingContext:
    return TimingContext(
        distance=source.metadata.distance,
        rounds=max(len(window.rounds) for window in plan),
        p=source.metadata.p,
    )


def readout_of(config: LoopConfig) -> Callable[[int], int]:
    """Readout delay of each message of a loop, as `Intake` asks for it."""
    return lambda index: config.readout(index, 1)


def unpacked(
    source: SyndromeSource, shots: int, seeds: Seeds, chunk_shots: int = 1024
) -> Iterator[NDArray[np.uint8]]:
    """Detectors of the first shots of a run, uint8 (n, D) at a time."""
    for chunk in source.chunks(shots, seed=seeds.syndromes, chunk_shots=chunk_shots):
        count = source.num_detectors
        yield np.unpackbits(chunk.detectors, axis=1, count=count, bitorder="little")


def measure(resolved: Resolved, *, progress: Progress | None = None) -> Answers:
    """Decode a scenario's shots and time every stage of it that can run on this machine."""
    scenario = resolved.scenario
    measured = {"timing": "measured"}
    scenario = scenario.model_copy(
        update={
            "decoder": scenario.decoder.model_copy(update=measured),
            "predecoder": scenario.predecoder.model_copy(update=measured),
        }
    )
    source, plan = source_and_plan(scenario)
    return _answers(scenario, source, plan, Seeds.of(scenario.run.seed), progress)


def run_tables(experiment: Experiment) -> dict[str, dict[str, NDArray[np.int64]]]:
    """Tables of a run folder: windows, messages, and the backlog over time."""
    record = experiment.record
    time_ps, rounds = record.backlog.T
    return {
        "windows": record.windows,
        "messages": record.messages,
        "backlog": {"time_ps": time_ps, "rounds": rounds},
    }


@dataclass(frozen=True, eq=False)
class Again:
    """The first shots of a run once more: source, detectors uint8 (n, D), corrections as before."""

    source: SyndromeSource
    detectors: NDArray[np.uint8]
    corrections: NDArray[np.uint8]


def decode_again(scenario: Scenario, shots: int) -> Again:
    """Sample and decode the first ``shots`` shots of each patch as `run_experiment` did."""
    untimed = {"timing": "profile"}
    scenario = scenario.model_copy(
        update={
            "run": scenario.run.model_copy(update={"shots": shots}),
            "decoder": scenario.decoder.model_copy(update=untimed),
            "predecoder": scenario.predecoder.model_copy(update=untimed),
        }
    )
    seeds = Seeds.of(scenario.run.seed)
    source, plan = source_and_plan(scenario)
    count = shots * scenario.qpu.patches
    detectors = np.concatenate(list(unpacked(source, count, seeds)))
    answers = _answers(scenario, source, plan, seeds, None)
    return Again(source, detectors, answers.corrections)


def source_and_plan(scenario: Scenario) -> tuple[SyndromeSource, tuple[Window, ...]]:
    """Source of a scenario's shots, and the windows each is cut into."""
    source = build_source(scenario.code, scenario.noise)
    plan = window_plan(scenario.window, source.num_rounds)
    check_fit(scenario, source, plan)
    return source, plan


def _answers(
    scenario: Scenario,
    source: SyndromeSource,
    plan: tuple[Window, ...],
    seeds: Seeds,
    progress: Progress | None,
) -> Answers:
    shots = scenario.run.shots * scenario.qpu.patches
    algorithm = _decoder(scenario.decoder.algorithm)
    return answer_shots(
        source,
        shots=shots,
        seed=seeds.syndromes,
        chunk_shots=scenario.run.chunk_shots,
        decoder=WindowedDecoder(source.dem, source.detector_round, plan, algorithm),
        front=_front(scenario, source),
        time_predecoder=scenario.predecoder.timing == "measured",
        time_decoder=scenario.decoder.timing == "measured",
        progress=progress and (lambda done: progress("decoding shots", done, shots)),
    )


def _decoder(algorithm: str) -> sinter.Decoder:
    try:
        return resolve_decoder(algorithm)
    except RoundtripError as error:
        raise type(error)(f"decoder.algorithm: {error}") from error


def _front(scenario: Scenario, source: SyndromeSource) -> Front | None:
    section, code = scenario.predecoder, scenario.code
    if section.kind != "onnx" or section.model is None:
        return None
    facts = source.metadata
    basis = _BASES.get(facts.basis or "")
    task = code.task if isinstance(code, GeneratedCode) else (facts.task or "")
    known = task.startswith(("surface_code:rotated_memory", "ising:memory"))
    if not known or facts.distance is None or basis is None:
        raise ScenarioError(
            f"predecoder.kind: onnx needs a rotated surface code memory of known distance and "
            f'basis, which {source.name} is not; write kind = "none"'
        )
    orientation = section.orientation or (
        code.orientation if isinstance(code, GeneratedCode) else "XV"
    )
    embedding: IsingEmbedding | None = None
    rounds = source.num_rounds
    if task.startswith("surface_code:") and source.circuit is not None:
        embedding = ordinary_embedding(
            source.circuit,
            distance=facts.distance,
            rounds=rounds,
            basis=basis,
            orientation=orientation,
        )
        rounds += 1
    model = Predecoder.load(
        Path(section.model),
        distance=facts.distance,
        rounds=rounds,
        basis=basis,
        orientation=orientation,
    )
    return Front(model, embedding, section.batch)


def _loop_progress(progress: Progress | None, emission: Any) -> Callable[[int], None] | None:
    if progress is None:
        return None
    rounds = emission.rounds * emission.shots * emission.patches
    return lambda done: progress("running the loop", done, rounds)


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


def _measured(scenario: Scenario) -> frozenset[str]:
    """Stages whose times are taken on this machine in this run."""
    stages = {"decode": scenario.decoder.timing}
    if scenario.predecoder.kind != "none":
        stages["predecode"] = scenario.predecoder.timing
    return frozenset(stage for stage, timing in stages.items() if timing == "measured")
