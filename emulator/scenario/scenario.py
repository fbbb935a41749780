"""A complete scenario: all tables of a file, consistent with one another."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from emulator.scenario.checks import ContradictionError, Parts, contradictions
from emulator.scenario.codes import Code, Noise
from emulator.scenario.mistakes import in_toml
from emulator.scenario.quantities import Section
from emulator.scenario.sections import (
    BudgetSection,
    DecoderSection,
    FeedbackSection,
    FpgaSection,
    HostSection,
    LinksSection,
    PredecoderSection,
    QpuSection,
    RunSection,
    WindowSection,
)

__all__ = ["SCHEMA_VERSION", "Scenario", "dump"]

SCHEMA_VERSION: Literal[2] = 2
"""Version of scenario files. 1 had predecoder.kind = "timing_only" where 2 has "delay"."""


def _current_version(value: object) -> object:
    if value == SCHEMA_VERSION and type(value) is int:
        return value
    renamed = 'rename predecoder.kind = "timing_only" to "delay" and ' if value == 1 else ""
    raise ValueError(
        f"{in_toml(value)} is no version that this Roundtrip reads; {renamed}write "
        f"schema_version = {SCHEMA_VERSION}"
    )


class Scenario(Section):
    """A complete experiment: processor, code, link, host, decoders, and what they must achieve.

    Raises ``ContradictionError``, a ``ScenarioError``, when values do not fit together.
    """

    schema_version: Annotated[Literal[2], BeforeValidator(_current_version)] = SCHEMA_VERSION
    """Version of the keys of this file; left out: the current one."""
    qpu: QpuSection
    code: Code
    noise: Noise | None = None
    window: WindowSection = WindowSection()
    fpga: FpgaSection = FpgaSection()
    link: LinksSection = LinksSection()
    host: HostSection = HostSection()
    predecoder: PredecoderSection = PredecoderSection()
    decoder: DecoderSection = DecoderSection()
    feedback: FeedbackSection | None = None
    budget: BudgetSection = BudgetSection()
    run: RunSection = RunSection()

    @property
    def reaction_limit_ps(self) -> int | None:
        """Reaction time to be met in picoseconds: the budget's, else the processor's, else None."""
        own = self.budget.reaction
        return self.qpu.reaction_limit if own is None else own

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = contradictions(Parts(**{name: getattr(self, name) for name in Parts.names()}))
        if found:
            raise ContradictionError(found)
        return self


def dump(scenario: Scenario) -> dict[str, Any]:
    """Write a scenario as JSON values, every quantity as exact text with its unit.

    Values that are not set are left out. ``Scenario.model_validate`` and ``resolve`` read the
    result back as an equal scenario.
    """
    return scenario.model_dump(mode="json", exclude_none=True)
