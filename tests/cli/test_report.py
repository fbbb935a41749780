import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call


@pytest.fixture
def folder(call: Call, recorded: Path) -> Path:
    assert call("run", recorded)[0] == 0
    return Path("runs/recorded")


def test_a_report_again_is_the_same_to_the_byte(call: Call, folder: Path) -> None:
    page = folder / "report.html"
    first = page.read_bytes()
    page.unlink()
    code, out, err = call("report", folder)
    assert (code, err) == (0, "")
    assert page.read_bytes() == first
    assert out.startswith("✓ Budget met\n")
    assert out.endswith("Report: runs/recorded/report.html\n")


def test_what_is_printed_is_what_the_run_printed(call: Call, recorded: Path) -> None:
    first, again = call("run", recorded), call("report", "runs/recorded")
    assert again == first


def test_a_report_of_a_missed_budget_is_exit_code_1(call: Call, recorded: Path) -> None:
    call("run", recorded, "--set", "budget.reaction=5 us")
    assert call("report", "runs/recorded")[0] == 1


def test_elsewhere(call: Call, folder: Path) -> None:
    page = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    code, out, _ = call("report", folder, "--out", "page.html")
    assert code == 0
    assert out.endswith("Report: page.html\n")
    assert Path("page.html").read_bytes() == page
    assert not (folder / "report.html").exists()


def test_a_folder_that_is_no_run_is_told(call: Call, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = call("report", "empty")
    assert (code, out) == (2, "")
    assert err.startswith('error: "empty" is not the folder of a run, it has no result.json')
    (folder / "backlog.parquet").unlink()
    assert call("report", folder) == (
        2,
        "",
        'error: the run in "runs/recorded" has no backlog.parquet; run it again\n',
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"schema_version": 99}, 'the result in "{}" has schema version 99'),
        ({"schema_version": 1}, 'the result in "{}" has schema version 1, and this program reads'),
        ({}, '"{}" states no schema version'),
        ([], '"{}" states no schema version'),
    ],
)
def test_a_result_of_another_program_is_told(
    call: Call, folder: Path, content: object, told: str
) -> None:
    (folder / "result.json").write_text(json.dumps(content))
    code, _, err = call("report", folder)
    assert code == 2
    assert err.startswith(f"error: {told.format('runs/recorded')}")
    assert err.count("\n") == 1


def test_an_unwritable_file_is_told_and_nothing_is_left(call: Call, folder: Path) -> None:
    before = set(folder.iterdir())
    code, _, err = call("report", folder, "--out", "no/such/page.html")
    assert code == 2
    assert err.startswith('error: cannot write to "no/such/page.html": No such file or directory')
    assert set(folder.iterdir()) == before
