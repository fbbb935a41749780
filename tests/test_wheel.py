"""What the wheel has in it, and that it runs without the repository beside it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from emulator import resources

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this folder, unpacked as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    subprocess.run([*command, str(folder)], cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_everything_that_comes_along_is_in_the_wheel(unpacked: Path) -> None:
    along = unpacked / "emulator" / "shipped"
    for pattern in ("scenarios/*.toml", "models/*.onnx", "hdl/rtl/*"):
        named = {path.relative_to(ROOT) for path in ROOT.glob(pattern)}
        assert len(named) > 5
        assert {path.relative_to(along) for path in along.glob(pattern)} == named
    code = {path.relative_to(ROOT) for path in (ROOT / "emulator").rglob("*")}
    data = [path for path in code if path.suffix in {".toml", ".j2", ".css", ".js", ".cpp"}]
    assert len(data) > 70
    assert all((unpacked / path).is_file() for path in (*data, Path("emulator/py.typed")))
    package, info = sorted(path.name for path in unpacked.iterdir())
    assert (package, info.endswith(".dist-info")) == ("emulator", True)


def test_it_runs_a_scenario_by_name_elsewhere(unpacked: Path, tmp_path: Path) -> None:
    program = (
        "import emulator as rt; from emulator.rtl.verilator import RTL;"
        "run = rt.run('demo', {'run.shots': 3});"
        "print(rt.__file__, RTL, run.result.scenario['predecoder']['model'], sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all(Path(line).resolve().is_relative_to(unpacked.resolve()) for line in lines)
    assert resources.ROOT == ROOT
