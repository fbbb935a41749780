"""The errors that end in a sentence, each carrying the exit code the command line ends with."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "MissingToolError",
    "PluginError",
    "RoundtripError",
    "ScenarioError",
    "SyndromeError",
    "named",
]


class RoundtripError(Exception):
    """A mistake in what was asked for; its text names the value, the place and the fix.

    ``exit_code`` is what the command line ends with: 2 for a usage or input error.
    """

    exit_code = 2


class ScenarioError(RoundtripError):
    """A scenario that cannot be run; one line of text per mistake, all of them at once."""


class SyndromeError(RoundtripError):
    """Syndrome data that cannot be read, or that disagrees with its error model."""


class MissingToolError(RoundtripError):
    """A program or optional package that the request needs is not installed (exit code 3)."""

    exit_code = 3


class PluginError(RoundtripError):
    """A decoder of the user's own failed or answered nonsense (exit code 5).

    ``__cause__`` is what it raised, where it raised something.
    """

    exit_code = 5


@contextmanager
def named(key: str, *kinds: type[RoundtripError]) -> Iterator[None]:
    """Begin the text of each error of the block with the scenario key it is about.

    ``kinds`` are the errors that are about it; left out: every RoundtripError.
    """
    try:
        yield
    except RoundtripError as error:
        if kinds and not isinstance(error, kinds):
            raise
        raise type(error)(f"{key}: {error}") from error
