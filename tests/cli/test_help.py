import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from emulator import cli
from emulator.errors import MissingToolError, ScenarioError


def run(*arguments: str, code: str = "sys.exit(main(sys.argv[1:]))") -> subprocess.Popen[str]:
    program = f"import sys\nfrom emulator.cli import main\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Replace all verbs by one named ``try``."""

    def install(function: Callable[[], object]) -> None:
        app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        app.callback()(lambda: None)
        app.command("try")(function)
        monkeypatch.setattr(cli, "app", app)

    return install


def test_help_lists_every_verb_with_a_line_that_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    commands = [line for line in shown.partition("Commands:")[2].splitlines() if line]
    assert [line.split()[0] for line in commands] == list(cli.VERBS)
    assert not any(line.endswith("...") for line in commands)


def test_no_verb_is_a_usage_error_that_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["presetz"], "No such command 'presetz'"),
        (["schema", "--nope"], "No such option: --nope"),
        (["env", "extra"], "Got unexpected extra argument"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {text}")
    assert line.endswith("(see roundtrip --help)")


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (ScenarioError("a: b\nc: d"), 2, ["error: a: b", "error: c: d"]),
        (MissingToolError("no tool"), 3, ["error: no tool"]),
        (OSError(28, "No space left on device", "out.json"), 2, ["error: out.json: No space left"]),
        (PermissionError(13, "Permission denied", "x"), 2, ["error: x: Permission denied"]),
        (KeyboardInterrupt(), 130, ["error: interrupted; nothing was written"]),
        (BrokenPipeError(32, "Broken pipe"), 141, []),
    ],
)
def test_what_goes_wrong_in_a_verb_is_told_without_traceback(
    *,
    error: BaseException,
    code: int,
    lines: list[str],
    verb: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(os, "dup2", lambda *_: None)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    verb(fail)
    assert cli.main(["try"]) == code
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == len(lines)
    assert all(line.startswith(start) for line, start in zip(shown, lines, strict=True))


def test_a_bug_is_not_hidden(verb: Callable[[Callable[[], object]], None]) -> None:
    def bug() -> None:
        raise ZeroDivisionError

    verb(bug)
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])


def test_a_verb_may_return_its_exit_code(verb: Callable[[Callable[[], object]], None]) -> None:
    verb(lambda: 1)
    assert cli.main(["try"]) == 1
    verb(lambda: None)
    assert cli.main(["try"]) == 0


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = run("schema")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == cli.PIPE_CLOSED
    process.stderr.close()


def test_help_imports_nothing_heavy() -> None:
    heavy = "pydantic numpy scipy polars plotly stim pymatching onnxruntime sinter simpy rich"
    code = f"main(['--help'])\nprint(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    out, _ = run(code=code).communicate()
    assert out.splitlines()[-1] == "[]"
