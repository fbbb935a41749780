"""An overload is never a budget met, and what cannot be told says what would tell it."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.fuzz.command import Ended, prepare_folder, run_case
from tests.fuzz.consistency import EXIT_OF, problems
from tests.fuzz.scenarios import Case
from tests.overload.loads import KINDS, LineBits, Table, base, with_load

MET, MISSED, UNDECIDED = (EXIT_OF[name] for name in ("met", "missed", "undecided"))

LOADS = (2, 10, 1000)
ONE_SHOT = {"chain of windows"}
"""Kinds of one shot, whose circuit takes long to make when the shot is long."""

NOT_ONE_SERVER = {"chain of windows", "packetiser intake"}
"""Kinds that no utilisation shows: many servers share the work, or rounds wait at their input."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("overload")
    prepare_folder(place)
    return place


@pytest.fixture(scope="module")
def bits(folder: Path) -> LineBits:
    """Sizes on the line, from the time that a line of one bit per ns takes."""
    tables = base(1)
    for way in ("up", "down"):
        tables["link"][way]["rate"] = "1 Gbit/s"
    ended = run_case(Case(tables), folder)
    row = pl.read_parquet(ended.folder / "windows.parquet").row(0, named=True)
    up, down = row["delivered_ps"] - row["framed_ps"], row["returned_ps"] - row["decode_end_ps"]
    assert up % 1000 == down % 1000 == 0
    return up // 1000, down // 1000


def ended(tables: Table, folder: Path) -> Ended:
    """Run a scenario, which must leave a consistent result whatever its outcome."""
    found = run_case(Case(tables), folder)
    assert problems(found) == []
    return found


def found_in(found: Ended, *keys: str) -> Any:
    """A part of the verdict."""
    part: Any = (found.result() or {})["verdict"]
    for key in keys:
        part = part[key]
    return part


def decides(found: Ended) -> str:
    return str(found_in(found, "decide"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_overload_meets_its_budget(kind: str, folder: Path, bits: LineBits) -> None:
    for count in (10, 100, 1000, *(() if kind in ONE_SHOT else (10**4,))):
        for load in LOADS if count < 10**4 else LOADS[:1]:
            found = ended(with_load(kind, load, count, bits), folder)
            assert found.code in {MISSED, UNDECIDED}, f"{load} times, {count} windows"
            if count >= 1000:
                assert found.code == MISSED, f"{load} times, {count} windows"
            elif found.code == UNDECIDED:
                assert re.search(r"\d[\d,]* more shots", decides(found)), decides(found)


@pytest.mark.parametrize("kind", KINDS)
def test_nor_one_that_is_cut_off(kind: str, folder: Path, bits: LineBits) -> None:
    for load in LOADS:
        tables = with_load(kind, load, 100, bits)
        tables["run"]["drain"] = False
        assert ended(tables, folder).code in {MISSED, UNDECIDED}, f"{load} times"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nor_a_long_one(kind: str, folder: Path, bits: LineBits) -> None:
    count = 3000 if kind in ONE_SHOT else 10**5
    for load in (1.1, *LOADS):
        assert ended(with_load(kind, load, count, bits), folder).code == MISSED, f"{load} times"


@pytest.mark.parametrize("kind", KINDS)
def test_half_the_load_meets_its_budget(kind: str, folder: Path, bits: LineBits) -> None:
    found = ended(with_load(kind, 0.5, 1000, bits), folder)
    assert found.code == MET
    if kind not in NOT_ONE_SERVER:
        shares: dict[str, float] = found_in(found, "throughput", "utilisation_by_stage")
        assert max(shares.values()) == pytest.approx(0.5, abs=0.05)


def test_a_quantile_beyond_the_windows_needs_more_of_them(folder: Path) -> None:
    tables = base(30)
    tables["budget"] |= {"reaction": "1 ms", "quantile": 0.99}
    found = ended(tables, folder)
    assert found.code == UNDECIDED
    shots = re.search(r"(\d[\d,]*) more shots", decides(found))
    assert shots is not None
    more = int(shots[1].replace(",", ""))
    assert 70 <= more <= 10_000
    # and that is true
    tables["run"]["shots"] = 30 + more
    assert ended(tables, folder).code == MET


def test_random_times_near_the_limit_need_more_shots(folder: Path, bits: LineBits) -> None:
    found = ended(with_load("decoder of random times", 0.97, 40, bits), folder)
    assert found.code == UNDECIDED
    assert re.search(r"\d[\d,]* more shots", decides(found))


def test_no_error_in_few_shots_is_not_yet_a_rate(folder: Path) -> None:
    tables = base(30)
    tables["decoder"]["algorithm"] = "pymatching"
    tables["noise"]["p"] = 1e-6
    tables["budget"]["logical_error_rate"] = 1e-3
    found = ended(tables, folder)
    assert found.code == UNDECIDED
    assert re.search(r"\d[\d,]* more shots", decides(found))


def test_a_decoder_33_times_too_slow_behind_a_ring_that_drops(folder: Path) -> None:
    tables = base(1000)
    tables["code"]["rounds"] = 3
    tables["host"] = {"release": "dispatch"}
    tables["decoder"]["timing"] = {"kind": "constant", "value": "100 us"}
    assert ended(tables, folder).code == MISSED


def test_an_overload_of_35_shots(folder: Path) -> None:
    tables = base(35)
    tables["code"] |= {"rounds": 13}
    tables["host"] = {"release": "dispatch"}
    tables["decoder"]["timing"] = {"kind": "constant", "value": "33.4 us"}
    assert ended(tables, folder).code in {MISSED, UNDECIDED}
