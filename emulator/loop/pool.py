"""Server pools: identical workers behind one FIFO queue, with or without batching."""

from collections import deque
from collections.abc import Callable

from emulator.loop.clockwork import Clockwork
from emulator.loop.config import LoopConfig, PoolSpec
from emulator.loop.job import Job
from emulator.loop.records import Pool
from emulator.loop.tally import Tally

__all__ = ["WorkerPool"]


class WorkerPool:
    """``servers`` workers, one FIFO queue (a deque: O(1) at any backlog), batches of ``batch``.

    Jobs are stamped as they enter service, and ``end`` takes them as they leave it. A partial
    batch waits until it is full or its oldest job has waited ``batch_timeout_ps``; with a timeout
    of 0 a free server takes what is there. A batch takes as long as its first job says, given how
    many are in it and the most rounds that one of its windows reads.
    """

    def __init__(
        self,
        env: Clockwork,
        config: LoopConfig,
        spec: PoolSpec,
        *,
        end: Callable[[Job, int], None],
    ) -> None:
        self._env = env
        self._spec = spec
        self._constant_ps = spec.service.constant_ps
        self._duration = spec.service.reader()
        self._rounds = [len(window.rounds) for window in config.plan]
        self._end = end
        self._busy = 0
        self._queue: deque[Job] = deque()
        self._tally = Tally.of(config)

    def submit(self, job: Job) -> None:
        """Queue a job, and start it if a server is free."""
        job.queued_ps = self._env.now
        self._queue.append(job)
        if self._busy < self._spec.servers:
            self._start()
        if self._spec.batch_timeout_ps and self._queue:
            self._env.after(self._spec.batch_timeout_ps, self._timed_out, None)

    def pool(self) -> Pool:
        """Return the account at the end of a run."""
        return self._tally.pool(self._spec.servers, len(self._queue))

    def _start(self) -> None:
        queue, spec = self._queue, self._spec
        while queue and self._busy < spec.servers:
            if spec.batch_timeout_ps and not self._batch_is_due():
                return
            batch = [queue.popleft()]
            while queue and len(batch) < spec.batch:
                batch.append(queue.popleft())
            self._serve(batch)

    def _batch_is_due(self) -> bool:
        queue, spec = self._queue, self._spec
        age_ps = self._env.now - queue[0].queued_ps
        return len(queue) >= spec.batch or age_ps >= spec.batch_timeout_ps

    def _serve(self, batch: list[Job]) -> None:
        self._busy += 1
        now, first = self._env.now, batch[0]
        duration_ps = self._constant_ps
        if duration_ps is None:
            rounds = max([self._rounds[job.position] for job in batch])
            duration_ps = self._duration(first.window, self._busy, len(batch), rounds)
        self._tally.add(first.queued_ps, now, duration_ps)
        first.row.append(now)
        for job in batch[1:]:
            self._tally.add(job.queued_ps, now, 0)
            job.row.append(now)
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
