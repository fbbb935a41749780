"""The library as users import it: ``import emulator as rt``."""

import pickle
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

import emulator as rt
from emulator.errors import MissingToolError
from emulator.report import render_html
from emulator.results import compare as compare_arms
from emulator.results.comparison import Arm
from emulator.run import run_experiment, run_tables
from tests.run.examples import SMALL, resolved


@pytest.fixture(scope="module")
def small() -> rt.Run:
    return rt.run(deepcopy(SMALL))


def test_every_documented_name_is_there() -> None:
    assert set(rt.__all__) <= set(dir(rt))
    for name in rt.__all__:
        assert getattr(rt, name) is not None
        assert name == "__version__" or f"`{name}`" in (rt.__doc__ or ""), name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = rt.nothing


def test_importing_it_imports_nothing_else() -> None:
    program = "import sys, emulator; print(*sorted(m for m in sys.modules if m[:8] == 'emulator'))"
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == ["emulator", "emulator.lazy", "emulator.version"]


def test_run_is_a_function_and_a_package_whichever_came_first() -> None:
    program = (
        "import emulator as rt; print(rt.run is __import__('emulator.run').run, callable(rt.run))"
    )
    for first in ("", "import emulator.run.preparation; "):
        command = [sys.executable, "-c", first + program]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == "True True\n"
    assert pickle.loads(pickle.dumps(rt.run)) is rt.run


def test_a_run_in_memory_is_the_run_of_its_steps(small: rt.Run) -> None:
    experiment = run_experiment(resolved())
    assert small.result == experiment.result
    tables = run_tables(experiment)
    assert small.tables.keys() == tables.keys()
    for name, columns in tables.items():
        for key, column in columns.items():
            np.testing.assert_array_equal(small.tables[name][key], column)
    assert (small.verdict, small.stages) == (small.result.verdict, small.result.stages)
    assert small.rounds.emitted == 720


def test_values_may_be_given_dotted_or_nested_or_as_text(small: rt.Run) -> None:
    given = [
        rt.run(SMALL, {"link.rate": "25 Gbps", "run.seed": 7}),
        rt.run(
            SMALL,
            link={"up": {"rate": "25 Gbit/s"}, "down": {"rate": "25e9 bit/s"}},
            run={"seed": 7},
        ),
        rt.run(SMALL, ["link.rate=25 Gbit/s", "run.seed=7"]),
        rt.run(SMALL, "link.rate=25 Gbit/s", run={"seed": 7}),
        rt.run(SMALL, **{"link.rate": "25 Gbps", "run.seed": 7}),  # type: ignore[arg-type]
        rt.run(rt.load(SMALL, {"link.rate": "25 Gbit/s"}, run={"seed": 7})),
    ]
    assert len({run.result.verdict.reaction.value_ps for run in given}) == 1
    assert len({str(run.result.scenario) for run in given}) == 1
    assert given[0].result.scenario != small.result.scenario
    assert given[0].result.sources["run.seed"].kind == "argument"
    assert given[2].result.sources["run.seed"].kind == "command line"


def test_a_scenario_of_a_result_runs_again(small: rt.Run) -> None:
    again = rt.run(small.result.scenario)
    assert again.result.verdict == small.result.verdict


def test_a_loaded_scenario_takes_no_more_values() -> None:
    with pytest.raises(rt.RoundtripError, match="give the changes to load"):
        rt.run(resolved(), {"run.shots": 3})


def test_the_tables_as_frames(small: rt.Run) -> None:
    assert isinstance(small.windows, pl.DataFrame)
    assert small.windows.height == 120
    assert small.windows.columns[:3] == ["window", "patch", "shot"]
    assert small.messages.height == 120
    assert small.backlog.columns == ["time_ps", "rounds"]


def test_pandas_is_asked_for_where_it_is_missing(
    small: rt.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingToolError, match=r"pip install 'roundtrip-emulator\[pandas\]'"):
        small.to_pandas()


def test_pandas_has_the_same_numbers(small: rt.Run) -> None:
    pytest.importorskip("pandas")
    frame = small.to_pandas("messages")
    assert list(frame.columns) == small.messages.columns
    with pytest.raises(rt.RoundtripError, match='"rounds" is no table of this run; there are wind'):
        small.to_pandas("rounds")
    np.testing.assert_array_equal(
        frame["framed_ps"].to_numpy(), small.tables["messages"]["framed_ps"]
    )


def test_what_a_notebook_shows(small: rt.Run) -> None:
    html = small._repr_html_()
    assert html.startswith('<div class="roundtrip-run">')
    assert html.rstrip().endswith("</div>")
    assert "<script" not in html
    assert f'class="word {small.verdict.outcome}"' in html
    assert "Highest load" in html
    assert "downlink" in html
    assert repr(small) == f"<Run {small.verdict.outcome}: {small.verdict.text}>"


def test_text_of_a_scenario_is_no_markup() -> None:
    shown = rt.run(SMALL, run={"shots": 3, "title": "<script>alert(1)</script>"})._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_the_summary_is_what_the_command_line_prints(small: rt.Run) -> None:
    text = small.summary()
    assert str(small) == text
    assert text.splitlines()[0][2:].lower().endswith(small.verdict.outcome)
    assert "Rounds      720 emitted = 720 decoded + 0 in flight + 0 lost" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text


def test_figures_are_those_of_the_report(small: rt.Run) -> None:
    figures = small.figures()
    assert list(figures) == ["reaction", "stages", "utilisation", "backlog", "logical"]
    assert all(isinstance(figure, go.Figure) for figure in figures.values())
    assert small.figure("stages") == figures["stages"]
    for name in figures:
        assert f'id="figure-{name}"' in small.report()
    reaction_ps = small.windows["applied_ps"] - small.windows["emitted_ps"]
    ratio = figures["reaction"].data[0].x[-1] / figures["reaction"].data[0].x[0]
    assert ratio == pytest.approx(reaction_ps.max() / reaction_ps.min())  # type: ignore[operator]
    with pytest.raises(rt.RoundtripError, match='"predecoder" is no figure of this run; there are'):
        small.figure("predecoder")


def test_no_file_is_written_unless_asked(
    small: rt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = rt.run(SMALL)
    assert list(tmp_path.iterdir()) == []
    rt.run(SMALL, like=run, out="out")
    run.save("saved")
    for folder in ("out", "saved"):
        found = rt.read(folder)
        assert found.result == small.result
        assert found.windows.equals(small.windows)
        assert found.report() == small.report() == Path(folder, "report.html").read_text()
    assert render_html(run.result, run.tables["windows"], run._backlog()) == run.report()


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(rt.RoundtripError, match="is a file; choose a folder"):
        rt.run(SMALL, out=tmp_path / "file", progress=lambda *_: pytest.fail("has begun"))


def test_a_run_like_another_takes_its_answers(small: rt.Run) -> None:
    other = rt.run(SMALL, {"link.rate": "1 Gbit/s"}, like=small)
    assert other.experiment is not None
    assert small.experiment is not None
    assert other.experiment.answers is small.experiment.answers


def test_two_runs_on_the_same_shots_are_compared(small: rt.Run) -> None:
    slower = rt.run(SMALL, {"decoder.timing": {"kind": "constant", "value": "9 us"}}, like=small)
    found = rt.compare(small, slower)
    arms = [
        Arm(run.result, run.experiment.record, run.experiment.wrong)
        for run in (small, slower)
        if run.experiment is not None
    ]
    assert found == compare_arms(*arms)
    assert found.speedup is not None
    assert found.speedup > 2
    assert "Verdict" not in repr(found)
    assert found.logical is not None
    assert found.logical.errors[0] == found.logical.errors[1]


def test_runs_on_other_shots_or_without_answers_are_not_compared(
    small: rt.Run, tmp_path: Path
) -> None:
    other = rt.run(SMALL, {"run.seed": 6, "code.rounds": 5})
    with pytest.raises(rt.RoundtripError, match=r"differ in code and run\.seed, so"):
        rt.compare(small, other)
    small.save(tmp_path / "run")
    stored = rt.read(tmp_path / "run")
    with pytest.raises(rt.RoundtripError, match="from a folder cannot be compared"):
        rt.compare(small, stored)
    with pytest.raises(rt.RoundtripError, match="from a folder has no answers"):
        rt.run(SMALL, like=stored)


def test_a_run_pickles(small: rt.Run) -> None:
    copy = pickle.loads(pickle.dumps(small))
    assert copy.result == small.result
    assert rt.compare(small, copy).speedup == 1
