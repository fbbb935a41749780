from dataclasses import replace

import pytest

from emulator.decoders.ising_layout import IsingLayout
from models.pair_rule import main, measure
from models.thinning import Thinning

COUNTED = Thinning(IsingLayout(3, 3, "Z"), 0.01, 10, 40, 10, 3, 4, 1, 2)


def test_counts_belong_together() -> None:
    found = measure(IsingLayout(3, 4, "X"), p=0.01, shots=1500, seed=5)
    assert found.shots == 1500
    assert 0 < found.after < 0.8 * found.before
    assert found.alone - found.only_alone == found.behind - found.only_behind >= 0
    assert found.alone > 0
    assert measure(IsingLayout(3, 4, "X"), p=0.01, shots=1500, seed=5) == found


def test_without_noise_there_is_nothing_to_thin() -> None:
    found = measure(IsingLayout(3, 3, "Z"), p=0.0, shots=10, seed=1)
    assert (found.before, found.after, found.alone, found.behind) == (0, 0, 0, 0)


@pytest.mark.parametrize(("after", "ratio"), [(10, "4.00"), (0, "-")])
def test_table_gives_densities_per_detector(after: int, ratio: str) -> None:
    # 10 shots of round 0 and 2 of the memory basis and round 1 of both: 16 places each
    head, line, row = replace(COUNTED, after=after).table().splitlines()
    assert head.count("|") == line.count("|") == row.count("|") == 11
    cells = [cell.strip() for cell in row.strip("| ").split("|")]
    assert cells[0] == "d=3 T=3 Z XV"
    assert cells[3:6] == ["0.2500", f"{after / 160:.4f}", ratio]


def test_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--distance", "3", "--rounds", "3", "--basis", "X", "--measure"]
    assert main([*wanted, "--p", "0.01", "--shots", "100"]) == 0
    expected = measure(IsingLayout(3, 3, "X"), p=0.01, shots=100, seed=1).table()
    assert capsys.readouterr().out == expected + "\n"
