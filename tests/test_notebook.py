"""The notebooks under docs/ run, and are committed without outputs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_no_outputs(path: Path) -> None:
    for cell in code_cells(path):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_first_run_shows_what_its_text_says(tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    done = subprocess.run(
        [sys.executable, ROOT / "tests/wheel/notebook.py", ROOT / "docs/first_run.ipynb", out],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = [output for cell in code_cells(out) for output in cell["outputs"]]
    assert {output["output_type"] for output in shown} == {"execute_result", "display_data"}
    data = [output["data"] for output in shown]
    assert len(data) == len(code_cells(out))
    names, run, _, reaction, stages, rates, compared, timing_only = data
    assert "'demo'" in "".join(names["text/plain"])
    for found in (run, timing_only):
        assert 'class="word met"' in "".join(found["text/html"])
    for figure in (reaction, stages):
        assert figure["application/vnd.plotly.v1+json"]["data"]
    assert "100 Gbit/s" in "".join(rates["text/html"])
    assert "speedup=" in "".join(compared["text/plain"])
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]
