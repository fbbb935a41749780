import pytest

from emulator import cli


def test_help_lists_every_verb_with_a_line_that_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    commands = [line for line in shown.partition("Commands:")[2].splitlines() if line]
    assert [line.split()[0] for line in commands] == list(cli.VERBS)
    assert "--debug" in shown
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
