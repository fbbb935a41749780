"""The command line in a folder of its own, 80 columns wide and without colours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.cli import main
from tests.cli.examples import write_recorded, write_sampled

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run a verb; gives exit code, standard output (line ends stripped) and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, "".join(f"{line.rstrip()}\n" for line in out.splitlines()), err

    return run


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A scenario of recorded shots and constant times: the same output on every machine."""
    return write_recorded(tmp_path)


@pytest.fixture
def sampled(tmp_path: Path) -> Path:
    """A scenario of sampled shots and random times."""
    return write_sampled(tmp_path)
