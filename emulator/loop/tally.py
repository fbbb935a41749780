"""The account of one stage's servers: how busy they are, and what they leave undone."""

from collections.abc import Sequence

from emulator.loop.config import LoopConfig
from emulator.loop.records import Pool

__all__ = ["Tally", "total"]


class Tally:
    """Counts the jobs of a stage as they begin, in any order.

    ``busy_ps`` is the time during which servers work up to the horizon. Work that begins after the
    horizon counts only where the run is drained, as otherwise it never happens.
    """

    def __init__(self, horizon_ps: int, *, drain: bool) -> None:
        self.busy_ps = 0
        self._horizon_ps = horizon_ps
        self._drain = drain
        self._demand_ps = 0
        self._demand_ps2 = 0
        self._jobs = 0
        self._left_over = 0

    @classmethod
    def of(cls, config: LoopConfig) -> "Tally":
        """Return a fresh account for a stage of a loop."""
        return cls(config.emission.horizon_ps, drain=config.drain)

    def add(self, arrived_ps: int, start_ps: int, service_ps: int) -> None:
        """Count a job that occupies one server without a break from its start on."""
        left_ps = self._horizon_ps - start_ps
        if service_ps <= left_ps:  # by far the most, and done at once
            self.busy_ps += service_ps
            self._jobs += 1
            self._demand_ps += service_ps
            self._demand_ps2 += service_ps * service_ps
        else:
            self.occupy(start_ps, service_ps)
            self.count(arrived_ps, start_ps, service_ps)

    def occupy(self, start_ps: int, service_ps: int) -> None:
        """Add to the busy time alone."""
        left_ps = self._horizon_ps - start_ps
        if service_ps <= left_ps:
            self.busy_ps += service_ps
        elif left_ps > 0:
            self.busy_ps += left_ps

    def count(self, arrived_ps: int, start_ps: int, service_ps: int) -> None:
        """Count a job whose busy time is counted apart."""
        if start_ps > self._horizon_ps:
            if arrived_ps <= self._horizon_ps:
                self._left_over += 1
            if not self._drain:
                return
        self._jobs += 1
        self._demand_ps += service_ps
        self._demand_ps2 += service_ps * service_ps

    def pool(self, servers: int, waiting: int = 0) -> Pool:
        """Return the account; ``waiting`` jobs stand in the queue of a run that was not drained."""
        return Pool(
            servers,
            self.busy_ps,
            self._demand_ps,
            self._demand_ps2,
            self._jobs,
            self._left_over + waiting,
        )


def total(tallies: Sequence[Tally]) -> Pool:
    """Return the account of servers with one tally each."""
    pools = [tally.pool(1) for tally in tallies]
    return Pool(
        len(pools),
        sum(pool.busy_ps for pool in pools),
        sum(pool.demand_ps for pool in pools),
        sum(pool.demand_ps2 for pool in pools),
        sum(pool.jobs for pool in pools),
        sum(pool.left_over for pool in pools),
    )
