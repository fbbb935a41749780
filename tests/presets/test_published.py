"""Presets that were fitted to published distributions give those distributions back."""

import heapq
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter

import emulator
from emulator.scenario.delays import Delay
from emulator.timing import Reader, Stream, TimingContext, build

FOLDER = Path(emulator.__file__).parent / "presets"
READ: TypeAdapter[Any] = TypeAdapter(Delay)
HSB_PS = (22 + 18) * 102_400 // 33  # both ways through the packetiser, 322.265625 MHz
LINE_PS = 10_700  # 32 B message in its frame at 100 Gbit/s


def stage(name: str, key: str, seed: int = 1) -> Reader:
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["values"]
    context = TimingContext(distance=13, window_rounds=frozenset({104}), p=0.003)
    delay = READ.validate_python(values[key])
    return build(delay, context=context, stream=Stream(seed, 1)).reader()


def round_trips(name: str, count: int = 100_000) -> NDArray[np.int64]:
    up, down = stage(f"link/{name}", "latency", 1), stage(f"link/{name}", "latency", 2)
    ways = [up(index) + down(index) for index in range(count)]
    return np.array(ways, dtype=np.int64) + HSB_PS + 2 * LINE_PS


def test_nvqlink_has_its_published_round_trip() -> None:
    """arXiv 2510.25213: mean 3.839 us, sd 0.035 us, largest of 1000 3.96 us."""
    times = round_trips("nvqlink")
    assert times.mean() == pytest.approx(3.839e6, abs=1_000)
    assert times.std() == pytest.approx(35_000, rel=0.02)
    largest = times.reshape(-1, 1000).max(axis=1).mean()
    assert largest == pytest.approx(3.96e6, abs=15_000)


@pytest.mark.parametrize(
    ("name", "least", "median", "most"),
    [
        ("nvqlink_2026_forward", 2.80, 2.92, 4.43),
        ("nvqlink_2026_unified", 3.65, 3.76, 4.28),
        ("nvqlink_gb200_forward", 5.14, 5.31, 7.22),
        ("nvqlink_gb200_unified", 5.86, 6.53, 7.56),
        ("nvqlink_gb200_three_kernel", 7.27, 8.23, 9.69),
    ],
)
def test_nvqlink_2026_has_its_published_range(
    name: str, least: float, median: float, most: float
) -> None:
    found = np.quantile(round_trips(name), [0.001, 0.5, 0.999]) / 1e6
    assert found[:2] == pytest.approx([least, median], rel=0.005)
    assert found[2] == pytest.approx(most, rel=0.05)


def queue(arrivals: list[tuple[int, int]], service: Reader, servers: int) -> list[tuple[int, int]]:
    """Departures (time, job) of a first-come-first-served pool, in order of time."""
    ends: list[int] = []
    departures = []
    for time, job in arrivals:
        while ends and ends[0] <= time:
            heapq.heappop(ends)
        start = heapq.heappop(ends) if len(ends) == servers else time
        end = start + service(job, len(ends) + 1)
        heapq.heappush(ends, end)
        departures.append((end, job))
    return sorted(departures)


def pipeline_us(spacing_ps: int, count: int) -> NDArray[np.float64]:
    """End-to-end times in us of the CUDA-Q QEC pipeline, one request per ``spacing_ps``."""
    dispatch = stage("host/cudaq_pipeline", "dispatch")
    predecode = stage("predecoder/trt_fp16_gb200_d13_t104", "timing", 2)
    decode = stage("decoder/pymatching_after_predecoder_gb200", "timing", 3)
    requests = [(job * spacing_ps + dispatch(job), job) for job in range(count)]
    answers = queue(queue(requests, predecode, 8), decode, 16)
    return np.array([end - job * spacing_ps for end, job in answers]) / 1e6


def test_the_pipeline_at_one_request_per_2000_us() -> None:
    """github.com/NVIDIA/cudaqx, realtime_predecoder_pymatching.rst: 60001 requests."""
    times = pipeline_us(2_000_000_000, 60_001)
    assert times.min() == pytest.approx(154.8, rel=0.02)
    assert np.median(times) == pytest.approx(203.9, rel=0.02)
    assert times.mean() == pytest.approx(215.5, rel=0.03)
    assert np.quantile(times, 0.99) == pytest.approx(363.4, rel=0.05)


def test_the_pipeline_at_one_request_per_104_us() -> None:
    """github.com/NVIDIA/cudaqx, docs/hybrid_ai_predecoder_pipeline.md: 192309 requests."""
    times = pipeline_us(104_000_000, 192_309)
    published = {0.5: 352.3, 0.9: 514.7, 0.95: 606.3, 0.99: 1248.8}
    found = np.quantile(times, list(published))
    assert found == pytest.approx(list(published.values()), rel=0.05)
    assert times.mean() == pytest.approx(393.4, rel=0.03)
    assert times.std() == pytest.approx(179, rel=0.1)
    assert 2500 < times.max() < 6000  # published 3930; a single draw
