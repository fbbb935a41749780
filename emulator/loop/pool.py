"""Server pools: identical workers behind one FIFO queue, with or without batching."""

from collections import deque
from collections.abc import Callable, Sequence

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import PoolSpec
from emulator.loop.job import Job
from emulator.windows import Window

__all__ = ["WorkerPool"]


class WorkerPool:
    """``servers`` workers, one FIFO queue (a deque: O(1) at any backlog), batches of ``batch``.

    ``begin`` and ``end`` are told of a job as it enters and leaves service. A partial batch waits
    until it is full or its oldest job has waited ``batch_timeout_ps``; with a timeout of 0 a free
    server takes what is there.
    """

    def __init__(  # noqa: PLR0917
        self,
        env: Clockwork,
        spec: PoolSpec,
        horizon_ps: int,
        begin: Callable[[Job, int], None],
        end: Callable[[Job, int], None],
        plan: Sequence[Window],
    ) -> None:
        self.busy_ps = 0
        self._env = env
        self._spec = spec
        self._service = spec.service.reader()
        self._rounds = [len(window.rounds) for window in plan]
        self._horizon_ps = horizon_ps
        self._begin = begin
        self._end = end
        self._busy = 0
        self._queue: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        """Queue a job, and start it if a server is free."""
        job.queued_ps = self._env.now
        self._queue.append(job)
        if self._busy < self._spec.servers:
            self._start()
        if self._spec.batch_timeout_ps and self._queue:
            self._env.after(self._spec.batch_timeout_ps, self._timed_out, None)

    def _start(self) -> None:
        queue, spec = self._queue, self._spec
        while queue and self._busy < spec.servers and self._batch_is_due():
            batch = [queue.popleft()]
            while queue and len(batch) < spec.batch:
                batch.append(queue.popleft())
            self._serve(batch)

    def _batch_is_due(self) -> bool:
        timeout_ps = self._spec.batch_timeout_ps
        if timeout_ps == 0 or len(self._queue) >= self._spec.batch:
            return True
        return self._env.now - self._queue[0].queued_ps >= timeout_ps

    def _serve(self, batch: list[Job]) -> None:
        self._busy += 1
        now = self._env.now
        rounds = max(self._rounds[job.position] for job in batch)
        duration_ps = self._service(batch[0].window, self._busy, len(batch), rounds)
        for job in batch:
            self._begin(job, now)
        if now < self._horizon_ps:
            self.busy_ps += min(duration_ps, self._horizon_ps - now)
        self._env.after(duration_ps, self._finished, batch)

    def _finished(self, batch: list[Job]) -> None:
        self._busy -= 1
        now = self._env.now
        for job in batch:
            self._end(job, now)
        if self._queue:
            self._start()

    def _timed_out(self, _nothing: None) -> None:
        self._start()
