"""What a run amounts to: latencies and rates with honest intervals, and the verdict on a budget."""

from emulator.results.outcome import assemble, dumps
from emulator.results.quantiles import QuantileEstimate, quantile_interval
from emulator.results.rates import ErrorCount, PairedCount
from emulator.results.stability import Throughput
from emulator.results.store import Run, read_run, write_run
from emulator.results.verdict import Budget

__all__ = [
    "Budget",
    "ErrorCount",
    "PairedCount",
    "QuantileEstimate",
    "Run",
    "Throughput",
    "assemble",
    "dumps",
    "quantile_interval",
    "read_run",
    "write_run",
]
