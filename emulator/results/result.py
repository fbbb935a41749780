"""The result of a run as typed, frozen values: the content of ``result.json``, and its schema."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from emulator.docstrings import DescribedSchema
from emulator.errors import RoundtripError

__all__ = [
    "OUTCOMES",
    "SCHEMA_VERSION",
    "Deadline",
    "Disturbed",
    "DroppedErrors",
    "Finding",
    "IdleCost",
    "Logical",
    "MachineFacts",
    "Outcome",
    "PredecoderCounts",
    "Reaction",
    "Result",
    "Rounds",
    "Stage",
    "StageLoad",
    "StandIn",
    "Throughput",
    "ValueOrigin",
    "Verdict",
    "dumps",
    "read_result",
    "result_schema",
    "result_schema_text",
]

SCHEMA_VERSION = 2

Outcome = Literal["met", "missed", "undecided"]
OUTCOMES: tuple[Outcome, ...] = ("missed", "undecided", "met")
"""The three outcomes, the one that decides over the others first."""

_DIGITS = 9  # of floats: more than any estimate has, fewer than processors may disagree about


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


Number = Annotated[float, AfterValidator(_rounded)]
"""A float with nine significant digits, so that processors agree about its text."""

Interval = tuple[Number, Number]


class _Part(BaseModel):
    """A part of a result: frozen, without other keys, and without infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ValueOrigin(_Part):
    """Where one value of the scenario was written, and where the writer has it from."""

    kind: str
    where: str
    source: str | None
    confidence: str | None


class MachineFacts(_Part):
    """The machine that a run was made on; None where it does not tell.

    ``clock`` is the kernel's clock source, ``load`` the load average of the last minute at
    ``date``, in UTC; ``cores`` are those that the run might use.
    """

    model_config = ConfigDict(from_attributes=True)

    model: str | None = None
    hypervisor: str | None = None
    processor: str | None = None
    cores: int | None = None
    clock: str | None = None
    load: Number | None = None
    date: str | None = None
    system: str | None = None


class Finding(_Part):
    """One criterion: whether it is met, a sentence that says why, and what would decide it.

    ``outcome`` is None where nothing was asked: the sentence then informs and decides nothing.
    ``more_shots`` is about how many more shots would decide, None where that is not known.
    """

    criterion: str
    outcome: Outcome | None
    text: str
    decide: str | None = None
    more_shots: int | None = None


class Reaction(_Part):
    """The asked quantile of the reaction time, with its interval at ``verdict.confidence``.

    None where it could not be estimated; ``note`` then says why.
    """

    quantile: Number
    value_ps: int | None
    ci_ps: tuple[int, int] | None
    limit_ps: int | None
    samples: int
    autocorrelation_windows: Number | None
    method: str
    note: str | None


class Deadline(_Part):
    """Windows whose correction came later than the limit, or never: ``lost`` of them were lost."""

    limit_ps: int
    misses: int
    lost: int
    samples: int
    rate: Number | None
    ci: Interval | None


class StageLoad(_Part):
    """Work offered to a stage over what its servers can do; above 1 it cannot keep up.

    ``value`` and ``ci`` are None where too few jobs were seen to estimate them.
    """

    value: Number | None
    ci: Interval | None


class Throughput(_Part):
    """Whether the loop keeps up; ``stable`` is None when the run does not tell.

    ``utilisation_by_stage``: share of the time that the servers of a stage were busy.
    ``backlog_slope_rounds_per_s`` and ``ci``: growth of the backlog. ``bottleneck``: the stage
    with the highest load. ``lost_share``: rounds of those emitted that found no slot in the ring.
    """

    utilisation_by_stage: dict[str, Number]
    load_by_stage: dict[str, StageLoad]
    backlog_slope_rounds_per_s: Number | None
    ci: Interval | None
    stable: bool | None
    bottleneck: str | None
    lost_share: Number


_MUCH_WIDER = 1.1


class Logical(_Part):
    """Shots that failed: answered wrong, late or never.

    ``errors`` of ``shots`` failed. ``decoder_errors`` of all shots were answered wrong, whenever
    the answer came; ``late`` had a window later than the limit, ``lost`` a window that was lost.
    ``unfinished`` shots, whose answers were not yet due at the end of the run, are left out of
    ``shots``. Rates per round are those of the decoder alone, whose flips combine by exclusive or.
    None where not measured.
    """

    errors: int | None
    shots: int | None
    rate: Number | None
    ci: Interval | None
    decoder_errors: int | None
    decoder_rate: Number | None
    decoder_ci: Interval | None
    decoder_ci_likelihood_1000: Interval | None
    decoder_per_round: Number | None
    decoder_per_round_ci: tuple[Number | None, Number | None] | None
    late: int | None
    lost: int | None
    unfinished: int | None
    limit: Number | None

    @property
    def late_unknown(self) -> bool:
        """Whether late answers, of which none was seen, are what widens the interval."""
        if self.decoder_ci is None or self.late or self.lost:
            return False
        return self.ci is None or self.ci[1] > _MUCH_WIDER * self.decoder_ci[1]


class IdleCost(_Part):
    """Rounds that a patch idles while it waits for a correction, and their worth in distance.

    ``operations`` were seen to wait in a run with feedback; None where the rounds are derived from
    reaction times. ``distance_to_compensate`` is None where distance or suppression is not known.
    """

    operations: int | None
    mean_rounds: Number
    max_rounds: int
    distance_to_compensate: Number | None


class Disturbed(_Part):
    """Windows left out because other work on the machine disturbed a measured call of theirs."""

    windows: int
    left_out: int
    share: Number
    share_by_stage: dict[str, Number]


class StandIn(_Part):
    """A ``stage`` whose times are of another decoder than its answers; ``text`` says so.

    ``answers`` is the decoder or the model file that answered, None where none had a part in it;
    ``times`` what was timed.
    """

    stage: str
    answers: str | None
    times: str
    text: str


class DroppedErrors(_Part):
    """Errors of the model that the decoder cannot use and did without, as ``text`` says.

    ``errors`` of ``of`` in number, ``share`` of the probability of all, at most ``allowed``.
    """

    errors: int
    of: int
    share: Number
    allowed: Number
    text: str


class Verdict(_Part):
    """What the run amounts to: ``outcome``, one line of text, and what would decide it.

    ``reasons`` are the sentences of ``findings``, what is missed first. Latencies leave out the
    windows numbered below ``warmup_windows``. ``stand_ins`` and ``dropped`` limit what the answers
    stand for: stages timed on another decoder, and errors that the decoder was not told of.
    """

    outcome: Outcome
    text: str
    reasons: tuple[str, ...]
    decide: str | None
    findings: tuple[Finding, ...]
    confidence: Number
    warmup_windows: int
    reaction: Reaction
    throughput: Throughput
    logical: Logical
    deadline: Deadline | None
    idle: IdleCost | None
    disturbed: Disturbed | None
    stand_ins: tuple[StandIn, ...] = ()
    dropped: DroppedErrors | None = None

    @property
    def caveats(self) -> tuple[str, ...]:
        """Sentences on what the answers do not stand for; they come before all else."""
        dropped = () if self.dropped is None else (self.dropped.text,)
        return (*(each.text for each in self.stand_ins), *dropped)


class Stage(_Part):
    """Duration of one stage over the judged windows, in ps, and its share of the reaction time.

    A percentile is None when there are too few windows for it, everything when there are none.
    """

    name: str
    timing_source: str | None
    timing_confidence: str | None
    mean_ps: int | None
    p50_ps: int | None
    p99_ps: int | None
    p999_ps: int | None
    max_ps: int | None
    share: Number | None


class Rounds(_Part):
    """What became of every round: emitted = decoded + in_flight + lost."""

    emitted: int
    decoded: int
    in_flight: int
    lost: int
    lost_by_cause: dict[str, int]


class PredecoderCounts(_Part):
    """Detection events before and after the pre-decoder, and what they say per detector."""

    density_in: Number | None
    density_out: Number | None
    factor: Number | None
    windows: int
    detectors: int
    events_in: int
    events_out: int
    emptied: int


class Result(_Part):
    """All that is known of a run; ``repeatable`` if the same seed gives these numbers again."""

    schema_version: Literal[2] = 2
    scenario: dict[str, Any]
    sources: dict[str, ValueOrigin]
    versions: dict[str, str]
    machine: MachineFacts | None
    seed: int
    engine: str
    repeatable: bool
    verdict: Verdict
    stages: tuple[Stage, ...]
    rounds: Rounds
    predecoder: PredecoderCounts | None


def dumps(result: Result) -> str:
    """Write a result as JSON text, keys in their order; equal results give equal text."""
    data = result.model_dump(mode="json")
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_result(text: str, place: str) -> Result:
    """Read what `dumps` wrote; ``place`` names it in RoundtripError for anything else.

    Raises ValueError for text that is not JSON.
    """
    data = json.loads(text)
    found = data.get("schema_version") if isinstance(data, Mapping) else None
    if found is None or isinstance(found, bool) or not isinstance(found, int):
        raise RoundtripError(
            f'"{place}" states no schema version, so it is no result of a run; '
            "give the folder that roundtrip run has written."
        )
    if found != SCHEMA_VERSION:
        fix = "update Roundtrip or run it again" if found > SCHEMA_VERSION else "run it again"
        raise RoundtripError(
            f'the result in "{place}" has schema version {found}, and this program reads '
            f"{SCHEMA_VERSION}; {fix}."
        )
    try:
        return Result.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RoundtripError(
            f'the result in "{place}" cannot be read ({key}: {first["msg"]}); run it again.'
        ) from error


def result_schema() -> dict[str, Any]:
    """Schema (draft 2020-12) that every ``result.json`` of this version satisfies."""
    schema = _tidy(Result.model_json_schema(mode="serialization", schema_generator=DescribedSchema))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def result_schema_text() -> str:
    """The schema as committed: indented JSON that ends with a newline."""
    return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(node: Any) -> Any:
    """Drop generated titles, and write code as Markdown does."""
    if isinstance(node, list):
        return [_tidy(inner) for inner in node]
    if not isinstance(node, dict):
        return node.replace("``", "`") if isinstance(node, str) else node
    return {
        key: _tidy(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
