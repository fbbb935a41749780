import os
import pickle
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import pymatching
import pytest
from numpy.typing import NDArray

from emulator.decoders import stopwatch
from emulator.decoders.answers import Answers
from emulator.decoders.decode import PredecodeStage, answer_shots, fill_costs
from emulator.decoders.ising_embedding import ordinary_embedding
from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.matchers import resolve_decoder
from emulator.decoders.predecoder import Predecoder
from emulator.decoders.windowed import WindowedDecoder
from emulator.syndromes.circuits import CircuitSource, generated_source
from emulator.windows import sliding_windows, whole_window
from tests.decoders.clocks import HandClock

ROUNDS = 4
SOURCE = generated_source(
    "surface_code:rotated_memory_z", distance=3, rounds=ROUNDS, noise="depolarizing", p=0.03
)
SEED = 9

Bits = NDArray[np.uint8]


@dataclass
class FirstBits:
    """A pre-decoder whose pre_L is the first detector, or 0, and which clears the second one."""

    silent: bool = False
    calls: list[int] = field(default_factory=list)

    def run(self, rows: Bits) -> tuple[Bits, Bits]:
        self.calls.append(len(rows))
        residual = rows.copy()
        residual[:, 1] = 0
        return rows[:, 0] & (not self.silent), residual


def first_bits(*, silent: bool = False, **options: Any) -> tuple[FirstBits, PredecodeStage]:
    predecoder = FirstBits(silent)
    options = {"embedding": None, **options}
    return predecoder, PredecodeStage(cast("Predecoder", predecoder), **options)


def decoder(source: CircuitSource = SOURCE, *, sliding: bool = False) -> WindowedDecoder:
    plan = sliding_windows(ROUNDS, 1, 2) if sliding else whole_window(ROUNDS)
    return WindowedDecoder(source.dem, source.detector_round, plan, resolve_decoder("pymatching"))


def answered(shots: int = 100, chunk_shots: int = 1024, **options: Any) -> Answers:
    options.setdefault("decoder", decoder())
    return answer_shots(SOURCE, shots=shots, seed=SEED, chunk_shots=chunk_shots, **options)


def sampled(shots: int = 100) -> tuple[Bits, Bits]:
    [chunk] = SOURCE.chunks(shots, seed=SEED)
    detectors = np.unpackbits(
        chunk.detectors, axis=1, count=SOURCE.num_detectors, bitorder="little"
    )
    return detectors, chunk.observables


def matched(detectors: Bits) -> Bits:
    predicted: Bits = pymatching.Matching(SOURCE.dem).decode_batch(detectors)
    return predicted


def test_without_a_predecoder_the_matcher_decides() -> None:
    detectors, observables = sampled()
    found = answered()
    predicted = matched(detectors)
    assert found.wrong is not None
    assert (found.wrong == (predicted != observables)[:, 0]).all()
    assert 0 < found.wrong.sum() < 100
    assert (found.corrections[:, 0] == predicted).all()
    assert (found.events_in == detectors.sum(axis=1)).all()
    assert (found.events_out == found.events_in).all()
    assert found.predecode_ps is None
    assert found.decode_ps is None


def test_a_predecoder_hands_on_its_residual_and_its_parity() -> None:
    _, stage = first_bits()
    detectors, observables = sampled()
    found = answered(predecode=stage)
    residual = detectors.copy()
    residual[:, 1] = 0
    predicted = matched(residual) ^ detectors[:, :1]
    assert detectors[:, :2].any(axis=0).all()
    assert found.wrong is not None
    assert (found.wrong == (predicted != observables)[:, 0]).all()
    assert (found.corrections[:, 0] == predicted).all()
    assert (found.events_in - found.events_out == detectors[:, 1]).all()


def test_the_parity_goes_with_the_last_window() -> None:
    _, stage = first_bits()
    plan = decoder(sliding=True)
    with_parity = answered(predecode=stage, decoder=plan).corrections
    _, silent = first_bits(silent=True)
    without = answered(predecode=silent, decoder=plan).corrections
    detectors, _ = sampled()
    assert with_parity.shape == (100, 4, 1)
    assert (with_parity[:, :-1] == without[:, :-1]).all()
    assert (with_parity[:, -1] == without[:, -1] ^ detectors[:, :1]).all()


def test_ordinary_memories_pass_through_their_embedding() -> None:
    embedding = ordinary_embedding(
        SOURCE.circuit, distance=3, rounds=ROUNDS, basis="Z", orientation="XV"
    )
    layout = IsingLayout(3, ROUNDS + 1, "Z")

    @dataclass
    class Idle:
        seen: list[int] = field(default_factory=list)

        def run(self, rows: Bits) -> tuple[Bits, Bits]:
            self.seen.append(rows.shape[1])
            return np.zeros(len(rows), np.uint8), rows

    idle = Idle()
    stage = PredecodeStage(cast("Predecoder", idle), embedding)
    assert (answered(predecode=stage).corrections == answered().corrections).all()
    assert set(idle.seen) == {layout.num_detectors}


@pytest.mark.parametrize("chunk_shots", [1, 7, 100])
def test_chunks_and_timing_change_no_answer(chunk_shots: int) -> None:
    plan = decoder(sliding=True)
    whole = answered(decoder=plan, predecode=first_bits()[1])
    told: list[int] = []
    found = answered(
        decoder=plan,
        predecode=first_bits(batch=3)[1],
        chunk_shots=chunk_shots,
        time_predecoder=True,
        time_decoder=True,
        progress=told.append,
    )
    for name in ("wrong", "corrections", "events_in", "events_out"):
        assert (getattr(found, name) == getattr(whole, name)).all()
    assert found.decode_ps is not None
    assert found.predecode_ps is not None
    assert found.decode_ps.shape == (100, 4)
    assert found.predecode_ps.shape == (100,)
    assert found.decode_ps.dtype == found.predecode_ps.dtype == np.int64
    assert (found.decode_ps > 0).all()
    assert found.disturbed_decode is not None
    assert found.disturbed_predecode is not None
    assert found.disturbed_decode.shape == (100, 4)
    assert found.disturbed_predecode.shape == (100,)
    assert found.disturbed_decode.dtype == found.disturbed_predecode.dtype == np.bool_
    assert whole.disturbed_decode is whole.disturbed_predecode is None
    assert told == [min(100, k) for k in range(chunk_shots, 100 + chunk_shots, chunk_shots)]


def test_a_batch_is_one_timed_call_whose_time_is_that_of_each_of_its_shots() -> None:
    predecoder, stage = first_bits(batch=8)
    times = answered(shots=20, predecode=stage, time_predecoder=True).predecode_ps
    assert times is not None
    assert predecoder.calls[-13:] == [8] * (10 + 3)  # ten beforehand, which are not timed
    for part in (slice(8), slice(8, 16), slice(16, 20)):
        assert (times[part] == times[part][0]).all()
    assert (times % 1000 == 0).all()  # the clock counts nanoseconds


def test_unknown_observables_leave_errors_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CircuitSource, "num_observables", 0)
    found = answered()
    assert found.wrong is None
    assert found.corrections.shape == (100, 1, 1)


@pytest.mark.parametrize("module", ["answers", "decode", "stopwatch"])
def test_a_run_that_only_models_times_imports_no_decoder(module: str) -> None:
    program = f"import sys, emulator.decoders.{module}; print(*sys.modules)"
    run = [sys.executable, "-c", program]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    loaded = subprocess.run(run, capture_output=True, text=True, check=True, env=env).stdout.split()
    assert "numpy" in loaded
    assert not {"sinter", "stim", "pymatching", "onnxruntime", "scipy"} & set(loaded)


def test_detectors_are_kept_as_sampled_if_asked_for() -> None:
    [chunk] = SOURCE.chunks(100, seed=SEED)
    found = answered(chunk_shots=7, predecode=first_bits()[1], keep_detectors=True)
    np.testing.assert_array_equal(found.detectors, chunk.detectors)
    assert answered().detectors is None


def test_answers_survive_pickling() -> None:
    found = answered(time_decoder=True, keep_detectors=True)
    copy = pickle.loads(pickle.dumps(found))
    for name in [each.name for each in fields(Answers)]:
        np.testing.assert_array_equal(getattr(copy, name), getattr(found, name))


@dataclass
class Counted:
    """A pre-decoder that takes 4 us, and 1 us for each shot, by a clock moved by hand.

    The calls numbered ``slow`` take 1 ms more, in which their thread has no processor.
    """

    clock: HandClock
    slow: Collection[int] = ()
    calls: int = 0

    def run(self, rows: Bits) -> tuple[Bits, Bits]:
        self.calls += 1
        self.clock.work(4000 + 1000 * len(rows))
        if self.calls in self.slow:
            self.clock.preempt(1_000_000)
        return np.zeros(len(rows), np.uint8), rows


# Four calls for warming up, then five turns of the four fills.
@pytest.mark.parametrize("slow", [(), (5,), (5, 9, 13), (8, 12, 16, 20)])
def test_partial_fills_of_a_batch_cost_what_is_measured(
    monkeypatch: pytest.MonkeyPatch, slow: Collection[int]
) -> None:
    clock = HandClock()
    monkeypatch.setattr(stopwatch, "CLOCKS", clock.clocks)
    stage = PredecodeStage(cast("Predecoder", Counted(clock, slow)), None, batch=4)
    rows = np.zeros((2, 5), dtype=np.uint8)  # fewer shots than a batch has
    assert fill_costs(stage, rows) == (625_000, 750_000, 875_000, 1_000_000)


def test_where_all_calls_are_disturbed_all_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    monkeypatch.setattr(stopwatch, "CLOCKS", clock.clocks)
    stage = PredecodeStage(cast("Predecoder", Counted(clock, slow=range(100))), None, batch=2)
    rows = np.zeros((2, 5), dtype=np.uint8)
    assert fill_costs(stage, rows) == (round(1_005_000 / 1_006_000 * 1e6), 1_000_000)


def test_fills_between_the_measured_ones_lie_on_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    monkeypatch.setattr(stopwatch, "CLOCKS", clock.clocks)
    predecoder = Counted(clock)
    stage = PredecodeStage(cast("Predecoder", predecoder), None, batch=96)
    found = fill_costs(stage, np.zeros((96, 5), dtype=np.uint8))
    assert found == tuple(round(1e4 * (4 + fill)) for fill in range(1, 97))
    assert predecoder.calls == 16 * 6


def test_fills_are_measured_where_batches_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    monkeypatch.setattr(stopwatch, "CLOCKS", clock.clocks)
    for batch, expected in ((1, None), (2, (833_333, 1_000_000))):
        predecoder = Counted(clock)
        stage = PredecodeStage(cast("Predecoder", predecoder), None, batch=batch)
        found = answered(predecode=stage, time_predecoder=True, chunk_shots=50)
        assert found.predecode_fill_ppm == expected
        once = 0 if expected is None else 2 * (1 + 5)
        assert predecoder.calls == once + 2 * (10 + 50 // batch)
        assert answered(predecode=stage).predecode_fill_ppm is None
