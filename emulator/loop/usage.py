"""What a stage was asked to do: the time its servers were busy, and the work given to them."""

from emulator.loop.records import Pool

__all__ = ["Usage"]


class Usage:
    """Adds up the jobs of one stage; times are in picoseconds."""

    __slots__ = ("_horizon_ps", "busy_ps", "demand_ps", "demand_ps2", "jobs", "left_over")

    def __init__(self, horizon_ps: int) -> None:
        self._horizon_ps = horizon_ps
        self.busy_ps = self.demand_ps = self.demand_ps2 = self.jobs = self.left_over = 0

    def note(self, arrived_ps: int, start_ps: int, end_ps: int) -> None:
        """Count a job that arrived, began and will end at these instants."""
        horizon_ps, service_ps = self._horizon_ps, end_ps - start_ps
        self.jobs += 1
        self.demand_ps += service_ps
        self.demand_ps2 += service_ps * service_ps
        if start_ps < horizon_ps:
            self.busy_ps += min(end_ps, horizon_ps) - start_ps
        elif arrived_ps <= horizon_ps < start_ps:
            self.left_over += 1

    def pool(self, servers: int, waiting: int = 0) -> Pool:
        """Return the account for ``servers`` servers, with ``waiting`` jobs that never began."""
        left_over = self.left_over + waiting
        return Pool(servers, self.busy_ps, self.demand_ps, self.demand_ps2, self.jobs, left_over)
