from typing import Any, TypeVar

import numpy as np
import pytest
from pydantic import BaseModel

from emulator.report import tables
from emulator.report.display import DASH
from emulator.results.result import (
    Deadline,
    Disturbed,
    IdleCost,
    Logical,
    MachineFacts,
    Rounds,
    Stage,
    ValueOrigin,
)
from tests.report.fixture import make_result, make_windows

RESULT = make_result(make_windows(200))
Part = TypeVar("Part", bound=BaseModel)


def _origin(
    kind: str, where: str, source: str | None = None, confidence: str | None = None
) -> ValueOrigin:
    return ValueOrigin(kind=kind, where=where, source=source, confidence=confidence)


def test_quantiles_beyond_the_sample_are_not_measured() -> None:
    reaction_ps = np.arange(1, 101, dtype=np.int64) * 1000
    reaction = RESULT.verdict.reaction.model_copy(update={"value_ps": None, "limit_ps": None})
    table = tables.reaction_table(reaction_ps, reaction, 0.9)
    cells = {row[0]: row[1] for row in table.rows}
    assert cells["p50"] == "50.0 ns"
    assert cells["p90"] == "90.0 ns"
    assert cells["p99.9"] == cells["p99.99"] == cells["p99, judged"] == cells["limit"] == DASH
    assert cells["maximum"] == "100 ns"
    assert table.head[2] == "90 % interval"
    assert table.has_dash


@pytest.mark.parametrize(
    ("quantile", "order"),
    [
        (0.3, ["p30, judged", "p50", "p90"]),
        (0.9, ["p50", "p90, judged", "p99"]),
        (0.95, ["p90", "p95, judged", "p99"]),
        (0.99999, ["p99.9", "p99.99", "p99.999, judged"]),
    ],
)
def test_the_judged_quantile_stands_in_its_place(quantile: float, order: list[str]) -> None:
    reaction_ps = np.arange(1, 101, dtype=np.int64) * 1000
    reaction = RESULT.verdict.reaction.model_copy(update={"quantile": quantile})
    names = [row[0] for row in tables.reaction_table(reaction_ps, reaction, 0.9).rows]
    at = names.index(order[0])
    assert names[at : at + 3] == order
    assert len(names) == len(set(names))


def test_sources_come_least_certain_first() -> None:
    table = tables.sources_table(RESULT.sources, RESULT.scenario)
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
    sources = {
        "a.b": _origin("preset", "p", "s", "guessed"),
        "c.0.d": _origin("default", "built-in"),
    }
    table = tables.sources_table(sources, {"c": [{"d": [1, 2]}]})
    assert [row[:3] for row in table.rows] == [
        ("default", "c.0.d", "[1, 2]"),
        ("guessed", "a.b", DASH),
    ]


def test_every_round_is_accounted_for() -> None:
    rounds = Rounds(
        emitted=200, decoded=150, in_flight=30, lost=20, lost_by_cause={"ring_full": 20}
    )
    table = tables.rounds_table(rounds)
    assert table.rows == (
        ("emitted", "200", "100 %"),
        ("decoded", "150", "75.0 %"),
        ("in flight at the end", "30", "15.0 %"),
        ("lost", "20", "10.0 %"),
        ("… ring full", "20", "10.0 %"),
    )


def test_the_backlog_table_names_its_peak() -> None:
    backlog = np.array([[1000, 3], [2000, 9], [3000, 4]], dtype=np.int64)
    throughput = RESULT.verdict.throughput.model_copy(
        update={"backlog_slope_rounds_per_s": 1.5, "ci": (-2.0, 5.0)}
    )
    table = tables.backlog_table(backlog, throughput, 0.95)
    assert ("peak, at 2.00 ns", "9", "") in table.rows
    assert table.rows[-1] == ("slope, rounds per second", "1.50", "-2.00 … 5.00")
    unknown = throughput.model_copy(update={"backlog_slope_rounds_per_s": None, "ci": None})
    empty = tables.backlog_table(np.empty((0, 2), dtype=np.int64), unknown, 0.95)
    assert empty.rows == (("slope, rounds per second", DASH, DASH),)


def _nothing(part: type[Part], **known: Any) -> Part:
    """A part of a result in which nothing was measured."""
    return part.model_validate(dict.fromkeys(part.model_fields) | known)


STAGE = _nothing(Stage, name="decode")
UNSEEN = {"utilisation_by_stage": {"decode": 0.0}, "load_by_stage": {}}
EMPTY_RUN = {"emitted": 0, "decoded": 0, "in_flight": 0, "lost": 0, "lost_by_cause": {}}


@pytest.mark.parametrize(
    "table",
    [
        tables.logical_table(_nothing(Logical), 0.95),
        tables.deadline_table(
            _nothing(Deadline, limit_ps=1_000_000, misses=0, samples=0, lost=0), 0.95
        ),
        tables.idle_table(_nothing(IdleCost, mean_rounds=2.0, max_rounds=3)),
        tables.predecoder_table(
            RESULT.predecoder.model_copy(update={"density_in": None})  # type: ignore[union-attr]
        ),
        tables.rounds_table(Rounds.model_validate(EMPTY_RUN)),
        tables.stage_table([STAGE]),
        tables.machine_table(MachineFacts()),
        tables.utilisation_table(RESULT.verdict.throughput.model_copy(update=UNSEEN), 0.95),
    ],
)
def test_missing_numbers_are_dashes_with_a_reason(table: tables.Table) -> None:
    assert table.has_dash
    assert table.note
    assert all(len(row) == len(table.head) for row in table.rows)


def test_what_failed_the_shots_is_counted() -> None:
    assert tables.failure_causes(RESULT.verdict.logical) == "31 wrong, 6 late, 1 lost"
    alone = RESULT.verdict.logical.model_copy(update={"late": 0, "lost": 0})
    assert tables.failure_causes(alone) == ""
    rows = {row[0]: row[1:] for row in tables.logical_table(RESULT.verdict.logical, 0.95).rows}
    assert rows["shots that failed"] == ("38", "")
    assert rows["logical error rate per shot"] == ("0.00190", "0.00134 … 0.00261")
    assert rows["shots decoded wrong"] == ("31", "")
    assert rows["shots with a lost window"] == ("1", "")


def test_the_load_stands_beside_the_utilisation() -> None:
    rows = {
        row[0]: row[1:] for row in tables.utilisation_table(RESULT.verdict.throughput, 0.9).rows
    }
    assert rows["pre-decode"] == ("47.8 %", "48.2 %", "47.9 % … 48.5 %")
    assert rows["decode"] == ("21.4 %", DASH, DASH)
    assert rows["uplink"] == ("3.10 %", "3.10 %", "")


def test_disturbed_measurements_are_counted_by_stage() -> None:
    found = Disturbed(windows=1000, left_out=20, share=0.02, share_by_stage={"predecode": 0.02})
    assert tables.disturbed_table(found).rows == (
        ("windows", "1,000"),
        ("left out", "20"),
        ("share left out", "2.00 %"),
        ("… pre-decode", "2.00 %"),
    )


def test_the_machine_is_shown_as_it_tells() -> None:
    assert RESULT.machine is not None
    rows = {row[0]: row[1] for row in tables.machine_table(RESULT.machine).rows}
    assert rows["processor"] == "EPYC"
    assert rows["load, last minute"] == "0.12"


def test_stage_rows_carry_timing_and_confidence() -> None:
    rows = {row[0]: row for row in tables.stage_table(RESULT.stages).rows}
    assert rows["dispatch"][-2:] == ("lognormal", "assumed")
    assert rows["matcher queue"][-2:] == ("waiting", "derived")
    assert rows["readout"][1] == "120 ns"


def test_a_delay_of_one_origin_is_one_row_of_the_assumptions() -> None:
    published = _origin("preset", "link/x", "s", "published")
    given = _origin("file", "a.toml:3")
    sources = {
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
