"""Line numbers of the keys of a TOML document, which the parser of the standard library drops."""

import re
import tomllib

__all__ = ["key_lines"]

KeyPath = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_GAP = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Find the line, counted from 1, on which each key and each table of ``text`` is written.

    Dotted keys and inline tables are keys like any other; the tables a dotted key or a header goes
    through count as written where they are first named. Of an array of tables the last one counts;
    inside arrays of values nothing is looked for. ``text`` must be valid TOML.
    """
    return _Scanner(text).document()


class _Scanner:
    """One pass over the text, with a position that only moves forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._peek_after_blank():
            if self.text[self.at] == "[":
                self.at += 2 if self.text.startswith("[[", self.at) else 1
                table = self._key(())
                self.at += 2 if self.text.startswith("]]", self.at) else 1
            else:
                self._pair(table)
        return self.lines

    def _peek_after_blank(self) -> str:
        self._skip(_BLANK)
        return self.text[self.at : self.at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _key(self, table: KeyPath) -> KeyPath:
        path = table
        while True:
            self._skip(_GAP)
            line = self.text.count("\n", 0, self.at) + 1
            part = self._skip(_BARE) or next(iter(tomllib.loads(self._skip(_STRING) + "=0")))
            path = (*path, part)
            self._skip(_GAP)
            dotted = self.text[self.at : self.at + 1] == "."
            if dotted:
                self.lines.setdefault(path, line)
                self.at += 1
            else:
                self.lines[path] = line
                return path

    def _pair(self, table: KeyPath) -> None:
        path = self._key(table)
        self.at += 1  # the equals sign
        self._skip(_GAP)
        self._value(path)

    def _value(self, path: KeyPath | None) -> None:
        """Pass over a value; keys of an inline table are noted beneath ``path`` if there is one."""
        opening = self.text[self.at : self.at + 1]
        if opening == "{":
            self._inline_table(path)
        elif opening == "[":
            self._array()
        elif not self._skip(_STRING):
            self._skip(_SCALAR)

    def _inline_table(self, path: KeyPath | None) -> None:
        self.at += 1
        while (after := self._peek_after_blank()) not in {"}", ""}:
            if after == ",":
                self.at += 1
            elif path is None:
                noted, self.lines = self.lines, {}
                self._pair(())
                self.lines = noted
            else:
                self._pair(path)
        self.at += 1

    def _array(self) -> None:
        self.at += 1
        while (after := self._peek_after_blank()) not in {"]", ""}:
            if after == ",":
                self.at += 1
            else:
                self._value(None)
        self.at += 1
