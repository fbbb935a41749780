"""The answers of a run as a value: what was decoded, and how long it took on this machine."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # it brings Stim
    from emulator.syndromes.decodable import UnusedErrors

__all__ = ["MAX_DISTURBED_SHARE", "Answers", "undisturbed"]

Bits = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Times = NDArray[np.int64]

MAX_DISTURBED_SHARE = 0.05
"""Share of disturbed calls up to which the others stand for all. A long call is more likely to be
disturbed than a short one, so that the more are left out, the faster the others look."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What came of n shots, in the order of the source.

    ``wrong``: bool (n,), some observable was predicted wrong; None where the true observables are
    not known. ``corrections``: uint8 (n, windows, ceil(O / 8)), least significant bit first, what
    each window's response says, whose exclusive or is the shot's prediction.
    ``predecode_ps``: int64 (n,) and ``decode_ps``: int64 (n, windows), picoseconds measured on
    this machine, or None where not timed; ``disturbed_predecode`` and ``disturbed_decode``, bool
    of the same shapes, mark the times that other work on the machine made longer (see
    ``emulator.decoders.stopwatch``). ``events_in`` and ``events_out``: int64 (n,), detection
    events before and after pre-decoding (equal without a pre-decoder).

    ``predecode_fill_ppm``: measured cost of a call of the pre-decoder for 1, 2, … shots of the
    batch, in millionths of that for a full one; None where it was not timed or takes one shot at
    a time. ``detectors``: uint8 (n, ceil(D / 8)), the detection events as sampled, least
    significant bit first; None unless asked for. ``unused``: the errors of the model that the
    decoder cannot use and did without; None where there are none.
    """

    wrong: Mask | None
    corrections: Bits
    predecode_ps: Times | None
    decode_ps: Times | None
    events_in: Times
    events_out: Times
    disturbed_predecode: Mask | None = None
    disturbed_decode: Mask | None = None
    predecode_fill_ppm: tuple[int, ...] | None = None
    detectors: Bits | None = None
    unused: "UnusedErrors | None" = None


def undisturbed(times: Times | None, disturbed: Mask | None) -> Times | None:
    """Replace each disturbed time by the latest undisturbed one of the same window before it.

    ``times`` is int64, shape (n,) or (n, windows), and ``disturbed`` marks some of them; None for
    either gives ``times`` back. The first undisturbed time serves those before it; a window whose
    calls were all disturbed keeps its times. A disturbed call must not hold a decoder up in the
    loop, where the calls behind it would wait for the machine's other work.
    """
    if times is None or disturbed is None or not disturbed.any():
        return times
    rows = np.arange(len(times)).reshape(-1, *[1] * (times.ndim - 1))
    latest = np.maximum.accumulate(np.where(disturbed, -1, rows), axis=0)
    first = np.argmin(disturbed, axis=0)  # 0 where all are disturbed
    source = np.where(latest < 0, first, latest)
    replaced: Times = np.take_along_axis(times, source, axis=0)
    return np.where(disturbed.all(axis=0), times, replaced)
