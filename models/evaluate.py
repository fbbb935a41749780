"""What an exported pre-decoder does to syndromes, to decoding time and to logical errors.

All decoders see the same shots in the same run. Times are those of this machine, one thread.

    python -m models.evaluate models/nano_d13_T104_X.onnx --p 0.003 --shots 2000
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.matchers import PyMatchingDecoder
from emulator.decoders.predecoder import Predecoder
from emulator.decoders.stopwatch import WARM_UP_CALLS, time_shots
from emulator.errors import RoundtripError, SyndromeError
from emulator.garbage import no_garbage_collection
from emulator.results.rates import PairedCount
from emulator.syndromes.ising_memory import memory_circuit
from models.contract import layout_of

__all__ = ["Arm", "Evaluation", "evaluate", "main"]

_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to decode: ``wrong``, bool (shots,), and the mean time of a shot in ns.

    ``single_ns`` is the matcher called shot by shot, ``batch_ns`` called once for all;
    ``predecoder_ns`` the pre-decoder called shot by shot, 0 without one.
    """

    name: str
    wrong: NDArray[np.bool_]
    single_ns: float
    batch_ns: float
    predecoder_ns: float = 0.0

    @property
    def total_ns(self) -> float:
        """Pre-decoder and matcher, shot by shot."""
        return self.predecoder_ns + self.single_ns


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Four arms on the same shots, PyMatching alone first, and detection events before and after.

    Events are those of all shots, without the opposite basis of the last round, which the
    contract drops.
    """

    layout: IsingLayout
    p: float
    shots: int
    before: int
    after: int
    arms: tuple[Arm, ...]

    def text(self) -> str:
        """Head line and Markdown table."""
        layout = self.layout
        places = self.shots * (layout.slots.size - 2 * layout.half)
        ratio = f", {self.before / self.after:.2f}x sparser" if self.after else ""
        head = (
            f"d={layout.distance} T={layout.rounds} {layout.basis} {layout.orientation}, "
            f"p = {self.p}, {self.shots} shots: density {self.before / places:.5f} before, "
            f"{self.after / places:.5f} after{ratio}"
        )
        columns = (
            *("decoder", "errors", "alone / this", "95 % interval", "McNemar p"),
            *("matching, µs/round", "in a batch", "speedup", "pre-decoder", "in all"),
        )
        rows = [columns, ("---",) * len(columns), *(self._row(arm) for arm in self.arms)]
        return "\n".join([head, "", *("| " + " | ".join(row) + " |" for row in rows)])

    def _row(self, arm: Arm) -> tuple[str, ...]:
        alone = self.arms[0]
        pair = PairedCount.of(alone.wrong, arm.wrong)
        interval = pair.ratio_interval(_CONFIDENCE)
        low, high = interval or (None, None)
        compared = (
            ("-" if pair.ratio is None else f"{pair.ratio:.3f}"),
            ("-" if low is None else f"{low:.3f} to " + ("∞" if high is None else f"{high:.3f}")),
            f"{pair.p_value():.2g}",
        )
        return (
            arm.name,
            str(int(arm.wrong.sum())),
            *(("1", "-", "-") if arm is alone else compared),
            self._per_round(arm.single_ns),
            self._per_round(arm.batch_ns),
            f"{alone.single_ns / arm.single_ns:.2f}",
            self._per_round(arm.predecoder_ns) if arm.predecoder_ns else "-",
            self._per_round(arm.total_ns),
        )

    def _per_round(self, time_ns: float) -> str:
        return f"{time_ns / 1000 / self.layout.rounds:.3f}"


def evaluate(predecoder: Predecoder, *, p: float, shots: int, seed: int, timed: int) -> Evaluation:
    """Sample ``memory_circuit`` at noise ``p`` and decode every shot all four ways.

    The pre-decoder is timed on the first ``timed`` shots. Raises SyndromeError for too few shots.
    """
    if shots < 1 or timed < 1:
        raise SyndromeError(f"shots: {min(shots, timed)} is too few; give at least 1.")
    layout = predecoder.layout
    circuit = memory_circuit(
        distance=layout.distance,
        rounds=layout.rounds,
        basis=layout.basis,
        orientation=layout.orientation,
        p=p,
    )
    sampler = circuit.compile_detector_sampler(seed=seed)
    dets, flips = sampler.sample(shots, separate_observables=True)
    rows = dets.astype(np.uint8)
    pre_l, residual = predecoder.run(rows, batch=32)
    predecoder_ns = _time_predecoder(predecoder, rows[:timed])
    arms = []
    for correlated, name in ((False, "PyMatching"), (True, "correlated PyMatching")):
        compiled = _matcher(circuit, correlated=correlated)
        right = flips[:, 0]
        arms.append(_arm(name, compiled, rows, right, 0.0))
        behind = _arm(f"pre-decoder, {name}", compiled, residual, right ^ pre_l, predecoder_ns)
        arms.append(behind)
    before, after = (int(layout.events(part).sum()) for part in (rows, residual))
    return Evaluation(layout, p, shots, before, after, tuple(arms))


def _matcher(circuit: stim.Circuit, *, correlated: bool) -> sinter.CompiledDecoder:
    model = circuit.detector_error_model(decompose_errors=True, approximate_disjoint_errors=True)
    return PyMatchingDecoder(correlated=correlated).compile_decoder_for_dem(dem=model)


def _arm(
    name: str,
    compiled: sinter.CompiledDecoder,
    rows: NDArray[np.uint8],
    right: NDArray[np.bool_],
    predecoder_ns: float,
) -> Arm:
    packed = np.packbits(rows, axis=1, bitorder="little")
    predicted, elapsed_ps = time_shots(compiled, packed)
    start = time.perf_counter_ns()
    compiled.decode_shots_bit_packed(bit_packed_detection_event_data=packed)
    batch_ns = (time.perf_counter_ns() - start) / len(rows)
    wrong = (predicted[:, 0] & 1) != right
    return Arm(name, wrong, float(elapsed_ps.mean()) / 1000, batch_ns, predecoder_ns)


def _time_predecoder(predecoder: Predecoder, rows: NDArray[np.uint8]) -> float:
    for row in rows[:WARM_UP_CALLS]:
        predecoder.run(row[None])
    with no_garbage_collection():
        start = time.perf_counter_ns()
        for row in rows:
            predecoder.run(row[None])
        return (time.perf_counter_ns() - start) / len(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 after a mistake in what was asked."""
    asked = _parser().parse_args(arguments)
    try:
        layout = layout_of(asked.file)
        predecoder = Predecoder.load(
            asked.file,
            distance=layout.distance,
            rounds=layout.rounds,
            basis=layout.basis,
            orientation=layout.orientation,
        )
        found = evaluate(
            predecoder, p=asked.p, shots=asked.shots, seed=asked.seed, timed=asked.timed
        )
    except RoundtripError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return error.exit_code
    from emulator.cli.env import environment  # noqa: PLC0415 - only a printed answer names it

    machine = environment()
    named = (f"{name} {machine[name]}" for name in ("stim", "pymatching", "onnxruntime"))
    print(f"{asked.file.name}, {found.text()}")
    print(f"\n{machine['processor']}; {', '.join(named)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE", type=Path, help="NAME_dD_TT_BASIS.onnx")
    parser.add_argument("--p", type=float, default=0.003, help="noise (0.003)")
    parser.add_argument("--shots", type=int, default=1000, help="shots (1000)")
    parser.add_argument("--timed", type=int, default=100, help="of the pre-decoder's time (100)")
    parser.add_argument("--seed", type=int, default=1, help="(1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
