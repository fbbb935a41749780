import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.report import figures
from tests.report.fixture import LIMIT_PS, make_backlog, make_result, make_windows


def _all_figures() -> dict[str, figures.Figure | None]:
    windows = make_windows(300)
    result = make_result(windows)
    verdict: dict[str, Any] = result["verdict"]
    reaction_ps = windows["applied_ps"] - windows["emitted_ps"]
    return {
        "latency": figures.latency_ccdf(reaction_ps, verdict["reaction"]),
        "stages": figures.stage_waterfall(result["stages"]),
        "backlog": figures.backlog_over_time(make_backlog(windows)),
        "utilisation": figures.utilisation(verdict["throughput"]["utilisation_by_stage"]),
        "logical": figures.logical_error(verdict["logical"]),
        "thinning": figures.thinning(result["predecoder"]),
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


def test_the_latency_figure_marks_limit_and_asked_quantile() -> None:
    reaction = {
        "quantile": 0.99,
        "value_ps": 30_000_000,
        "ci_ps": [28_000_000, 33_000_000],
        "limit_ps": LIMIT_PS,
    }
    figure = figures.latency_ccdf(np.arange(1, 101, dtype=np.int64) * 10**6, reaction)
    assert figure is not None
    mark = figure["data"][1]
    assert (mark["x"], mark["y"]) == ([30.0], [0.01])
    assert mark["error_x"]["array"] == [3.0]
    assert mark["error_x"]["arrayminus"] == [2.0]
    assert figure["layout"]["shapes"][0]["x0"] == 40.0
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"


def test_a_quantile_without_value_or_interval_is_not_drawn() -> None:
    times = np.arange(1, 11, dtype=np.int64) * 10**6
    figure = figures.latency_ccdf(times, {"quantile": 0.99, "value_ps": None})
    assert figure is not None
    assert len(figure["data"]) == 1
    assert "shapes" not in figure["layout"]
    bare = {"quantile": 0.9, "value_ps": 9_000_000, "ci_ps": None}
    figure = figures.latency_ccdf(times, bare)
    assert figure is not None
    assert "error_x" not in figure["data"][1]


def test_waterfall_bars_start_where_the_mean_before_ends() -> None:
    stages = [
        {"name": "readout", "mean_ps": 2_000_000, "p99_ps": 3_000_000},
        {"name": "uplink", "mean_ps": 5_000_000, "p99_ps": None},
        {"name": "decode", "mean_ps": 1_000_000, "p99_ps": 1_000_000},
    ]
    figure = figures.stage_waterfall(stages)
    assert figure is not None
    p99, mean = figure["data"]
    assert mean["base"] == p99["base"] == [0.0, 2.0, 7.0]
    assert mean["x"] == [2.0, 5.0, 1.0]
    assert p99["x"] == [3.0, None, 1.0]


def test_logical_errors_without_an_interval_have_no_bar() -> None:
    figure = figures.logical_error({"rate": 0.01, "ci": [0.008, 0.013], "rate_with_deadline": 0.02})
    assert figure is not None
    trace = figure["data"][0]
    assert trace["x"] == [0.01, 0.02]
    assert trace["error_x"]["array"] == pytest.approx([0.003, 0])
    assert trace["error_x"]["arrayminus"] == pytest.approx([0.002, 0])


def test_what_was_not_measured_is_not_drawn() -> None:
    none = np.empty(0, dtype=np.int64)
    assert figures.latency_ccdf(none, {}) is None
    assert figures.stage_waterfall([{"name": "readout", "mean_ps": None}]) is None
    assert figures.backlog_over_time(none.reshape(0, 2)) is None
    assert figures.utilisation({"decode": None}) is None
    assert figures.logical_error({"rate": None}) is None
    assert figures.thinning({"density_in": 0.1, "density_out": None}) is None


def test_utilisation_beyond_one_stays_on_the_axis() -> None:
    figure = figures.utilisation({"decode": 1.6, "uplink": 0.1})
    assert figure is not None
    assert figure["layout"]["xaxis"]["range"][1] > 160
    assert figure["layout"]["shapes"][0]["x0"] == 100
