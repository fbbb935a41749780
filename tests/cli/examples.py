"""A scenario file whose every number is known beforehand, and one that samples a surface code."""

from pathlib import Path

MODEL = """\
error(0.1) D0 L0
error(0.1) D0 D1
error(0.1) D1 D2
error(0.1) D2
detector(0, 0) D0
detector(0, 1) D1
detector(0, 2) D2
"""

# three detectors and the true observable; in every tenth shot it is not what is most likely
SHOTS = ["0000"] * 5 + ["1001", "1100", "0110", "0010", "1000"]

RECORDED = """\
[qpu]
round_period = "1 us"
readout = { kind = "constant", value = "200 ns", source = "a data sheet" }

[code]
source = "samples"
detections = "shots.01"
format = "01"
model = "model.dem"

[link.up]
rate = "1 Gbit/s"
latency = { kind = "constant", value = "500 ns", source = "arXiv 1", confidence = "published" }

[link.down]
rate = "1 Gbit/s"
latency = { kind = "constant", value = "500 ns", source = "arXiv 1", confidence = "published" }

[decoder]
timing = { kind = "constant", value = "1500 ns", source = "a bench", confidence = "measured" }

[budget]
reaction = "6 us"

[run]
title = "Recorded shots"
shots = 400
"""

SAMPLED = """\
[qpu]
round_period = "1 us"

[code]
task = "surface_code:rotated_memory_z"
distance = 3
rounds = 4

[noise]
model = "depolarizing"
p = 0.02

[host]
on_full = "wait"

[decoder]
timing = { kind = "lognormal", median = "3 us", sigma = 0.3 }

[run]
shots = 40
"""


def write_recorded(folder: Path) -> Path:
    """Write the scenario, its model and its 400 shots; return the scenario file."""
    (folder / "model.dem").write_text(MODEL)
    (folder / "shots.01").write_text("".join(f"{shot}\n" for shot in SHOTS * 40))
    scenario = folder / "recorded.toml"
    scenario.write_text(RECORDED)
    return scenario


def write_sampled(folder: Path) -> Path:
    """Write the scenario that samples its shots; return the file."""
    scenario = folder / "sampled.toml"
    scenario.write_text(SAMPLED)
    return scenario
