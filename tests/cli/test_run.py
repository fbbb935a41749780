import json
import re
from pathlib import Path

import polars as pl
import pytest

from emulator.loop.native import engine_library
from emulator.loop.records import COLUMNS, MESSAGE_COLUMNS, STAGES
from emulator.results import read_run
from emulator.scenario import resolve
from tests.cli.conftest import Call

MET = """\
✓ Budget met
p99 reaction 5.04 us within the limit of 6 us: 0 of 400 windows later; keeps up:
backlog grows by less than 1% of the rounds emitted; stage decode is the
busiest, load 0.5
  ✓ no round lost
  · logical error rate 0.1 [0.0724, 0.134] per shot, no limit asked
  · none of 400 windows later than 6 us; rate below 0.00746 at 95% confidence
  · an operation that waits idles 6 rounds for its correction on average

 Stage                  Mean       p99   p99.9       Max    Share   Confidence
 ─────────────────────────────────────────────────────────────────────────────
 readout              200 ns    200 ns       –    200 ns    4.0 %   assumed
 packetise           69.8 ns   71.3 ns       –   71.3 ns    1.4 %   assumed
 uplink              1.83 µs   1.83 µs       –   1.83 µs   36.3 %   published
 ring wait                 0         0       –         0    0.0 %   derived
 dispatch                  0         0       –         0    0.0 %   assumed
 pre-decoder queue         0         0       –         0    0.0 %   derived
 pre-decode                0         0       –         0    0.0 %   –
 matcher queue             0         0       –         0    0.0 %   derived
 decode              1.50 µs   1.50 µs       –   1.50 µs   29.8 %   measured
 downlink            1.38 µs   1.38 µs       –   1.38 µs   27.4 %   published
 apply               58.3 ns   58.3 ns       –   58.3 ns    1.2 %   assumed

– too few windows for this quantile, or no window at all
Reaction    p99 5.04 µs (–), limit 6.00 µs
Deadline    0 of 400 windows late, 0 %
Throughput  decode busy 49.8 %, load 0.500, backlog slope 0.102 rounds/s
Logical     40 of 400 shots failed, rate 0.100 (0.0724 … 0.134)
Rounds      1,200 emitted = 1,200 decoded + 0 in flight + 0 lost
Report: runs/recorded/report.html
"""

FILES = {"result.json", "windows.parquet", "messages.parquet", "backlog.parquet", "report.html"}

STAGE_KEYS = {"name", "timing_source", "mean_ps", "p50_ps", "p99_ps", "p999_ps", "max_ps", "share"}
VERDICT_KEYS = {
    "throughput": {"utilisation_by_stage", "backlog_slope_rounds_per_s", "ci", "stable"},
    "reaction": {
        *("quantile", "value_ps", "ci_ps", "limit_ps", "samples", "autocorrelation_windows"),
    },
    "logical": {"errors", "shots", "rate", "ci", "decoder_errors", "late", "lost"},
}
ROUND_KEYS = {"emitted", "decoded", "in_flight", "lost", "lost_by_cause"}


def test_what_a_run_prints(call: Call, recorded: Path) -> None:
    assert call("run", recorded) == (0, MET, "")


def test_a_missed_budget_is_exit_code_1(call: Call, recorded: Path) -> None:
    code, out, err = call("run", recorded, "--set", "budget.reaction=5 us")
    assert (code, err) == (1, "")
    assert out.startswith(
        "✗ Budget missed\np99 reaction 5.04 us over the limit of 5 us: 400 of 400 windows"
    )
    assert "Deadline    400 of 400 windows late, 100 %" in out
    # and written all the same
    assert read_run(Path("runs/recorded")).result.verdict.outcome == "missed"


def test_a_run_writes_one_folder_and_nothing_else(
    call: Call, recorded: Path, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    assert call("run", recorded, "--out", "deep/in/here")[0] == 0
    assert {path.name for path in (tmp_path / "deep/in/here").iterdir()} == FILES
    assert set(tmp_path.iterdir()) - before == {tmp_path / "deep"}
    assert [path.name for path in (tmp_path / "deep/in").iterdir()] == ["here"]


def test_the_result_has_all_keys_that_others_rely_on(call: Call, recorded: Path) -> None:
    call("run", recorded)
    result = json.loads(Path("runs/recorded/result.json").read_text())
    assert {
        *("schema_version", "scenario", "sources", "versions", "seed", "engine"),
        *("verdict", "stages", "rounds"),
    } <= result.keys()
    assert result["verdict"]["outcome"] in {"met", "missed", "undecided"}
    for part, keys in VERDICT_KEYS.items():
        assert keys <= result["verdict"][part].keys()
    assert [stage["name"] for stage in result["stages"]] == list(STAGES)
    assert all(stage.keys() >= STAGE_KEYS for stage in result["stages"])
    assert result["rounds"].keys() == ROUND_KEYS
    assert sum(stage["share"] for stage in result["stages"]) == pytest.approx(1)
    # the scenario is complete: it can be resolved, and run, again
    assert resolve(result["scenario"]).scenario.run.title == "Recorded shots"
    assert result["sources"]["link.up.latency.value"]["where"] == "recorded.toml:13"
    assert {"stim", "numpy", "roundtrip-emulator"} <= result["versions"].keys()


def test_tables_have_a_row_per_window_and_per_message(call: Call, recorded: Path) -> None:
    call("run", recorded, "--set", "fpga.rounds_per_message=1")
    windows = pl.read_parquet("runs/recorded/windows.parquet")
    assert tuple(windows.columns) == COLUMNS
    assert windows["shot"].to_list() == list(range(400))
    messages = pl.read_parquet("runs/recorded/messages.parquet")
    assert tuple(messages.columns) == MESSAGE_COLUMNS
    assert messages["number"].to_list() == [0, 1, 2] * 400
    assert set(windows.dtypes) == set(messages.dtypes) == {pl.Int64}


def test_the_report_stands_alone_and_tells_the_verdict(call: Call, recorded: Path) -> None:
    call("run", recorded)
    html = Path("runs/recorded/report.html").read_text()
    assert "Budget met" in html
    assert "Recorded shots" in html
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=\"http", html)


def test_values_and_seed_from_the_command_line(call: Call, recorded: Path) -> None:
    call("run", recorded, "--set", "run.shots=7", "--seed", "11", "--out", "there")
    result = read_run(Path("there")).result
    assert (result.seed, result.scenario["run"]["shots"]) == (11, 7)
    assert result.sources["run.shots"].where == "--set run.shots=7"
    assert result.rounds.emitted == 21


def test_a_run_again_replaces_the_last_one_whole(call: Call, recorded: Path) -> None:
    call("run", recorded)
    call("trace", "pcapng", "runs/recorded")
    call("run", recorded, "--set", "run.shots=9")
    assert {path.name for path in Path("runs/recorded").iterdir()} == FILES
    assert read_run(Path("runs/recorded")).result.rounds.emitted == 27


def test_there_is_no_progress_bar_in_a_pipe(call: Call, recorded: Path) -> None:
    assert call("run", recorded)[2] == ""


@pytest.mark.parametrize("verb", ["run", "compare", "profile", "trace"])
def test_code_from_outside_is_refused_on_request(
    verb: str, call: Call, recorded: Path, tmp_path: Path
) -> None:
    (tmp_path / "evil.py").write_text("raise AssertionError('it ran')\n")
    own = ("--no-plugins", "--set", "decoder.algorithm=evil:decoders")
    arguments: dict[str, list[object]] = {
        "run": [recorded],
        "compare": [recorded, "--against", "decoder.workers=2"],
        "profile": [recorded, "--out", "profile.json"],
        "trace": ["stimulus", recorded],
    }
    code, _, err = call(verb, *arguments[verb], *own)
    assert code == 2
    assert 'decoder.algorithm: "evil:decoders" runs code from outside Roundtrip' in err
    assert call("run", recorded, "--no-plugins")[0] == 0


def test_without_a_report_no_file_is_drawn(call: Call, recorded: Path) -> None:
    call("run", recorded)
    code, out, _ = call("run", recorded, "--no-report")
    assert (code, "Report" in out) == (0, False)
    assert {path.name for path in Path("runs/recorded").iterdir()} == FILES - {"report.html"}


def test_both_engines_write_the_same_and_the_result_names_the_one(
    call: Call, sampled: Path
) -> None:
    written = {}
    for engine in ("auto", "compiled", "simpy"):
        code, out, err = call("run", sampled, "--no-report", "--engine", engine, "--out", engine)
        assert (code, err) == (0, "")
        tables = [Path(engine, f"{n}.parquet").read_bytes() for n in ("windows", "messages")]
        written[engine] = (out, Path(engine, "result.json").read_text(), tables)
    assert written["auto"] == written["compiled"]
    out, result, tables = written["simpy"]
    named = result.replace('"engine": "simpy"', '"engine": "compiled"')
    assert (out, named, tables) == written["compiled"]
    assert named != result


def test_without_a_compiler_the_engine_is_simpy_and_a_line_says_so(
    call: Call, sampled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUNDTRIP_CACHE", "empty")
    monkeypatch.setenv("CXX", "no_such_compiler")
    engine_library.cache_clear()
    missing = "$CXX is no_such_compiler, which is not on PATH; set it to a C++17 compiler or unset "
    code, _, err = call("run", sampled, "--no-report", "--out", "there")
    assert (code, err) == (0, f"note: run by SimPy, the slower engine: {missing}it.\n")
    assert read_run(Path("there")).result.engine == "simpy"
    code, out, err = call("run", sampled, "--engine", "compiled", "--out", "nowhere")
    assert (code, out, err) == (3, "", f"error: {missing}it.\n")
    assert not Path("nowhere").exists()


def test_what_the_compiled_engine_cannot_run_is_refused_by_name(call: Call, sampled: Path) -> None:
    fine = ("--set", "fpga.clock=322.26562500000000000001 MHz")
    code, _, err = call("run", sampled, *fine, "--engine", "compiled")
    assert code == 2
    assert err == (
        "error: the compiled engine cannot run this loop: it has a number of more than 64 bits; "
        "--engine simpy can\n"
    )
    code, _, err = call("run", sampled, *fine, "--no-report")
    assert code == 0
    assert err.startswith("note: run by SimPy, the slower engine: the compiled engine cannot run")
