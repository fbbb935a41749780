"""State of a training in one safetensors file: weights, moments of the optimiser, what was done."""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from emulator.decoders.ising_layout import IsingLayout
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation
from models.files import write_whole
from models.training.networks import Architecture, TrainingError, architecture, build

__all__ = ["Checkpoint", "Progress"]

_FORMAT = "roundtrip-predecoder-1"


@dataclass(frozen=True)
class Progress:
    """What was trained so far, and the plan that the learning rate follows.

    ``distance``, ``rounds``, ``orientation`` and the noise ``p`` are those of the windows seen.
    A plan is ``planned`` long, of which ``spent`` are over, in seconds or in steps as ``unit``
    says; the rate comes down to zero at its end.
    """

    model: str
    distance: int
    rounds: int
    orientation: Orientation
    p: float
    seed: int
    steps: int = 0
    samples: int = 0
    seconds: float = 0.0
    unit: str = "seconds"
    planned: float = 0.0
    spent: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether the plan is over, so that a new one begins."""
        return self.spent >= self.planned

    def step(self, samples: int, seconds: float) -> "Progress":
        """One step further."""
        passed = 1.0 if self.unit == "steps" else seconds
        return replace(
            self,
            steps=self.steps + 1,
            samples=self.samples + samples,
            seconds=self.seconds + seconds,
            spent=self.spent + passed,
        )


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """``weights`` and ``moments`` by name: all that a network or an interrupted training needs."""

    progress: Progress
    weights: dict[str, Tensor]
    moments: dict[str, Tensor] = field(default_factory=dict)

    @property
    def architecture(self) -> Architecture:
        """The network of the weights."""
        return architecture(self.progress.model)

    def save(self, path: Path) -> None:
        """Write to ``path``, whole or not at all."""
        tensors = {f"weights.{name}": value for name, value in self.weights.items()}
        tensors |= {f"moments.{name}": value for name, value in self.moments.items()}
        kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        metadata = {"format": _FORMAT, "progress": json.dumps(asdict(self.progress))}
        write_whole(path, safetensors.torch.save(kept, metadata))

    @classmethod
    def load(cls, path: Path, model: str | None = None) -> "Checkpoint":
        """Read ``path``; raises TrainingError unless it holds the network ``model`` (or any)."""
        if not path.is_file():
            raise TrainingError(f"{path}: there is no such file; train first: make train.")
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, OSError) as error:
            raise TrainingError(
                f"{path}: is no safetensors file ({error}); give a checkpoint of make train."
            ) from error
        if metadata.get("format") != _FORMAT:
            raise TrainingError(f"{path}: is no checkpoint of make train; give one of those.")
        progress = _progress(path, metadata.get("progress", ""))
        if model is not None and progress.model != model:
            raise TrainingError(
                f'{path}: holds the network "{progress.model}", not "{model}"; '
                f"give the checkpoint of {model}, or another file to start one in."
            )
        found = cls(progress, _under("weights.", tensors), _under("moments.", tensors))
        wanted = build(found.architecture).state_dict()
        if {n: w.shape for n, w in found.weights.items()} != {
            n: w.shape for n, w in wanted.items()
        }:
            raise TrainingError(
                f'{path}: its weights are not those of the network "{progress.model}"; '
                "train it anew in another file."
            )
        return found

    def cautious(self, odds: float) -> "Checkpoint":
        """The same network answering 1 only where it gives that odds of e^``odds`` to 1.

        The contract sets a bit from even odds on; here all logits are lowered by ``odds``. So
        fewer events vanish, and fewer of them by a wrong guess.
        """
        head = max((n for n in self.weights if n.endswith(".bias")), key=lambda n: int(n[:-5]))
        return replace(self, weights=self.weights | {head: self.weights[head] - odds})

    def check(self, layout: IsingLayout) -> None:
        """Refuse, as TrainingError, a ``layout`` whose checks the network has never seen."""
        if layout.orientation != self.progress.orientation:
            raise TrainingError(
                f"orientation: {layout.orientation} is not the one the network was trained for; "
                f"give {self.progress.orientation}."
            )


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _progress(path: Path, text: str) -> Progress:
    try:
        values: dict[str, Any] = json.loads(text)
        known = {entry.name for entry in fields(Progress)}
        found = Progress(**{name: value for name, value in values.items() if name in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"{path}: what it says of its training cannot be read ({error}); train anew."
        ) from error
    if found.orientation not in ORIENTATIONS:
        raise TrainingError(f'{path}: its orientation "{found.orientation}" is unknown.')
    return found
