"""The errors a user can cause, each carrying the exit code the command line ends with."""

__all__ = ["MissingToolError", "PluginError", "RoundtripError", "ScenarioError", "SyndromeError"]


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
