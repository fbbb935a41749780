"""The processor: a clock that emits the rounds of every patch and never stops."""

from collections.abc import Callable

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig
from emulator.loop.job import ShotState
from emulator.loop.ledger import Ledger

__all__ = ["Processor"]


class Processor:
    """Emits each message of each patch when its last round has ended.

    ``begin(patch, shot)`` opens a shot, as soon as the one before has been emitted;
    ``emit(state, number)`` takes a message on.
    """

    def __init__(
        self,
        env: Clockwork,
        config: LoopConfig,
        ledger: Ledger,
        *,
        begin: Callable[[int, int], ShotState],
        emit: Callable[[ShotState, int], None],
    ) -> None:
        self._env = env
        self._emission = emission = config.emission
        self._ledger = ledger
        self._begin = begin
        self._emit = emit
        self._rounds = [len(message.rounds) for message in config.messages]
        self._ends_ps = [m.rounds.stop * emission.round_period_ps for m in config.messages]
        # of each patch: when its shot began, that shot, and the message that comes next
        self._begun_ps = [emission.round_end_ps(p, 0, -1) for p in range(emission.patches)]
        self._shot = [begin(patch, 0) for patch in range(emission.patches)]
        self._next = [0] * emission.patches

    def start(self) -> None:
        """Set the clock of every patch going."""
        for patch, begun_ps in enumerate(self._begun_ps):
            self._env.after(begun_ps + self._ends_ps[0] - self._env.now, self._tick, patch)

    def _tick(self, patch: int) -> None:
        state, number = self._shot[patch], self._next[patch]
        self._ledger.emit(self._rounds[number])
        self._emit(state, number)
        number += 1
        if number == len(self._ends_ps):
            if state.shot + 1 == self._emission.shots:
                return
            number = 0
            self._shot[patch] = self._begin(patch, state.shot + 1)
            self._begun_ps[patch] += self._emission.shot_period_ps
        self._next[patch] = number
        due_ps = self._begun_ps[patch] + self._ends_ps[number]
        self._env.after(due_ps - self._env.now, self._tick, patch)
