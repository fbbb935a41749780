"""Where the syndromes come from: the [code] table, one model per source, and the [noise] table."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from typing_extensions import TypeAliasType

from emulator.scenario.quantities import Probability, Section

__all__ = [
    "MAX_COUNT",
    "CircuitCode",
    "Code",
    "Count",
    "CudaqCode",
    "GeneratedCode",
    "Natural",
    "Noise",
    "Orientation",
    "SampleCode",
    "StatedRounds",
]

MAX_COUNT = 2**31 - 1
"""Largest number of anything: what the libraries beneath count with."""

Count = Annotated[int, Field(ge=1, le=MAX_COUNT, strict=True)]
"""A whole number, at least one and less than 2**31."""

Natural = Annotated[int, Field(ge=0, le=MAX_COUNT, strict=True)]
"""A whole number, at least zero and less than 2**31."""

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


TimeCoordinate = Annotated[int, Field(ge=-16, le=15, strict=True)]
"""Number of a detector coordinate: 0 is the first, -1 the last."""


def _round_rule(value: object) -> object:
    if (type(value) is int and 1 <= value <= MAX_COUNT) or value in ("measurements", "ticks"):
        return value
    if isinstance(value, list | tuple):
        if value and all(type(item) is int and 0 <= item <= MAX_COUNT for item in value):
            return value
        text = "this list"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    raise ValueError(
        f'{text} does not tell rounds; write their number, "measurements", "ticks" or a list with '
        "the round of each detector, from 0 on"
    )


StatedRounds = Annotated[
    Count | Literal["measurements", "ticks"] | tuple[Natural, ...], BeforeValidator(_round_rule)
]
"""How the rounds of one shot are told: their number, a rule, or the round of each detector."""


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
    """A Stim circuit of one's own, noise included."""

    source: Literal["circuit"]
    circuit: Path
    rounds: StatedRounds | None = None
    """Rounds of one shot: their number, later ones joining the last; a list with the round of each
    detector; ``"measurements"``: those with neither gate, reset nor TICK between them are one;
    ``"ticks"``: those between two TICKs are one. Left out: the distinct times of the detectors.
    """
    time_coordinate: TimeCoordinate | None = None
    """Detector coordinate that is time, 0 the first and -1 the last; left out: the one that rises
    with the measurements, if there is only one.
    """


class SampleCode(Section):
    """Recorded or precomputed shots, and the model that they are decoded with."""

    source: Literal["samples"]
    detections: Path
    """The shots."""
    format: SampleFormat
    samples_hold: Literal["detections", "measurements"] = "detections"
    """What the bits are; measurements are converted by ``circuit``."""
    observables: Path | None = None
    """True observable flips of each shot; without them logical errors are not counted."""
    observables_format: SampleFormat | None = None
    """Left out: as ``format``."""
    observables_at: Literal["end", "start", "none"] | None = None
    """Where in a shot the observables stand; left out: at the end if there is room for them."""
    model: Path
    """A detector error model (.dem), or a circuit (.stim) to derive it from."""
    circuit: Path | None = None
    """Circuit that turns measurements into detection events; left out: ``model``."""
    sweep: Path | None = None
    """Bits that control the sweep targets of the circuit, for measurements."""
    sweep_format: SampleFormat | None = None
    """Left out: as ``format``."""
    mismatch: Literal["refuse", "accept"] = "refuse"
    """What is done with shots whose detection rates contradict the model."""
    rounds: StatedRounds | None = None
    """As for a circuit; rules need a model that is one."""
    time_coordinate: TimeCoordinate | None = None
    """As for a circuit; without one, the one that rises with the numbers of the detectors."""


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
