"""Which messages feed which windows: the static tables of a shot, worked out once."""

from collections.abc import Sequence

from emulator.loop.config import Message
from emulator.windows import Window

__all__ = ["Route"]


class Route:
    """Tables over the messages and the windows of a shot.

    ``message_of[r]``: message that carries round r. ``needs[w]``: messages window w reads.
    ``completes[m]``: ``(w, later_rounds)`` of the windows whose last round is in message m, with
    the number of rounds in m after it. ``releases[w]``: messages whose last round w commits.
    ``committer[m]``: the window that commits the last round of m, so that m is in its ``releases``.
    ``followers[w]``: windows that build on w. ``waits_for[w]``: its own rounds and predecessors.
    ``held_until[m]``: last message without which ``committer[m]``, or a window that it builds on,
    cannot be closed.
    """

    def __init__(self, messages: Sequence[Message], plan: Sequence[Window]) -> None:
        self.message_of = [m for m, message in enumerate(messages) for _ in message.rounds]
        self.needs = [
            range(self.message_of[w.rounds.start], self.message_of[w.rounds.stop - 1] + 1)
            for w in plan
        ]
        self.completes: list[list[tuple[int, int]]] = [[] for _ in messages]
        self.releases: list[list[int]] = [[] for _ in plan]
        self.followers: list[list[int]] = [[] for _ in plan]
        self.waits_for = [1 + len(w.after) for w in plan]
        for position, window in enumerate(plan):
            last = self.needs[position][-1]
            later_rounds = messages[last].rounds.stop - window.rounds.stop
            self.completes[last].append((position, later_rounds))
            for earlier in window.after:
                self.followers[earlier].append(position)
        committer = [0] * len(self.message_of)
        for position, window in enumerate(plan):
            rounds = window.commits
            committer[rounds.start : rounds.stop] = [position] * len(rounds)
        self.committer = [committer[message.rounds.stop - 1] for message in messages]
        for number, position in enumerate(self.committer):
            self.releases[position].append(number)
        last_needed: list[int] = []
        for position, window in enumerate(plan):  # a window comes after those it builds on
            own = self.needs[position][-1]
            last_needed.append(max([own, *(last_needed[k] for k in window.after)]))
        self.held_until = [last_needed[position] for position in self.committer]
