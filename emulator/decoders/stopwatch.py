"""Timed decoding: the wall-clock time of one decoder call for one shot, and nothing else."""

import time

import numpy as np
import numpy.typing as npt
import sinter

from emulator.garbage import no_garbage_collection

__all__ = ["WARM_UP_CALLS", "time_shots"]

WARM_UP_CALLS = 10

Bits = npt.NDArray[np.uint8]


def time_shots(compiled: sinter.CompiledDecoder, rows: Bits) -> tuple[Bits, npt.NDArray[np.int64]]:
    """Decode ``rows`` (uint8, one bit-packed shot a row) one call a row, and time each call.

    Returns the predictions (uint8, one bit-packed row a shot) and the time of each call (int64,
    picoseconds; the clock ticks in nanoseconds, and reading it adds some 50 ns). The first
    ``WARM_UP_CALLS`` rows are decoded once beforehand, so that lazily built tables and cold caches
    do not count. Garbage collection is off meanwhile: it belongs to this process, not the decoder.
    """
    decode, now = compiled.decode_shots_bit_packed, time.perf_counter_ns
    for i in range(min(WARM_UP_CALLS, len(rows))):
        decode(bit_packed_detection_event_data=rows[i : i + 1])
    elapsed_ns = np.empty(len(rows), dtype=np.int64)
    predictions: list[Bits] = []
    with no_garbage_collection():
        for i in range(len(rows)):
            row = rows[i : i + 1]
            start = now()
            prediction = decode(bit_packed_detection_event_data=row)
            elapsed_ns[i] = now() - start
            predictions.append(prediction)
    return np.concatenate(predictions), elapsed_ns * 1000
