"""Installs the wheel in an empty environment outside of the repository and uses it there.

python -m tests.wheel [--python PYTHON]; make test-wheel does it. Prints a line for each step that
holds, and ends with the output of the first that does not.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "first_run.ipynb"
VERDICTS = (0, 1, 4)

LOOK = """\
from pathlib import Path
import emulator
from emulator.rtl.verilator import RTL, WAIVERS
from emulator.scenario import json_schema
environment = Path({environment!r}).resolve()
for file in (emulator.__file__, WAIVERS, RTL / "packetiser_top.v"):
    assert Path(file).resolve().is_relative_to(environment), file
assert Path(file).is_file()
assert json_schema()
"""

EVERY = """\
import emulator as rt
for name in rt.scenario_names():
    rt.run(name, {"run.shots": 20})
assert len(rt.scenario_names()) > 5
"""


def run(
    command: Sequence[object], folder: Path, codes: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run a command in ``folder``, which knows nothing of this one; ends with its output."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**env, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in codes:
        words = " ".join(map(str, command))
        sys.exit(f"{words}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def build(python: Path, folder: Path) -> Path:
    """Wheel of this folder, equal to the one of its source distribution."""
    wheels = []
    source = folder / "source"
    run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", source], ROOT)
    for name, place in (("checkout", ROOT), ("sdist", next(source.glob("*.tar.gz")))):
        out = folder / name
        run([python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", out, place], folder)
        wheels += sorted(out.glob("*.whl"))
    contents = [sorted(zipfile.ZipFile(wheel).namelist()) for wheel in wheels]
    if len(wheels) != 2 or contents[0] != contents[1]:
        sys.exit(f"the wheels of checkout and source distribution differ: {wheels}")
    return wheels[0]


def example() -> str:
    """The first Python block of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def main(python: str) -> None:
    """Do every step with the interpreter ``python``."""
    with tempfile.TemporaryDirectory(prefix="roundtrip-wheel-") as name:
        folder = Path(name)
        away = folder / "away"
        away.mkdir()
        run([python, "-m", "venv", folder / "env"], folder)
        own = folder / "env" / "bin" / "python"
        roundtrip = own.with_name("roundtrip")
        install = [own, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
        wheel = build(own, folder)
        print(f"{wheel.name}: the same from the source distribution")
        run([*install, wheel], folder)
        print(run([own, "--version"], away).stdout.strip(), "has the wheel installed")

        run([own, "-c", LOOK.format(environment=str(folder / "env"))], away)
        run([roundtrip, "run", "demo", "--set", "run.shots=300"], away, VERDICTS)
        assert (away / "runs" / "demo" / "report.html").is_file()
        run([roundtrip, "init", "first"], away)
        run([roundtrip, "run", "first.toml", "--set", "run.shots=300"], away, VERDICTS)
        for words in (["presets"], ["schema"], ["env"], ["trace", "pcapng", "runs/demo"]):
            run([roundtrip, *words], away)
        run([roundtrip, "trace", "perfetto", "runs/demo"], away, (3,))
        print("the command line runs demo by its name, and a scenario of its own")
        run([own, "-c", EVERY], away)
        print("every scenario that comes along runs")
        run([own, "-c", example()], away)
        print("the example of the README runs")
        run([*install, "ipykernel", "nbclient"], folder)
        run([own, Path(__file__).with_name("notebook.py"), NOTEBOOK, away / "out.ipynb"], away)
        print("the notebook runs")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    main(parser.parse_args().python)
