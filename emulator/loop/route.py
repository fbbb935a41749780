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
    ``followers[w]``: windows that build on w. ``waits_for[w]``: its own rounds and predecessors.
    ``span``: the most messages of a patch that must be on the host before one can be let go.
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
        for number, message in enumerate(messages):
            last_round = message.rounds.stop - 1
            committer = next(w for w, window in enumerate(plan) if last_round in window.commits)
            self.releases[committer].append(number)
        self.span = self._longest_hold(plan)

    def _longest_hold(self, plan: Sequence[Window]) -> int:
        last_needed: list[int] = []
        for position, window in enumerate(plan):  # a window comes after those it builds on
            earlier = (last_needed[k] for k in window.after)
            last_needed.append(max(self.needs[position][-1], *earlier, -1))
        return max(
            last_needed[position] - number + 1
            for position, released in enumerate(self.releases)
            for number in released
        )
