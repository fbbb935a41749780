"""What a run amounts to: latencies and rates with honest intervals, and the verdict on a budget."""

from emulator.results.comparison import Arm, Comparison, compare
from emulator.results.judge import RunFacts, judge, undisturbed_windows
from emulator.results.quantiles import QuantileEstimate, quantile_interval
from emulator.results.rates import ErrorCount, PairedCount
from emulator.results.result import (
    Finding,
    Outcome,
    Result,
    Verdict,
    dumps,
    result_schema,
    result_schema_text,
)
from emulator.results.store import RunFolder, check_place, read_run, write_file, write_run
from emulator.results.verdict import Budget

__all__ = [
    "Arm",
    "Budget",
    "Comparison",
    "ErrorCount",
    "Finding",
    "Outcome",
    "PairedCount",
    "QuantileEstimate",
    "Result",
    "RunFacts",
    "RunFolder",
    "Verdict",
    "check_place",
    "compare",
    "dumps",
    "judge",
    "quantile_interval",
    "read_run",
    "result_schema",
    "result_schema_text",
    "undisturbed_windows",
    "write_file",
    "write_run",
]
