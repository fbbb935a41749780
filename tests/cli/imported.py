"""What a command imports, found in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["DRAWING", "MATCHERS", "imported"]

MATCHERS = frozenset(
    {"pymatching", "matplotlib", "networkx", "sinter", "onnxruntime", "chromobius"}
)
"""Packages that decoding imports; PyMatching brings Matplotlib and NetworkX."""
DRAWING = frozenset({"plotly", "jinja2", "perfetto"})
"""Packages that a report or a timeline imports."""

_PROGRAM = """
import sys
from emulator.cli import main
code = main(sys.argv[1:])
names = {name.partition(".")[0] for name in sys.modules} | set(sys.modules)
print(code, *sorted(names), file=sys.stderr)
"""


def imported(*arguments: object, folder: Path) -> frozenset[str]:
    """Modules that ``roundtrip ARGUMENTS``, started in ``folder``, has imported when it ends.

    The command must end with a verdict or none: code 0, 1 or 4.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *(str(argument) for argument in arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    code, *names = done.stderr.splitlines()[-1].split()
    assert code in {"0", "1", "4"}, done.stderr
    return frozenset(names)
