"""Learning curve: what a network does to fresh syndromes at two strengths of noise, point by point.

A point is two lines of a CSV file, one for each noise, measured on the windows that are trained on
(basis X) by ``models.thinning``. Every point sees the same shots.
"""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emulator.decoders.ising_layout import IsingLayout
from models.files import write_whole
from models.thinning import Answer, Thinning, count
from models.training.checkpoint import Progress

__all__ = ["NOISES", "answer_of", "append", "measure"]

NOISES = (0.003, 0.006)
"""Noise of the points."""

_SEED = 20_240_607
_HEAD = (
    *("model", "samples", "seconds", "distance", "rounds", "p", "shots"),
    *("density_before", "density_after", "density_ratio"),
    *("errors_alone", "errors_behind", "error_ratio"),
)


def answer_of(network: nn.Module, layout: IsingLayout, device: torch.device | str) -> Answer:
    """The network as a pre-decoder for detector rows, see ``Predecoder.run``."""

    def run(dets: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        with torch.no_grad():
            source = torch.from_numpy(layout.cnn_input(dets)).to(device)
            logits = network(source).float().cpu().numpy()
        return layout.apply(logits, dets)

    return run


def measure(network: nn.Module, progress: Progress, device: torch.device, shots: int) -> list[str]:
    """Measure one point; its lines of the file."""
    layout = IsingLayout(progress.distance, progress.rounds, "X", progress.orientation)
    run = answer_of(network, layout, device)
    return [_line(progress, count(run, layout, p=p, shots=shots, seed=_SEED)) for p in NOISES]


def append(path: Path, lines: list[str]) -> None:
    """Add lines to the file at ``path``, which gets its head when it is new."""
    old = path.read_text(encoding="utf-8") if path.exists() else ",".join(_HEAD) + "\n"
    write_whole(path, (old + "".join(f"{line}\n" for line in lines)).encode())


def _line(progress: Progress, found: Thinning) -> str:
    places = found.shots * (found.layout.slots.size - 2 * found.layout.half)
    cells = (
        *(progress.model, progress.samples, f"{progress.seconds:.1f}"),
        *(progress.distance, progress.rounds, found.p, found.shots),
        *(f"{found.before / places:.5f}", f"{found.after / places:.5f}"),
        f"{found.before / found.after:.3f}" if found.after else "",
        *(found.alone, found.behind),
        f"{found.alone / found.behind:.3f}" if found.behind else "",
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
