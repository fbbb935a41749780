"""What the compiled packetiser costs: windows a second on one core, a run beside one on its law."""

import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show, take_turns
from emulator.rtl import Uplink, UpSettings
from emulator.rtl.uplink import ENDS_MESSAGE, LAST_BEAT
from emulator.run import run_experiment
from emulator.scenario import load_scenario
from emulator.units import Clock
from emulator.wire.framing import roce_registers

ROOT = Path(__file__).parents[1]
WINDOWS = 100_000
BITS = 40  # a message of 61 bytes, in a window of 64
WINDOW_BOUND, RATIO_BOUND = 300_000, 3
CYCLES = 4  # between windows, the least at 512 bit


def uplink() -> Uplink:
    registers = roce_registers(
        56 + BITS // 8, 4096, last_buffer=63, host_udp_port_and_md_disable=1 << 16 | 4791
    )
    settings = UpSettings.of(
        registers, board_mac=bytes(6), board_ip=bytes(4), message_bits=BITS, as_bytes=False
    )
    clock = Clock(Fraction(322_265_625))
    return Uplink(data_w=512, in_w=64, patches=1, depth=256, clock=clock, settings=settings)


def windows_a_second() -> float:
    up, cycles = uplink(), np.arange(WINDOWS, dtype=np.uint64) * CYCLES + 100
    data = np.random.default_rng(0).integers(0, 256, (WINDOWS, 8), dtype=np.uint8)
    user = np.full(WINDOWS, BITS - 1 | ENDS_MESSAGE | LAST_BEAT, dtype=np.uint16)
    start = time.process_time()
    up.push(0, cycles, data, user)
    sent = up.run()
    elapsed = time.process_time() - start
    assert len(sent.sizes) == WINDOWS
    return WINDOWS / elapsed


def test_windows_a_second(benchmark: BenchmarkFixture) -> None:
    windows_a_second()  # the library is built on first use
    best = benchmark.pedantic(lambda: max(windows_a_second() for _ in range(5)))
    show(
        f"packetiser_up compiled, 512 bit, {WINDOWS} windows of 64 B, {CYCLES} cycles apart",
        f"{best:9,.0f} windows/s of processor time, best of 5, "
        f"{best / WINDOW_BOUND:.2f} of the bound of {WINDOW_BOUND:,}",
    )


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        # a pre-decoder that takes little of the time
        ("demo", ["run.shots=20000", f"predecoder.model={ROOT}/models/pair_rule_d5_T26_Z.onnx"]),
        ("sliding_d7", ["fpga.preset=roundtrip_512"]),
    ],
)
def test_a_run_on_the_hardware_beside_its_law(
    benchmark: BenchmarkFixture, name: str, overrides: list[str]
) -> None:
    path = ROOT / "scenarios" / f"{name}.toml"

    def run(timing: str) -> None:
        run_experiment(load_scenario(path, [*overrides, f"fpga.timing={timing}"]))

    arms = take_turns(
        benchmark, {timing: partial(run, timing) for timing in ("model", "rtl")}, turns=3
    )
    model, rtl = (min(arms[timing].cpu_s) for timing in ("model", "rtl"))
    show(
        f"run of {path.name}, least processor time of 3 turns",
        f"cycle law:     {model:6.2f} s",
        f"compiled RTL:  {rtl:6.2f} s",
        f"ratio {rtl / model:.2f}, bound {RATIO_BOUND}",
    )
