import io
import sys

import pytest

from emulator.cli.progress import INTERVAL_S, Lines, progress_bar


def test_without_a_terminal_a_line_is_printed_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [100.0]
    lines = Lines(lambda: now[0])
    for second in range(35):
        now[0] = 100.0 + second
        lines("decoding shots", 1000 * second, 40_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert INTERVAL_S == 10
    assert err.splitlines() == [
        "decoding shots: 10,000 of 40,000 (25%)",
        "decoding shots: 20,000 of 40,000 (50%)",
        "decoding shots: 30,000 of 40,000 (75%)",
    ]


def test_without_a_terminal_it_is_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar() as progress:
        assert isinstance(progress, Lines)
        progress("nothing", 0, 0)


def test_on_a_terminal_it_is_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar() as progress:
        progress("decoding shots", 1, 4)
        assert not isinstance(progress, Lines)
    assert "decoding shots" in terminal.getvalue()
