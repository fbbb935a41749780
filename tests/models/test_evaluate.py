from pathlib import Path

import numpy as np
import pytest

from emulator.decoders.ising_layout import IsingLayout
from models.contract import file_name, layout_of
from models.evaluate import Arm, Evaluation, evaluate, main
from models.pair_rule import write
from models.thinning import measure
from tests.models.test_pair_rule import opened

LAYOUT = IsingLayout(3, 4, "X")


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / file_name("pair_rule", LAYOUT)
    write(LAYOUT, path)
    return path


def arm(name: str, errors: int, single_ns: float, predecoder_ns: float = 0.0) -> Arm:
    return Arm(name, np.arange(100) < errors, single_ns, single_ns / 2, predecoder_ns)


def test_counts_are_those_of_thinning(rule: Path) -> None:
    found = evaluate(opened(LAYOUT, rule), p=0.01, shots=900, seed=5, timed=5)
    other = measure(LAYOUT, p=0.01, shots=900, seed=5)
    assert (found.before, found.after) == (other.before, other.after)
    errors = [int(each.wrong.sum()) for each in found.arms]
    assert errors[:2] == [other.alone, other.behind]
    assert all(each.single_ns > 0 and each.batch_ns > 0 for each in found.arms)
    assert [each.predecoder_ns > 0 for each in found.arms] == [False, True, False, True]


def test_table_says_what_was_counted() -> None:
    arms = (
        *(arm("one", 20, 8000), arm("two", 10, 2000, 4000)),
        *(arm("three", 0, 16000), arm("four", 20, 8000, 4000)),
    )
    found = Evaluation(LAYOUT, 0.004, 100, 400, 100, arms)
    # 4 checks in round 0 and in round 3, 8 in the rounds 1 and 2: 24 places a shot
    head, _, columns, _, *rows = found.text().splitlines()
    assert head == (
        "d=3 T=4 X XV, p = 0.004, 100 shots: density 0.16667 before, 0.04167 after, 4.00x sparser"
    )
    assert columns.count("|") == 11
    cells = [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]
    assert cells[0] == ["one", "20", "1", "-", "-", "2.000", "1.000", "1.00", "-", "2.000"]
    # ten shots differ, all lost by the first alone: its share is at least 0.025^(1/10) = 0.6915
    assert cells[1][:5] == ["two", "10", "2.000", "1.293 to 2.000", "0.002"]
    assert cells[1][5:] == ["0.500", "0.250", "4.00", "1.000", "1.500"]
    assert cells[2][2:4] == ["-", "4.937 to ∞"]
    assert cells[3][2:5] == ["1.000", "1.000 to 1.000", "1"]


def test_command_prints_the_evaluation(rule: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(rule), "--p", "0.01", "--shots", "100", "--timed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{rule.name}, d=3 T=4 X XV, p = 0.01, 100 shots: density ")
    assert len(lines) == 10
    assert "pymatching" in lines[-1]


@pytest.mark.parametrize("orientation", ["XV", "ZH"])
@pytest.mark.parametrize("contract", ["fused", "raw"])
def test_name_tells_the_layout(orientation: str, contract: str) -> None:
    layout = IsingLayout(13, 104, "Z", "ZH" if orientation == "ZH" else "XV")
    name = file_name("some_model", layout, "raw" if contract == "raw" else "fused")
    assert layout_of(Path("folder") / name) == layout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nano.onnx", "its name does not tell distance, T and basis"),
        ("nano_d4_T4_X.onnx", "distance: 4 "),
        ("nano_d3_T1_X.onnx", "rounds: 1 "),
        ("nano_d3_T4_Y.onnx", "its name does not tell"),
        ("nano_d3_T4_X.onnx", "there is no such file"),
    ],
)
def test_command_explains_what_is_wrong(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / name)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("evaluate: ")
    assert message in printed.err


def test_too_few_shots_are_refused(rule: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(rule), "--shots", "0"]) == 2
    assert capsys.readouterr().err == "evaluate: shots: 0 is too few; give at least 1.\n"
