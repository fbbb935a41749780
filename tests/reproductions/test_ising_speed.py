"""Pre-decoder against matching alone: the published speed ratios, at long windows and at short.

Service times are published per code, so few shots are enough; 2 % is the reading error of the
chart (github.com/NVIDIA/Ising-Decoding, images/ler_vs_time_model_card_p0.003_0.006_X_light.svg)
and the rounding of the ratios.
"""

from typing import Any

import pytest

from emulator.results import Arm, compare
from tests.reproductions.experiment import experiment
from tests.run.examples import answers_of

ALONE = "predecoder.kind=none"


def compared(name: str, decoder: str, *overrides: str) -> dict[str, Any]:
    """Compare a scenario with matching alone on the same 40 shots."""
    common = ("run.shots=40", *overrides)
    runs = (
        experiment(name, *common),
        experiment(name, *common, ALONE, f"decoder.preset={decoder}"),
    )
    return compare(*(Arm(run.result, run.record, answers_of(run).wrong) for run in runs))


def test_at_104_rounds_the_predecoder_is_2_25_times_as_fast() -> None:
    """2.33 us a round (NVIDIA blog, April 2026) against 543.9 us a shot (README of the code)."""
    found = compared("ising_d13_t104", "pymatching_d13_t104")
    assert found["speedup"] == pytest.approx(2.25, rel=0.02)
    per_round_us = [arm["decoding_ps_per_round"] / 1e6 for arm in found["arms"]]
    assert per_round_us == pytest.approx([2.33, 5.24], rel=0.005)


@pytest.mark.parametrize(
    ("distance", "preset", "ratio"),
    [
        (13, "ising_accurate_gb300_p003", 0.57),
        (13, "ising_fast_gb300_p003", 0.69),
        (17, "ising_accurate_gb300_p003", 1.06),
        (17, "ising_fast_gb300_p003", 1.20),
    ],
)
def test_in_short_windows_it_is_slower_below_distance_17(
    distance: int, preset: str, ratio: float
) -> None:
    found = compared(
        "ising_d13_t13",
        "pymatching_grace_p003",
        f"predecoder.preset={preset}",
        f"code.distance={distance}",
        f"code.rounds={distance}",
    )
    assert found["speedup"] == pytest.approx(ratio, rel=0.02)


@pytest.mark.parametrize(("lanes", "holds"), [(2, False), (3, True)])
def test_rounds_of_1_us_take_three_lanes(*, lanes: int, holds: bool) -> None:
    """2.33 us of work a round and 1 us to do it in."""
    overrides = ("run.shots=200", f"predecoder.streams={lanes}", "host.release=dispatch")
    found = experiment("ising_d13_t104", *overrides).result["verdict"]["throughput"]
    assert found["stable"] is holds
    assert found["utilisation_by_stage"]["predecode"] == pytest.approx(
        min(1.0, 2.33 / lanes), rel=0.02
    )
