"""Clocks for tests of timed calls: one that is moved by hand, and one that nothing disturbs."""

import time

from emulator.decoders.stopwatch import Clocks

QUIET = Clocks(
    wall_ns=time.perf_counter_ns,
    thread_ns=time.perf_counter_ns,
    process_ns=time.perf_counter_ns,
    switches=lambda: (0, 0),
    steal=lambda: 0,
)
"""The real wall clock on a machine that does nothing else, however busy this one is."""


class HandClock:
    """Clocks that stand still but for what a test says has happened."""

    def __init__(self) -> None:
        self.wall_ns = self.thread_ns = self.process_ns = 0
        self.given_up = self.lost = self.stolen = 0
        self.clocks = Clocks(
            wall_ns=lambda: self.wall_ns,
            thread_ns=lambda: self.thread_ns,
            process_ns=lambda: self.process_ns,
            switches=lambda: (self.given_up, self.lost),
            steal=lambda: self.stolen,
        )

    def work(self, ns: int) -> None:
        """This thread computes."""
        self.wall_ns += ns
        self.thread_ns += ns
        self.process_ns += ns

    def preempt(self, ns: int) -> None:
        """Another process has the core."""
        self.wall_ns += ns
        self.lost += 1

    def sleep(self, ns: int) -> None:
        """This thread gives its core up."""
        self.wall_ns += ns
        self.given_up += 1

    def interrupt(self, ns: int) -> None:
        """The kernel has the core, without a switch."""
        self.wall_ns += ns

    def others_work(self, ns: int) -> None:
        """Other threads of the process compute beside or instead of this one."""
        self.process_ns += ns
