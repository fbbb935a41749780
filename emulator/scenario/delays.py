"""How long a stage takes, as written in a scenario: one table per kind of delay model."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator
from typing_extensions import TypeAliasType

from emulator.scenario.codes import Count
from emulator.scenario.quantities import Number, PositiveTime, Section, Time

__all__ = [
    "Batch",
    "Component",
    "Confidence",
    "Constant",
    "Curve",
    "CurvePoint",
    "Delay",
    "DelaySection",
    "Draw",
    "Empirical",
    "Load",
    "Lognormal",
    "Mixture",
    "Normal",
    "Quantiles",
    "Timing",
    "Warmup",
]

Confidence = Literal["measured", "published", "derived", "assumed"]
"""How far to trust a figure: measured here, published, derived from published, or assumed."""

Sigma = Annotated[Number, Field(gt=0, le=5)]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A probability that is a key, and so text."""

Fill = Annotated[int, Field(ge=1)]
"""Jobs of a batch, as a key."""


class DelaySection(Section):
    """What every kind of delay may say about where its figures come from."""

    source: str | None = None
    """Paper, document or measurement the figures are from."""
    confidence: Confidence | None = None


class Constant(DelaySection):
    """Always the same time."""

    kind: Literal["constant"]
    value: Time


class Normal(DelaySection):
    """Gaussian; draws below ``floor`` become ``floor``."""

    kind: Literal["normal"]
    mean: PositiveTime
    sd: PositiveTime
    floor: Time = 0


class Lognormal(DelaySection):
    """``shift`` plus a log-normal time of the given median: the shape of work under an OS."""

    kind: Literal["lognormal"]
    shift: Time = 0
    median: PositiveTime
    """Median of the log-normal part; the median of the delay is ``shift`` + ``median``."""
    sigma: Sigma
    """Standard deviation of the logarithm."""


class Component(Section):
    """One delay of a mixture, with its share of the draws."""

    weight: Annotated[Number, Field(gt=0)]
    """Relative: weights need not add up to one."""
    delay: "Draw"


class Mixture(DelaySection):
    """Each draw comes from one of several delays: a body and a heavy tail, say."""

    kind: Literal["mixture"]
    components: Annotated[tuple[Component, ...], Field(min_length=1)]


class Empirical(DelaySection):
    """Recorded times, drawn at random or replayed in their order, starting over at the end.

    ``file`` is relative to the scenario file: a profile that ``roundtrip profile`` wrote, or a CSV
    file whose column name ends with its unit, such as ``delta_ns``.
    """

    kind: Literal["empirical"]
    file: Annotated[str, Field(min_length=1)]
    column: str | None = None
    """Stage of the profile or column of the CSV file; may be left out where there is only one."""
    order: Literal["draw", "replay"] = "draw"


class Quantiles(DelaySection):
    """Published quantiles, joined by straight lines in the logarithm of time.

    Outside the lowest and highest listed probability the time stays at the listed one: a quantile
    beyond the published ones is not invented.
    """

    kind: Literal["quantiles"]
    points: Annotated[dict[Share, PositiveTime], Field(min_length=2)]
    """Probability to time, such as ``"0.5" = "352.3 us"``."""

    @model_validator(mode="after")
    def _times_rise(self) -> Self:
        times = [self.points[p] for p in sorted(self.points)]
        if times != sorted(times):
            raise ValueError("a higher quantile has a shorter time; quantiles must not fall")
        return self


class CurvePoint(Section):
    """One published figure, and the code it was published for."""

    distance: Count
    p: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """Physical error rate; left out where it is not published."""
    value: PositiveTime
    rounds: Count | None = None
    """Rounds of the windows the figure was taken with; left out where it does not matter."""


class Curve(DelaySection):
    """A published table over code distance and physical error rate.

    A listed point is met exactly; between listed points the value follows a power law in distance
    and in error rate. Outside the listed ranges there is no answer.
    """

    kind: Literal["curve"]
    per: Literal["window", "round"]
    """Whether a value is for a whole window or for each of the rounds that a window reads."""
    points: Annotated[tuple[CurvePoint, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_value_per_code(self) -> Self:
        counts = Counter((point.distance, point.p) for point in self.points)
        for (distance, p), count in counts.items():
            if count > 1:
                at = "" if p is None else f" at p = {p}"
                raise ValueError(f"distance {distance}{at} is listed {count} times")
        for key in ("p", "rounds"):
            if len({getattr(point, key) is None for point in self.points}) > 1:
                raise ValueError(f"some points give {key} and others do not")
        return self


class Load(DelaySection):
    """Service slowed by its neighbours: from ``idle`` alone to ``loaded`` with ``servers`` busy.

    In between the time grows linearly with the number of busy servers; more than ``servers`` do
    not slow it further. A job has the same random number at both ends, so that an unlucky one is
    unlucky at every load.
    """

    kind: Literal["load"]
    idle: "Draw"
    loaded: "Draw"
    servers: Annotated[Count, Field(ge=2)]
    """Busy servers, the job's own included, at which ``loaded`` is reached."""


class Batch(DelaySection):
    """The time of one call by how many jobs it serves, for a stage that works in batches.

    Between listed fills the time is linear, rounded down to whole picoseconds; a smaller batch
    than the smallest listed takes the time of that one, and a larger one than the largest listed
    is refused. Every other kind is the time of one call, whatever its fill.
    """

    kind: Literal["batch"]
    points: Annotated[dict[Fill, PositiveTime], Field(min_length=1)]
    """Jobs in the batch to time of the whole batch, such as ``"8" = "40 us"``."""


class Warmup(DelaySection):
    """The first messages take ``first``, all later ones ``then``."""

    kind: Literal["warmup"]
    messages: Count = 1
    first: "Delay"
    then: "Delay"


Draw = TypeAliasType(
    "Draw",
    Annotated[
        Constant | Normal | Lognormal | Mixture | Empirical | Quantiles | Curve,
        Field(discriminator="kind"),
    ],
)
"""A delay that depends on nothing but chance; the ones that others are made of."""

Delay = TypeAliasType(
    "Delay",
    Annotated[
        Constant
        | Normal
        | Lognormal
        | Mixture
        | Empirical
        | Quantiles
        | Curve
        | Load
        | Batch
        | Warmup,
        Field(discriminator="kind"),
    ],
)
"""Any of the kinds above, told apart by ``kind``."""


def _named_or_delay(value: object) -> str:
    return "name" if isinstance(value, str) else "delay"


Timing = TypeAliasType(
    "Timing",
    Annotated[
        Annotated[Literal["measured", "profile"], Tag("name")] | Annotated[Delay, Tag("delay")],
        Discriminator(_named_or_delay),
    ],
)
"""A delay, or times measured here: of exactly these jobs, or drawn from a stored profile."""

for _model in (Component, Mixture, Load, Warmup):
    _model.model_rebuild()
