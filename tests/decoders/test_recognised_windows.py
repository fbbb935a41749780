"""Windows that are cut and compiled once answer as if each were cut and compiled by itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sinter
import stim
from numpy.typing import NDArray

from emulator.decoders.matchers import PyMatchingDecoder
from emulator.decoders.windowed import WindowedDecoder
from emulator.run import decode, prepare
from emulator.syndromes.circuits import circuit_source, generated_source, source_from_circuit
from emulator.syndromes.samples import source_from_samples
from emulator.syndromes.source import SyndromeSource
from emulator.windows import Window, parallel_windows, sliding_windows
from tests.run.examples import resolved
from tests.syndromes.plain_cut import plain_cut

Bits = NDArray[np.uint8]
Plan = tuple[Window, ...]

SHOTS = 40
ROUNDS = 47  # of no whole number of windows


class Counting(sinter.Decoder):  # type: ignore[misc]
    """PyMatching as a decoder of which nothing is known, and what it has compiled."""

    def __init__(self) -> None:
        self.compiled: list[stim.DetectorErrorModel] = []

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
        self.compiled.append(dem)
        return PyMatchingDecoder().compile_decoder_for_dem(dem=dem)


class CountingPyMatching(Counting, PyMatchingDecoder):
    """The same, known as PyMatching."""


def one_by_one(
    dem: stim.DetectorErrorModel, detector_round: NDArray[np.int32], plan: Plan, packed: Bits
) -> Bits:
    """Corrections (shots, windows, observables) of windows cut line by line, each by itself."""
    count = dem.num_observables
    syndrome = np.unpackbits(packed, axis=1, count=dem.num_detectors, bitorder="little")
    found = np.zeros((len(packed), len(plan), count), dtype=np.uint8)
    for k, model in enumerate(plain_cut(dem, detector_round, plan)):
        compiled = PyMatchingDecoder().compile_decoder_for_dem(dem=model.dem)
        rows = np.packbits(syndrome[:, model.detectors], axis=1, bitorder="little")
        flips = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=rows)
        flips = np.unpackbits(flips, axis=1, count=model.dem.num_observables, bitorder="little")
        found[:, k] = flips[:, :count]
        syndrome[:, model.carried] ^= flips[:, count:]
    return found


def assert_one_by_one(source: SyndromeSource, plan: Plan, most: int) -> WindowedDecoder:
    """Check all corrections of some shots, and that at most ``most`` windows are compiled."""
    (chunk,) = source.chunks(SHOTS, seed=11, chunk_shots=SHOTS)
    counting = Counting()
    decoder = WindowedDecoder(source.dem, source.detector_round, plan, counting)
    decoded = decoder.decode(chunk.detectors)
    expected = one_by_one(source.dem, source.detector_round, plan, chunk.detectors)
    assert (decoded.corrections[:, :, 0] & 1).tolist() == expected[:, :, 0].tolist()
    assert expected.any()
    assert len(counting.compiled) <= most < len(plan)
    return decoder


def repetition(tmp_path: Path) -> SyndromeSource:  # noqa: ARG001
    return generated_source(
        "repetition_code:memory", distance=5, rounds=ROUNDS, noise="depolarizing", p=0.02
    )


def surface(tmp_path: Path) -> SyndromeSource:  # noqa: ARG001
    return generated_source(
        "surface_code:rotated_memory_x", distance=3, rounds=ROUNDS, noise="si1000", p=0.01
    )


def circuit_file(tmp_path: Path) -> SyndromeSource:
    source = surface(tmp_path)
    assert source.circuit is not None
    source.circuit.to_file(tmp_path / "memory.stim")
    return source_from_circuit(tmp_path / "memory.stim")


def model_file(tmp_path: Path) -> SyndromeSource:
    source = repetition(tmp_path)
    source.dem.to_file(tmp_path / "memory.dem")
    assert "repeat" in (tmp_path / "memory.dem").read_text()
    (chunk,) = source.chunks(SHOTS, seed=11, chunk_shots=SHOTS)
    rows = np.unpackbits(chunk.detectors, axis=1, count=source.num_detectors, bitorder="little")
    text = "\n".join("".join(map(str, row)) for row in rows.tolist())
    (tmp_path / "shots.01").write_text(f"{text}\n")
    return source_from_samples(tmp_path / "shots.01", fmt="01", model=tmp_path / "memory.dem")


SOURCES: list[Callable[[Path], SyndromeSource]] = [repetition, surface, circuit_file, model_file]


@pytest.mark.parametrize("open_source", SOURCES)
@pytest.mark.parametrize(
    "plan",
    [
        lambda rounds: sliding_windows(rounds, 3, 4),
        lambda rounds: sliding_windows(rounds, 4, 3, "absorb"),
        lambda rounds: sliding_windows(rounds, 5, 0),
        lambda rounds: parallel_windows(rounds, 2, 2),
    ],
    ids=["sliding", "absorb", "no-buffer", "parallel"],
)
def test_windows_of_a_memory(
    tmp_path: Path, open_source: Callable[[Path], SyndromeSource], plan: Callable[[int], Plan]
) -> None:
    source = open_source(tmp_path)
    assert_one_by_one(source, plan(source.num_rounds), most=7)


def test_both_patterns_of_rounds_that_alternate_are_compiled() -> None:
    quiet = repetition(Path()).circuit
    assert quiet is not None
    body = next(item for item in quiet if isinstance(item, stim.CircuitRepeatBlock)).body_copy()
    loud = stim.Circuit(str(body).replace("0.02", "0.06"))
    head = quiet[: [item.name for item in quiet].index("REPEAT")]
    tail = quiet[[item.name for item in quiet].index("REPEAT") + 1 :]
    circuit = head + (body + loud) * 23 + tail
    # windows of an odd number of rounds come in two kinds
    source = circuit_source(circuit, name="alternating")
    decoder = assert_one_by_one(source, sliding_windows(source.num_rounds, 3, 3), most=9)
    kinds = [model.errors for model in decoder.models]
    assert kinds[4] == kinds[6] == kinds[8] != kinds[5] == kinds[7]


@pytest.mark.parametrize("loud_round", [20, 21, 22])
def test_a_round_of_other_noise_is_a_window_of_its_own(loud_round: int) -> None:
    circuit = repetition(Path()).circuit
    assert circuit is not None
    place = [item.name for item in circuit].index("REPEAT")
    body = circuit[place].body_copy()
    louder = stim.Circuit(str(body).replace("DEPOLARIZE1(0.02)", "DEPOLARIZE1(0.05)"))
    before = loud_round - 1
    circuit = circuit[:place] + body * before + louder + body * (45 - before) + circuit[place + 1 :]
    source = circuit_source(circuit, name="one loud round")
    plan = sliding_windows(source.num_rounds, 3, 3)
    decoder = assert_one_by_one(source, plan, most=10)
    kinds = [model.errors for model in decoder.models]
    usual = kinds[3]
    other = [k for k, window in enumerate(plan[:-3]) if loud_round in window.rounds]
    assert [k for k in range(2, len(plan) - 3) if kinds[k] != usual] == other


def test_measurements_that_are_fed_back() -> None:
    text = str(repetition(Path()).circuit).replace("    SHIFT", "    CX rec[-1] 8\n    SHIFT")
    assert "CX rec" in text
    fed_back = circuit_source(stim.Circuit(text), name="fed back")
    assert_one_by_one(fed_back, sliding_windows(fed_back.num_rounds, 3, 4), most=7)


def test_patches_with_feedback() -> None:
    """Whole runs: two patches, whose program waits for results, decoded window by window."""
    prepared = prepare(
        resolved(
            "code.rounds=23",
            "window.kind=sliding",
            "window.commit=3",
            "window.buffer=2",
            "qpu.patches=2",
            "feedback.every=23",
            "run.shots=15",
        )
    )
    answers = decode(prepared, keep_detectors=True)
    assert answers is not None
    assert answers.detectors is not None
    source, plan = prepared.source, prepared.traffic.plan
    expected = one_by_one(source.dem, source.detector_round, plan, answers.detectors)
    assert len(expected) == 30
    assert answers.corrections[:, :, 0].tolist() == expected[:, :, 0].tolist()


def test_windows_of_equal_errors_but_other_marks_are_compiled_apart() -> None:
    """A fourth coordinate marks detectors: decoders that read it are not shared across marks."""
    text = """
        error(0.1) D0 L0
        error(0.1) D0 D1
        repeat 8 {
            error(0.1) D1 D2
            detector(1, 0, 0, 5) D0
            shift_detectors(0, 0, 1) 1
        }
        detector(1, 0, 0, 5) D0
        detector(1, 0, 1, 5) D1
    """
    rounds = np.arange(10, dtype=np.int32)
    plan = sliding_windows(10, 1, 2)
    marked = text.replace("shift_detectors(0, 0, 1)", "shift_detectors(0, 0, 1, 1)")
    found = []
    for line in (text, marked):
        for counting in (Counting(), CountingPyMatching()):
            decoder = WindowedDecoder(stim.DetectorErrorModel(line), rounds, plan, counting)
            assert len({model.errors for model in decoder.models}) == 5
            found.append(len(counting.compiled))
    assert found == [5, 5, 10, 5]
