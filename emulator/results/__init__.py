"""What a run amounts to: latencies and rates with honest intervals, and the verdict on a budget."""

from emulator.results.comparison import Arm, compare
from emulator.results.outcome import assemble, dumps
from emulator.results.quantiles import QuantileEstimate, quantile_interval
from emulator.results.rates import ErrorCount, PairedCount
from emulator.results.stability import Throughput
from emulator.results.store import Run, check_place, read_run, write_file, write_run
from emulator.results.verdict import Budget

__all__ = [
    "Arm",
    "Budget",
    "ErrorCount",
    "PairedCount",
    "QuantileEstimate",
    "Run",
    "Throughput",
    "assemble",
    "check_place",
    "compare",
    "dumps",
    "quantile_interval",
    "read_run",
    "write_file",
    "write_run",
]
