"""Shots of very many rounds: what is made of them, and what they take, follows their windows."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
import sinter
import stim

from emulator.decoders.matchers import PyMatchingDecoder
from emulator.run import decode, prepare, run_prepared
from emulator.syndromes import cut
from tests.run.examples import SLIDING, resolved

FEW, MANY = 1_000, 100_000


def peak_bytes(work: Callable[[], object]) -> int:
    """Most memory that ``work`` holds at a time beyond what was held before."""
    tracemalloc.start()
    try:
        held = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - held
    finally:
        tracemalloc.stop()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[stim.DetectorErrorModel]:
    """Models that PyMatching is asked to compile from here on; no cut is remembered."""
    found: list[stim.DetectorErrorModel] = []
    compile_for = PyMatchingDecoder.compile_decoder_for_dem

    def counted(self: PyMatchingDecoder, *, dem: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
        found.append(dem)
        return compile_for(self, dem=dem)

    monkeypatch.setattr(PyMatchingDecoder, "compile_decoder_for_dem", counted)
    monkeypatch.setattr(cut, "MAX_CACHED_CUTS", 0)
    return found


def scenario(task: str, rounds: int) -> tuple[str, ...]:
    return (
        *SLIDING,
        f"code.task={task}",
        f"code.rounds={rounds}",
        "noise.p=0.002",
        "fpga.rounds_per_message=1",
        'decoder.timing={kind = "constant", value = "1 us"}',
        "run.shots=1",
    )


@pytest.mark.parametrize("task", ["repetition_code:memory", "surface_code:rotated_memory_z"])
def test_a_long_shot_from_syndromes_to_verdict(
    task: str, compiled: list[stim.DetectorErrorModel]
) -> None:
    prepared = prepare(resolved(*scenario(task, FEW)))
    run = run_prepared(prepared)
    assert run.record.decoded == FEW
    assert len(prepared.traffic.plan) == FEW // 2
    assert 3 <= len(compiled) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("task", ["repetition_code:memory", "surface_code:rotated_memory_z"])
def test_memory_a_round_does_not_grow_with_the_rounds(
    task: str, compiled: list[stim.DetectorErrorModel]
) -> None:
    """Lists of Python objects a round or a window are allowed, errors a round are not."""
    peaks = {}
    few, many = 2_000, 20_000
    for rounds in (few, many):
        compiled.clear()

        def set_up_and_decode(rounds: int = rounds) -> None:
            answers = decode(prepare(resolved(*scenario(task, rounds))))
            assert answers is not None
            assert answers.corrections.shape == (1, rounds // 2, 1)

        peaks[rounds] = peak_bytes(set_up_and_decode)
        assert 3 <= len(compiled) <= 6
    assert peaks[many] < 11 * peaks[few]
    assert peaks[many] < 1500 * many


@pytest.mark.slow
def test_a_hundred_thousand_rounds_run_to_their_end(
    compiled: list[stim.DetectorErrorModel],
) -> None:
    run = run_prepared(prepare(resolved(*scenario("surface_code:rotated_memory_z", MANY))))
    assert run.record.emitted == run.record.decoded == MANY
    assert len(run.windows["window"]) == MANY // 2
    assert 3 <= len(compiled) <= 6
    assert run.answers is not None
    share = int(run.answers.events_in[0]) / run.prepared.source.num_detectors
    assert 0.005 < share < 0.05
    flips = np.count_nonzero(run.answers.corrections)
    assert 0 < flips < MANY // 20
