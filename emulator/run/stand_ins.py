"""Stages whose times are those of another decoder than the one that gave the answers."""

from collections.abc import Mapping

from emulator.results.result import StandIn
from emulator.scenario.layers import Origin
from emulator.scenario.presets import Preset, read_preset
from emulator.scenario.scenario import Scenario

__all__ = ["stand_ins"]


def stand_ins(scenario: Scenario, origins: Mapping[str, Origin]) -> tuple[StandIn, ...]:
    """List the stages of a run whose answers and times are of different decoders.

    A preset's times are those of the decoder that it describes; whose a delay of the user's own
    are cannot be told. None in a timing-only run, which has no answers.
    """
    if scenario.decoder.algorithm == "none":
        return ()
    found = (_predecoder(scenario, origins), _decoder(scenario, origins))
    return tuple(stage for stage in found if stage is not None)


def _decoder(scenario: Scenario, origins: Mapping[str, Origin]) -> StandIn | None:
    answers, preset = scenario.decoder.algorithm, _timed_by(origins, "decoder")
    if preset is None or not (
        preset.stands_in or preset.values.get("algorithm", answers) != answers
    ):
        return None
    return StandIn(
        stage="decode",
        answers=answers,
        times=preset.title,
        text=f"answers are those of {answers}, times those of {_named(preset)}: the logical "
        "error rate is not that of the decoder that was timed",
    )


def _predecoder(scenario: Scenario, origins: Mapping[str, Origin]) -> StandIn | None:
    section, preset = scenario.predecoder, _timed_by(origins, "predecoder")
    if section.kind == "none" or (section.kind == "onnx" and preset is None):
        return None
    times = "a delay that the scenario gives" if preset is None else _named(preset)
    if section.kind == "delay":
        answers, who = None, "no pre-decoder has a part in the answers"
    else:
        answers = str(section.model)
        who = f"answers of the pre-decoder are those of {answers}"
    return StandIn(
        stage="predecode",
        answers=answers,
        times=times if preset is None else preset.title,
        text=f"{who}, its times are those of {times}: the logical error rate is not that of what "
        "was timed",
    )


def _timed_by(origins: Mapping[str, Origin], table: str) -> Preset | None:
    """Preset that the times of a stage come from; None for any other."""
    origin = origins.get(f"{table}.timing.kind")
    if origin is None or origin.kind != "preset":
        return None
    kind, _, name = origin.where.partition("/")
    return read_preset(kind, name)


def _named(preset: Preset) -> str:
    return f"{preset.title} (preset {preset.name})"
