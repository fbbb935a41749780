import numpy as np
import pytest

from emulator.report import tables
from emulator.report.display import DASH
from tests.report.fixture import make_result, make_windows


def test_quantiles_beyond_the_sample_are_not_measured() -> None:
    reaction_ps = np.arange(1, 101, dtype=np.int64) * 1000
    table = tables.reaction_table(reaction_ps, {"quantile": 0.99, "value_ps": None}, 0.9)
    cells = {row[0]: row[1] for row in table.rows}
    assert cells["p50"] == "50.0 ns"
    assert cells["p99"] == "99.0 ns"
    assert cells["p99.9"] == cells["p99.99"] == cells["p99, as judged"] == cells["limit"] == DASH
    assert cells["maximum"] == "100 ns"
    assert table.head[2] == "90 % interval"
    assert table.has_dash


def test_sources_come_least_certain_first() -> None:
    result = make_result(make_windows(200))
    table = tables.sources_table(result["sources"], result["scenario"])
    assert [row[0] for row in table.rows] == [
        "assumed",
        "derived",
        "published",
        "published",
        "measured",
        "given",
        "given",
        "default",
    ]
    assert ("assumed", "host.dispatch", "650 ns", "preset host/server", DASH) in table.rows
    assert ("given", "link.up.rate", "100 Gbit/s", "file surface_d11.toml:12", DASH) in table.rows


def test_a_source_without_a_value_or_of_unknown_confidence_comes_last() -> None:
    sources: dict[str, dict[str, str | None]] = {
        "a.b": {"kind": "preset", "where": "p", "source": "s", "confidence": "guessed"},
        "c.0.d": {"kind": "default", "where": "built-in", "source": None, "confidence": None},
    }
    table = tables.sources_table(sources, {"c": [{"d": [1, 2]}]})
    assert [row[:3] for row in table.rows] == [
        ("default", "c.0.d", "[1, 2]"),
        ("guessed", "a.b", DASH),
    ]


def test_every_round_is_accounted_for() -> None:
    rounds = {"emitted": 200, "decoded": 150, "in_flight": 30, "lost": 20}
    table = tables.rounds_table({**rounds, "lost_by_cause": {"ring_full": 20}})
    assert table.rows == (
        ("emitted", "200", "100 %"),
        ("decoded", "150", "75.0 %"),
        ("in flight at the end", "30", "15.0 %"),
        ("lost", "20", "10.0 %"),
        ("… ring full", "20", "10.0 %"),
    )


def test_the_backlog_table_names_its_peak() -> None:
    backlog = np.array([[1000, 3], [2000, 9], [3000, 4]], dtype=np.int64)
    table = tables.backlog_table(
        backlog, {"backlog_slope_rounds_per_s": 1.5, "ci": [-2.0, 5.0]}, 0.95
    )
    assert ("peak, at 2.00 ns", "9", "") in table.rows
    assert table.rows[-1] == ("slope, rounds per second", "1.50", "-2.00 … 5.00")
    empty = tables.backlog_table(np.empty((0, 2), dtype=np.int64), {})
    assert empty.rows == (("slope, rounds per second", DASH, DASH),)


@pytest.mark.parametrize(
    "table",
    [
        tables.logical_table({}),
        tables.deadline_table({}),
        tables.idle_table({}),
        tables.predecoder_table({}),
        tables.rounds_table({}),
        tables.run_table({}),
        tables.stage_table([{"name": "decode"}]),
        tables.utilisation_table({"utilisation_by_stage": {"decode": None}}),
    ],
)
def test_missing_numbers_are_dashes_with_a_reason(table: tables.Table) -> None:
    assert table.has_dash
    assert table.note
    assert all(len(row) == len(table.head) for row in table.rows)
    assert not any(cell == "0" for row in table.rows for cell in row)


def test_stage_rows_carry_timing_and_confidence() -> None:
    result = make_result(make_windows(200))
    rows = {row[0]: row for row in tables.stage_table(result["stages"]).rows}
    assert rows["dispatch"][-2:] == ("lognormal", "assumed")
    assert rows["matcher queue"][-2:] == ("waiting", "derived")
    assert rows["readout"][1] == "120 ns"


def test_a_delay_of_one_origin_is_one_row_of_the_assumptions() -> None:
    published: dict[str, str | None] = {
        "kind": "preset",
        "where": "link/x",
        "source": "s",
        "confidence": "published",
    }
    given: dict[str, str | None] = {
        "kind": "file",
        "where": "a.toml:3",
        "source": None,
        "confidence": None,
    }
    sources: dict[str, dict[str, str | None]] = {
        "link.up.latency.kind": published,
        "link.up.latency.mean": published,
        "link.up.latency.sd": given,
        "predecoder.kind": given,
        "predecoder.streams": given,
    }
    scenario = {
        "link": {"up": {"latency": {"kind": "normal", "mean": "2 us", "sd": "1 ns"}}},
        "predecoder": {"kind": "onnx", "streams": 4},
    }
    rows = tables.sources_table(sources, scenario).rows
    assert [row[1:3] for row in rows] == [
        ("link.up.latency", "normal: mean 2 us"),
        ("link.up.latency.sd", "1 ns"),
        ("predecoder.kind", "onnx"),
        ("predecoder.streams", "4"),
    ]
