"""Small loops for tests: every part takes no time unless a test says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from emulator.loop.config import (
    Emission,
    Fpga,
    Host,
    LinkSpec,
    LoopConfig,
    Message,
    PoolSpec,
    RoundFpga,
    messages_of_shot,
)
from emulator.units import PS_PER_S, Clock
from emulator.windows import Window, whole_window

ROUND_PS = 1_000_000


@dataclass(frozen=True)
class Fixed:
    """A service that always takes the same time."""

    constant_ps: int | None

    def reader(self) -> "Fixed":
        return self

    def __call__(self, index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG002
        assert self.constant_ps is not None
        return self.constant_ps


@dataclass(frozen=True)
class Listed:
    """A service that takes the listed time for each job, by job number."""

    times_ps: Sequence[int]
    constant_ps: int | None = None

    def reader(self) -> "Listed":
        return self

    def __call__(self, index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG002
        return int(self.times_ps[index])


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
