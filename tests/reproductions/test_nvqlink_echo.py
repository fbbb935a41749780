"""Round trip of NVQLink through the whole loop, with nothing behind it: arXiv 2510.25213."""

import numpy as np
import pytest

from emulator.results.stages import reaction_times
from emulator.run import run_experiment
from emulator.scenario import resolve

AT_ONCE = {"kind": "constant", "value": "0 ps"}


def test_a_thousand_echoes() -> None:
    """Mean 3.839 us, sd 35 ns, largest of 1000 3.96 us, for messages of 32 B.

    The request here has 57 B and its answer 25 B, a few nanoseconds of difference on the line, and
    up to a cycle of 3.1 ns goes by until the FPGA's next clock edge at either end.
    """
    scenario = {
        "qpu": {"round_period": "10 us"},
        "code": {"task": "repetition_code:memory", "distance": 3, "rounds": 1},
        "noise": {"model": "depolarizing", "p": 0.001},
        "fpga": {"preset": "hsb_512"},
        "link": {"up": {"preset": "nvqlink"}, "down": {"preset": "nvqlink"}},
        "decoder": {"timing": AT_ONCE},
        "run": {"shots": 20_000},
    }
    echo_us = reaction_times(run_experiment(resolve(scenario)).record.windows) / 1e6
    assert echo_us.mean() == pytest.approx(3.839, abs=0.015)
    assert echo_us.std() == pytest.approx(0.035, rel=0.05)
    largest: float = echo_us.reshape(-1, 1000).max(axis=1).mean()
    assert largest == pytest.approx(3.96, abs=0.02)
    assert np.all(echo_us > 3.6)
