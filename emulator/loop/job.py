"""What travels through a loop: a shot in progress, a message of it, and a window to be decoded."""

from array import array

from emulator.loop.fpga import Span

__all__ = ["Job", "ShotState", "Transit"]


class ShotState:
    """A shot in progress.

    ``open`` holds the windows that are not closed yet, ``waits_for`` how many things each window
    of the plan still needs (its own rounds and each predecessor), ``held`` the windows whose rounds
    are there but whose predecessors are not, ``slots`` the messages that hold a ring
    slot, and ``lost_messages`` the cause by number of each message that did not arrive.
    """

    __slots__ = ("held", "lost_messages", "open", "patch", "shot", "slots", "waits_for")

    def __init__(self, patch: int, shot: int, waits_for: list[int]) -> None:
        self.patch = patch
        self.shot = shot
        self.waits_for = waits_for
        self.open = set(range(len(waits_for)))
        self.held: dict[int, Job] = {}
        self.slots: dict[int, Transit] = {}
        self.lost_messages: dict[int, int] = {}


class Transit:
    """A message between processor and windows: ``number`` of its shot, with its stamps so far.

    ``stamps`` are the first instants of ``TIMESTAMPS``, as far as they have passed. ``index`` is
    the message's place in the order in which messages enter the line, which it has from then on.
    ``span`` has the edges at which its first and last beat entered the packetiser.
    """

    index: int

    __slots__ = ("index", "number", "span", "stamps", "state")

    def __init__(self, number: int, state: ShotState, stamps: list[int], span: Span) -> None:
        self.number = number
        self.state = state
        self.stamps = stamps
        self.span = span


class Job:
    """A window on the host: its running number, place in the plan, and row of the record so far.

    ``row`` has the values of ``COLUMNS`` up to the last instant passed, and ``queued_ps`` is when
    it last joined a queue. Overload leaves many jobs waiting, so they are small.
    """

    queued_ps: int

    __slots__ = ("position", "queued_ps", "row", "state", "window")

    def __init__(self, window: int, position: int, state: ShotState, row: "array[int]") -> None:
        self.window = window
        self.position = position
        self.state = state
        self.row = row
