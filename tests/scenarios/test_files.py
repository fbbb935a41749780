"""Every scenario file that is shipped runs, with few shots, from the command line."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from emulator.cli import main
from emulator.scenario.schema import json_schema

FOLDER = Path(__file__).parents[2] / "scenarios"
FILES = sorted(FOLDER.glob("*.toml"))

MET, MISSED = {0}, {1}
ANY = {0, 1, 4}  # timed on the machine that runs the test
RUNS: dict[str, tuple[int, set[int]]] = {
    "atoms_d5": (200, ANY),
    "cudaq_pipeline_104us": (320, MET),
    "cudaq_pipeline_2000us": (320, MET),
    "demo": (200, ANY),
    "helios_ion": (320, MET),
    "ising_d13_t104": (320, MET),
    "ising_d13_t13": (320, MET),
    "overload": (300, MISSED),
    "sliding_d7": (320, MET),
    "willow_d5": (400, MISSED),
}
"""Shots and exit codes by the name of the file; 299 shots are the fewest that tell of a p99."""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def run(name: str, out: Path, *overrides: str) -> tuple[int, dict[str, Any]]:
    """Exit code and result of a run with few shots, not all of them in one chunk."""
    shots, _ = RUNS[name]
    given = [f"run.shots={shots}", "run.chunk_shots=128", *overrides]
    sets = [text for override in given for text in ("--set", override)]
    code = main(["run", str(FOLDER / f"{name}.toml"), "--out", str(out), *sets])
    return code, json.loads((out / "result.json").read_text(encoding="utf-8"))


def test_every_file_is_listed() -> None:
    assert [path.stem for path in FILES] == sorted(RUNS)


@each_file
def test_a_file_says_what_it_is_for(path: Path) -> None:
    schema, *lines = path.read_text(encoding="utf-8").splitlines()
    assert schema == "#:schema ../schema/scenario.schema.json"
    header = lines[: lines.index("")]
    assert 2 <= len(header) <= 4
    assert all(line.startswith("# ") for line in header)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["run"]["title"]


@each_file
def test_a_file_fits_the_schema(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(json_schema()).validate(tables)


@each_file
@pytest.mark.usefixtures("both_engines")
def test_a_file_runs(path: Path, tmp_path: Path) -> None:
    shots, codes = RUNS[path.stem]
    code, result = run(path.stem, tmp_path / "run")
    assert code in codes
    assert code == {"met": 0, "missed": 1, "undecided": 4}[result["verdict"]["outcome"]]
    rounds, code_table = result["rounds"], result["scenario"]["code"]
    assert rounds["emitted"] == shots * code_table["rounds"]
    assert rounds["emitted"] == rounds["decoded"] + rounds["in_flight"] + rounds["lost"]
    assert rounds["lost"] == sum(rounds["lost_by_cause"].values())
    assert rounds["decoded"] > 0
    assert (tmp_path / "run" / "report.html").stat().st_size > 0


def test_an_overloaded_matcher_falls_behind_as_fast_as_rounds_outrun_it(tmp_path: Path) -> None:
    code, result = run("overload", tmp_path / "run")
    verdict = result["verdict"]
    emitted, decoded = 1e6, 1e6 / 2.567  # rounds per second
    assert code == 1
    assert verdict["throughput"]["stable"] is False
    assert verdict["throughput"]["bottleneck"] == "decode"
    growth = verdict["throughput"]["backlog_slope_rounds_per_s"]
    assert growth == pytest.approx(emitted - decoded, rel=0.02)
    assert "stage decode is overloaded" in verdict["text"]
    assert result["rounds"]["lost"] == 0


def test_windows_that_wait_for_each_other_need_parallel_ones(tmp_path: Path) -> None:
    """What the header of the scenario claims of rounds of 1 us."""
    faster = ("qpu.round_period=1 us", "decoder.workers=8")
    one_by_one, behind = run("sliding_d7", tmp_path / "sliding", *faster)
    together = (*faster, "window.kind=parallel", "host.release=dispatch")
    side_by_side, ahead = run("sliding_d7", tmp_path / "parallel", *together)
    assert (one_by_one, side_by_side) == (1, 0)
    assert behind["rounds"]["lost"] > 0 == ahead["rounds"]["lost"]
