"""The tools behind the hardware: running a cocotb bench with Verilator, finding other programs."""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree as ET

from emulator.build_cache import build_once
from emulator.errors import MissingToolError
from emulator.rtl.verilator import RTL, WAIVERS, compile_model
from emulator.rtl.verilator import environment as verilator_environment

__all__ = ["ROOT", "RTL", "WAIVERS", "environment", "program", "run_bench"]

ROOT = Path(__file__).resolve().parent.parent

# Benches are short, so the time to compile counts more than the code; one C++ file for all of a
# model takes a third of the time of many with a precompiled header.
_OPTIMISATION = "OPT_FAST=-O1 VM_PARALLEL_BUILDS=0"
_BUILD_ARGS = (
    *("--cc", "--exe", "--vpi", "--prefix", "Vtop", "--timescale", "1ns/1ps"),
    *("-Wall", "--language", "1364-2005", "--x-initial", "unique", "--x-assign", "unique"),
)
# A bench drives and reads signals of its top alone, and what is public cannot be optimised away.
_PUBLIC = """`verilator_config
public_flat_rw -module "{top}" -var "*"
"""
_LOG_LINES = 40
_MODEL = "model"


def environment() -> dict[str, str]:
    """Environment variables with which Verilator and a bench run, over those of this process.

    Raises MissingToolError that names what is missing and how to install it.
    """
    variables = verilator_environment("the benches")
    if importlib.util.find_spec("cocotb_tools") is None:
        raise MissingToolError(
            "Python package cocotb is not installed; the benches need it: "
            "pip install 'roundtrip-emulator[hdl]'."
        )
    variables["MAKEFLAGS"] += f" {_OPTIMISATION}"
    return variables


def program(name: str, package: str) -> str:
    """Path of a program that a Python package brings; MissingToolError without it."""
    places = sysconfig.get_path("scripts") + os.pathsep + os.environ.get("PATH", os.defpath)
    path = shutil.which(name, path=places)
    if path is None:
        raise MissingToolError(f"{name} is not installed: pip install {package}.")
    return path


def run_bench(
    top: str,
    sources: Sequence[str],
    module: str,
    parameters: Mapping[str, int],
    *,
    build_dir: Path,
    testcase: str | None = None,
    extra_env: Mapping[str, str] | None = None,
    waves: Path | None = None,
) -> int:
    """Build ``top`` and run the cocotb tests of ``module`` on it; return how many passed.

    ``sources`` are names in hdl/rtl or absolute paths, ``module`` is importable (hdl.tb.tb_...).
    Warnings of Verilator are errors, but for those in waivers.vlt. The simulator is built once
    per content of sources and parameters under ``build_dir``. All signals are written to the VCD
    file ``waves``, if given. Raises AssertionError, with the end of the log, if the build fails,
    if no test ran, or if one failed.
    """
    paths = [RTL / source for source in sources]
    with _environment(environment()):
        built = _build(top, paths, parameters, build_dir.resolve(), waves=waves is not None)
        return _test(top, module, built, testcase, extra_env or {}, waves=waves)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Lend the runner an environment and an absolute import path: it hands both on."""
    old_variables, old_path = dict(os.environ), sys.path[:]
    os.environ.update(variables)
    # the simulator runs in another folder, where relative entries would point elsewhere
    sys.path[:] = [str(ROOT), *(str(Path(entry).resolve()) for entry in old_path)]
    try:
        yield
    finally:
        sys.path[:] = old_path
        os.environ.clear()
        os.environ.update(old_variables)


def _build(
    top: str,
    paths: Sequence[Path],
    parameters: Mapping[str, int],
    build_dir: Path,
    *,
    waves: bool,
) -> Path:
    """Folder with the simulator, built as cocotb's own runner does but for what is public."""
    from cocotb_tools import config  # noqa: PLC0415  (optional extra)

    entry = build_dir / f"{top}-{_digest(top, paths, parameters, waves=waves)}"

    def build(draft: Path) -> None:
        folder = draft / _MODEL
        folder.mkdir()
        public = folder / "public.vlt"
        public.write_text(_PUBLIC.format(top=top))
        options = [
            *(*_BUILD_ARGS, "--top-module", top, "-o", top, f"-I{RTL}"),
            *(["--trace"] if waves else []),
            *(f"-G{name}={value}" for name, value in parameters.items()),
            *("-LDFLAGS", f"-Wl,-rpath,{config.libs_dir} -L{config.libs_dir}"),
            *("-LDFLAGS", "-lcocotbvpi_verilator"),
            str(config.share_dir / "lib" / "verilator" / "verilator.cpp"),
            *map(str, (WAIVERS, public, *paths)),
        ]
        done = compile_model(options, folder, os.environ)
        if done.returncode != 0:
            raise AssertionError(f"{top} does not build:\n{_tail(done.stdout + done.stderr)}")

    return build_once(entry, _MODEL, build)


def _digest(top: str, paths: Sequence[Path], parameters: Mapping[str, int], *, waves: bool) -> str:
    digest = hashlib.sha256()
    for path in [WAIVERS, *sorted(RTL.glob("*.vh")), *paths]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    tools = (_BUILD_ARGS, _PUBLIC, waves, os.environ["MAKEFLAGS"], os.environ["VERILATOR_ROOT"])
    settings = (top, sorted(parameters.items()), *tools)
    digest.update(repr(settings).encode())
    return digest.hexdigest()[:16]


def _test(
    top: str,
    module: str,
    built: Path,
    testcase: str | None,
    extra_env: Mapping[str, str],
    *,
    waves: Path | None,
) -> int:
    from cocotb_tools.runner import get_runner  # noqa: PLC0415  (optional extra)

    run = hashlib.sha256(repr((module, testcase, sorted(extra_env.items()))).encode()).hexdigest()
    test_dir = built / f"{module.rpartition('.')[2]}-{run[:8]}-{os.getpid()}"
    test_dir.mkdir(exist_ok=True)
    results, log = test_dir / "results.xml", test_dir / "test.log"
    try:
        with suppress(SystemExit):  # raised under pytest alone, and said better below
            get_runner("verilator").test(
                test_module=module,
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                testcase=testcase,
                extra_env=extra_env,
                build_dir=built,
                test_dir=test_dir,
                results_xml=str(results),
                waves=waves is not None,
                test_args=["--trace-file", str(waves.resolve())] if waves else [],
                log_file=log,
            )
        passed, failed = _outcome(results)
    except (OSError, RuntimeError, ET.ParseError) as error:
        raise AssertionError(f"{module} failed on {top}:\n{_end(log)}") from error
    if failed:
        raise AssertionError(f"{failed} tests of {module} failed on {top}:\n{_end(log)}")
    if passed == 0:
        raise AssertionError(
            f"{module} has no test {f'{testcase} ' if testcase else ''}to run on {top}."
        )
    shutil.rmtree(test_dir)
    return passed


def _outcome(results: Path) -> tuple[int, int]:
    """Tests passed and failed in a report of cocotb; those skipped are neither."""
    cases = list(ET.parse(results).getroot().iter("testcase"))
    failed = sum(
        case.find("failure") is not None or case.find("error") is not None for case in cases
    )
    skipped = sum(case.find("skipped") is not None for case in cases)
    return len(cases) - failed - skipped, failed


def _end(log: Path) -> str:
    return _tail(log.read_text(encoding="utf-8", errors="replace") if log.exists() else "no log")


def _tail(text: str) -> str:
    return "\n".join(re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()[-_LOG_LINES:])
