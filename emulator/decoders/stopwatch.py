"""Timed calls: the wall-clock time of each, and whether other work on the machine disturbed it.

The wall clock is read right before and after a call. All other clocks are read outside of that
interval: the processor time of this thread and of the process, the thread's context switches, and
for each block of calls the time that the hypervisor took away (steal).

A call that was disturbed measures the machine's other work, so it says nothing of the decoder.
`disturbed_calls` states the rule.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from emulator.gc_pause import gc_paused

if TYPE_CHECKING:
    import sinter

__all__ = [
    "CLOCKS",
    "WARM_UP_CALLS",
    "Clocks",
    "Readings",
    "Timed",
    "disturbed_calls",
    "read_calls",
    "time_calls",
    "time_shots",
]

WARM_UP_CALLS = 10

MIN_LOST_NS = 10_000
"""Wall time without processor time from which a call counts as disturbed, in ns.

The processor clock is read outside the wall interval, which takes some 0.6 µs: calls of up to 1 ms
that keep their core have 0.6 to 4 µs more processor time than wall time, and 99 in 100 of them have
no less (``benchmarks/test_clocks.py`` prints it). A preemption takes 100 µs to some ms; an
interrupt that is handled in between takes a few µs."""
LOST_SHARE = 0.01
"""Share of a call's wall time that must be lost as well: the two clocks drift by up to 0.2 %."""
BLOCK_NS = 20_000_000
"""Length of a block in ns: two ticks of the counter of steal, which is read once a block."""

_PAUSED_SWITCH_S = 1000.0

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where times come from; a test gives its own.

    ``wall_ns``: wall clock. ``thread_ns``, ``process_ns``: processor time of this thread, and of
    all threads of the process. ``switches``: how often this thread has given its processor up,
    and how often it has lost it; None where the system does not count. ``steal``: a counter that
    rises when the hypervisor runs something else on a core that this process may use.
    """

    wall_ns: Callable[[], int]
    thread_ns: Callable[[], int]
    process_ns: Callable[[], int]
    switches: Callable[[], tuple[int, int]] | None
    steal: Callable[[], int]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What the clocks said of n calls, each int64 of shape (n,).

    ``wall_ns``: the call alone; ``thread_ns`` and ``process_ns``: processor time, which is a
    little more than the call. ``given_up`` and ``lost``: voluntary and involuntary context
    switches of the thread. ``stolen``: bool (n,), there was steal in the call's block.
    """

    wall_ns: Counts
    thread_ns: Counts
    process_ns: Counts
    given_up: Counts
    lost: Counts
    stolen: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Times of n calls: int64 (n,) in picoseconds, and which were disturbed, bool (n,)."""

    elapsed_ps: Counts
    disturbed: Mask

    def kept_ps(self) -> Counts:
        """Times of the undisturbed calls; of all where every call was disturbed."""
        kept: Counts = self.elapsed_ps[~self.disturbed | self.disturbed.all()]
        return kept


def disturbed_calls(readings: Readings) -> Mask:
    """Tell which calls other work on the machine made longer.

    A call is disturbed when

    - its thread lost its processor (an involuntary context switch), or
    - its wall time exceeds its processor time by more than ``MIN_LOST_NS`` and ``LOST_SHARE``, and
      it did not give its processor up itself: a decoder that sleeps, waits for a lock, a device or
      a disk does that, and takes the time it takes; or
    - there was steal in its block. Steal cannot be told apart from the thread's own processor time
      on every kernel, and leaving out the slow calls of a block alone would favour the decoder.

    What the other threads of the process work counts as the decoder's own: where it makes up for
    the missing processor time, the call is not disturbed. So a decoder with more threads than
    cores, which take the processor from each other, is not excused; a decoder of several threads
    that other work disturbs is not excused either. What shares caches, memory or a core's second
    thread with the decoder is not seen by any of these clocks.
    """
    needed = np.maximum(MIN_LOST_NS, readings.wall_ns * LOST_SHARE)
    others = readings.process_ns - readings.thread_ns
    missing = readings.wall_ns - readings.thread_ns > needed
    explained = (others > MIN_LOST_NS) & (readings.wall_ns - readings.process_ns <= needed)
    preempted = readings.lost > 0
    waited = readings.given_up > 0
    disturbed: Mask = ((preempted | (missing & ~waited)) & ~explained) | readings.stolen
    return disturbed


def _switches() -> Callable[[], tuple[int, int]] | None:
    try:
        from resource import RUSAGE_THREAD, getrusage  # noqa: PLC0415 - Linux and FreeBSD only
    except ImportError:
        return None

    def read() -> tuple[int, int]:
        usage = getrusage(RUSAGE_THREAD)
        return usage.ru_nvcsw, usage.ru_nivcsw

    return read


def _steal(stat: Path = Path("/proc/stat")) -> int:
    """Ticks stolen from the cores that this process may use; 0 where that is not counted."""
    try:
        names = {f"cpu{core}" for core in os.sched_getaffinity(0)}
        rows = [line.split() for line in stat.read_text().splitlines() if line.startswith("cpu")]
    except (AttributeError, OSError):
        return 0
    return sum(int(row[8]) for row in rows if row[0] in names and len(row) > 8)


CLOCKS = Clocks(
    time.perf_counter_ns, time.thread_time_ns, time.process_time_ns, _switches(), _steal
)


def time_calls(
    calls: Iterable[Callable[[], A]], keep: Callable[[A], B], clocks: Clocks | None = None
) -> tuple[list[B], Timed]:
    """Make calls one by one in this thread, and time each (default: with ``CLOCKS``).

    Gives what ``keep`` makes of each answer; ``keep`` is not part of the time. The wall clock ticks
    in nanoseconds, and reading it adds some 50 ns to each call. Garbage collection is off, and no
    other Python thread gets a turn unless the call gives it one: both belong to this process and
    not to the decoder.
    """
    found, readings = read_calls(calls, keep, clocks)
    return found, Timed(readings.wall_ns * 1000, disturbed_calls(readings))


def read_calls(
    calls: Iterable[Callable[[], A]], keep: Callable[[A], B], clocks: Clocks | None = None
) -> tuple[list[B], Readings]:
    """Make calls as `time_calls` does, and give what the clocks said of each."""
    clocks = clocks or CLOCKS
    now, thread, process = clocks.wall_ns, clocks.thread_ns, clocks.process_ns
    switches = clocks.switches or (lambda: (0, 0))
    found: list[B] = []
    rows: list[tuple[int, ...]] = []
    stolen: list[bool] = []
    with _quiet():
        ticks, block_end = clocks.steal(), now() + BLOCK_NS
        for call in calls:
            given_up, lost = switches()
            process_ns = process()
            thread_ns = thread()
            start = now()
            answer = call()
            end = now()
            thread_ns = thread() - thread_ns
            process_ns = process() - process_ns
            now_given_up, now_lost = switches()
            rows.append(
                (end - start, thread_ns, process_ns, now_given_up - given_up, now_lost - lost)
            )
            found.append(keep(answer))
            if end >= block_end:
                before, ticks = ticks, clocks.steal()
                stolen += [ticks > before] * (len(rows) - len(stolen))
                block_end = now() + BLOCK_NS
        stolen += [clocks.steal() > ticks] * (len(rows) - len(stolen))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    if clocks.switches is None:
        columns[3] = 1  # a wait looks like a preemption there, so nothing is excused
    return found, Readings(
        wall_ns=columns[0],
        thread_ns=columns[1],
        process_ns=columns[2],
        given_up=columns[3],
        lost=columns[4],
        stolen=np.array(stolen, dtype=bool),
    )


def time_shots(
    compiled: "sinter.CompiledDecoder", rows: Bits, keep: Callable[[Bits], B]
) -> tuple[list[B], Timed]:
    """Decode ``rows`` (uint8, one bit-packed shot a row) one call a row; see `time_calls`.

    The first ``WARM_UP_CALLS`` rows are decoded once beforehand, so that lazily built tables and
    cold caches do not count. Each call gets a copy of its row, made outside of its time, so that a
    decoder may write into it.
    """
    decode = compiled.decode_shots_bit_packed
    each = [rows[i : i + 1] for i in range(len(rows))]
    for row in each[:WARM_UP_CALLS]:
        decode(bit_packed_detection_event_data=row.copy())
    calls = (partial(decode, bit_packed_detection_event_data=row.copy()) for row in each)
    return time_calls(calls, keep)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the garbage collector and the process's other Python threads out of timed calls."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_PAUSED_SWITCH_S)
    try:
        with gc_paused():
            yield
    finally:
        sys.setswitchinterval(interval)
