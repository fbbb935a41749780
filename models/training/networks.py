"""Networks by name: plain stacks of three-dimensional convolutions.

``fast`` and ``accurate`` are models 1 and 4 of NVIDIA's Ising pre-decoder,
github.com/NVIDIA/Ising-Decoding, ``code/model/registry.py``, without dropout: short training of
small networks on fresh samples does not overfit.
"""

import importlib.util
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from emulator.errors import MissingToolError, RoundtripError

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "TrainingError",
    "architecture",
    "build",
    "require_torch",
]

Activation = Literal["relu", "gelu"]

_CHANNELS = 4
_RARE = -4.0
"""Initial logit: a set bit is rare."""


class TrainingError(RoundtripError):
    """A training, an export or an evaluation that cannot be done as asked."""


@dataclass(frozen=True)
class Architecture:
    """Hidden layers of ``filters`` channels, then one back to 4, all with kernels ``kernel``³.

    Input and output are float (B, 4, T, ·, ·) with grids of any size. ``gelu`` is the published
    tanh approximation; ``relu`` is the faster one on a CPU. ``rate`` is the learning rate it is
    trained at and ``batch`` the number of samples of a step. It learns to set a bit where the odds
    for it are better than ``odds`` to 1: a small network, often wrong at even odds, does less harm
    when it leaves more to the matcher.
    """

    name: str
    filters: tuple[int, ...]
    activation: Activation
    rate: float
    batch: int
    odds: float = 1.0
    kernel: int = 3

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        widths = (_CHANNELS, *self.filters, _CHANNELS)
        return sum(a * b * self.kernel**3 + b for a, b in pairwise(widths))

    @property
    def reach(self) -> int:
        """Rounds, rows and columns that one answer can depend on, itself included."""
        return 1 + (len(self.filters) + 1) * (self.kernel - 1)


ARCHITECTURES = {
    entry.name: entry
    for entry in (
        Architecture("nano", (32, 32), "relu", rate=1e-2, batch=32, odds=10.0),
        Architecture("fast", (128, 128, 128), "gelu", rate=1e-3, batch=512),
        Architecture("accurate", (128,) * 5, "gelu", rate=7e-4, batch=512),
    )
}
"""Networks that ``make train`` knows."""


def architecture(name: str) -> Architecture:
    """The network called ``name``; raises TrainingError for an unknown one."""
    if name not in ARCHITECTURES:
        raise TrainingError(
            f'no network is called "{name}"; choose one of {", ".join(ARCHITECTURES)}.'
        )
    return ARCHITECTURES[name]


def require_torch() -> None:
    """Raise MissingToolError when PyTorch or safetensors is not installed."""
    missing = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingToolError(
            f'{" and ".join(missing)} cannot be found; pip install -e ".[train]", or let '
            "make train do it."
        )


def build(entry: Architecture) -> "nn.Sequential":
    """A network with random weights from torch's global generator."""
    import torch  # noqa: PLC0415 - the registry needs no torch

    widths = (_CHANNELS, *entry.filters, _CHANNELS)
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers.append(torch.nn.Conv3d(a, b, entry.kernel, padding=entry.kernel // 2))
        if entry.activation == "relu":
            layers.append(torch.nn.ReLU())
        else:
            layers.append(torch.nn.GELU(approximate="tanh"))
    torch.nn.init.constant_(layers[-2].bias, _RARE)
    return torch.nn.Sequential(*layers[:-1])
