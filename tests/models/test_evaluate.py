from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.decoders import stopwatch
from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Predecoder
from emulator.scenario.presets import read_preset
from models.contract import file_name, layout_of, opened
from models.evaluate import evaluate, main
from models.evaluation import Arm, Evaluation, Thinned
from models.pair_rule import measure, write
from models.published import Published
from tests.decoders.clocks import QUIET, HandClock

LAYOUT = IsingLayout(3, 4, "X")

Bits = NDArray[np.uint8]


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / file_name("pair_rule", LAYOUT)
    write(LAYOUT, path)
    return path


def arm(name: str, errors: int, single_ns: float, predecoder_ns: float = 0.0) -> Arm:
    return Arm(name, np.arange(100) < errors, single_ns, single_ns / 2, predecoder_ns)


def evaluation(after: list[int], profile: Published | None = None) -> Evaluation:
    """100 shots with 2 and 6 events in turn, of which ``after`` are left, in turn."""
    alone = arm("one", 20, 8000), arm("two", 0, 16000)
    behind = arm("three", 10, 2000, 4000), arm("four", 20, 8000, 4000)
    others = arm("five", 20, 2000, 1000), arm("six", 20, 8000, 1000)
    events = np.tile(after, 100 // len(after))
    thinned = Thinned("rule", events, behind), Thinned("other", events, others)
    return Evaluation(LAYOUT, 0.004, np.tile([2, 6], 50), alone, thinned, profile)


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("| ").split("|")]


def test_counts_are_those_of_thinning(rule: Path) -> None:
    found = evaluate([opened(rule, LAYOUT)], p=0.01, shots=900, seed=5, timed=5)
    other = measure(LAYOUT, p=0.01, shots=900, seed=5)
    (each,) = found.thinned
    assert (found.before.sum(), each.after.sum()) == (other.before, other.after)
    errors = [int(arm.wrong.sum()) for arm in (found.alone[0], each.arms[0])]
    assert errors == [other.alone, other.behind]
    assert all(arm.single_ns > 0 and arm.batch_ns > 0 for arm in found.arms)
    assert [arm.predecoder_ns > 0 for arm in found.arms] == [False, False, True, True]


def test_files_of_one_layout_see_the_same_shots(rule: Path) -> None:
    twice = evaluate([opened(rule, LAYOUT)] * 2, p=0.01, shots=200, seed=5, timed=5)
    first, second = twice.thinned
    assert np.array_equal(first.after, second.after)
    assert np.array_equal(first.arms[1].wrong, second.arms[1].wrong)


def test_table_says_what_was_counted() -> None:
    # 4 checks in round 0 and in round 3, 8 in the rounds 1 and 2: 24 places a shot
    lines = evaluation([1, 1]).text().splitlines()
    assert lines[0] == "d=3 T=4 X XV, p = 0.004, 100 shots: density 0.16667"
    # two events more or less than four in every shot: 1.96 standard errors of 2 / 10
    assert lines[1] == "rule: density 0.04167, 4.000x sparser (3.608 to 4.392)"
    assert lines[4].count("|") == 11
    rows = [cells(row) for row in lines[6:12]]
    assert rows[0] == ["one", "20", "1", "-", "-", "2.000", "1.000", "1.00", "-", "2.000"]
    assert rows[1][2:4] == ["-", interval(0, 20, 0)]
    # ten shots differ, all lost by the first alone
    assert rows[2][:5] == ["three", "10", "2.000", interval(10, 10, 0), "0.002"]
    assert rows[2][5:] == ["0.500", "0.250", "4.00", "1.000", "1.500"]
    assert rows[3][2:5] == ["1.000", interval(20, 0, 0), "1"]
    between = interval(10, 0, 10)
    assert lines[13:] == [f"errors rule / other: 0.500, 95 % interval {between}; time 4.00"]


def interval(both: int, first_only: int, second_only: int) -> str:
    ends = PairedCount(100, both, first_only, second_only).ratio_interval(0.95)
    assert ends is not None
    return f"{ends[0]:.3f} to {'∞' if ends[1] is None else f'{ends[1]:.3f}'}"


def test_density_that_falls_in_proportion_has_no_spread() -> None:
    found = evaluation([1, 3])
    assert found.sparser(found.thinned[0]) == (2.0, 2.0, 2.0)


def test_interval_of_the_density_covers_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(1), 0
    example = evaluation([1])
    for _ in range(1000):
        before = rng.poisson(40, 100)
        each = replace(example.thinned[0], after=rng.binomial(before, 0.2))
        interval = replace(example, before=before).sparser(each, 0.9)
        assert interval is not None
        hits += interval[1] <= 5 <= interval[2]
    # binomial(1000, 0.9) is outside of these with a probability below 1e-6
    assert 850 <= hits <= 943


def test_nothing_left_has_no_ratio() -> None:
    found = evaluation([0])
    assert found.sparser(found.thinned[0]) is None
    assert "rule: density 0.00000, nothing left" in found.text()


@pytest.mark.parametrize(
    ("with_matching", "wanted"),
    [(False, ["-", "-", "3.000", "4.500"]), (True, ["-", "-", "2.500", "-"])],
)
def test_a_profile_takes_the_place_of_this_machine(with_matching: bool, wanted: list[str]) -> None:
    preset = read_preset("predecoder", "trt_fp16_gb200_d13_t104")
    lines = evaluation([1], Published(preset, 10_000, with_matching)).text().splitlines()
    assert [cells(row)[-1] for row in lines[6:10]] == wanted
    assert cells(lines[4])[-1] == "with trt_fp16_gb200_d13_t104"
    assert lines[-1].startswith("with trt_fp16_gb200_d13_t104: the time of a network trained by ")
    assert ("as measured here" in lines[-1]) is not with_matching


def test_disturbed_calls_are_told() -> None:
    found = evaluation([1])
    disturbed = replace(found.alone[1], disturbed=0.125)
    lines = replace(found, alone=(found.alone[0], disturbed)).text().splitlines()
    assert "disturbed" not in found.text()
    assert lines[-1] == (
        "up to 12.50% of the timed calls of a decoder were disturbed by other work on the machine "
        "and are left out"
    )


def test_means_are_those_of_undisturbed_calls(rule: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()

    def run_by_hand(_: Predecoder, rows: Bits, **__: object) -> tuple[Bits, Bits]:
        clock.work(1000)
        if clock.wall_ns == 12_000:  # the second call after ten for warming up
            clock.preempt(10**9)
        return np.zeros(len(rows), np.uint8), rows

    monkeypatch.setattr(stopwatch, "CLOCKS", clock.clocks)
    monkeypatch.setattr(Predecoder, "run", run_by_hand)
    found = evaluate([opened(rule, LAYOUT)], p=0.01, shots=12, seed=5, timed=12)
    behind = found.thinned[0].arms[0]
    assert behind.predecoder_ns == 1000
    assert behind.disturbed == 1 / 24  # of 12 calls of each decoder
    assert found.alone[0].disturbed == 0


def test_command_prints_the_evaluation(
    rule: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopwatch, "CLOCKS", QUIET)
    assert main([str(rule), "--p", "0.01", "--shots", "100", "--timed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("d=3 T=4 X XV, p = 0.01, 100 shots: density ")
    assert lines[1].startswith(f"{rule.stem}: density ")
    assert len(lines) == 11
    assert "pymatching" in lines[-1]


@pytest.mark.parametrize("orientation", ["XV", "ZH"])
@pytest.mark.parametrize("contract", ["fused", "raw"])
@pytest.mark.parametrize("int8", [False, True])
def test_name_tells_the_layout(orientation: str, contract: str, int8: bool) -> None:
    layout = IsingLayout(13, 104, "Z", "ZH" if orientation == "ZH" else "XV")
    name = file_name("some_model", layout, "raw" if contract == "raw" else "fused", int8=int8)
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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--shots", "0"], "--shots: 0 is too few; give at least 1."),
        (["--timed", "-1"], "--timed: -1 is too few; give at least 1."),
        (["--p", "2"], "p: 2.0 is not a depolarising probability; give one in [0, 0.75]."),
        (["--p", "nan"], "p: nan is not a depolarising probability; give one in [0, 0.75]."),
        (
            ["--profile", "ising_fast_gb300_t104"],
            (
                '--profile: "ising_fast_gb300_t104" has no time for the surface code at d=3 T=4 '
                "p = 0.003; none does, leave it out."
            ),
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    wrong: list[str], message: str, rule: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(rule), *wrong]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"evaluate: {message}\n"


def test_a_file_that_is_no_predecoder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nano_d3_T4_X.onnx"
    path.write_text("no graph")
    assert main([str(path)]) == 2
    assert "is not an ONNX file that ONNX Runtime can run" in capsys.readouterr().err


def test_files_of_two_layouts_are_refused(
    rule: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = IsingLayout(3, 5, "X")
    path = tmp_path / file_name("pair_rule", layout)
    write(layout, path)
    assert main([str(rule), str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"evaluate: {path}: is not for the same distance, T, basis and ")
    assert error.count("\n") == 1
