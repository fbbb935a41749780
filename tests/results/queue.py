"""Runs of a one-server loop made by the Lindley recursion, for the tests of the results."""

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import LABELS, MESSAGE_COLUMNS, TIMESTAMPS, Pool, Record
from emulator.numbering import Emission
from emulator.results.theory import lindley_waits

ROUND_PS = 1_000_000


def md1_latencies(
    rng: np.random.Generator, load: float, count: int, runs: int
) -> NDArray[np.int64]:
    """Latencies, int64 (runs, count), of an M/D/1 queue after it has settled."""
    settle = 3000
    service = np.full((runs, count + settle), ROUND_PS, dtype=np.int64)
    gaps = rng.exponential(ROUND_PS / load, (runs, count + settle - 1)).astype(np.int64)
    return (lindley_waits(service, gaps) + service)[:, settle:]


def run_of(
    service_ps: NDArray[np.int64], *, window_rounds: int = 5, lost: int = 0, drain: bool = True
) -> Record:
    """One patch and one window a shot: a window every ``window_rounds`` rounds, one matcher."""
    count = len(service_ps)
    period = window_rounds * ROUND_PS
    emitted = np.arange(1, count + 1, dtype=np.int64) * period
    start = emitted + lindley_waits(service_ps, np.full(count - 1, period, dtype=np.int64))
    end = start + service_ps
    index = np.arange(count, dtype=np.int64)
    labels = (index, 0 * index, index, 0 * index, 0 * index + window_rounds - 1)
    stamps = [emitted] * 8 + [start, end, end, end]
    horizon = int(emitted[-1])
    kept = slice(None) if drain else end <= horizon
    columns = dict(zip((*LABELS, *TIMESTAMPS), (*labels, *stamps), strict=True))
    windows = {name: column[kept] for name, column in columns.items()}
    applied = len(windows["window"])
    behind = end // ROUND_PS - window_rounds * (index + 1)
    behind = np.minimum(behind, window_rounds * (count - index - 1))
    sent = (index, 0 * index, index, 0 * index, emitted, emitted, emitted, 0 * index)
    return Record(
        windows=windows,
        messages=dict(zip(MESSAGE_COLUMNS, sent, strict=True)),
        responses=np.stack([index, end], axis=1)[kept],
        lost=np.array([[count + k, 0, k % count, 0] for k in range(lost)], dtype=np.int64).reshape(
            -1, 4
        ),
        causes=("wire", "ring"),
        emitted=window_rounds * (count + lost),
        decoded=window_rounds * applied,
        in_flight=window_rounds * (count - applied),
        lost_by_cause={"wire": window_rounds * lost, "ring": 0},
        pools={
            "uplink": pool_of(emitted, emitted, emitted + period // 5, horizon, drain, servers=2),
            "decode": pool_of(emitted, start, end, horizon, drain),
        },
        horizon_ps=horizon,
        end_ps=int(end[-1]),
        backlog=np.stack([end, behind], axis=1)[kept],
        emission=Emission(ROUND_PS, window_rounds, count),
        done=np.stack([end, window_rounds * (index + 1)], axis=1)[kept],
        drained=drain,
    )


def pool_of(
    arrived: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    horizon: int,
    drain: bool,
    *,
    servers: int = 1,
) -> Pool:
    """Account of a stage whose jobs arrive, begin and end at these instants, int64 (n,) each."""
    begun = start <= horizon
    spent = [int(service) for service in (end - start)[slice(None) if drain else begun]]
    return Pool(
        servers=servers,
        busy_ps=int(np.clip(np.minimum(end, horizon) - start, 0, None).sum()),
        demand_ps=sum(spent),
        demand_ps2=sum(service * service for service in spent),
        jobs=len(spent),
        left_over=int(np.count_nonzero((arrived <= horizon) & ~begun)),
    )
