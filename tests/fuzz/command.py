"""One call of ``roundtrip run`` in this process, with the files that scenarios may name."""

import contextlib
import io
import json
import shutil
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stim

from emulator.cli import main
from tests.cli.examples import SHOTS, write_recorded
from tests.fuzz.scenarios import Case, toml_text

__all__ = ["CPU_LIMIT_S", "Ended", "prepare_folder", "run_case"]

CPU_LIMIT_S = 20.0
"""Processor time, not wall-clock time: other work on the machine does not count."""

MODEL = Path(__file__).parents[2] / "models/pair_rule_d5_T6_Z.onnx"


@dataclass(frozen=True)
class Ended:
    """How a call ended: exit code, what it printed, its folder, and any exception that got out."""

    code: int | None
    out: str
    err: str
    folder: Path
    crash: str | None = None
    cpu_s: float = 0.0

    def result(self) -> dict[str, Any] | None:
        """The content of ``result.json``, None where none was written."""
        path = self.folder / "result.json"
        return json.loads(path.read_text()) if path.exists() else None


class OutOfTimeError(BaseException):
    """The processor time is spent; no handler of ordinary errors may catch it."""


def prepare_folder(folder: Path) -> None:
    """Write every file that a drawn scenario may name."""
    write_recorded(folder)
    shots = SHOTS * 40
    (folder / "bare.b8").write_bytes(bytes(int(shot[2::-1], 2) for shot in shots))
    (folder / "truth.01").write_text("".join(f"{shot[3]}\n" for shot in shots))
    circuit = stim.Circuit.generated(
        "repetition_code:memory", distance=3, rounds=3, after_clifford_depolarization=0.01
    )
    circuit.to_file(folder / "circuit.stim")
    (folder / "times.csv").write_text("delta_ns\n500\n700\n10000\n0\n")
    profile: dict[str, Any] = {"schema_version": 1, "machine": {}, "versions": {}}
    profile["stages"] = {"decode": [10**6, 2 * 10**6, 0], "predecode": [5 * 10**5]}
    (folder / "profile.json").write_text(json.dumps(profile))
    (folder / "model.onnx").symlink_to(MODEL)


def run_case(case: Case, folder: Path, out: str = "out", *more: str) -> Ended:
    """Run a case in ``folder``, which `prepare_folder` filled; its results go to ``out`` there."""
    place = folder / out
    shutil.rmtree(place, ignore_errors=True)
    (folder / "case.toml").write_text(toml_text(case.tables), encoding="utf-8")
    arguments = ["run", str(folder / "case.toml"), "--out", str(place)]
    arguments += [] if case.report else ["--no-report"]
    for text in (*case.overrides, *more):
        arguments += ["--set", text]
    printed, errors = io.StringIO(), io.StringIO()
    code, crash = None, None
    began = time.process_time()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        try:
            with _cpu_limit(CPU_LIMIT_S):
                code = main(arguments)
        except OutOfTimeError:
            crash = f"not finished after {CPU_LIMIT_S} s of processor time"
        except (Exception, SystemExit):
            crash = traceback.format_exc(limit=-8)  # not the way through Typer
    spent = time.process_time() - began
    return Ended(code, printed.getvalue(), errors.getvalue(), place, crash, spent)


@contextlib.contextmanager
def _cpu_limit(seconds: float) -> Iterator[None]:
    def stop(signum: int, frame: object) -> None:  # noqa: ARG001
        raise OutOfTimeError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
