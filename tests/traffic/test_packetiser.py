"""Runs on the cycles of the Verilog packetiser are those on its law, to the picosecond."""

import io
import json
from typing import Any

import numpy as np
import pytest

from emulator.errors import MissingToolError, RoundtripError
from emulator.results import dumps
from emulator.rtl.verilator import environment
from emulator.run import Experiment, run_experiment, run_tables
from emulator.traffic.capture import INTERFACES
from emulator.wire import write_pcapng
from tests.run.examples import PARALLEL, SLIDING, captured, ran, resolved

READOUT = "qpu.readout={kind = 'lognormal', median = '2 us', sigma = 1.0}"
# three builds of the way up serve all of these: 512 bit for one patch and three, 64 bit for three
WIDE = ("fpga.preset=roundtrip_512", "decoder.workers=8")
PATCHES = ("qpu.patches=3", "decoder.workers=12")
NARROW = (
    *("fpga.preset=roundtrip_64", "link.up.rate=10 Gbit/s", "fpga.input_bits=8"),
    *PATCHES,
)
BYTES = ("fpga.encoding=bytes", "link.up.mtu=220 B")
SLIDING_MORE = tuple(key for key in SLIDING if not key.startswith("decoder.workers"))
EACH_ROUND = (*SLIDING_MORE, "fpga.rounds_per_message=1")

VARIANTS = (
    WIDE,
    (*WIDE, *BYTES),
    (*WIDE, *SLIDING_MORE),
    (*WIDE, "feedback.every=6", "run.drain=false"),
    (*WIDE, "link.up.loss=0.2"),
    (*WIDE, *PATCHES, READOUT),
    (*WIDE, *PATCHES, *EACH_ROUND, "qpu.patch_offset=999 ns"),
    (*NARROW, *BYTES),
    (*NARROW, *PARALLEL[:-1]),
    (*NARROW, *EACH_ROUND, "qpu.patch_offset=1 ns", "host.ring_slots=7"),
)
every_variant = pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    try:
        environment("these tests")
    except MissingToolError as error:
        pytest.skip(str(error))


def both(overrides: tuple[str, ...]) -> tuple[Experiment, Experiment]:
    return ran(*overrides), ran(*overrides, "fpga.timing=rtl")


def plain(run: Experiment) -> dict[str, Any]:
    """The result as it is written, without the one key that differs."""
    result: dict[str, Any] = json.loads(dumps(run.result))
    del result["scenario"]["fpga"]["timing"], result["sources"]["fpga.timing"]
    return result


@every_variant
@pytest.mark.usefixtures("both_engines")
def test_results_and_tables_are_equal(overrides: tuple[str, ...]) -> None:
    model, rtl = both(overrides)
    assert rtl.result.scenario["fpga"]["timing"] == "rtl"
    assert plain(model) == plain(rtl)
    for name, table in run_tables(model).items():
        for column, values in table.items():
            np.testing.assert_array_equal(values, run_tables(rtl)[name][column], column)


@every_variant
def test_captures_are_equal(overrides: tuple[str, ...]) -> None:
    captures = []
    for timing in ("model", "rtl"):
        stream = io.BytesIO()
        frames = captured((*overrides, f"fpga.timing={timing}"), shots=40)
        write_pcapng(stream, INTERFACES, frames)
        captures.append(stream.getvalue())
    assert captures[0] == captures[1]


def test_a_line_that_takes_less_than_comes_is_told() -> None:
    overrides = (*NARROW, *EACH_ROUND, *BYTES, "qpu.round_period=100 ns")
    with pytest.raises(RoundtripError, match=r"fpga\.timing: the packetiser sent \d+ of \d+"):
        run_experiment(resolved(*overrides, "fpga.timing=rtl"))
