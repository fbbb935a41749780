"""The second step of a run: every shot sampled, pre-decoded and decoded, and timed if asked."""

from dataclasses import replace
from pathlib import Path

from emulator.decoders.answers import Answers
from emulator.decoders.decode import PredecodeStage, answer_shots
from emulator.errors import PluginError, ScenarioError, SyndromeError, named
from emulator.run.preparation import Prepared, prepare
from emulator.run.progress import Progress
from emulator.scenario.codes import GeneratedCode
from emulator.scenario.load import Resolved
from emulator.scenario.scenario import Scenario
from emulator.syndromes.decodable import model_for_decoder
from emulator.syndromes.rotated_patch import PauliType

__all__ = ["decode", "different_shots", "measure", "same_answers"]

_BASES: dict[str, PauliType] = {"X": "X", "Z": "Z"}


def decode(
    prepared: Prepared,
    *,
    shots: int | None = None,
    timed: bool | None = None,
    keep_detectors: bool = False,
    progress: Progress | None = None,
) -> Answers | None:
    """Decode the shots of a run; row shot * patches + patch belongs to that shot of that patch.

    None for a timing-only run, which has no decoder.
    ``shots`` a patch, all by default; fewer give the first rows of the whole. ``timed`` says
    whether pre-decoder and decoder are timed, by default where the scenario has
    ``timing = "measured"``. ``keep_detectors`` keeps the syndromes beside the answers. Raises
    RoundtripError.
    """
    if prepared.scenario.decoder.algorithm == "none":
        return None
    from emulator.decoders.hyperedges import accepts_hyperedges
    from emulator.decoders.matchers import resolve_decoder
    from emulator.decoders.windowed import WindowedDecoder

    scenario, source, plan = prepared.scenario, prepared.source, prepared.traffic.plan
    rows = prepared.shots if shots is None else shots * scenario.qpu.patches
    predecode = _predecode_stage(prepared)
    with named("decoder.algorithm"):
        algorithm = resolve_decoder(scenario.decoder.algorithm)
    with named("window", SyndromeError), named("decoder.algorithm", ScenarioError, PluginError):
        model = model_for_decoder(source, hyperedges=accepts_hyperedges(algorithm))
        decoder = WindowedDecoder(
            model,
            source.detector_round,
            plan,
            algorithm,
            allow_dropped=scenario.decoder.allow_dropped,
        )
    return answer_shots(
        source,
        shots=rows,
        seed=prepared.seeds.syndromes,
        chunk_shots=scenario.run.chunk_shots,
        decoder=decoder,
        predecode=predecode,
        time_predecoder=_is_timed(scenario.predecoder.timing, timed),
        time_decoder=_is_timed(scenario.decoder.timing, timed),
        keep_detectors=keep_detectors,
        progress=progress and (lambda done: progress("decoding shots", done, rows)),
    )


def measure(resolved: Resolved, *, progress: Progress | None = None) -> Answers:
    """Decode a scenario's shots and time every stage of it that can run on this machine.

    Raises ScenarioError for a timing-only scenario.
    """
    measured = {"timing": "measured"}
    scenario = resolved.scenario
    update = {
        name: getattr(scenario, name).model_copy(update=measured)
        for name in ("predecoder", "decoder")
    }
    scenario = scenario.model_copy(update=update)
    answers = decode(prepare(replace(resolved, scenario=scenario)), progress=progress)
    if answers is None:
        raise ScenarioError(
            'decoder.algorithm: "none" has no decoder to time; write e.g. algorithm = "pymatching"'
        )
    return answers


def same_answers(first: Scenario, second: Scenario) -> bool:
    """Tell whether `decode` would do the same for both, so that its answers serve both."""
    return _decoded(first) == _decoded(second)


def different_shots(first: Scenario, second: Scenario) -> tuple[str, ...]:
    """Keys in which two scenarios differ so that they decode different shots; none if the same."""
    shots = {
        "code": (first.code, second.code),
        "noise": (first.noise, second.noise),
        "qpu.patches": (first.qpu.patches, second.qpu.patches),
        "run.shots": (first.run.shots, second.run.shots),
        "run.seed": (first.run.seed, second.run.seed),
    }
    return tuple(key for key, (mine, other) in shots.items() if mine != other)


def _decoded(scenario: Scenario) -> tuple[object, ...]:
    """All that the answers depend on, and what is timed of them."""
    pre, decoder, run = scenario.predecoder, scenario.decoder, scenario.run
    predecoder: tuple[object, ...] = ()
    if pre.kind == "onnx":
        measured = pre.timing == "measured"
        predecoder = (pre.model, pre.orientation, measured, pre.batch if measured else None)
    return (
        *(scenario.code, scenario.noise, scenario.window),
        *(scenario.qpu.patches, run.shots, run.seed, predecoder),
        *(decoder.algorithm, decoder.allow_dropped, decoder.timing == "measured"),
        scenario.fpga.timing == "rtl",
    )


def _is_timed(timing: object, asked: bool | None) -> bool:
    return timing == "measured" if asked is None else asked


def _predecode_stage(prepared: Prepared) -> PredecodeStage | None:
    scenario, source = prepared.scenario, prepared.source
    section, code = scenario.predecoder, scenario.code
    if section.kind != "onnx" or section.model is None:
        return None
    from emulator.decoders.ising_embedding import ordinary_embedding
    from emulator.decoders.predecoder import Predecoder

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
    embedding = None
    rounds = source.num_rounds
    with named("predecoder.model"):
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
    return PredecodeStage(model, embedding, section.batch)
