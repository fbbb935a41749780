import json

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.report import figures
from emulator.results.result import Reaction, Stage, StageLoad
from emulator.results.stages import reaction_times
from tests.report.fixture import LIMIT_PS, make_backlog, make_result, make_windows

RESULT = make_result(make_windows(300))
VERDICT = RESULT.verdict


def _all_figures() -> dict[str, figures.Figure | None]:
    windows = make_windows(300)
    assert RESULT.predecoder is not None
    return {
        "latency": figures.latency_ccdf(reaction_times(windows), VERDICT.reaction),
        "stages": figures.stage_waterfall(RESULT.stages),
        "backlog": figures.backlog_over_time(make_backlog(windows)),
        "utilisation": figures.utilisation(VERDICT.throughput),
        "logical": figures.logical_error(VERDICT.logical),
        "thinning": figures.thinning(RESULT.predecoder),
    }


@pytest.mark.parametrize("name", list(_all_figures()))
def test_plotly_accepts_every_figure_and_json_holds_it(name: str) -> None:
    figure = _all_figures()[name]
    assert figure is not None
    go.Figure(figure)  # raises for properties that Plotly does not know
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure


def test_ccdf_by_hand() -> None:
    x, share = figures.ccdf(np.array([5, 1, 3, 3], dtype=np.int64))
    assert x.tolist() == [1, 3, 5]
    assert share.tolist() == [1.0, 0.75, 0.25]


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=300), st.integers(4, 40))
def test_a_thinned_ccdf_keeps_the_tail_and_invents_nothing(values: list[int], most: int) -> None:
    sample = np.array(values, dtype=np.int64)
    x, share = figures.ccdf(sample, max_points=most)
    distinct = sorted(set(values))
    assert len(x) <= most
    assert x.tolist()[-(most // 2) :] == distinct[-(most // 2) :]
    assert x[0] == distinct[0]
    assert share.tolist() == [np.count_nonzero(sample >= at) / len(sample) for at in x]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=400), st.integers(2, 30))
def test_a_thinned_backlog_keeps_its_extremes(rounds: list[int], most: int) -> None:
    backlog = np.stack([np.arange(len(rounds)), np.array(rounds)], axis=1).astype(np.int64)
    thin = figures.thin_backlog(backlog, max_points=most)
    assert len(thin) <= max(most, 1)
    assert {tuple(row) for row in thin.tolist()} <= {tuple(row) for row in backlog.tolist()}
    assert thin[:, 1].max() == max(rounds)
    assert thin[:, 1].min() == min(rounds)
    assert (np.diff(thin[:, 0]) > 0).all()


def _reaction(
    value_ps: int | None, ci_ps: tuple[int, int] | None, limit_ps: int | None
) -> Reaction:
    update = {"value_ps": value_ps, "ci_ps": ci_ps, "limit_ps": limit_ps}
    return VERDICT.reaction.model_copy(update=update)


def test_the_latency_figure_marks_limit_and_asked_quantile() -> None:
    reaction = _reaction(30_000_000, (28_000_000, 33_000_000), LIMIT_PS)
    figure = figures.latency_ccdf(np.arange(1, 101, dtype=np.int64) * 10**6, reaction)
    assert figure is not None
    mark = figure["data"][1]
    assert (mark["x"], mark["y"]) == ([30.0], [0.01])
    assert mark["name"] == "p99 with its interval"
    assert mark["error_x"]["array"] == [3.0]
    assert mark["error_x"]["arrayminus"] == [2.0]
    assert figure["layout"]["shapes"][0]["x0"] == 40.0
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"


def test_a_quantile_without_value_or_interval_is_not_drawn() -> None:
    times = np.arange(1, 11, dtype=np.int64) * 10**6
    figure = figures.latency_ccdf(times, _reaction(None, None, None))
    assert figure is not None
    assert len(figure["data"]) == 1
    assert "shapes" not in figure["layout"]
    figure = figures.latency_ccdf(times, _reaction(9_000_000, None, None))
    assert figure is not None
    assert "error_x" not in figure["data"][1]
    assert figure["data"][1]["name"] == "p99"


def _stage(name: str, mean_ps: int | None, p99_ps: int | None = None) -> Stage:
    unknown = dict.fromkeys(Stage.model_fields)
    return Stage.model_validate(unknown | {"name": name, "mean_ps": mean_ps, "p99_ps": p99_ps})


def test_waterfall_bars_start_where_the_mean_before_ends() -> None:
    stages = [
        _stage("readout", 2_000_000, 3_000_000),
        _stage("uplink", 5_000_000),
        _stage("decode", 1_000_000, 1_000_000),
    ]
    figure = figures.stage_waterfall(stages)
    assert figure is not None
    p99, mean = figure["data"]
    assert mean["base"] == p99["base"] == [0.0, 2.0, 7.0]
    assert mean["x"] == [2.0, 5.0, 1.0]
    assert p99["x"] == [3.0, None, 1.0]


def test_failed_shots_stand_beside_the_errors_of_the_decoder() -> None:
    known = {"rate": 0.02, "ci": None, "decoder_rate": 0.01, "decoder_ci": (0.008, 0.013)}
    figure = figures.logical_error(VERDICT.logical.model_copy(update={**known, "limit": 0.03}))
    assert figure is not None
    trace = figure["data"][0]
    assert trace["x"] == [0.02, 0.01]
    assert trace["error_x"]["array"] == pytest.approx([0, 0.003])
    assert trace["error_x"]["arrayminus"] == pytest.approx([0, 0.002])
    assert figure["layout"]["shapes"][0]["x0"] == 0.03


def test_what_was_not_measured_is_not_drawn() -> None:
    none = np.empty(0, dtype=np.int64)
    assert figures.latency_ccdf(none, VERDICT.reaction) is None
    assert figures.stage_waterfall([_stage("readout", None)]) is None
    assert figures.backlog_over_time(none.reshape(0, 2)) is None
    unseen = VERDICT.throughput.model_copy(update={"utilisation_by_stage": {}})
    assert figures.utilisation(unseen) is None
    assert figures.logical_error(VERDICT.logical.model_copy(update={"rate": None})) is None
    assert RESULT.predecoder is not None
    assert figures.thinning(RESULT.predecoder.model_copy(update={"density_out": None})) is None


def test_a_load_beyond_one_stays_on_the_axis() -> None:
    update = {
        "utilisation_by_stage": {"decode": 1.0, "uplink": 0.1, "ring": 0.2},
        "load_by_stage": {
            "decode": StageLoad(value=33.3, ci=None),
            "uplink": StageLoad(value=None, ci=None),
        },
    }
    figure = figures.utilisation(VERDICT.throughput.model_copy(update=update))
    assert figure is not None
    assert figure["layout"]["xaxis"]["range"][1] > 3330
    assert figure["layout"]["shapes"][0]["x0"] == 100
    load, busy = figure["data"]
    assert (load["x"], busy["x"]) == ([3330.0, None, None], [100.0, 10.0, 20.0])
