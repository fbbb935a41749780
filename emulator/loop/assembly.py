"""The windows of the shots in progress: what each still waits for, and what is given up."""

from array import array
from collections.abc import Callable

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.job import Job, ShotState, Transit
from emulator.loop.ledger import INCOMPLETE, Ledger
from emulator.loop.route import Route
from emulator.numbering import Numbering

__all__ = ["Assembly"]


class Assembly:
    """Puts windows together from messages and passes them to the pools in the order of the plan.

    A window whose messages have all come is pre-decoded at once, and decoded when those that it
    builds on are closed. One that misses a message is written off when the last of its messages
    has come or is lost. A window that is decoded or written off is closed: the slots of the
    messages whose last round it commits are released, and those that build on it go on.
    """

    def __init__(self, env: Clockwork, config: LoopConfig, route: Route, ledger: Ledger) -> None:
        self._env = env
        self._route = route
        self._ledger = ledger
        self._plan = config.plan
        self._period_ps = config.emission.round_period_ps
        self._hold = config.host.hold_until_response
        self._numbering = Numbering(config.emission.patches, len(config.plan), len(config.messages))
        commits = [window.commits for window in config.plan]
        self._ends = [(rounds[0], rounds[-1]) for rounds in commits]
        self._shots: dict[tuple[int, int], ShotState] = {}

    def connect(
        self,
        *,
        release: Callable[[ShotState, int], None],
        predecode: Callable[[Job], None] | None,
        decode: Callable[[Job], None],
    ) -> None:
        """Connect the ports: the ring's, and those of the pools, behind which windows come back."""
        self._release = release
        self._predecode = predecode
        self._decode = decode

    def begin(self, patch: int, shot: int) -> ShotState:
        """Open a shot."""
        state = self._shots[patch, shot] = ShotState(patch, shot, self._route.waits_for.copy())
        return state

    def unfinished_rounds(self) -> int:
        """Return how many rounds the open windows of all shots in progress would commit."""
        return sum(len(self._plan[k].commits) for s in self._shots.values() for k in s.open)

    def dispatched(self, transit: Transit) -> None:
        """Take in a message, and start the windows of which it is the last."""
        state, number = transit.state, transit.number
        # a message that came into its slot after its window was written off goes at once, too
        if not self._hold or self._route.committer[number] not in state.open:
            self._release(state, number)
        for position, later_rounds in self._route.completes[number]:
            self._assemble(transit, position, later_rounds)

    def lose(self, transit: Transit, cause: int) -> None:
        """Note a message that never reached a decoder, and the windows it would have completed."""
        transit.state.lost_messages[transit.number] = cause
        for position, later_rounds in self._route.completes[transit.number]:
            self._assemble(transit, position, later_rounds)

    def _assemble(self, transit: Transit, position: int, later_rounds: int) -> None:
        """All messages of a window have come or are lost: pre-decode it, or write it off."""
        state = transit.state
        window = self._numbering.window(state.patch, state.shot, position)
        first, last = self._ends[position]
        emitted, *later = transit.stamps
        emitted -= later_rounds * self._period_ps
        row = array("q", (window, state.patch, state.shot, first, last, emitted, *later))
        job = Job(window, position, state, row)
        if state.lost_messages and self._is_incomplete(job):
            self._write_off(job)
        elif self._predecode is not None:
            self._predecode(job)
        else:
            row.append(row[-1])
            row.append(row[-1])
            self._one_need_less(state, position, job)

    def _is_incomplete(self, job: Job) -> bool:
        lost = job.state.lost_messages
        return any(number in lost for number in self._route.needs[job.position])

    def predecoded(self, job: Job, now: int) -> None:
        """Take in a window from the pre-decoder."""
        job.row.append(now)
        self._one_need_less(job.state, job.position, job)

    def _one_need_less(self, state: ShotState, position: int, job: Job | None = None) -> None:
        """Decode a window that waits for nothing more; ``job``: it has been put together now."""
        state.waits_for[position] -= 1
        if state.waits_for[position]:
            if job is not None:
                state.held[position] = job
        else:
            self._decode(state.held.pop(position) if job is None else job)

    def _write_off(self, job: Job) -> None:
        message_of, lost = self._route.message_of, job.state.lost_messages
        commits = self._plan[job.position].commits
        causes = [lost.get(message_of[number], INCOMPLETE) for number in commits]
        self._ledger.write_off(job, self._env.now, causes)
        self.close(job)

    def close(self, job: Job) -> None:
        """Close a window: release its slots and let those that build on it go on."""
        state, position = job.state, job.position
        state.open.discard(position)
        for number in self._route.releases[position]:
            self._release(state, number)
        for follower in self._route.followers[position]:
            self._one_need_less(state, follower)
        if not state.open:
            del self._shots[state.patch, state.shot]
