"""Where detection events come from: bit-packed shots beside the error model that explains them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError

__all__ = ["Chunk", "CodeInfo", "SyndromeSource", "bits_per_round", "chunk_starts", "packed_bytes"]


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """What is known about the code behind a source; ``None`` means unknown.

    ``task`` is Stim's name of the experiment (``"surface_code:rotated_memory_x"``), ``basis`` is
    ``"X"`` or ``"Z"``, ``p`` the strength of the noise model.
    """

    task: str | None = None
    distance: int | None = None
    basis: str | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive shots, bit-packed along the last axis, least significant bit first (Stim's b8).

    ``detectors`` is uint8 of shape (n, ceil(D / 8)), ``observables`` uint8 of shape
    (n, ceil(O / 8)); padding bits are 0. ``first_shot`` is the number of the first row's shot.
    """

    first_shot: int
    detectors: NDArray[np.uint8]
    observables: NDArray[np.uint8]


class SyndromeSource(Protocol):
    """Shots of one experiment, and how their detectors spread over the rounds of a shot.

    A source is an immutable description: ``chunks`` may be called any number of times and holds
    no more than one chunk (and what its file format forces it to) in memory.
    """

    @property
    def name(self) -> str:
        """What a report calls this source."""

    @property
    def num_detectors(self) -> int:
        """Detectors a shot, D."""

    @property
    def num_observables(self) -> int:
        """Logical observables a shot, O; 0 where they were not recorded, whatever ``dem`` has."""

    @property
    def num_rounds(self) -> int:
        """Rounds of syndrome extraction a shot."""

    @property
    def detector_round(self) -> NDArray[np.int32]:
        """Round that completes each detector: int32 of shape (D,), in 0 .. num_rounds - 1."""

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """Detector coordinates: float64 of shape (D, k), NaN where a detector has fewer than k."""

    @property
    def dem(self) -> stim.DetectorErrorModel:
        """The error model of one shot: what the decoders work with."""

    @property
    def circuit(self) -> stim.Circuit | None:
        """The noisy circuit, where there is one."""

    @property
    def num_shots(self) -> int | None:
        """Shots that exist; ``None`` where they are sampled without limit."""

    @property
    def metadata(self) -> CodeInfo:
        """What is known about the code."""

    def chunks(self, shots: int, *, seed: int, chunk_shots: int = 1024) -> Iterator[Chunk]:
        """Yield shots 0 .. ``shots`` - 1 in order, ``chunk_shots`` at a time, the last chunk less.

        A shot depends on ``seed`` and on its number only, never on ``chunk_shots``; recorded
        shots do not depend on ``seed`` either. Raises SyndromeError if there are fewer shots.
        """


def bits_per_round(source: SyndromeSource) -> NDArray[np.int64]:
    """Detection events that each round completes: int64 of shape (num_rounds,), D in total.

    A rotated surface code memory of distance d gives (d² - 1) / 2 in its first round, where only
    the memory basis is deterministic, d² - 1 in the bulk and 3 (d² - 1) / 2 in the last, which
    the data readout joins.
    """
    return np.bincount(source.detector_round, minlength=source.num_rounds).astype(np.int64)


def packed_bytes(bits: int) -> int:
    """Bytes that hold ``bits`` bits."""
    return -(-bits // 8)


def chunk_starts(source: SyndromeSource, shots: int, chunk_shots: int) -> range:
    """First shots of the chunks of a request.

    Raises SyndromeError where the request is not positive or exceeds what is there.
    """
    if shots < 1 or chunk_shots < 1:
        raise SyndromeError(
            f"{source.name}: shots(={shots}) and chunk_shots(={chunk_shots}) must be >= 1"
        )
    if source.num_shots is not None and shots > source.num_shots:
        raise SyndromeError(
            f"{source.name}: {shots} shots are asked for, but it holds {source.num_shots}; "
            f"ask for at most {source.num_shots}"
        )
    return range(0, shots, chunk_shots)
