"""The compiled engine against the SimPy engine: every field of the record, to the picosecond."""

import signal
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.loop import compiled
from emulator.loop.compiled import run_compiled
from emulator.loop.config import (
    Framing,
    LinkSpec,
    LoopConfig,
    Message,
    MessageLosses,
    PoolSpec,
    RoundFpga,
    StageReader,
)
from emulator.loop.encoding import EngineRefusalError
from emulator.loop.engine import run_loop
from emulator.loop.limits import RunTooLongError
from emulator.numbering import Emission, Numbering
from emulator.timing import Fixed, Losses, Recorded, Service, Stream
from emulator.timing.combined import Batched, Loaded, Mixed, PerRound, Warmed
from emulator.timing.distribution import Gaussian, ShiftedLognormal
from emulator.timing.law import Law
from emulator.timing.service import PPM, Drawn, Replayed
from emulator.timing.stream import BLOCK
from emulator.units import MAX_TIME_PS, Clock
from emulator.windows import parallel_windows, sliding_windows, whole_window
from tests.loop import build
from tests.loop.build import INSTANT, ROUND_PS, Listed, loop_config
from tests.loop.equality import assert_engines_agree, assert_same_records
from tests.loop.services import losses, message_services, window_services
from tests.loop.test_oracle import BUS, CONFIGS, LINK, ROUND_BY_ROUND, holding, loop, loops

Ints = NDArray[np.int64]

NS, US, S = 10**3, 10**6, 10**12
CLOCKS = [Fraction(f) for f in (322_265_625, 322_266_000, 156_250_000, 10**12, Fraction(1, 3))]


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_engines_agree(name: str, keep: bool) -> None:
    record = assert_engines_agree(CONFIGS[name](), keep_windows=keep)
    assert record is not None
    assert record.emitted > 0


def framing_of(config: LoopConfig, wait_ps: int) -> Framing:
    """Frames of every message one after the other, ``wait_ps`` after its last round has ended."""
    emission, clock = config.emission, config.fpga.clock
    numbering = Numbering(emission.patches, len(config.plan), len(config.messages))
    total = emission.patches * emission.shots * len(config.messages)
    first: list[list[int]] = []
    last: list[list[int]] = []
    for message in range(total):
        patch, shot, number = numbering.of_message(message)
        end_ps = emission.round_end_ps(patch, shot, config.messages[number].rounds[-1])
        edge = clock.edge_at_or_after(end_ps + wait_ps)
        beats = [beats for beats, _ in config.messages[number].packets]
        first.append([edge + sum(beats[:k]) for k in range(len(beats))])
        last.append([edge + sum(beats[: k + 1]) - 1 for k in range(len(beats))])
    return Framing(np.array(first), np.array(last))


@st.composite
def any_loops(draw: st.DrawFn) -> LoopConfig:
    """A loop of any parts and any services, some of which last for weeks.

    From `MANY_PATCHES` of engine.cpp on, which is 8, its events wait in lanes.
    """
    config = draw(loops(message_services, window_services, losses))
    patches = draw(st.sampled_from([config.emission.patches, config.emission.patches, 9]))
    period_ps = draw(st.sampled_from([US, US, US, 7, 31 * S]))
    emission = config.emission
    config = replace(
        config,
        emission=Emission(
            period_ps, emission.rounds, emission.shots, patches, emission.patch_offset_ps
        ),
        fpga=replace(config.fpga, clock=Clock(draw(st.sampled_from(CLOCKS)))),
        feedback_every=draw(st.sampled_from([None, 1, 5])),
    )
    if isinstance(config.fpga, RoundFpga) and draw(st.booleans()):
        messages = tuple(replace(m, packets=((2, 1200), (1, 700))) for m in config.messages)
        config = replace(config, messages=messages)
        config = replace(config, framing=framing_of(config, wait_ps=10**6 * S))
    if config.host.waits and config.host.hold_until_response:
        config = holding(config, extra=draw(st.integers(0, 2)))
    return config


@settings(max_examples=50, deadline=None)
@given(config=any_loops(), keep=st.sampled_from([True, True, True, False]))
def test_the_engines_agree_on_any_loop(config: LoopConfig, keep: bool) -> None:
    assert_engines_agree(config, keep_windows=keep)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(config=any_loops(), keep=st.sampled_from([True, True, True, False]))
def test_the_engines_agree_on_five_hundred_loops(config: LoopConfig, keep: bool) -> None:
    assert_engines_agree(config, keep_windows=keep)


SLOW, FAST = Fixed(9 * US + 1), Replayed(np.array([US, 3 * US + 2, 2 * US]))
WINDOW_LAWS: dict[str, Service] = {
    "slower under load": Loaded(FAST, SLOW, 5),
    "faster under load": Loaded(SLOW, FAST, 5),
    "level from three servers on": Loaded(FAST, SLOW, 3),
    "by fill": Batched((1, 3), (US, 2 * US + 1)),
    "by a falling fill": Batched((1, 3), (9 * US, US)),
    "by rounds": PerRound(700 * NS + 1),
    "at a cost of the fill": Recorded(np.arange(10**6, 10**6 + 2000), cost_ppm=(400_001, 7, PPM)),
    "cold": Warmed(7, SLOW, FAST),
    "one of three": Mixed((0.3, 0.8), (SLOW, FAST, PerRound(US)), Stream(3, 3)),
}


@pytest.mark.parametrize("name", WINDOW_LAWS)
def test_each_law_has_the_values_of_its_reader(name: str) -> None:
    """Windows that read different numbers of rounds, in batches of up to three, on four servers."""
    decode = PoolSpec(4, WINDOW_LAWS[name], batch=3, batch_timeout_ps=2 * US)
    config = loop(parallel_windows(12, 2, 1), patches=10, predecode=None, decode=decode)
    record = assert_engines_agree(config)
    assert record is not None
    assert len(np.unique(record.windows["decode_end_ps"] - record.windows["decode_start_ps"])) > 1


def test_messages_that_are_whole_in_one_cycle_leave_in_the_order_of_their_patches() -> None:
    """Patch 1 emits first at 3 us: its message is whole at once, but waits for what comes then."""
    config = loop(
        whole_window(3),
        rounds=3,
        patches=2,
        offset_ps=US,
        intake=1,
        readout=Fixed(0),
        fpga=RoundFpga(Clock(Fraction(10**12)), 17, 10),
    )
    record = assert_engines_agree(config)
    assert record is not None
    # the last message of the first shot of patch 0 and the first one of patch 1
    assert record.messages["patch"][:3].tolist() == [0, 0, 1]
    assert record.messages["framed_ps"][1] == 3 * US + 17


def lognormal(median_ps: int, stream: int) -> Drawn:
    return Drawn(ShiftedLognormal(0, median_ps, 1.0), Stream(5, stream))


def long_loop(shots: int = 400, **parts: Any) -> LoopConfig:
    """A loop that takes several blocks of each of its streams."""
    defaults: dict[str, Any] = {
        "patches": 3,
        "offset_ps": 333_333,
        "readout": lognormal(300 * NS, 1),
        "up": replace(LINK, latency=lognormal(400 * NS, 2), losses=Losses(0.02, Stream(5, 3))),
        "down": replace(LINK, latency=lognormal(400 * NS, 4)),
        "decode": PoolSpec(
            24, Warmed(BLOCK + 100, lognormal(3 * US, 5), Drawn(Gaussian(3 * US, US), Stream(5, 6)))
        ),
        "predecode": PoolSpec(9, Loaded(lognormal(US, 7), lognormal(2 * US, 7), 2)),
    }
    config = loop(sliding_windows(12, 1, 1), per_message=1, **(defaults | parts))
    return replace(config, emission=replace(config.emission, shots=shots))


LONG: dict[str, dict[str, Any]] = {
    "keeps up": {},
    "falls behind": {"decode": PoolSpec(9, lognormal(3 * US, 5))},
    "falls behind and is cut": {"decode": PoolSpec(9, lognormal(3 * US, 5)), "drain": False},
    "patches many shots apart": {"offset_ps": 997 * US},
    "round by round": {"fpga": ROUND_BY_ROUND},
    "many patches": {"patches": 12, "decode": PoolSpec(30, lognormal(3 * US, 5))},
}


@pytest.mark.parametrize("name", LONG)
def test_draws_are_the_same_however_many_are_made_at_a_time(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = long_loop(shots=100 if name == "many patches" else 400, **LONG[name])
    jobs = config.emission.shots * config.emission.patches * len(config.messages)
    assert jobs > 3 * BLOCK
    expected = run_loop(config)
    assert expected.lost_by_cause["link_loss"] > 100
    for ahead in (1 << 16, 1 << 12, 1):
        monkeypatch.setattr(compiled, "JOBS_AHEAD", ahead)
        assert_same_records(expected, run_compiled(config))


def test_each_block_of_draws_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "JOBS_AHEAD", 1 << 12)
    blocks: list[int] = []
    make = Drawn._block

    def counted(self: Drawn, number: int) -> Ints:
        blocks.append(number)
        return make(self, number)

    monkeypatch.setattr(Drawn, "_block", counted)
    run_compiled(long_loop(), keep_windows=False)
    assert max(blocks) >= 3
    assert all(count <= 7 for count in np.bincount(blocks))  # by each of the streams, once


def test_edges_of_the_clock_are_exact_over_the_longest_run() -> None:
    """Six rounds over 106 days, at clocks whose product with the time takes 128 bits.

    At 322.265625 MHz, 33 edges in 102400 ps, the rounds end on an edge with the second period.
    """
    clocks = (*CLOCKS[:-1], Fraction(10**12 - 1), Fraction(322_265_625_001, 1000))
    periods_ps = (MAX_TIME_PS // 6 - 12_345_678, 102_400 * 10**13)
    for period_ps, hertz in product(periods_ps, clocks):
        config = replace(
            loop_config(rounds=6, shots=1, decode=PoolSpec(1, Fixed(1))),
            emission=Emission(period_ps, 6, 1),
            fpga=replace(BUS, clock=Clock(hertz)),
        )
        assert assert_engines_agree(config) is not None


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("stage", ["readout", "link", "decode", "return", "hops", "batch"])
def test_time_stamps_never_wrap(stage: str, keep: bool) -> None:
    config = replace(loop_config(rounds=1, shots=2), emission=Emission(2**61, 1, 2))

    def run(time_ps: int) -> int | None:
        service = build.Fixed(time_ps)
        slow: dict[str, dict[str, Any]] = {
            "readout": {"readout": service},
            "link": {"up": LinkSpec(None, service)},
            "decode": {"decode": PoolSpec(2, service)},
            "return": {"down": LinkSpec(None, service)},
            "hops": {"up": LinkSpec(None, INSTANT, hops=1, hop_latency_ps=time_ps)},
            "batch": {"decode": PoolSpec(1, INSTANT, 3, time_ps)},
        }
        record = assert_engines_agree(replace(config, **slow[stage]), keep_windows=keep)
        return None if record is None else record.end_ps

    assert run(2**62 - 1) in {2**63 - 1, 2**61 + 2**62 - 1}  # a batch leaves when its first is due
    assert run(2**62) is None
    with pytest.raises(RunTooLongError):
        run_compiled(replace(config, decode=PoolSpec(2, build.Fixed(2**63 - 1))), keep_windows=keep)


def test_what_would_happen_beyond_all_times_never_happens_in_a_run_that_is_cut() -> None:
    config = loop(decode=PoolSpec(9, Fixed(US), 99, MAX_TIME_PS), drain=False)
    record = assert_engines_agree(config)
    assert record is not None
    assert record.in_flight == record.emitted


def test_frames_that_leave_before_their_message_is_whole_are_an_error_of_both() -> None:
    config = loop(fpga=ROUND_BY_ROUND)
    assert assert_engines_agree(replace(config, framing=framing_of(config, S))) is not None
    early = replace(config, framing=framing_of(config, 0), readout=Listed([9 * US]))
    with pytest.raises(ValueError, match=r"delay_ps\(=-\d+\) must be >= 0"):
        run_compiled(early)
    assert assert_engines_agree(early) is None


def test_sums_of_times_take_more_than_64_bits() -> None:
    """Six servers are busy for 100 days each; squares of their times take 192 bits."""
    config = loop_config(rounds=1, shots=6, decode=PoolSpec(6, Fixed(2**62)))
    record = assert_engines_agree(config)
    assert record is not None
    assert record.pools["decode"].demand_ps == 6 * 2**62
    assert record.pools["decode"].demand_ps2 == 6 * 2**124
    config = loop_config(rounds=1, shots=20, decode=PoolSpec(20, Fixed(2**63 - 1 - 20 * ROUND_PS)))
    record = assert_engines_agree(config)
    assert record is not None
    assert record.pools["decode"].demand_ps2 > 2**128


class Lawless:
    """A service that only a reader can say."""

    constant_ps = None

    def reader(self) -> StageReader:
        return Listed([5]).reader()

    def law(self) -> Law | None:
        return None


class LawlessLosses:
    """Losses that only a reader can say."""

    def reader(self) -> Callable[[int], bool]:
        return lambda _index: False

    def law(self) -> Law | None:
        return None


def with_losses(losses_up: MessageLosses) -> LoopConfig:
    return loop(up=replace(LINK, losses=losses_up))


REFUSED: dict[str, tuple[LoopConfig, str]] = {
    "a service": (loop(decode=PoolSpec(1, Lawless())), "the service of stage decode has no law"),
    "losses": (with_losses(LawlessLosses()), "its losses have no law"),
    "a clock": (
        loop(fpga=replace(BUS, clock=Clock(Fraction(322_265_625 * 10**20 + 1, 10**20)))),
        "it has a number of more than 64 bits",
    ),
    "a time": (loop(decode=PoolSpec(1, build.Fixed(2**63))), "a number of more than 64 bits"),
    "a negative time": (loop(decode=PoolSpec(1, build.Fixed(-1))), r"value\(=-1\) is negative"),
    "no ring": (loop(host=replace(loop().host, slots=0)), "its ring has no slot"),
    "a message of nothing": (
        replace(loop(), messages=tuple(Message(m.rounds, ()) for m in loop().messages)),
        "of no packet",
    ),
    "rounds of no beat": (
        replace(
            loop(fpga=ROUND_BY_ROUND),
            messages=tuple(Message(m.rounds, m.packets) for m in loop().messages),
        ),
        "without beats",
    ),
    "another framing": (
        loop(fpga=ROUND_BY_ROUND, framing=Framing(np.ones((3, 2), int), np.ones((3, 2), int))),
        "its framing is not that of its messages",
    ),
    "too many shots": (
        replace(loop(), emission=Emission(1, 12, 2**47)),
        r"more than 2\^48 messages",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_compiled_engine_cannot_express_is_refused_by_name(name: str) -> None:
    config, text = REFUSED[name]
    with pytest.raises(EngineRefusalError, match=rf"cannot run this loop: .*{text}.*; --engine"):
        run_compiled(config, keep_windows=False)


def test_memory_that_is_not_there_is_a_memory_error() -> None:
    config = replace(loop(), emission=Emission(1, 12, 2**40))
    with pytest.raises(MemoryError):
        run_compiled(config)
    with pytest.raises(MemoryError):
        run_compiled(loop(host=replace(loop().host, slots=2**50)))


def test_progress_is_the_rounds_emitted_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "SLICE", 1000)
    seen: list[int] = []
    record = run_compiled(long_loop(), progress=seen.append)
    assert len(seen) > 20
    assert seen == sorted(seen)
    assert seen[0] < seen[-1] == record.emitted


def test_an_interrupt_ends_a_run_between_two_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "SLICE", 1000)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    seen: list[int] = []

    def interrupt(emitted: int) -> None:
        seen.append(emitted)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            run_compiled(long_loop(), progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(seen) == 3


def test_a_loop_that_stands_still_is_an_error_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.loop.limits.check_slots", lambda _config: None)
    config = holding(loop())
    config = replace(config, host=replace(config.host, slots=1))
    assert assert_engines_agree(config) is None
    record = assert_engines_agree(replace(config, drain=False))
    assert record is not None
    assert record.in_flight > 0


def test_windows_of_a_plan_that_reads_less_than_it_commits_agree() -> None:
    plan = tuple(replace(window, rounds=window.commits) for window in sliding_windows(12, 5, 0))
    assert assert_engines_agree(loop(plan)) is not None


def test_sums_of_the_library_are_read_with_their_sign() -> None:
    words = {0: (0, 0), -1: (2**64 - 1, 2**64 - 1), 2**126 + 5: (5, 2**62)}
    words |= {-(2**127): (0, 2**63), 2**127 - 1: (2**64 - 1, 2**63 - 1)}
    for number, pair in words.items():
        assert compiled._signed(pair) == number
