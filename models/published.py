"""Published times of pre-decoders on accelerators: those presets that fit a layout and a noise."""

from dataclasses import dataclass

from emulator.decoders.ising_layout import IsingLayout
from emulator.errors import ScenarioError
from emulator.scenario.delays import Constant, Curve, Load
from emulator.scenario.presets import Preset, preset_names, read_preset
from emulator.scenario.sections import PredecoderSection
from emulator.timing import TimingContext
from emulator.timing.curve import curve_ps

__all__ = ["Published", "published"]


@dataclass(frozen=True)
class Published:
    """What a preset says of one window: ``window_ns``, with matching or without it."""

    preset: Preset
    window_ns: float
    with_matching: bool

    def text(self) -> str:
        """Say whose time it is."""
        matching = "its matching included" if self.with_matching else "matching as measured here"
        return (
            f"with {self.preset.name}: the time of a network trained by others, not of these "
            f"files, {matching}; {self.preset.confidence}: {self.preset.title}; "
            f"{self.preset.source}"
        )


def published(name: str, layout: IsingLayout, p: float) -> Published:
    """The time that preset ``name`` gives for a window of ``layout`` at noise ``p``.

    Raises ScenarioError for an unknown preset, and for one that is silent about them.
    """
    read_preset("predecoder", name)
    presets = (read_preset("predecoder", other) for other in preset_names("predecoder"))
    fitting = {found.preset.name: found for each in presets if (found := _fit(each, layout, p))}
    if name not in fitting:
        known = f"give {' or '.join(fitting)}" if fitting else "none does, leave it out"
        raise ScenarioError(
            f'--profile: "{name}" has no time for the surface code at d={layout.distance} '
            f"T={layout.rounds} p = {p}; {known}."
        )
    return fitting[name]


def _fit(preset: Preset, layout: IsingLayout, p: float) -> Published | None:
    """Read the preset at a layout; None where its facts say that it is of another code or size."""
    window_ps = None if preset.colour else _window_ps(preset, layout, p)
    if window_ps is None:
        return None
    return Published(preset, window_ps / 1000, bool(preset.includes_matching))


def _window_ps(preset: Preset, layout: IsingLayout, p: float) -> int | None:
    timing = PredecoderSection.model_validate(preset.values).timing
    if isinstance(timing, Curve):
        context = TimingContext(layout.distance, frozenset({layout.rounds}), p)
        try:
            figure_ps = curve_ps(timing, context)
        except ScenarioError:
            return None
        return figure_ps * layout.rounds if timing.per == "round" else figure_ps
    if (preset.distance, preset.rounds) != (layout.distance, layout.rounds):
        return None
    one_at_a_time = timing.idle if isinstance(timing, Load) else timing
    return one_at_a_time.value if isinstance(one_at_a_time, Constant) else None
