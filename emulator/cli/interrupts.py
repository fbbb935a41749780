"""Ctrl-C: one interrupt is one KeyboardInterrupt, and the clean-up behind it is left in peace."""

import signal
import time

__all__ = ["Interrupts"]

GRACE_S = 2.0


class Interrupts:
    """A context in which SIGINT raises KeyboardInterrupt, but not again within ``GRACE_S``.

    Whoever presses Ctrl-C twice would otherwise stop the clean-up that the first one has begun.
    Later ones count again, for foreign code may have swallowed the first. With ``last`` SIGINT is
    ignored when the context ends, because the process is about to. Does nothing where SIGINT has
    another handler already, and in other threads than the main one, which get no signals.
    """

    def __init__(self, *, last: bool = False) -> None:
        self.seen = False
        self._last = last
        self._active = False
        self._previous_s: float | None = None

    def __enter__(self) -> "Interrupts":  # noqa: PYI034  (typing takes its time to import)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                signal.signal(signal.SIGINT, self._interrupt)
            except ValueError:  # not the main thread
                return self
            self._active = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._active:
            after = signal.SIG_IGN if self._last else signal.default_int_handler
            signal.signal(signal.SIGINT, after)

    def hold(self) -> None:
        """Ignore SIGINT from now on: what remains is to say how it ended."""
        if self._active:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _interrupt(self, *_: object) -> None:
        now_s = time.monotonic()
        if self._previous_s is not None and now_s - self._previous_s < GRACE_S:
            return
        self._previous_s = now_s
        self.seen = True
        raise KeyboardInterrupt
