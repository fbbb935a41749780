"""How often the intervals of the results hold the truth: ``python -m tests.results.coverage``.

Every interval that the product prints is put over many simulated runs whose truth is known in
closed form: quantiles and deadline rates of the latencies of two queues that start empty, as a
run of the loop does, rates of shots that are late or wrong, logical error rates, and ratios of
paired error counts. A cell is one of these at one load and length.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.results.correlation import Series
from emulator.results.quantiles import quantile_interval
from emulator.results.rates import ErrorCount, PairedCount, deadline_misses, failure_rate
from emulator.results.theory import dm1_wait, lindley_waits

__all__ = [
    "LENGTHS",
    "LOADS",
    "MODELS",
    "RUNS",
    "Cell",
    "all_cells",
    "latencies",
    "latency_beyond",
    "logical_cells",
    "paired_cells",
    "problems",
    "queue_cells",
]

CONFIDENCE = 0.95
RUNS = 2000
"""Runs a cell, and answers from which a coverage is held against its band as it is."""
MODELS = ("D/M/1", "M/D/1")
LOADS = (0.5, 0.8, 0.9, 0.95)
LENGTHS = (10**3, 10**4, 10**5, 10**6)
QUANTILES = (0.5, 0.9, 0.99, 0.999)
ERRORS = (5, 20, 100, 1000)  # expected of the second of two paired arms
RATES = (0.1, 0.01)  # shares of windows later than the limit
WRONG = 0.01  # share of shots with a wrong answer, besides those that are late

_FEW = 0.01  # share of runs with an interval below which a cell counts as refused
_PS = 1_000_000  # mean service time
_CHUNK = 2_000_000  # windows simulated at once
_Z = 1.959964

Ends = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """How often an interval held the truth, and how wide it was, in ``runs`` runs.

    ``answered`` runs had one; a share ``coverage`` of these, known to the standard ``error``,
    holds the truth. ``width`` is the mean width over that of the oracle, which knows the standard
    deviation of the estimate, 2 * 1.96 of them; None where it has none. ``count`` marks rates of
    counts and values on an atom of the distribution, whose intervals may cover more often than
    asked. ``due`` marks cells in which every run must have an interval.
    """

    quantity: str
    case: str
    length: int
    runs: int
    answered: int
    coverage: float
    error: float
    width: float | None
    count: bool
    due: bool = False

    def __str__(self) -> str:
        """One line of the table."""
        line = f"{self.quantity:14} {self.case:22} {self.length:8} {self.runs:6}"
        line += f" {100 * (1 - self.answered / self.runs):7.1f}"
        if self.answered:
            line += f" {100 * self.coverage:8.1f} +- {100 * self.error:.1f}"
        return line + ("" if self.width is None else f" {self.width:6.2f}")


HEAD = f"{'interval':14} {'case':22} {'length':>8} {'runs':>6} refused coverage, %   width"


def problems(cells: list[Cell]) -> list[str]:
    """Say what keeps cells from being in band.

    Quantiles are held to 93-97 %, counts to at least 93 % and a mean of 94 %; cells of fewer than
    2,000 answers with two standard errors of the Monte Carlo. Mean widths are at most 1.5 times
    the oracle's. A cell in which fewer than 1 % of the runs have an interval counts as refused.
    """
    found = []
    for cell in (cell for cell in cells if cell.answered >= _FEW * cell.runs):
        slack = 0.0 if cell.answered >= RUNS else 2 * cell.error
        if cell.coverage < 0.93 - slack:
            found.append(f"{cell}: covers too rarely")
        if not cell.count and cell.coverage > 0.97 + slack:
            found.append(f"{cell}: covers too often")
        if cell.width is not None and cell.width > 1.5:
            found.append(f"{cell}: too wide")
    found += [f"{cell}: refused" for cell in cells if cell.due and cell.answered < cell.runs]
    for name in sorted({cell.quantity for cell in cells if cell.count}):
        known = [
            cell.coverage
            for cell in cells
            if cell.quantity == name and cell.answered >= _FEW * cell.runs
        ]
        if known and np.mean(known) < 0.94:
            found.append(f"{name}: mean coverage {np.mean(known):.3f} below 94 %")
    return found


def latency_beyond(model: str, load: float, latency: float) -> float:
    """Share of windows whose latency, in service times, is beyond ``latency``.

    That of D/M/1 is exponential. M/D/1 is Franx' sum of positive terms (Oper. Res. Lett. 29, 221,
    2001) over the stationary numbers in the system (Ramaswami, Stoch. Models 4, 183, 1988).
    """
    if model == "D/M/1":
        return math.exp(-latency / (1 + dm1_wait(load)))
    wait = latency - 1
    if wait < 0:
        return 1.0
    count = math.floor(wait) + 1
    rest = load * (count - wait)
    waiting = np.cumsum(_md1_numbers(load, count + 1))[1:]  # at most 0, 1, ... wait
    terms = [
        waiting[count - 1 - k] * math.exp(k * math.log(rest) - rest - math.lgamma(k + 1))
        for k in range(count)
    ]
    return 1 - math.fsum(terms)


def _md1_numbers(load: float, count: int) -> NDArray[np.float64]:
    """Stationary probabilities of 0, 1, ... ``count`` - 1 customers in an M/D/1 queue."""
    from scipy.special import pdtrc  # noqa: PLC0415 - slow to import

    more = pdtrc(np.arange(count), load)  # P(more than k arrivals in a service)
    found = np.zeros(count)
    found[0] = 1 - load
    for k in range(1, count):
        mass = found[0] * more[k - 1] + found[1:k] @ more[k - 1 : 0 : -1]
        found[k] = mass / (1 - more[0])
    return found


def _latency_quantile(model: str, load: float, quantile: float) -> float:
    """Smallest latency, in service times, beyond which at most 1 - ``quantile`` lie."""
    low, high = 0.0, 1000.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if latency_beyond(model, load, middle) > 1 - quantile + 1e-12:
            low = middle
        else:
            high = middle
    return high


def latencies(
    model: str, load: float, shape: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Latencies in ps of ``shape`` (runs, windows) of a queue that starts empty."""
    runs, count = shape
    if model == "D/M/1":
        service = (rng.standard_exponential(shape) * _PS).astype(np.int64)
        gaps = np.broadcast_to(np.int64(round(_PS / load)), (runs, count - 1))
    else:
        service = np.full(shape, _PS, dtype=np.int64)
        gaps = (rng.standard_exponential((runs, count - 1)) * (_PS / load)).astype(np.int64)
    return lindley_waits(service, gaps) + service


class _Tally:
    """Counts, for one cell, the intervals that hold the truth."""

    def __init__(self, truth: float) -> None:
        self.truth = truth
        self.held = 0
        self.widths: list[float] = []
        self.values: list[float] = []

    def add(self, value: float, ends: Ends) -> None:
        self.values.append(value)
        if ends is not None:
            self.held += ends[0] <= self.truth <= ends[1]
            self.widths.append(ends[1] - ends[0])

    def cell(
        self,
        quantity: str,
        case: str,
        length: int,
        *,
        count: bool,
        due: bool = False,
        wide: bool = True,
    ) -> Cell:
        runs, answered = len(self.values), len(self.widths)
        coverage = self.held / answered if answered else math.nan
        error = math.sqrt(max(coverage * (1 - coverage), 0.05 * 0.95) / answered) if answered else 0
        width = None
        if answered and wide:
            width = float(np.mean(self.widths)) / (2 * _Z * float(np.std(self.values)))
        return Cell(quantity, case, length, runs, answered, coverage, error, width, count, due)


def queue_cells(model: str, load: float, length: int, runs: int, seed: int = 0) -> list[Cell]:
    """Quantiles, deadline rates and rates of late or wrong shots of one queue."""
    rng = np.random.default_rng([seed, MODELS.index(model), round(100 * load), length])
    limits = {q: _PS * _latency_quantile(model, load, q) for q in QUANTILES}
    late = {rate: round(_PS * _latency_quantile(model, load, 1 - rate)) for rate in RATES}
    quantiles = {q: _Tally(limits[q]) for q in QUANTILES}
    rates = {rate: _Tally(rate) for rate in RATES}
    failures = _Tally(1 - (1 - WRONG) * (1 - RATES[-1]))
    done = 0
    while done < runs:
        rows = min(runs - done, max(1, _CHUNK // length))
        for values in latencies(model, load, (rows, length), rng):
            series = Series(values)
            for q, tally in quantiles.items():
                found = quantile_interval(series, q, CONFIDENCE)
                tally.add(found.value_ps or 0, found.ci_ps)
            for rate, tally in rates.items():
                misses = deadline_misses(series, late[rate], CONFIDENCE)
                tally.add(misses.rate or 0.0, misses.ci)
            wrong = rng.random(length, dtype=np.float32) < WRONG
            failed = failure_rate(wrong, values > late[RATES[-1]], series.memory, CONFIDENCE)
            failures.add(failed.rate or 0.0, failed.ci)
        done += rows
    due = (load <= 0.8 and length >= 10**4) or (load <= 0.95 and length >= 10**6)
    case = f"{model} load {load:g}"
    cells = []
    for q, tally in quantiles.items():
        atom = model == "M/D/1" and q <= 1 - load  # the latency of windows that do not wait
        must = due and q <= 0.99
        cells.append(tally.cell(f"p{100 * q:g}", case, length, count=atom, due=must))
    for rate, tally in rates.items():
        cells.append(tally.cell(f"late {rate:g}", case, length, count=True, due=due))
    cells.append(failures.cell("late or wrong", case, length, count=True, due=due))
    return cells


def logical_cells(shots: int) -> list[Cell]:
    """Mean and worst coverage of logical error rates over 400 rates, by sums of probabilities.

    The rates are spread evenly in their logarithm, of 0.1 to 1000 errors expected.
    """
    from scipy.stats import binom  # noqa: PLC0415 - slow to import

    errors = np.arange(min(shots, 1300) + 1)
    ends = np.array([ErrorCount(int(k), shots).interval(CONFIDENCE) for k in errors])
    rates = np.geomspace(0.1, min(1000, shots / 2), 400) / shots
    found = [
        float(binom.pmf(errors, shots, rate)[(ends[:, 0] <= rate) & (rate <= ends[:, 1])].sum())
        for rate in rates
    ]
    mean, worst = float(np.mean(found)), float(np.min(found))
    count = len(rates)
    return [
        Cell("error rate", "mean over rates", shots, count, count, mean, 0.0, None, True, True),
        Cell("error rate", "worst rate", shots, count, count, worst, 0.0, None, True, True),
    ]


def paired_cells(errors: int, runs: int, seed: int = 0) -> list[Cell]:
    """Ratios of paired error counts, ``errors`` of the second arm expected.

    The shots are 100 times as many. The overlap is the share of the errors of the better arm that
    the other arm makes as well. Widths are compared where at least 10 differing shots are
    expected: with hardly any, most runs see the same ratio, and its standard deviation says
    nothing of how well it is known.
    """
    rng = np.random.default_rng([seed, errors])
    shots = 100 * errors
    cells = []
    for ratio in (0.2, 0.8, 1.0, 1.5, 5.0):
        for overlap in (0.0, 0.5, 0.9, 0.99, 1.0):
            both = overlap * min(1.0, ratio)
            shares = np.array([both, ratio - both, 1 - both]) * errors / shots
            tally = _Tally(ratio)
            for counts in rng.multinomial(shots, [*shares, 1 - shares.sum()], runs)[:, :3]:
                pair = PairedCount(shots, *map(int, counts))
                ends = pair.ratio_interval(CONFIDENCE)
                value = math.inf if pair.ratio is None else pair.ratio
                high = math.inf if ends is None or ends[1] is None else ends[1]
                tally.add(value, None if ends is None else (ends[0], high))
            case = f"{ratio:g}x, overlap {overlap:g}"
            wide = errors >= 100 and errors * (1 + ratio - 2 * both) >= 10
            cells.append(tally.cell("paired ratio", case, shots, count=True, wide=wide))
    return cells


def all_cells(runs: int, seed: int, lengths: Sequence[int]) -> Iterator[list[Cell]]:
    """Yield the cells of the whole experiment, a few at a time."""
    for shots in LENGTHS:
        yield logical_cells(shots)
    for errors in ERRORS:
        yield paired_cells(errors, runs, seed)
    for length in lengths:
        for model in MODELS:
            for load in LOADS:
                yield queue_cells(model, load, length, runs, seed)


def main() -> int:
    """Print the table; 1 if a cell is out of band, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.results.coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="simulated runs a cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="windows a run")
    args = parser.parse_args()
    print(HEAD)
    cells = []
    for found in all_cells(args.runs, args.seed, args.lengths):
        cells += found
        print(*found, sep="\n", flush=True)
    wrong = problems(cells)
    print(f"{len(cells)} cells, {len(wrong)} out of band", *wrong, sep="\n")
    print(f"{time.process_time() / 60:.1f} CPU-minutes")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
