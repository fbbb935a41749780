"""What exported pre-decoders do to syndromes, to decoding time and to logical errors.

All decoders see the same shots in the same run. Times are those of this machine, one thread.

    python -m models.evaluate models/nano_d13_T104_X.onnx models/nano_d13_T104_X_int8.onnx
    python -m models.evaluate models/nano_d13_T13_X.onnx --profile ising_fast_gb300_p003
"""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.matchers import PyMatchingDecoder
from emulator.decoders.predecoder import Predecoder
from emulator.decoders.stopwatch import WARM_UP_CALLS, Timed, time_calls, time_shots
from emulator.errors import SyndromeError
from models.command import run
from models.contract import circuit_of, layout_of, opened
from models.evaluation import Arm, Evaluation, Thinned
from models.published import published

__all__ = ["evaluate", "main"]

_MATCHERS = {"PyMatching": False, "correlated PyMatching": True}


def evaluate(
    predecoders: Sequence[Predecoder],
    *,
    p: float,
    shots: int,
    seed: int,
    timed: int,
    profile: str | None = None,
) -> Evaluation:
    """Sample ``memory_circuit`` at noise ``p``; decode each shot alone and behind each pre-decoder.

    Pre-decoders are timed on the first ``timed`` shots. Raises SyndromeError for too few shots,
    for pre-decoders of unequal layouts, and for a noise that is none, ScenarioError for a
    ``profile`` (a preset) without a time for them.
    """
    layout = _layout(predecoders)
    for name, count in (("--shots", shots), ("--timed", timed)):
        if count < 1:
            raise SyndromeError(f"{name}: {count} is too few; give at least 1.")
    circuit = circuit_of(layout, p)
    compared = published(profile, layout, p) if profile is not None else None
    sampler = circuit.compile_detector_sampler(seed=seed)
    dets, flips = sampler.sample(shots, separate_observables=True)
    rows, right = dets.astype(np.uint8), flips[:, 0]
    matchers = [_matcher(circuit, correlated=correlated) for correlated in _MATCHERS.values()]
    alone = _arms("", matchers, rows, right, None)
    thinned = []
    times = _times(predecoders, rows[:timed])
    for predecoder, spent in zip(predecoders, times, strict=True):
        name = predecoder.path.stem
        pre_l, residual = predecoder.run(rows, batch=32)
        arms = _arms(f"{name}, ", matchers, residual, right ^ pre_l, spent)
        thinned.append(Thinned(name, _events(layout, residual), arms))
    return Evaluation(layout, p, _events(layout, rows), alone, tuple(thinned), compared)


def _layout(predecoders: Sequence[Predecoder]) -> IsingLayout:
    first = predecoders[0]
    for other in predecoders[1:]:
        if other.layout != first.layout:
            raise SyndromeError(
                f"{other.path}: is not for the same distance, T, basis and orientation as "
                f"{first.path}; evaluate it by itself."
            )
    return first.layout


def _events(layout: IsingLayout, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Detection events of each shot, int64 (shots,)."""
    return np.array([layout.events(row[None]).sum() for row in rows], dtype=np.int64)


def _matcher(circuit: stim.Circuit, *, correlated: bool) -> sinter.CompiledDecoder:
    model = circuit.detector_error_model(decompose_errors=True, approximate_disjoint_errors=True)
    return PyMatchingDecoder(correlated=correlated).compile_decoder_for_dem(dem=model)


def _arms(
    prefix: str,
    matchers: Sequence[sinter.CompiledDecoder],
    rows: NDArray[np.uint8],
    right: NDArray[np.bool_],
    predecoder: Timed | None,
) -> tuple[Arm, Arm]:
    packed = np.packbits(rows, axis=1, bitorder="little")
    first, second = (
        _arm(prefix + name, compiled, packed, right, predecoder)
        for name, compiled in zip(_MATCHERS, matchers, strict=True)
    )
    return first, second


def _arm(
    name: str,
    compiled: sinter.CompiledDecoder,
    packed: NDArray[np.uint8],
    right: NDArray[np.bool_],
    predecoder: Timed | None,
) -> Arm:
    found, timed = time_shots(compiled, packed, np.copy)
    start = time.perf_counter_ns()
    compiled.decode_shots_bit_packed(bit_packed_detection_event_data=packed)
    batch_ns = (time.perf_counter_ns() - start) / len(packed)
    wrong = (np.concatenate(found)[:, 0] & 1) != right
    behind = 0.0 if predecoder is None else _mean_ns(predecoder)
    marks = [one.disturbed for one in (timed, predecoder) if one is not None]
    disturbed = float(np.concatenate(marks).mean())
    return Arm(name, wrong, _mean_ns(timed), batch_ns, behind, disturbed)


def _mean_ns(timed: Timed) -> float:
    return float(timed.kept_ps().mean()) / 1000


def _times(predecoders: Sequence[Predecoder], rows: NDArray[np.uint8]) -> list[Timed]:
    """Times of a shot of each, taken in turns, so that all meet the same other work."""
    for predecoder in predecoders:
        for row in rows[:WARM_UP_CALLS]:
            predecoder.run(row[None])
    calls = [partial(predecoder.run, row[None]) for row in rows for predecoder in predecoders]
    _, timed = time_calls(calls, lambda _: None)
    turns = len(predecoders)
    return [Timed(timed.elapsed_ps[k::turns], timed.disturbed[k::turns]) for k in range(turns)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 after a mistake in what was asked."""
    asked = _parser().parse_args(arguments)
    return run("evaluate", lambda: _evaluate(asked))


def _evaluate(asked: argparse.Namespace) -> None:
    found = evaluate(
        [opened(file, layout_of(file)) for file in asked.files],
        p=asked.p,
        shots=asked.shots,
        seed=asked.seed,
        timed=asked.timed,
        profile=asked.profile,
    )
    from emulator.cli.env import environment  # noqa: PLC0415 - only a printed answer names it

    machine = environment()
    named = (f"{name} {machine[name]}" for name in ("stim", "pymatching", "onnxruntime"))
    print(found.text())
    print(f"\n{machine['processor']}; {', '.join(named)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help="NAME_dD_TT_BASIS.onnx, one layout"
    )
    parser.add_argument("--p", type=float, default=0.003, help="noise (0.003)")
    parser.add_argument("--shots", type=int, default=10000, help="shots (10000)")
    parser.add_argument("--timed", type=int, default=100, help="of the pre-decoder's time (100)")
    parser.add_argument("--profile", metavar="PRESET", help="compare with a published time")
    parser.add_argument("--seed", type=int, default=1, help="(1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
