"""The training loop: batches of fresh samples, steps, checkpoints and points of the curve."""

import math
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import Tensor, nn

from emulator.decoders.ising_layout import IsingLayout
from emulator.syndromes.rotated_patch import PauliType
from models.training import curve
from models.training.checkpoint import Checkpoint, Progress
from models.training.faults import faults
from models.training.labels import Sampler
from models.training.networks import TrainingError, architecture, build
from models.training.noise import NoiseModel
from models.training.targets import Grid

__all__ = ["Batch", "Limits", "Training", "start", "train"]

_BASES: tuple[PauliType, PauliType] = ("X", "Z")
_WARM_UP = 100
_SAVE_EVERY_S = 30.0
_FIRST_POINT_S, _NEXT_POINT = 20.0, 1.6
"""When the curve gets its first point, and how much longer each next one takes."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Input and wanted answer of a step, float (B, 4, T, D, D), and where the answer is read."""

    source: Tensor
    wanted: Tensor
    read: Tensor


class Training:
    """A network, its optimiser and its samples on a device, one step at a time.

    On a GPU the convolutions run in BF16; ``bf16`` asks for that elsewhere, too. What a step draws
    depends on the seed and its number alone, so an interruption changes nothing.
    """

    def __init__(self, state: Checkpoint, device: torch.device, *, bf16: bool = False) -> None:
        self.progress = progress = state.progress
        self.architecture = state.architecture
        self.device, self.bf16 = device, bf16 or device.type == "cuda"
        self.network = build(self.architecture)
        self.network.load_state_dict(state.weights)
        self.network.to(device=device, memory_format=torch.channels_last_3d)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), betas=(0.9, 0.99), weight_decay=1e-4
        )
        self._restore(state.moments)
        # weighing set bits by 1/odds is to move the threshold of a calibrated answer there
        self.wins = torch.tensor(1 / self.architecture.odds, device=device)
        noise = NoiseModel.depolarising(progress.p).scaled()
        layouts = [
            IsingLayout(progress.distance, progress.rounds, basis, progress.orientation)
            for basis in _BASES
        ]
        self.samplers = [Sampler(faults(layout), noise, device) for layout in layouts]
        self.grids = [Grid(layout, device) for layout in layouts]

    def rate(self) -> float:
        """Learning rate of the next step: a short warm-up, then a cosine down to zero."""
        progress = self.progress
        share = min(1.0, progress.spent / progress.planned) if progress.planned else 1.0
        warm = min(1.0, (progress.steps + 1) / _WARM_UP)
        return self.architecture.rate * warm * (1 + math.cos(math.pi * share)) / 2

    def step(self) -> Tensor:
        """Train on one batch, of basis X and Z in turn; its loss per voxel, still on the device."""
        start = time.monotonic()
        batch = self.batch()
        loss = self.learn(batch)
        self.progress = self.progress.step(len(batch.source), time.monotonic() - start)
        return loss

    def learn(self, batch: Batch) -> Tensor:
        """Take one step of the optimiser on ``batch``; its loss as in ``step``."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.network(batch.source)
        loss = nn.functional.binary_cross_entropy_with_logits(
            logits.float(),
            batch.wanted,
            weight=batch.read.expand_as(batch.wanted),
            pos_weight=self.wins,
            reduction="sum",
        ) / (batch.wanted.numel() / batch.wanted.shape[1])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return loss.detach()

    def state(self) -> Checkpoint:
        """All that it takes to go on from here."""
        moments = {}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                moments[f"{key}.{name}"] = value
        return Checkpoint(self.progress, dict(self.network.state_dict()), moments)

    def batch(self) -> Batch:
        """Samples of the step that comes next."""
        turn = self.progress.steps % 2
        seed = np.random.SeedSequence([self.progress.seed, self.progress.steps])
        drawn = int(seed.generate_state(1, np.uint64)[0] >> 1)
        generator = torch.Generator().manual_seed(drawn)
        events, labels = self.samplers[turn].sample(self.architecture.batch, generator)
        grid = self.grids[turn]
        source = grid.input(events).contiguous(memory_format=torch.channels_last_3d)
        return Batch(source, grid.answer(labels), grid.read)

    def _restore(self, moments: dict[str, Tensor]) -> None:
        for name, parameter in self.network.named_parameters():
            found = {
                key.removesuffix(f".{name}"): value
                for key, value in moments.items()
                if key.endswith(f".{name}")
            }
            if found:
                self.optimiser.state[parameter] = {
                    key: value.to(self.device if key != "step" else "cpu")
                    for key, value in found.items()
                }


@dataclass(frozen=True)
class Limits:
    """How long a call trains: ``minutes``, or ``steps`` where that is not 0.

    ``plan`` is the minutes until the learning rate of a new plan is zero, None for as long as the
    call trains. ``shots`` are those of a point of the curve, 0 for no curve. A line is printed
    every ``every`` seconds.
    """

    minutes: float = 2.0
    steps: int = 0
    plan: float | None = None
    shots: int = 10_000
    every: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what is no training."""
        for name, value in (("minutes", self.minutes), ("plan", self.plan)):
            if value is not None and not value > 0:
                raise TrainingError(f"--{name}: {value} is no time to train; give more than 0.")
        for name, value in (("steps", self.steps), ("shots", self.shots), ("every", self.every)):
            if value < 0:
                raise TrainingError(f"--{name}: {value} is negative; give at least 0.")


def start(path: Path, fresh: Progress, limits: Limits) -> Checkpoint:
    """The state in ``path`` or, if there is no such file, a new one as ``fresh`` describes it.

    An unfinished plan goes on, with the learning rate it had; otherwise a new one begins. Raises
    TrainingError when the file is something else, SyndromeError when ``fresh`` has no layout.
    """
    if path.exists():
        state = Checkpoint.load(path, fresh.model)
    else:
        IsingLayout(fresh.distance, fresh.rounds, "X", fresh.orientation)
        torch.manual_seed(fresh.seed)
        state = Checkpoint(fresh, dict(build(architecture(fresh.model)).state_dict()))
    if not state.progress.finished:
        return state
    unit, planned = "seconds", 60 * limits.minutes
    if limits.plan is not None:
        planned = 60 * limits.plan
    elif limits.steps:
        unit, planned = "steps", limits.steps
    return replace(state, progress=replace(state.progress, unit=unit, planned=planned, spent=0.0))


def train(training: Training, limits: Limits, path: Path, record: Path) -> None:
    """Train until a limit, the end of the plan, SIGTERM or SIGINT; keep the state in ``path``.

    Points of the learning curve are appended to ``record``.
    """
    stop, first = _Stop(), training.progress
    saved = printed = time.monotonic()
    point = max(_FIRST_POINT_S, _NEXT_POINT * first.seconds) if limits.shots else math.inf
    since, losses = first, []
    while not (stop.asked or _over(training.progress, first, limits)):
        losses.append(training.step())
        now = time.monotonic()
        if now - printed >= limits.every:
            _print(training, since, losses)
            since, losses, printed = training.progress, [], now
        if now - saved >= _SAVE_EVERY_S:
            training.state().save(path)
            saved = now
        if training.progress.seconds >= point:
            _point(training, limits.shots, record)
            point = _NEXT_POINT * training.progress.seconds
    training.state().save(path)
    if losses:
        _print(training, since, losses)
    if limits.shots and not stop.asked and training.progress.steps > first.steps:
        _point(training, limits.shots, record)
    progress = training.progress
    rest = "finished" if progress.finished else f"{progress.spent / progress.planned:.0%} of plan"
    print(f"{path}: {progress.samples} samples, {progress.seconds:.0f} s, {rest}")


def _over(now: Progress, first: Progress, limits: Limits) -> bool:
    if now.finished:
        return True
    if limits.steps:
        return now.steps - first.steps >= limits.steps
    return now.seconds - first.seconds >= 60 * limits.minutes


class _Stop:
    """Whether SIGTERM or SIGINT came; a step that is under way is finished first."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _print(training: Training, since: Progress, losses: list[Tensor]) -> None:
    now = training.progress
    speed = (now.samples - since.samples) / (now.seconds - since.seconds)
    loss = float(torch.stack(losses).mean())
    print(
        f"{now.samples} samples, {speed:.0f} samples/s, loss {loss:.5f} a voxel, "
        f"rate {training.rate():.2e}",
        flush=True,
    )


def _point(training: Training, shots: int, record: Path) -> None:
    training.network.eval()
    lines = curve.measure(training.network, training.progress, training.device, shots)
    training.network.train()
    curve.append(record, lines)
    print(*lines, sep="\n", flush=True)
