"""Small loops for tests: every part takes no time unless a test says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from emulator.loop.config import (
    Fpga,
    Host,
    LinkSpec,
    LoopConfig,
    Message,
    PoolSpec,
    RoundFpga,
    StageReader,
    messages_of_shot,
)
from emulator.numbering import Emission
from emulator.timing import law
from emulator.timing.law import Law
from emulator.units import PS_PER_S, Clock
from emulator.windows import Window, whole_window

ROUND_PS = 1_000_000


@dataclass(frozen=True)
class Fixed:
    """A service that always takes the same time."""

    constant_ps: int

    def reader(self) -> StageReader:
        return lambda _index, _busy=1, _fill=1, _rounds=0: self.constant_ps

    def law(self) -> Law:
        return law.Always(self.constant_ps)


@dataclass(frozen=True)
class Listed:
    """A service that takes the listed time for each job, by job number, over and over again.

    ``loaded_ps`` more for each busy server but the first, ``filled_ps`` for each job of a batch but
    the first, and ``round_ps`` for each round that a window reads.
    """

    times_ps: Sequence[int]
    loaded_ps: int = 0
    filled_ps: int = 0
    round_ps: int = 0
    constant_ps: None = None

    def reader(self) -> StageReader:
        def duration_ps(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
            extra = self.loaded_ps * (busy - 1) + self.filled_ps * (fill - 1)
            return int(self.times_ps[index % len(self.times_ps)]) + extra + self.round_ps * rounds

        return duration_ps

    def law(self) -> Law:
        times = law.Listed(np.array(self.times_ps, dtype=np.int64), again=True)
        return law.Affine(times, self.loaded_ps, self.filled_ps, self.round_ps)


@dataclass(frozen=True)
class Warmed:
    """The first ``jobs`` jobs are served by ``first``, all later ones by ``then``."""

    jobs: int
    first: Fixed | Listed
    then: Fixed | Listed
    constant_ps: None = None

    def reader(self) -> StageReader:
        first, then = self.first.reader(), self.then.reader()
        return lambda index, busy=1, fill=1, rounds=0: (first if index < self.jobs else then)(
            index, busy, fill, rounds
        )

    def law(self) -> Law:
        return law.Cold(self.jobs, self.first.law(), self.then.law())


@dataclass(frozen=True)
class ListedLosses:
    """Losses of the listed messages, by place on the line, over and over again."""

    lost: Sequence[bool]

    def reader(self) -> Callable[[int], bool]:
        return lambda index: self.lost[index % len(self.lost)]

    def law(self) -> Law:
        return law.Listed(np.array(self.lost, dtype=np.int64), again=True)


INSTANT = Fixed(0)
IDEAL_FPGA = Fpga(Clock(Fraction(PS_PER_S)), 0, store_and_forward=False, min_spacing_cycles=0)
IDEAL_LINK = LinkSpec(None, INSTANT)
IDEAL_HOST = Host(64, INSTANT)


def loop_config(
    *,
    rounds: int,
    shots: int = 1,
    patches: int = 1,
    plan: tuple[Window, ...] | None = None,
    decode: PoolSpec | None = None,
    predecode: PoolSpec | None = None,
    rounds_per_message: int = 1,
    packets: tuple[tuple[int, int], ...] = ((0, 0),),
    up: LinkSpec = IDEAL_LINK,
    down: LinkSpec = IDEAL_LINK,
    host: Host = IDEAL_HOST,
    fpga: Fpga | RoundFpga = IDEAL_FPGA,
    readout: Fixed | Listed = INSTANT,
    patch_offset_ps: int = 0,
    shot_period_ps: int = 0,
    feedback_every: int | None = None,
    drain: bool = True,
) -> LoopConfig:
    messages = messages_of_shot(rounds, rounds_per_message)
    return LoopConfig(
        emission=Emission(ROUND_PS, rounds, shots, patches, patch_offset_ps, shot_period_ps),
        messages=tuple(Message(carried, packets) for carried in messages),
        plan=plan or whole_window(rounds),
        readout=readout,
        fpga=fpga,
        up=up,
        down=down,
        host=host,
        predecode=predecode,
        decode=decode or PoolSpec(1, INSTANT),
        response=((0, 0),),
        feedback_every=feedback_every,
        drain=drain,
    )
