"""Whether a training keeps its device busy: samples and operations a second, beside what it can do.

    python -m models.training.train fast --check 60

Nothing is kept. Work is that of the convolutions alone, two operations for a product and its sum,
three passes for a step (forwards, by input, by weight), every voxel with the whole kernel.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from models.training.loop import Training

__all__ = ["Throughput", "throughput"]

_WARM_UP = 3
_MATRIX = {"cuda": 8192, "cpu": 1024}
"""Rows of the square matrices whose product gives the rate of the device."""


@dataclass(frozen=True)
class Throughput:
    """Samples a second of each part alone and of both, as one step does them.

    ``work`` is in operations a sample, ``matrix_rate`` in operations a second of a product of
    matrices in the number format of the convolutions.
    """

    device: str
    precision: str
    sampling: float
    network: float
    both: float
    work: float
    matrix_rate: float

    def text(self) -> str:
        """Four lines."""
        rate, peak = self.network * self.work / 1e12, self.matrix_rate / 1e12
        share, of_network = rate / peak, self.both / self.network
        return (
            f"{self.device}, {self.precision}: matrices are multiplied at {peak:.3g} TFLOP/s\n"
            f"samples alone  {self.sampling:10.0f} a second\n"
            f"network alone  {self.network:10.0f} a second, {rate:.3g} TFLOP/s, {share:.0%} of it\n"
            f"both           {self.both:10.0f} a second, {of_network:.0%} of the network alone"
        )


def throughput(training: Training, seconds: float) -> Throughput:
    """Measure for ``seconds`` in all, after a warm-up; ``training`` is worn out afterwards."""
    device, size = training.device, training.architecture.batch
    fixed = training.batch()
    precision = torch.bfloat16 if training.bf16 else torch.float32
    n = _MATRIX[device.type]
    left, right = torch.rand(2, n, n, device=device, dtype=precision)
    share = seconds / 4

    def samples(work: Callable[[], object]) -> float:
        return size * _per_second(work, device, share)

    voxels = fixed.source[0, 0].numel()
    biases = sum(training.architecture.filters) + fixed.wanted.shape[1]
    return Throughput(
        torch.cuda.get_device_name(device) if device.type == "cuda" else "this processor",
        str(precision).removeprefix("torch."),
        sampling=samples(training.batch),
        network=samples(lambda: training.learn(fixed)),
        both=samples(training.step),
        work=3 * 2 * (training.architecture.parameters - biases) * voxels,
        matrix_rate=2 * n**3 * _per_second(lambda: left @ right, device, share),
    )


def _per_second(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """How often ``work`` is done in a second."""
    for _ in range(_WARM_UP):
        work()
    _wait(device)
    start = now = time.perf_counter()
    done = 0
    while now - start < seconds:
        work()
        _wait(device)
        done += 1
        now = time.perf_counter()
    return done / (now - start)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
