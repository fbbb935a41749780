"""Loops that cannot keep up, of every kind, length and strength: none is ever called fit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emulator.loop.config import Host, LinkSpec, LoopConfig, PoolSpec
from emulator.loop.engine import run_loop
from emulator.results.growth import lag_growth
from emulator.results.stability import Stability, stability
from emulator.units import PS_PER_S
from emulator.windows import sliding_windows
from tests.loop.build import IDEAL_FPGA, INSTANT, ROUND_PS, Fixed, Listed, loop_config

WINDOW = 5  # rounds
PERIOD_PS = WINDOW * ROUND_PS
MANY = 10**6

Kind = Callable[[float, int], LoopConfig]


def _takes(load: float) -> Fixed:
    return Fixed(int(load * PERIOD_PS))


def _decoder(load: float, windows: int) -> LoopConfig:
    return loop_config(rounds=WINDOW, shots=windows, decode=PoolSpec(1, _takes(load)))


def _workers(load: float, windows: int) -> LoopConfig:
    return loop_config(rounds=WINDOW, shots=windows, decode=PoolSpec(3, _takes(3 * load)))


def _predecoder(load: float, windows: int) -> LoopConfig:
    return loop_config(rounds=WINDOW, shots=windows, predecode=PoolSpec(1, _takes(load)))


def _batches(load: float, windows: int) -> LoopConfig:
    batched = PoolSpec(1, _takes(4 * load), batch=4)
    return loop_config(rounds=WINDOW, shots=windows, predecode=batched)


def _dispatcher(load: float, windows: int) -> LoopConfig:
    host = Host(MANY, _takes(load / WINDOW))
    return loop_config(rounds=WINDOW, shots=windows, host=host)


def _link(load: float, windows: int) -> LoopConfig:
    bits = 1000
    up = LinkSpec(int(bits * PS_PER_S / (load * ROUND_PS)), INSTANT)
    return loop_config(rounds=WINDOW, shots=windows, up=up, packets=((0, bits),))


def _packetiser(load: float, windows: int) -> LoopConfig:
    beats = int(load * ROUND_PS)  # of 1 ps
    return loop_config(rounds=WINDOW, shots=windows, fpga=IDEAL_FPGA, packets=((beats, 0),))


def _waiting_ring(load: float, windows: int) -> LoopConfig:
    host = Host(2 * WINDOW, INSTANT, waits=True, hold_until_response=True)
    decode = PoolSpec(MANY, _takes(2 * load))
    return loop_config(rounds=WINDOW, shots=windows, host=host, decode=decode)


def _dropping_ring(load: float, windows: int) -> LoopConfig:
    config = _waiting_ring(load, windows)
    return replace(config, host=replace(config.host, waits=False))


def _chain(load: float, windows: int) -> LoopConfig:
    plan = sliding_windows(WINDOW * windows, WINDOW, WINDOW)
    return loop_config(rounds=WINDOW * windows, plan=plan, decode=PoolSpec(MANY, _takes(load)))


KINDS: list[Kind] = [
    *(_decoder, _workers, _predecoder, _batches, _dispatcher),
    *(_link, _packetiser, _waiting_ring, _dropping_ring, _chain),
]


def _judged(config: LoopConfig) -> Stability:
    record = run_loop(config)
    batch = {} if config.predecode is None else {"predecode": config.predecode.batch}
    return stability(record, record.windows, batch=batch)


@pytest.mark.parametrize("drain", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_an_overload_is_never_called_fit(kind: Kind, drain: bool) -> None:
    for load in (2, 33, 1000):
        for windows in (10, 35, 200):
            found = _judged(replace(kind(load, windows), drain=drain))
            assert found.throughput.stable is not True, (load, windows)


@pytest.mark.parametrize("kind", KINDS)
def test_an_overload_of_some_length_is_missed(kind: Kind) -> None:
    found = _judged(kind(2, 200))
    assert found.throughput.stable is False
    assert found.throughput.bottleneck is not None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not _batches])
def test_a_loop_with_time_to_spare_is_fit_after_twenty_windows(kind: Kind) -> None:
    assert _judged(kind(0.5, 20)).throughput.stable is True


def test_a_stage_in_batches_that_takes_what_is_there_may_be_busy_all_the_time() -> None:
    batched = PoolSpec(1, _takes(8), batch=64)  # sixteen windows would be eight periods' worth
    found = _judged(loop_config(rounds=WINDOW, shots=1000, predecode=batched))
    assert found.throughput.stable is True
    assert found.throughput.utilisation_by_stage["predecode"] > 0.95


def test_chance_does_not_hide_an_overload() -> None:
    for seed in range(40):
        for windows in (10, 100):
            times = np.random.default_rng(seed).exponential(2 * PERIOD_PS, windows)
            decode = PoolSpec(1, Listed(times.astype(np.int64).tolist()))
            found = _judged(loop_config(rounds=WINDOW, shots=windows, decode=decode))
            assert found.throughput.stable is not True
            assert found.throughput.stable is False or windows == 10


def test_shots_of_windows_that_wait_for_each_other_keep_up_side_by_side() -> None:
    plan = sliding_windows(4 * WINDOW, WINDOW, WINDOW)
    for workers, stable in ((8, True), (1, False)):
        decode = PoolSpec(workers, _takes(2))
        config = loop_config(rounds=4 * WINDOW, shots=100, plan=plan, decode=decode)
        assert _judged(config).throughput.stable is stable


def test_what_keeps_a_run_from_telling_is_said() -> None:
    few = _judged(loop_config(rounds=WINDOW, shots=5, decode=PoolSpec(1, _takes(0.5))))
    assert [doubt.text for doubt in few.doubts] == [
        "too few windows were seen to tell whether the backlog grows"
    ]
    at = _judged(_decoder(1, 100))
    assert "stage decode works at its capacity" in at.doubts[0].text
    assert at.doubts[0].times is None
    up = LinkSpec(None, Fixed(40 * PERIOD_PS))
    filling = _judged(loop_config(rounds=WINDOW, shots=60, up=up))
    assert filling.doubts[0].times == pytest.approx(2, rel=0.05)
    assert "still fills" in filling.doubts[0].text


def test_windows_that_wait_for_nothing_keep_up_however_their_latency_varies() -> None:
    latency = np.random.default_rng(5).integers(0, 3 * PERIOD_PS, 42).tolist()
    down = LinkSpec(None, Listed(latency))
    config = loop_config(rounds=WINDOW, shots=42, down=down, decode=PoolSpec(1, _takes(0.2)))
    assert _judged(config).throughput.stable is True
    # the same behind a queue in which two of three windows wait: the run does not tell
    times = [5 * PERIOD_PS // 2, PERIOD_PS // 20, PERIOD_PS // 20]
    busy = replace(config, decode=PoolSpec(1, Listed(times * 14)))
    assert _judged(busy).throughput.stable is None


def test_rounds_that_are_out_for_ever_at_the_end_are_no_sign_of_keeping_up() -> None:
    plan = sliding_windows(WINDOW * 200, WINDOW, WINDOW)
    times = [PERIOD_PS // 2] * len(plan)
    times[100] = 10**6 * PERIOD_PS  # and the windows behind it wait for it
    decode = PoolSpec(10**9, Listed(times))
    config = loop_config(rounds=WINDOW * 200, plan=plan, decode=decode, drain=False)
    found = _judged(config)
    assert found.throughput.stable is None
    assert [doubt.fix for doubt in found.doubts] == ["a run that is drained (run.drain = true)"]


def test_windows_at_the_end_of_a_shot_that_wait_for_one_round_are_no_growth() -> None:
    config = _chain(0.5, 20)
    record = run_loop(config)
    found = lag_growth(record.windows, config.emission)
    assert found is not None
    assert (found.rate, found.error) == (0, 0)
