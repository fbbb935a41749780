"""A window on its way through the host, and what the host knows of the shot it belongs to."""

from array import array

__all__ = ["Job", "ShotState"]


class ShotState:
    """A shot in progress.

    ``open`` holds the windows not yet done with, ``waits_for`` how many things each window of the
    plan still needs (its own rounds and each predecessor), ``held`` the windows whose rounds are
    there but whose predecessors are not, ``slots`` the ring slot each message holds, and
    ``lost_messages`` the cause by number of each message that did not arrive.
    """

    __slots__ = ("held", "lost_messages", "open", "patch", "shot", "slots", "waits_for")

    def __init__(self, patch: int, shot: int, waits_for: list[int]) -> None:
        self.patch = patch
        self.shot = shot
        self.waits_for = waits_for
        self.open = set(range(len(waits_for)))
        self.held: dict[int, Job] = {}
        self.slots: dict[int, int] = {}
        self.lost_messages: dict[int, int] = {}


class Job:
    """One window: its running number, its place in the plan, and its row of the record so far.

    ``row`` has the values of ``COLUMNS`` up to the last instant passed, and ``queued_ps`` is when
    it last joined a queue. Overload leaves many jobs waiting, so they are small.
    """

    __slots__ = ("position", "queued_ps", "row", "state", "window")

    def __init__(self, window: int, position: int, state: ShotState, row: "array[int]") -> None:
        self.window = window
        self.position = position
        self.state = state
        self.row = row
        self.queued_ps = 0
