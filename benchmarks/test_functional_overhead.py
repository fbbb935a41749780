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
from emulator.run.services import Seeds
from emulator.scenario import Resolved, resolve

DISTANCE, ROUNDS, P, SHOTS, SEED = 13, 104, 0.003, 2000, 1
REPEATS = 5
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
    state = np.random.SeedSequence(Seeds.of(SEED).syndromes).generate_state(1, np.uint64)
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
    least = take_turns(
        benchmark,
        {
            "emulator": partial(emulate, resolved, folder),
            "rows": partial(sample_and_match, match_rows),
            "batch": partial(sample_and_match, match_batch),
        },
        repeats=REPEATS,
    )
    emulator, rows, batch = least["emulator"], least["rows"], least["batch"]
    show(
        f"functional run, d={DISTANCE}, T={ROUNDS}, p={P}, {SHOTS} shots, PyMatching only",
        f"least of {REPEATS} interleaved repeats: processor time, elapsed time",
        f"emulator, scenario to folder      {emulator.cpu_s:6.3f} s {emulator.wall_s:6.3f} s",
        f"bare, decode_batch on each shot   {rows.cpu_s:6.3f} s {rows.wall_s:6.3f} s",
        f"bare, decode_batch on all shots   {batch.cpu_s:6.3f} s {batch.wall_s:6.3f} s",
        f"overhead over the first           {_over(emulator.cpu_s, rows.cpu_s)}"
        f"   {_over(emulator.wall_s, rows.wall_s)}   (bound 25 %)",
        f"overhead over the second          {_over(emulator.cpu_s, batch.cpu_s)}"
        f"   {_over(emulator.wall_s, batch.wall_s)}",
    )


def _over(more: float, less: float) -> str:
    return f"{more / less - 1:6.1%}"
