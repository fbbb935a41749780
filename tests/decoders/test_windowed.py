import math
from functools import cache

import numpy as np
import numpy.typing as npt
import pymatching
import pytest
import sinter
import stim
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.decoders.matchers import resolve_decoder
from emulator.decoders.stopwatch import WARM_UP_CALLS, time_shots
from emulator.decoders.windowed import WindowedDecoder
from emulator.errors import MissingToolError, ScenarioError, SyndromeError
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window

Bits = npt.NDArray[np.uint8]
Rounds = npt.NDArray[np.int32]


@cache
def memory(
    distance: int, rounds: int, p: float
) -> tuple[stim.Circuit, stim.DetectorErrorModel, Rounds]:
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_z",
        distance=distance,
        rounds=rounds,
        after_clifford_depolarization=p,
        before_round_data_depolarization=p,
        before_measure_flip_probability=p,
        after_reset_flip_probability=p,
    )
    dem = circuit.detector_error_model(decompose_errors=True)
    times = [position[2] for position in dem.get_detector_coordinates().values()]
    return circuit, dem, np.array(times, dtype=np.int32)


def sample(circuit: stim.Circuit, shots: int) -> tuple[Bits, Bits]:
    sampler = circuit.compile_detector_sampler(seed=20260101)
    detectors, observables = sampler.sample(shots, separate_observables=True, bit_packed=True)
    return detectors, observables


def pack(bits: npt.NDArray[np.bool_]) -> Bits:
    return np.packbits(bits, axis=1, bitorder="little")


def single_faults(dem: stim.DetectorErrorModel) -> tuple[Bits, Bits]:
    """One packed shot for every distinct component of every error, and what it flips."""
    groups = {
        tuple(map(str, group))
        for line in dem.flattened()
        if line.type == "error"
        for group in line.target_groups()
    }
    detectors = np.zeros((len(groups), dem.num_detectors), dtype=bool)
    observables = np.zeros((len(groups), dem.num_observables), dtype=bool)
    for row, names in enumerate(groups):
        for name in names:
            (detectors if name[0] == "D" else observables)[row, int(name[1:])] = True
    return pack(detectors), pack(observables)


def watch_detectors(dem: stim.DetectorErrorModel) -> stim.DetectorErrorModel:
    """Make every flip of detector D also flip an observable of the same number.

    What a decoder predicts for them is the syndrome of its whole correction.
    """
    watched = stim.DetectorErrorModel()
    for line in dem.flattened():
        targets = []
        for group in line.target_groups() if line.type == "error" else []:
            flips = [t for t in group if t.is_relative_detector_id()]
            mirrored = [stim.target_logical_observable_id(t.val) for t in flips]
            targets += [*flips, *mirrored, stim.target_separator()]
        if targets:
            watched.append("error", line.args_copy(), targets[:-1])
    return watched


PLANS = {
    "whole": whole_window(13),
    "sliding": sliding_windows(13, 3, 3),
    "absorb": sliding_windows(13, 3, 3, "absorb"),
    "parallel": parallel_windows(13, 3, 3),
}
each_plan = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)


@pytest.mark.parametrize("name", ["pymatching", "pymatching_correlated"])
def test_one_window_is_pymatching_bit_for_bit(name: str) -> None:
    circuit, dem, rounds = memory(5, 8, 0.01)
    detectors, _ = sample(circuit, 3000)
    correlated = name.endswith("correlated")
    matching = pymatching.Matching.from_detector_error_model(dem, enable_correlations=correlated)
    expected = matching.decode_batch(
        detectors,
        bit_packed_shots=True,
        bit_packed_predictions=True,
        enable_correlations=correlated,
    )
    decoded = WindowedDecoder(dem, rounds, whole_window(9), resolve_decoder(name)).decode(detectors)
    np.testing.assert_array_equal(decoded.predictions, expected)
    assert decoded.window_ps is None


@each_plan
@pytest.mark.parametrize("name", ["pymatching", "pymatching_correlated", "fusion_blossom"])
def test_every_single_fault_is_corrected(plan: tuple[Window, ...], name: str) -> None:
    if name == "fusion_blossom":
        pytest.importorskip("fusion_blossom")
    _, dem, rounds = memory(3, 12, 0.002)
    detectors, observables = single_faults(dem)
    decoder = WindowedDecoder(dem, rounds, plan, resolve_decoder(name))
    np.testing.assert_array_equal(decoder.decode(detectors).predictions, observables)


@pytest.mark.parametrize("distance", [9, 13])
def test_single_faults_where_a_window_carries_more_than_64_detectors(distance: int) -> None:
    _, dem, rounds = memory(distance, 5, 0.002)
    detectors, observables = single_faults(dem)
    plan = sliding_windows(6, 2, 2)
    decoder = WindowedDecoder(dem, rounds, plan, resolve_decoder("pymatching"))
    assert max(len(model.carried) for model in decoder.models) == distance**2 - 1
    np.testing.assert_array_equal(decoder.decode(detectors).predictions, observables)


@settings(max_examples=25, deadline=None)
@given(
    commit=st.integers(1, 9),
    buffer=st.integers(0, 4),
    kind=st.sampled_from(["truncate", "absorb", "parallel"]),
    correlated=st.booleans(),
)
def test_committed_corrections_explain_the_whole_syndrome(
    commit: int, buffer: int, kind: str, correlated: bool
) -> None:
    circuit, dem, rounds = memory(3, 8, 0.01)
    detectors, _ = sample(circuit, 200)
    if kind == "parallel":
        plan = parallel_windows(9, commit, max(1, buffer))
    else:
        plan = sliding_windows(9, commit, buffer, "absorb" if kind == "absorb" else "truncate")
    name = "pymatching_correlated" if correlated else "pymatching"
    decoder = WindowedDecoder(watch_detectors(dem), rounds, plan, resolve_decoder(name))
    np.testing.assert_array_equal(decoder.decode(detectors).predictions, detectors)


@each_plan
@pytest.mark.parametrize("name", ["pymatching", "pymatching_correlated"])
def test_timed_predictions_are_the_batch_predictions(plan: tuple[Window, ...], name: str) -> None:
    circuit, dem, rounds = memory(3, 12, 0.01)
    detectors, _ = sample(circuit, 400)
    decoder = WindowedDecoder(dem, rounds, plan, resolve_decoder(name))
    timed = decoder.decode(detectors, timed=True)
    np.testing.assert_array_equal(timed.predictions, decoder.decode(detectors).predictions)
    assert timed.window_ps is not None
    assert timed.window_ps.shape == (400, len(plan))
    assert timed.window_ps.dtype == np.int64
    assert (timed.window_ps > 0).all()


def test_shots_may_be_decoded_in_any_number_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit, dem, rounds = memory(3, 12, 0.01)
    detectors, _ = sample(circuit, 100)
    decoder = WindowedDecoder(dem, rounds, PLANS["sliding"], resolve_decoder("pymatching"))
    together = decoder.decode(detectors).predictions
    monkeypatch.setattr("emulator.decoders.windowed._SHOTS_AT_ONCE", 7)
    np.testing.assert_array_equal(decoder.decode(detectors).predictions, together)
    timed = decoder.decode(detectors, timed=True)
    np.testing.assert_array_equal(timed.predictions, together)
    assert timed.window_ps is not None
    assert (timed.window_ps > 0).all()


@pytest.mark.parametrize(("distance", "rounds", "shots"), [(3, 12, 20_000), (5, 20, 5_000)])
def test_a_buffer_of_d_rounds_is_as_good_as_the_whole_shot_and_none_is_not(
    distance: int, rounds: int, shots: int
) -> None:
    circuit, dem, detector_round = memory(distance, rounds, 0.005)
    detectors, observables = sample(circuit, shots)
    pymatching_decoder = resolve_decoder("pymatching")

    def failures(plan: tuple[Window, ...]) -> npt.NDArray[np.bool_]:
        decoder = WindowedDecoder(dem, detector_round, plan, pymatching_decoder)
        wrong: npt.NDArray[np.bool_] = (decoder.decode(detectors).predictions != observables)[:, 0]
        return wrong

    def excess(plan: tuple[Window, ...]) -> tuple[int, float]:
        """Failures beyond those of the whole shot, and McNemar's 4 sigma on paired shots."""
        wrong = failures(plan)
        only_plan, only_whole = int((wrong & ~whole).sum()), int((whole & ~wrong).sum())
        return only_plan - only_whole, 4 * math.sqrt(only_plan + only_whole)

    total = rounds + 1
    whole = failures(whole_window(total))
    for plan in (
        sliding_windows(total, distance, distance),
        parallel_windows(total, distance, distance),
    ):
        difference, bound = excess(plan)
        # Windows are not exactly equal to the whole shot: 1 % of its failures is let pass.
        assert abs(difference) <= bound + 0.01 * whole.sum()
    difference, bound = excess(sliding_windows(total, distance, 0))
    assert difference > bound
    assert difference > 0.2 * whole.sum()


class Counting(sinter.CompiledDecoder):  # type: ignore[misc]
    """Predicts the shot's own bits and records how it was called."""

    def __init__(self) -> None:
        self.calls: list[Bits] = []

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data: Bits) -> Bits:
        self.calls.append(bit_packed_detection_event_data.copy())
        return bit_packed_detection_event_data


def test_the_stopwatch_decodes_one_row_a_call_after_warming_up() -> None:
    compiled = Counting()
    rows = np.arange(60, dtype=np.uint8).reshape(30, 2)
    predictions, timed = time_shots(compiled, rows, np.copy)
    np.testing.assert_array_equal(np.concatenate(predictions), rows)
    assert all(call.shape == (1, 2) for call in compiled.calls)
    np.testing.assert_array_equal(
        np.concatenate(compiled.calls), np.concatenate([rows[:WARM_UP_CALLS], rows])
    )
    assert timed.elapsed_ps.shape == timed.disturbed.shape == (30,)
    assert (timed.elapsed_ps % 1000 == 0).all()


@pytest.mark.parametrize(
    "shots",
    [np.zeros((5, 3), dtype=np.uint8), np.zeros((5, 12), dtype=bool), np.zeros(12, dtype=np.uint8)],
)
def test_shots_of_the_wrong_shape(shots: Bits) -> None:
    _, dem, rounds = memory(3, 12, 0.002)
    decoder = WindowedDecoder(dem, rounds, PLANS["whole"], resolve_decoder("pymatching"))
    with pytest.raises(SyndromeError, match="uint8 of shape"):
        decoder.decode(shots)


class Refusing(sinter.Decoder):  # type: ignore[misc]
    def __init__(self, error: Exception) -> None:
        self.error = error

    def compile_decoder_for_dem(self, **_: object) -> sinter.CompiledDecoder:
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [(OverflowError("too wide"), ScenarioError), (ImportError("absent"), MissingToolError)],
)
def test_a_decoder_that_refuses_a_window(error: Exception, expected: type[Exception]) -> None:
    _, dem, rounds = memory(3, 12, 0.002)
    with pytest.raises(expected, match=f"Refusing .*{error}"):
        WindowedDecoder(dem, rounds, PLANS["sliding"], Refusing(error))


class ShortSighted(sinter.Decoder):  # type: ignore[misc]
    def compile_decoder_for_dem(self, **_: object) -> sinter.CompiledDecoder:
        return Counting()


def test_a_decoder_that_does_not_predict_every_observable() -> None:
    _, dem, rounds = memory(3, 12, 0.002)
    decoder = WindowedDecoder(dem, rounds, PLANS["sliding"], ShortSighted())
    with pytest.raises(ScenarioError, match=r"window 0.*ShortSighted.* of shape \(1, 6\) where"):
        decoder.decode(np.zeros((1, 12), dtype=np.uint8))


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        (
            "error(0.1) D0 D1 L0\nerror(0.1) D1 D2\ndetector D8",
            0b111,
            "the detectors D0, D1, D2 are a part of the matching graph without a boundary: errors ",
        ),
        (
            "error(0.1) D0\nerror(0.1) D2 D3",
            0b10,
            "no error of the model flips the detector D1, but a shot has an event there; add the",
        ),
        (
            "\n".join(f"error(0.1) D{k} D{k + 1}" for k in range(6)),
            0b1,
            "the detectors D0, D1, D2, D3 and 3 more are a part",
        ),
    ],
)
@pytest.mark.parametrize("name", ["pymatching", "fusion_blossom"])
def test_events_that_no_errors_explain(name: str, text: str, row: int, message: str) -> None:
    if name == "fusion_blossom":
        pytest.importorskip(name)
    dem = stim.DetectorErrorModel(text)
    rounds = np.zeros(dem.num_detectors, dtype=np.int32)
    decoder = WindowedDecoder(dem, rounds, whole_window(1), resolve_decoder(name))
    shots = np.zeros((3, -(-dem.num_detectors // 8)), dtype=np.uint8)
    shots[1, 0] = row
    for timed in (False, True):
        with pytest.raises(SyndromeError) as error:
            decoder.decode(shots, timed=timed)
        assert str(error.value).startswith(message)


def test_a_window_names_the_detectors_of_the_whole_model() -> None:
    dem = stim.DetectorErrorModel("error(0.1) D0\nerror(0.1) D1\nerror(0.1) D2 D3")
    rounds = np.array([0, 1, 2, 2], dtype=np.int32)
    plan = sliding_windows(3, commit=1, buffer=0)
    decoder = WindowedDecoder(dem, rounds, plan, resolve_decoder("pymatching"))
    with pytest.raises(SyndromeError, match="in window 2, the detectors D2, D3 are a part"):
        decoder.decode(np.array([[0b1011]], dtype=np.uint8))


def test_errors_left_out_are_named_where_they_leave_events_unexplained() -> None:
    dem = stim.DetectorErrorModel("error(0.1) D0 D1 D2\nerror(0.3) D0")
    rounds = np.zeros(3, dtype=np.int32)
    decoder = WindowedDecoder(
        dem, rounds, whole_window(1), resolve_decoder("pymatching"), allow_dropped=0.25
    )
    with pytest.raises(SyndromeError, match=r"flips the detector D1, .*left out .* are 1 of 2 err"):
        decoder.decode(np.array([[0b111]], dtype=np.uint8))


class Panicking(sinter.Decoder):  # type: ignore[misc]
    """Fails as a panic of compiled Rust does: with an error that is no Exception."""

    def __init__(self, kind: type[BaseException], *, late: bool) -> None:
        self.kind = kind
        self.late = late

    def compile_decoder_for_dem(self, **_: object) -> sinter.CompiledDecoder:
        if not self.late:
            raise self.kind("index out of range:\nmore")
        return self

    def decode_shots_bit_packed(self, **_: object) -> Bits:
        raise self.kind("index out of range:\nmore")


@pytest.mark.parametrize("kind", [type("PanicException", (BaseException,), {}), RuntimeError])
def test_a_packaged_decoder_that_fails_is_named(kind: type[BaseException]) -> None:
    _, dem, rounds = memory(3, 12, 0.002)
    with pytest.raises(ScenarioError, match=r"Panicking refuses .*\(index out of range\); choose"):
        WindowedDecoder(dem, rounds, PLANS["sliding"], Panicking(kind, late=False))
    decoder = WindowedDecoder(dem, rounds, PLANS["sliding"], Panicking(kind, late=True))
    with pytest.raises(SyndromeError, match=r"Panicking failed .* window 0 \(index out of range\)"):
        decoder.decode(np.zeros((1, 12), dtype=np.uint8))
    for end in (KeyboardInterrupt, SystemExit, MemoryError):
        with pytest.raises(end):
            WindowedDecoder(dem, rounds, PLANS["sliding"], Panicking(end, late=False))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("timed", [False, True])
def test_certain_errors_are_fixed_flips(plan: str, timed: bool) -> None:
    circuit, dem, rounds = memory(3, 12, 0.002)
    detectors, _ = sample(circuit, 200)
    expected = WindowedDecoder(dem, rounds, PLANS[plan], resolve_decoder("pymatching"))
    flips = (0, 5, 17, dem.num_detectors - 1)
    certain = stim.DetectorErrorModel(
        "\n".join(f"error(1) D{k} L0" for k in flips[:3]) + f"\nerror(1) D{flips[3]}"
    )
    decoder = WindowedDecoder(certain + dem, rounds, PLANS[plan], resolve_decoder("pymatching"))
    flipped = detectors.copy()
    for k in flips:
        flipped[:, k // 8] ^= 1 << k % 8
    before = flipped.copy()
    found = decoder.decode(flipped, timed=timed)
    assert np.array_equal(flipped, before)
    assert np.array_equal(found.predictions, expected.decode(detectors).predictions ^ 1)
    assert np.array_equal(np.bitwise_xor.reduce(found.corrections, axis=1), found.predictions)
