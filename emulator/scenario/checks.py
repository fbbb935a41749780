"""What the values of a scenario must satisfy together: each rule yields mistakes with their fix."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from emulator.errors import ScenarioError
from emulator.scenario.codes import (
    CircuitCode,
    CudaqCode,
    GeneratedCode,
    Noise,
    SampleCode,
)
from emulator.scenario.sections import (
    DecoderSection,
    FpgaSection,
    HostSection,
    LinksSection,
    PredecoderSection,
    QpuSection,
    WindowSection,
)
from emulator.units import format_time

__all__ = ["ContradictionError", "KeyPath", "Mistake", "Parts", "contradictions"]

KeyPath = tuple[str, ...]
"""A key with the tables it is in: ``("link", "up", "rate")``."""

RING_SLOTS_ROCE = 64
"""Most slots of a ring that an FPGA writes to by RDMA.

The receiver posts one work queue entry a slot and has 64 of them; in a deeper ring slots w and
w + 64 are the same (comments of hsb_fpga_syndrome_playback.cpp in NVIDIA/cudaqx).
"""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the value of one key, and how to put it right."""

    path: KeyPath
    text: str

    def __str__(self) -> str:
        """Key and text, as in ``window.commit: is missing; …``."""
        return f"{'.'.join(self.path)}: {self.text}"


class ContradictionError(ScenarioError):
    """Values that do not fit together; ``mistakes`` lists them with their keys."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Parts:
    """The tables that rules look at; None stands for one that could not even be read."""

    qpu: QpuSection | None = None
    code: GeneratedCode | CircuitCode | SampleCode | CudaqCode | None = None
    noise: Noise | None = None
    window: WindowSection | None = None
    fpga: FpgaSection | None = None
    link: LinksSection | None = None
    host: HostSection | None = None
    predecoder: PredecoderSection | None = None
    decoder: DecoderSection | None = None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The tables, in the order of a file."""
        return tuple(field.name for field in fields(cls))

    @property
    def rounds(self) -> int | None:
        """Rounds of one shot, where the scenario itself says so."""
        return self.code.rounds if isinstance(self.code, GeneratedCode | CircuitCode) else None


def contradictions(parts: Parts, unreadable: Iterable[str] = ()) -> list[Mistake]:
    """List what does not fit together; tables named in ``unreadable`` are not held missing."""
    skipped = set(unreadable)
    found = [mistake for rule in RULES for mistake in rule(parts)]
    return [mistake for mistake in found if mistake.path[0] not in skipped]


def _distance(parts: Parts) -> Iterator[Mistake]:
    code = parts.code
    if not isinstance(code, GeneratedCode):
        return
    if code.task.startswith("repetition"):
        if code.distance < 2:
            yield Mistake(("code", "distance"), f"{code.distance} is too small; write 2 or more")
    elif code.distance < 3 or code.distance % 2 == 0:
        text = f"{code.distance} is no distance of {code.task}; write an odd number from 3"
        yield Mistake(("code", "distance"), text)
    if code.task.startswith(("color", "ising")) and code.rounds < 2:
        yield Mistake(("code", "rounds"), f"{code.task} needs at least 2 rounds; write rounds = 2")


def _sample_model(parts: Parts) -> Iterator[Mistake]:
    code = parts.code
    if isinstance(code, SampleCode) and code.model.suffix not in {".dem", ".stim"}:
        text = f'"{code.model}" is no error model; write the path of a .dem or a .stim file'
        yield Mistake(("code", "model"), text)


def _noise(parts: Parts) -> Iterator[Mistake]:
    code, noise = parts.code, parts.noise
    if isinstance(code, GeneratedCode) and noise is None:
        text = 'a generated code needs noise; add [noise] with model = "si1000" and p = 0.001'
        yield Mistake(("noise",), text)
    if noise is None or noise.model == "none":
        return
    if noise.p is None:
        yield Mistake(("noise", "p"), f"{noise.model} needs a physical error rate; add p = 0.001")
    if code is not None and not isinstance(code, GeneratedCode):
        text = f'source = "{code.source}" brings its own noise; delete [noise] or write "none"'
        yield Mistake(("noise", "model"), text)


def _window_keys(parts: Parts) -> Iterator[Mistake]:
    window = parts.window
    if window is None:
        return
    for key in ("commit", "buffer"):
        value = getattr(window, key)
        if window.kind == "whole" and value is not None:
            text = f'a whole window has none; delete {key} = {value} or write kind = "sliding"'
            yield Mistake(("window", key), text)
        if window.kind != "whole" and value is None:
            text = f"a {window.kind} window needs it; add e.g. {key} = 5"
            yield Mistake(("window", key), text)
    if window.kind == "parallel" and window.buffer == 0:
        text = "0 leaves nothing for the windows in between; write buffer = 1 or more"
        yield Mistake(("window", "buffer"), text)


def _window_fits_shot(parts: Parts) -> Iterator[Mistake]:
    window, rounds = parts.window, parts.rounds
    if window is None or rounds is None or window.commit is None or window.buffer is None:
        return
    size = window.commit + window.buffer * (2 if window.kind == "parallel" else 1)
    if window.kind != "whole" and size > rounds:
        text = (
            f"a window of {size} rounds is larger than a shot of {rounds}; "
            f"write commit and buffer that fit, or code.rounds = {size} or more"
        )
        yield Mistake(("window", "commit"), text)


def _shot_period(parts: Parts) -> Iterator[Mistake]:
    qpu, rounds = parts.qpu, parts.rounds
    if qpu is None or rounds is None or qpu.shot_period is None:
        return
    least = rounds * qpu.round_period
    if qpu.shot_period < least:
        text = (
            f'"{format_time(qpu.shot_period)}" is shorter than a shot: {rounds} rounds of '
            f'{format_time(qpu.round_period)}; write at least "{format_time(least)}"'
        )
        yield Mistake(("qpu", "shot_period"), text)


def _ring(parts: Parts) -> Iterator[Mistake]:
    host, link = parts.host, parts.link
    if host is None or link is None or link.up.framing != "roce":
        return
    if host.ring_slots > RING_SLOTS_ROCE:
        text = (
            f"{host.ring_slots} slots are more than the {RING_SLOTS_ROCE} that an FPGA addresses "
            f'over RoCE; write ring_slots = {RING_SLOTS_ROCE} or link.up.framing = "udp"'
        )
        yield Mistake(("host", "ring_slots"), text)


def _predecoder(parts: Parts) -> Iterator[Mistake]:
    pre = parts.predecoder
    if pre is None:
        return
    if pre.batch_timeout > 0 and pre.batch == 1:
        text = f'"{format_time(pre.batch_timeout)}" has no effect on batches of 1; add batch = 2'
        yield Mistake(("predecoder", "batch_timeout"), text)
    if pre.kind == "onnx":
        if pre.model is None:
            text = 'an onnx pre-decoder needs it; add e.g. model = "pair_rule_d5_T26_Z.onnx"'
            yield Mistake(("predecoder", "model"), text)
        if parts.window is not None and parts.window.kind != "whole":
            text = (
                f"an onnx pre-decoder reads whole shots, not {parts.window.kind} windows; "
                'write window.kind = "whole" or predecoder.kind = "delay"'
            )
            yield Mistake(("predecoder", "kind"), text)
    if pre.kind == "delay" and isinstance(pre.timing, str):
        text = (
            f'"{pre.timing}" times an inference, and kind = "delay" has none; '
            'write e.g. timing = { kind = "constant", value = "100 us" }'
        )
        yield Mistake(("predecoder", "timing"), text)


def _timing_only(parts: Parts) -> Iterator[Mistake]:
    decoder, pre, fpga = parts.decoder, parts.predecoder, parts.fpga
    if decoder is None or decoder.algorithm != "none":
        return
    example = 'timing = { kind = "constant", value = "10 us" }'
    if decoder.timing == "measured":
        text = f'"measured" times a decoder, and algorithm = "none" has none; write e.g. {example}'
        yield Mistake(("decoder", "timing"), text)
    if pre is not None and pre.kind == "onnx":
        text = f'"onnx" needs a decoder behind it; write kind = "delay" with e.g. {example}'
        yield Mistake(("predecoder", "kind"), text)
    if fpga is not None and fpga.timing == "rtl":
        text = 'a packetiser in hardware needs answers to send back; write timing = "model"'
        yield Mistake(("fpga", "timing"), text)


def _profiles(parts: Parts) -> Iterator[Mistake]:
    stages: list[tuple[str, PredecoderSection | DecoderSection | None]] = [
        ("decoder", parts.decoder)
    ]
    if parts.predecoder is not None and parts.predecoder.kind == "onnx":
        stages.insert(0, ("predecoder", parts.predecoder))
    for name, stage in stages:
        if stage is not None and stage.timing == "profile" and stage.profile is None:
            text = 'timing = "profile" needs it; add the file that roundtrip profile wrote'
            yield Mistake((name, "profile"), text)


RULES: tuple[Callable[[Parts], Iterator[Mistake]], ...] = (
    _distance,
    _sample_model,
    _noise,
    _window_keys,
    _window_fits_shot,
    _shot_period,
    _ring,
    _predecoder,
    _timing_only,
    _profiles,
)
"""A new rule is one function and one line here."""
