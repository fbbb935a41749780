"""Where the syndromes come from: the [code] table, one model per source, and the [noise] table."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from typing_extensions import TypeAliasType

from emulator.scenario.quantities import Probability, Section

__all__ = [
    "CircuitCode",
    "Code",
    "Count",
    "CudaqCode",
    "GeneratedCode",
    "Natural",
    "Noise",
    "Orientation",
    "SampleCode",
]

Count = Annotated[int, Field(ge=1, strict=True)]
"""A whole number, at least one."""

Natural = Annotated[int, Field(ge=0, strict=True)]
"""A whole number, at least zero."""

Orientation = Literal["XV", "XH", "ZV", "ZH"]
"""Type of the first bulk check of a rotated surface code, and whether it stands or lies."""

Task = Literal[
    "surface_code:rotated_memory_x",
    "surface_code:rotated_memory_z",
    "repetition_code:memory",
    "color_code:memory_xyz",
    "ising:memory_x",
    "ising:memory_z",
]

SampleFormat = Literal["01", "b8", "r8", "hits", "dets", "ptb64"]
"""Result formats of Stim (doc/result_formats.md of quantumlib/Stim)."""


class GeneratedCode(Section):
    """A memory experiment generated here, with the noise of [noise]."""

    source: Literal["generated"] = "generated"
    task: Task
    distance: Count
    rounds: Count
    """Rounds of one shot."""
    orientation: Orientation = "XV"
    """Only the ``ising`` tasks have more than one."""


class CircuitCode(Section):
    """A Stim circuit of one's own, noise included; the last detector coordinate is the round."""

    source: Literal["circuit"]
    circuit: Path
    rounds: Count | None = None
    """Rounds of one shot; left out: counted from the detector coordinates."""


class SampleCode(Section):
    """Recorded or precomputed detection events, and the model that they are decoded with."""

    source: Literal["samples"]
    detections: Path
    format: SampleFormat
    observables: Path | None = None
    """True observable flips of each shot; without them logical errors are not counted."""
    observables_format: SampleFormat | None = None
    """Left out: as ``format``."""
    model: Path
    """A detector error model (.dem), or a circuit (.stim) to derive it from."""


class CudaqCode(Section):
    """A data folder in the layout of CUDA-Q QEC's real-time examples."""

    source: Literal["cudaq"]
    folder: Path


Code = TypeAliasType(
    "Code",
    Annotated[
        GeneratedCode | CircuitCode | SampleCode | CudaqCode,
        Field(discriminator="source"),
    ],
)
"""Any of the sources above, told apart by ``source``."""


MAX_NOISE = {"depolarizing": 0.75, "si1000": 0.2}
"""Largest p by noise model: DEPOLARIZE1 mixes completely at 3/4, si1000 measures with 5p."""


class Noise(Section):
    """Circuit-level noise of a generated code."""

    model: Literal["depolarizing", "si1000", "none"]
    """Uniform depolarising noise, or the superconducting-inspired one (arXiv 2108.10457)."""
    p: Probability | None = None
    """Physical error rate, at most that which mixes a qubit completely."""

    @field_validator("p")
    @classmethod
    def _check_p(cls, p: float | None, info: ValidationInfo) -> float | None:
        limit = MAX_NOISE.get(info.data.get("model", ""), 1)
        if p is not None and p > limit:
            raise ValueError(f"{p:g} is out of range; write at most {limit:g}")
        return p
