"""What a functional run costs beyond sampling and matching, which anyone has to do.

Both arms build the circuit, its error model and the matching graph, sample the same shots and
match each of them; all that the emulator does besides is overhead: windows, stop watch, traffic,
the loop, statistics, report and files. Imports are done in both.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pymatching
import stim
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show, take_turns
from emulator.report import render_html
from emulator.results import write_run
from emulator.run import Experiment, run_experiment, run_tables
from emulator.scenario import Resolved, resolve
from emulator.timing import Streams

DISTANCE, ROUNDS, P, SHOTS, SEED = 13, 104, 0.003, 2000, 1
TURNS = 9
TASK = "surface_code:rotated_memory_z"
BATCH = 256  # shots that the emulator samples at once

Bits = NDArray[np.uint8]

SCENARIO: dict[str, Any] = {
    "qpu": {"preset": "gidney_rsa"},
    "code": {"task": TASK, "distance": DISTANCE, "rounds": ROUNDS},
    "noise": {"model": "depolarizing", "p": P},
    "fpga": {"preset": "hsb_512", "rounds_per_message": "window"},
    "link": {"up": {"preset": "nvqlink"}, "down": {"preset": "nvqlink"}},
    "host": {"preset": "nvqlink_persistent_kernel", "on_full": "wait"},
    "decoder": {"algorithm": "pymatching", "timing": "measured", "workers": 16},
    "run": {"shots": SHOTS, "seed": SEED},
}


def emulate(resolved: Resolved, folder: Path) -> Experiment:
    experiment = run_experiment(resolved)
    tables = run_tables(experiment)
    report = render_html(experiment.result, tables["windows"], experiment.record.backlog)
    write_run(folder, experiment.result, tables, {"report.html": report})
    return experiment


def sample_and_match(match: Callable[[pymatching.Matching, Bits], Bits]) -> int:
    circuit = stim.Circuit.generated(
        TASK,
        distance=DISTANCE,
        rounds=ROUNDS,
        after_clifford_depolarization=P,
        before_round_data_depolarization=P,
        before_measure_flip_probability=P,
        after_reset_flip_probability=P,
    )
    dem = circuit.detector_error_model(decompose_errors=True)
    matching = pymatching.Matching.from_detector_error_model(dem)
    sampler = circuit.compile_detector_sampler(seed=stim_seed())
    batches = [
        sampler.sample(BATCH, bit_packed=True, separate_observables=True)
        for _ in range(-(-SHOTS // BATCH))
    ]
    detectors = np.concatenate([batch[0] for batch in batches])[:SHOTS]
    observables = np.concatenate([batch[1] for batch in batches])[:SHOTS]
    return int((match(matching, detectors) != observables).any(axis=1).sum())


def stim_seed() -> int:
    """Seed with which the emulator samples, so that both arms have the same shots."""
    state = np.random.SeedSequence(Streams.of(SEED).syndromes).generate_state(1, np.uint64)
    return int(state[0]) >> 1


def match_rows(matching: pymatching.Matching, detectors: Bits) -> Bits:
    rows = [
        matching.decode_batch(row, bit_packed_shots=True, bit_packed_predictions=True)
        for row in detectors[:, None]
    ]
    return np.concatenate(rows)


def match_batch(matching: pymatching.Matching, detectors: Bits) -> Bits:
    predictions: Bits = matching.decode_batch(
        detectors, bit_packed_shots=True, bit_packed_predictions=True
    )
    return predictions


def test_overhead_of_a_functional_run(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    resolved, folder = resolve(SCENARIO), tmp_path / "run"
    errors = sample_and_match(match_rows)
    assert emulate(resolved, folder).result["verdict"]["logical"]["errors"] == errors
    arms = take_turns(
        benchmark,
        {
            "emulator": partial(emulate, resolved, folder),
            "rows": partial(sample_and_match, match_rows),
            "batch": partial(sample_and_match, match_batch),
        },
        turns=TURNS,
    )
    emulator, rows, batch = arms["emulator"], arms["rows"], arms["batch"]
    show(
        f"functional run, d={DISTANCE}, T={ROUNDS}, p={P}, {SHOTS} shots, PyMatching only",
        f"processor time, least of {TURNS} turns:",
        f"emulator, from scenario to folder        {min(emulator.cpu_s):6.3f} s",
        f"bare, PyMatching called for each shot    {min(rows.cpu_s):6.3f} s",
        f"bare, PyMatching called once for all     {min(batch.cpu_s):6.3f} s",
        "overhead, median of the turns (lowest to highest):",
        f"over one call for each shot    {emulator.excess(rows)}, bound 25 %",
        f"over one call for all          {emulator.excess(batch)}",
    )
