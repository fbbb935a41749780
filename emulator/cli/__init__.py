"""The command line: one module a verb, each of which reads, calls one function and writes.

A verb is a module of this package with a function ``command`` and its name in ``VERBS``. The
function may return an exit code: 0 budget met, 1 budget missed, 4 undecided. What it raises ends
in a sentence and another code (`emulator.cli.ending`): 2 usage or scenario error, 3 a tool is
missing, 5 internal or plug-in failure, 130 interrupted, 141 the reader of the output has left.
Imports of the work itself stand inside the function, so that help stays quick; this module
imports next to nothing, so that an interrupt finds it ready.
"""

import sys
from collections.abc import Sequence

from emulator.cli.interrupts import Interrupts

__all__ = ["VERBS", "entry", "main"]

VERBS = (
    "run",
    "compare",
    "report",
    "trace",
    "profile",
    "presets",
    "schema",
    "env",
)
"""In the order of the work, which is the order of the help."""

DEBUG = "--debug"
RESERVE_BYTES = 8 << 20
"""Memory kept back, so that there is some to say that there is none."""


def entry() -> int:
    """Run the command line of this process, which ends with the exit code that is returned.

    Once the code is settled no interrupt changes it any more.
    """
    return _main(sys.argv[1:], Interrupts(last=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises, whatever the verb does."""
    return _main(list(sys.argv[1:] if arguments is None else arguments), Interrupts())


def _main(arguments: list[str], interrupts: Interrupts) -> int:
    debug = DEBUG in arguments
    rest = [argument for argument in arguments if argument != DEBUG]
    reserve = bytearray(RESERVE_BYTES)
    with interrupts:
        try:
            try:
                # what tells a failure must be there before memory can run out
                from emulator.cli import app, ending, streams

                streams.prepare()
                code = app.run(rest)
                streams.flush()
            except BaseException as error:
                interrupts.hold()
                del reserve
                from emulator.cli import ending

                return ending.end(error, arguments, debug=debug, interrupted=interrupts.seen)
        except KeyboardInterrupt:  # a second one on the way to hold()
            return 130
    return code
