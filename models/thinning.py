"""What a pre-decoder does to a syndrome: how much it thins it, and what that costs in errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymatching
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.errors import SyndromeError
from models.contract import circuit_of

__all__ = ["Answer", "Thinning", "count"]

Answer = Callable[[NDArray[Any]], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""Detector rows (B, N) to pre_L (B,) and residual (B, N), as ``Predecoder.run``."""

_CHUNK = 1000


@dataclass(frozen=True)
class Thinning:
    """Counts over the same ``shots``, decoded by PyMatching alone and behind a pre-decoder.

    ``before`` and ``after`` are detection events in all shots, without the opposite basis of the
    last round, which the contract drops. ``alone`` and ``behind`` are logical errors of the two;
    ``only_alone`` and ``only_behind`` those that the other one avoided.
    """

    layout: IsingLayout
    p: float
    shots: int
    before: int
    after: int
    alone: int
    behind: int
    only_alone: int
    only_behind: int

    def table(self) -> str:
        """Two lines of Markdown table after its head."""
        layout = self.layout
        places = self.shots * (layout.slots.size - 2 * layout.half)
        cells = (
            f"d={layout.distance} T={layout.rounds} {layout.basis} {layout.orientation}",
            f"{self.p}",
            f"{self.shots}",
            f"{self.before / places:.4f}",
            f"{self.after / places:.4f}",
            f"{self.before / self.after:.2f}" if self.after else "-",
            f"{self.alone}",
            f"{self.behind}",
            f"{self.only_alone}",
            f"{self.only_behind}",
        )
        head = (
            *("layout", "p", "shots", "density before", "after", "ratio"),
            *("errors alone", "behind the rule", "only alone", "only behind"),
        )
        return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * 10, cells))


def count(answer: Answer, layout: IsingLayout, *, p: float, shots: int, seed: int) -> Thinning:
    """Sample ``memory_circuit`` at noise ``p`` and decode every shot both ways."""
    if shots < 1:
        raise SyndromeError(f"shots: {shots} is too few; give at least 1.")
    circuit = circuit_of(layout, p)
    matcher = pymatching.Matching(circuit.detector_error_model(decompose_errors=True))
    sampler = circuit.compile_detector_sampler(seed=seed)
    counts = [0] * 6
    for start in range(0, shots, _CHUNK):
        dets, flips = sampler.sample(min(_CHUNK, shots - start), separate_observables=True)
        pre_l, residual = answer(dets)
        alone = matcher.decode_batch(dets)[:, 0] != flips[:, 0]
        behind = matcher.decode_batch(residual)[:, 0] ^ pre_l != flips[:, 0]
        seen = (
            *(layout.events(dets), layout.events(residual)),
            *(alone, behind, alone & ~behind, behind & ~alone),
        )
        counts = [old + int(np.count_nonzero(part)) for old, part in zip(counts, seen, strict=True)]
    return Thinning(layout, p, shots, *counts)
