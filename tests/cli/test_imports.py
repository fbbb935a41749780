"""Imports stay cheap: which packages a command does without."""

from pathlib import Path

import pytest

from tests.cli.imported import DRAWING, MATCHERS, imported

NUMERIC = {"numpy", "scipy", "polars", "stim", "simpy"}


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    found = imported("--help", folder=tmp_path)
    assert not found & {*MATCHERS, *DRAWING, *NUMERIC, "rich"}


@pytest.mark.parametrize("verb", ["schema", "presets", "env"])
def test_a_verb_that_only_tells_something_imports_nothing_numeric(
    verb: str, tmp_path: Path
) -> None:
    found = imported(verb, folder=tmp_path)
    assert "emulator.cli.ending" in found
    assert not found & {*MATCHERS, *DRAWING, *NUMERIC}


def test_a_run_without_a_report_imports_nothing_to_draw_it(recorded: Path, tmp_path: Path) -> None:
    found = imported("run", recorded, "--no-report", folder=tmp_path)
    assert found >= {"pymatching", "polars"}
    assert not found & {*DRAWING, "scipy.stats"}


def test_a_short_run_that_decodes_nothing_imports_neither_matcher_nor_scipy(
    sampled: Path, tmp_path: Path
) -> None:
    nothing = ("--set", "decoder.algorithm=none")
    found = imported("run", sampled, "--no-report", *nothing, folder=tmp_path)
    assert not found & {*DRAWING, *MATCHERS, "scipy"}
