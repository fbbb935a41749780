"""A small scenario, ways to change it, and runs of it that many tests share."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import Answers
from emulator.run import Experiment, run_capture, run_experiment
from emulator.scenario import Resolved, Scenario, resolve
from emulator.syndromes.build import build_source
from emulator.syndromes.source import SyndromeSource
from emulator.timing import Streams

MODELS = Path(__file__).parents[2] / "models"

SMALL: dict[str, Any] = {
    "qpu": {"round_period": "1 us"},
    "code": {"task": "surface_code:rotated_memory_z", "distance": 3, "rounds": 6},
    "noise": {"model": "depolarizing", "p": 0.02},
    "link": {
        "up": {"rate": "100 Gbit/s", "latency": {"kind": "constant", "value": "1 us"}},
        "down": {"rate": "100 Gbit/s", "latency": {"kind": "constant", "value": "1 us"}},
    },
    "decoder": {"timing": {"kind": "lognormal", "median": "3 us", "sigma": 0.3}},
    "run": {"shots": 120, "seed": 5},
}

SLIDING = ("window.kind=sliding", "window.commit=2", "window.buffer=2", "decoder.workers=3")
PARALLEL = ("window.kind=parallel", "window.commit=1", "window.buffer=1", "decoder.workers=8")

PREDECODER = (
    "code.distance=5",
    "code.rounds=5",
    "predecoder.kind=onnx",
    f"predecoder.model={MODELS / 'pair_rule_d5_T6_Z.onnx'}",
    'predecoder.timing={kind = "constant", value = "2 us"}',
)


def resolved(*overrides: str) -> Resolved:
    return resolve(deepcopy(SMALL), overrides)


@cache
def ran(*overrides: str) -> Experiment:
    return run_experiment(resolved(*overrides))


def answers_of(run: Experiment) -> Answers:
    """Answers of a run that decoded."""
    assert run.answers is not None
    return run.answers


def wrong_of(run: Experiment) -> NDArray[np.bool_]:
    """Which shots of a run with known observables were decoded wrongly."""
    assert run.wrong is not None
    return run.wrong


def captured(overrides: tuple[str, ...], shots: int = 120) -> list[tuple[int, int, bytes]]:
    """Frames of the first shots of a run that is shared, as a capture has them."""
    windows, sent = ran(*overrides).windows, ran(*overrides).record.messages
    return run_capture(resolved(*overrides), windows, sent, shots=shots)


def source_of(scenario: Scenario) -> SyndromeSource:
    return build_source(scenario.code, scenario.noise)


def shots_of(scenario: Scenario) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Detectors (n, D) and observables (n, O) of all shots of a run, sampled once more."""
    source = source_of(scenario)
    count = scenario.run.shots * scenario.qpu.patches
    # in other chunks than the run's
    seed = Streams.of(scenario.run.seed).syndromes
    chunks = list(source.chunks(count, seed=seed, chunk_shots=77))
    detectors = np.concatenate([chunk.detectors for chunk in chunks])
    observables = np.concatenate([chunk.observables for chunk in chunks])
    return (
        np.unpackbits(detectors, axis=1, count=source.num_detectors, bitorder="little"),
        np.unpackbits(observables, axis=1, count=source.num_observables, bitorder="little"),
    )
