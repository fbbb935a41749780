"""Re-encode recorded windows and compare them byte for byte: ``python -m emulator.wire.replay``.

Each line of the file is a JSON object: ``registers`` (as in HsbRegisters), ``board_mac``,
``board_ip``, ``payload_hex`` (hex text), ``psn``, ``buffer`` (integers) and ``frames_hex`` (the
recorded frames, destination MAC to ICRC, as a list of hex text). A payload longer than
``bytes_per_window`` is truncated, as the recorded device does.
Exit code 0: all identical; 1: some differ; 2: the file cannot be read.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from emulator.wire.errors import WireError
from emulator.wire.registers import HsbRegisters
from emulator.wire.roce import encode_window

__all__ = ["differences", "main"]

_JSON = {dict: "object", int: "integer", str: "string", list: "array"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay one file and print the tally; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator.wire.replay",
        description="Re-encode recorded windows and compare the frames byte for byte.",
    )
    parser.add_argument("file", type=Path, help="recorded windows, one JSON object per line")
    path: Path = parser.parse_args(arguments).file
    try:
        found = list(differences(path))
    except WireError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    different = [text for text in found if text is not None]
    if different:
        print(different[0])
    print(f"{len(found) - len(different)} identical, {len(different)} different")
    return 1 if different else 0


def differences(path: Path) -> Iterator[str | None]:
    """For every recorded window, None if it is encoded identically, else where it first differs.

    Raises WireError, naming file and line, for a file or line that is not a recording.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WireError(f"{path}: cannot be read as text ({error}).") from None
    if not lines:
        raise WireError(f"{path}: holds no recorded windows.")
    for number, line in enumerate(lines, start=1):
        try:
            difference = _compare(json.loads(line))
        except json.JSONDecodeError as error:
            raise WireError(f"{path}, line {number}: not JSON ({error.msg}).") from None
        except WireError as error:
            raise WireError(f"{path}, line {number}: {error}") from None
        yield None if difference is None else f"line {number}, {difference}"


def _compare(window: Any) -> str | None:
    if not isinstance(window, dict):
        raise WireError("not a JSON object.")
    recorded = _hex_list(window)
    encoded = encode_window(
        _hex(window, "payload_hex"),
        HsbRegisters.from_mapping(_value(window, "registers", dict)),
        board_mac=_hex(window, "board_mac"),
        board_ip=_hex(window, "board_ip"),
        psn=_value(window, "psn", int),
        buffer=_value(window, "buffer", int),
        oversize="truncate",  # as the recorded device does
    )
    for number, (old, new) in enumerate(zip(recorded, encoded, strict=False), start=1):
        if old != new:
            return f"frame {number}: first differing byte at offset {_first_difference(old, new)}"
    if len(recorded) != len(encoded):
        return f"{len(recorded)} frames recorded but {len(encoded)} encoded"
    return None


def _first_difference(old: bytes, new: bytes) -> int:
    return next(n for n in count() if old[n : n + 1] != new[n : n + 1])


def _value(window: dict[str, Any], key: str, kind: type) -> Any:
    value = window.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise WireError(f"{key}(={value!r}) must be of JSON type {_JSON[kind]}.")
    return value


def _hex(window: dict[str, Any], key: str) -> bytes:
    return _from_hex(_value(window, key, str), key)


def _hex_list(window: dict[str, Any]) -> list[bytes]:
    return [_from_hex(text, "frames_hex") for text in _value(window, "frames_hex", list)]


def _from_hex(text: object, key: str) -> bytes:
    try:
        return bytes.fromhex(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise WireError(f"{key} holds {str(text)[:20]!r}, which is not hex text.") from None


if __name__ == "__main__":
    sys.exit(main())
