"""What must be true of every call of ``roundtrip run``, checked from what it left behind alone."""

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import polars as pl
from numpy.typing import NDArray

from emulator.scenario import Scenario
from emulator.units import parse_time
from tests.fuzz.command import CPU_LIMIT_S, Ended

__all__ = ["EXIT_OF", "overloads", "problems", "result_problems"]

Table = dict[str, NDArray[np.int64]]

STAMPS = (
    *("emitted_ps", "digitised_ps", "framed_ps", "delivered_ps", "slotted_ps", "dispatched_ps"),
    *("predecode_start_ps", "predecode_end_ps", "decode_start_ps", "decode_end_ps"),
    *("returned_ps", "applied_ps"),
)
"""Instants of a window, in the order in which they happen."""

_TABLES = "|".join((*Scenario.model_fields, "unheard_of"))
_KEY = re.compile(rf"(?<![\w.])({_TABLES})(\.[\w\"]|:)")
_SCHEMA = Path(__file__).parents[2] / "schema/result.schema.json"

EXIT_OF = {"met": 0, "missed": 1, "undecided": 4}
"""Exit code of each outcome."""

CLEARLY = 1.5
"""Work offered over work that can be done, from which a stage is overloaded in any case."""


def problems(ended: Ended) -> list[str]:
    """List what is wrong with how a call ended; empty for a verdict or a sentence."""
    if ended.crash is not None:
        return [ended.crash]
    found = []
    if ended.cpu_s > CPU_LIMIT_S:
        found.append(f"took {ended.cpu_s:.1f} s of processor time")
    if "Traceback" in ended.err or "Traceback" in ended.out:
        found.append(f"prints a traceback: {ended.err}")
    result = ended.result()
    if ended.code in {2, 3}:
        found += [] if result is None else ["refuses, and writes a result"]
        place = _KEY.search(ended.err) or str(ended.folder.parent) in ended.err
        found += [] if place else [f"neither key nor file is named: {ended.err!r}"]
        unnamed = [line for line in ended.err.splitlines() if not line.startswith("error: ")]
        return found + [f"not a sentence of its own: {line!r}" for line in unnamed]
    if ended.code not in EXIT_OF.values():
        return [*found, f"exit code {ended.code}: {ended.err}"]
    if result is None:
        return [*found, f"exit code {ended.code} without a result"]
    if EXIT_OF.get(result["verdict"]["outcome"]) != ended.code:
        found.append(f"exit code {ended.code} for {result['verdict']['outcome']}")
    if not ended.out.strip():
        found.append("prints no verdict")
    windows = _read(ended.folder / "windows.parquet")
    messages = _read(ended.folder / "messages.parquet")
    backlog = _read(ended.folder / "backlog.parquet")
    return found + result_problems(result, windows, messages, backlog)


def result_problems(
    result: dict[str, Any], windows: Table, messages: Table, backlog: Table
) -> list[str]:
    """List where the content of a run folder contradicts itself or its verdict."""
    checks = (
        _schema(result),
        _rounds(result, windows),
        _tables(result, windows, messages, backlog),
        _stages(result, windows),
        _reaction(result, windows),
        _logical(result, windows),
        _verdict(result, windows, messages),
    )
    return [text for check in checks for text in check]


def _read(path: Path) -> Table:
    return {column.name: column.to_numpy() for column in pl.read_parquet(path)}


@cache
def _validator() -> Any:
    schema = json.loads(_SCHEMA.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def _schema(result: dict[str, Any]) -> Iterator[str]:
    if _SCHEMA.exists():
        for error in _validator().iter_errors(result):
            yield f"schema: {'.'.join(map(str, error.path))}: {error.message}"


def _rounds(result: dict[str, Any], windows: Table) -> Iterator[str]:
    rounds, run = result["rounds"], result["scenario"]["run"]
    emitted, lost = rounds["emitted"], rounds["lost"]
    if emitted != rounds["decoded"] + rounds["in_flight"] + lost:
        yield f"rounds do not add up: {rounds}"
    if lost != sum(rounds["lost_by_cause"].values()):
        yield f"losses do not add up: {rounds}"
    if run["drain"] and rounds["in_flight"]:
        yield f"drained, with {rounds['in_flight']} rounds in flight"
    per_shot = result["scenario"]["code"].get("rounds")
    patches = result["scenario"]["qpu"]["patches"]
    if isinstance(per_shot, int) and emitted != per_shot * patches * run["shots"]:
        yield f"{emitted} rounds emitted of {per_shot} x {patches} x {run['shots']}"
    committed = int((windows["last_round"] - windows["first_round"] + 1).sum())
    if committed != rounds["decoded"]:
        yield f"windows commit {committed} rounds, {rounds['decoded']} are decoded"


def _tables(
    result: dict[str, Any], windows: Table, messages: Table, backlog: Table
) -> Iterator[str]:
    for before, after in pairwise(STAMPS):
        if (windows[after] < windows[before]).any():
            yield f"a window is at {after} before {before}"
    if len(set(windows["window"].tolist())) < len(windows["window"]):
        yield "a window is listed twice"
    if len(windows["window"]) and int(windows["emitted_ps"].min()) < 0:
        yield "time begins before zero"
    if (messages["delivered_ps"] < messages["framed_ps"]).any():
        yield "a message is there before it leaves"
    loss = result["scenario"]["link"]["up"]["loss"]
    lost = int(messages["lost"].sum())
    if (loss == 0 and lost) or (loss == 1 and lost < len(messages["lost"])):
        yield f"{lost} of {len(messages['lost'])} messages lost at loss {loss}"
    if (backlog["rounds"] < 0).any() or (backlog["rounds"] > result["rounds"]["emitted"]).any():
        yield "the backlog is no number of rounds that can be"


def _reactions(result: dict[str, Any], windows: Table) -> list[int]:
    counted = windows["window"] >= result["scenario"]["run"]["warmup_windows"]
    return [int(t) for t in (windows["applied_ps"] - windows["emitted_ps"])[counted]]


def _stages(result: dict[str, Any], windows: Table) -> Iterator[str]:
    """Means are held against sums of unbounded integers, which cannot overflow."""
    times = _reactions(result, windows)
    stages, disturbed = result["stages"], result["verdict"]["disturbed"]
    if disturbed is not None and disturbed["left_out"]:
        return  # which windows were left out is not in the folder
    if not times:
        yield from (f"stage {s['name']} of no window" for s in stages if s["mean_ps"] is not None)
        return
    counted = windows["window"] >= result["scenario"]["run"]["warmup_windows"]
    mean, half_steps = sum(times) / len(times), len(stages) / 2
    if abs(sum(stage["mean_ps"] for stage in stages) - mean) > half_steps + 1e-8 * mean:
        yield f"stage means do not add up to the mean reaction {mean}: {stages}"
    for stage, before, after in zip(stages, STAMPS[:-1], STAMPS[1:], strict=True):
        spent = [int(t) for t in (windows[after] - windows[before])[counted]]
        own = sum(spent) / len(spent)
        if abs(stage["mean_ps"] - own) > 0.5 + 1e-8 * own:
            yield f"mean of {stage['name']} is {own}, not {stage['mean_ps']}"
        if stage["max_ps"] != max(spent):
            yield f"longest {stage['name']} is {max(spent)}, not {stage['max_ps']}"
        percentiles = [stage[key] for key in ("p50_ps", "p99_ps", "p999_ps")]
        known = [value for value in percentiles if value is not None]
        if known != sorted(known) or any(not min(spent) <= v <= max(spent) for v in known):
            yield f"percentiles of {stage['name']} do not rise within its range: {stage}"
        if mean and abs(stage["share"] - own / mean) > 1e-6:
            yield f"share of {stage['name']} is {own / mean}, not {stage['share']}"


def _reaction(result: dict[str, Any], windows: Table) -> Iterator[str]:
    found, times = result["verdict"]["reaction"], _reactions(result, windows)
    value, interval = found["value_ps"], found["ci_ps"]
    disturbed = result["verdict"]["disturbed"]
    left_out = 0 if disturbed is None else disturbed["left_out"]
    if found["samples"] != len(times) - left_out:
        yield f"{found['samples']} samples of {len(times)} reactions, {left_out} left out"
    if value is not None and value not in times:
        yield f"no window reacted in {value} ps"
    if interval is not None and (value is None or not interval[0] <= value <= interval[1]):
        yield f"the interval {interval} does not hold {value}"


def _logical(result: dict[str, Any], windows: Table) -> Iterator[str]:
    found, scenario = result["verdict"]["logical"], result["scenario"]
    errors, shots, rate = found["errors"], found["shots"], found["rate"]
    if not shots or errors is None:
        if rate is not None:
            yield f"{errors} errors in {shots} shots, and a rate of {rate}"
        return
    if not 0 <= errors <= shots or abs(rate - errors / shots) > 1e-6:
        yield f"{errors} errors in {shots} shots are no rate of {rate}"
    low, high = found["ci"] or (0, 1)
    if not low - 1e-9 <= rate <= high + 1e-9:
        yield f"the interval {found['ci']} does not hold {rate}"
    if scenario["run"]["drain"]:
        if shots != scenario["run"]["shots"] * scenario["qpu"]["patches"]:
            yield f"{shots} shots counted"
        broken = shots - _complete(result, windows)
        if errors < broken:
            yield f"{broken} shots lost rounds, and {errors} count as wrong"


def _complete(result: dict[str, Any], windows: Table) -> int:
    """Shots of which every round was decoded."""
    run, qpu = result["scenario"]["run"], result["scenario"]["qpu"]
    per_shot = result["rounds"]["emitted"] // (run["shots"] * qpu["patches"])
    shot = windows["shot"] * qpu["patches"] + windows["patch"]
    decoded = np.bincount(shot, weights=windows["last_round"] - windows["first_round"] + 1)
    return int((decoded == per_shot).sum())


def _few_are_late(verdict: dict[str, Any]) -> bool:
    """Whether the share of late windows alone shows that the quantile is within its limit."""
    interval = verdict["deadline"]["ci"]
    return interval is not None and interval[1] <= 1 - verdict["reaction"]["quantile"] + 1e-9


def _verdict(result: dict[str, Any], windows: Table, messages: Table) -> Iterator[str]:
    """A budget is met only where nothing that is known speaks against it."""
    verdict, budget = result["verdict"], result["scenario"]["budget"]
    outcome, reaction = result["verdict"]["outcome"], verdict["reaction"]
    if outcome == "undecided" and not verdict["decide"]:
        yield "undecided, and nothing is said to decide it"
    lost, allowed = result["rounds"]["lost"], budget["lost_rounds"]
    if lost > allowed and outcome != "missed":
        yield f"{outcome} with {lost} rounds lost, {allowed} allowed"
    limit, value, interval = (reaction[key] for key in ("limit_ps", "value_ps", "ci_ps"))
    certain = limit is not None and interval is not None and interval[0] > limit
    if certain and outcome != "missed":
        yield f"{outcome} with a reaction of {interval} over the limit of {limit}"
    if outcome != "met":
        return
    if limit is not None and value is None and not _few_are_late(verdict):
        yield f"met without a reaction, and a limit of {limit}"
    if limit is not None and value is not None and value > limit:
        yield f"met with a reaction of {value} and a limit of {limit}"
    if limit is not None and interval is not None and interval[1] > limit:
        yield f"met with a reaction of {interval} and a limit of {limit}"
    rate, most = verdict["logical"]["rate"], budget.get("logical_error_rate")
    if most is not None and (rate is None or rate > most):
        yield f"met with a logical error rate of {rate} and a limit of {most}"
    for stage, load in overloads(result, windows, messages).items():
        if load >= CLEARLY:
            yield f"met with stage {stage} at {load:.3g} times its capacity"
    overrun = result["rounds"]["lost_by_cause"].get("ring_overrun", 0)
    if overrun > 0.05 * result["rounds"]["emitted"]:
        yield f"met with {overrun} of {result['rounds']['emitted']} rounds lost at the ring"


def overloads(result: dict[str, Any], windows: Table, messages: Table) -> dict[str, float]:
    """Work that was done over what the servers can do while rounds are emitted, by stage.

    For stages whose work the tables show; lost windows and those in flight are left out, so that a
    stage has at least this load.
    """
    scenario = result["scenario"]
    horizon = _horizon_ps(result)
    if horizon <= 0:
        return {}
    loads = {}
    decode = [int(t) for t in windows["decode_end_ps"] - windows["decode_start_ps"]]
    loads["decode"] = sum(decode) / (scenario["decoder"]["workers"] * horizon)
    served = zip(windows["predecode_start_ps"], windows["predecode_end_ps"], strict=True)
    batches = sum(int(end) - int(start) for start, end in set(served))
    loads["predecode"] = batches / (scenario["predecoder"]["streams"] * horizon)
    dispatch, lost = scenario["host"]["dispatch"], result["rounds"]["lost_by_cause"]
    if dispatch["kind"] == "constant" and not lost.get("ring_overrun"):
        arrived = int((messages["lost"] == 0).sum())
        loads["dispatch"] = arrived * parse_time(dispatch["value"]) / horizon
    return loads


def _horizon_ps(result: dict[str, Any]) -> int:
    """Instant of the last emission, where the scenario alone gives it; 0 where it does not."""
    qpu, run = result["scenario"]["qpu"], result["scenario"]["run"]
    per_shot = result["rounds"]["emitted"] // (run["shots"] * qpu["patches"])
    period = parse_time(qpu["round_period"])
    shot = parse_time(qpu["shot_period"]) if "shot_period" in qpu else per_shot * period
    last = (qpu["patches"] - 1) * parse_time(qpu["patch_offset"]) + (run["shots"] - 1) * shot
    return int(last + per_shot * period)
