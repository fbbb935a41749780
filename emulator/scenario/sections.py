"""The tables of a scenario file but [code] and [noise]: what each key means and may be.

What a single value must satisfy is said here by its type; what values must satisfy together is
said in ``checks``.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool

from emulator.scenario.codes import Count, Natural, Orientation
from emulator.scenario.delays import Constant, Delay, Timing
from emulator.scenario.quantities import (
    Frequency,
    Number,
    PositiveSize,
    PositiveTime,
    Probability,
    Rate,
    Section,
    Time,
)
from emulator.units import parse_frequency

__all__ = [
    "BudgetSection",
    "DecoderSection",
    "FeedbackSection",
    "FpgaSection",
    "HostSection",
    "LinkSection",
    "LinksSection",
    "PredecoderSection",
    "QpuSection",
    "RunSection",
    "WindowSection",
]

_AT_ONCE = Constant(kind="constant", value="0 ps")  # what a model reads is text

OpenUnit = Annotated[Number, Field(gt=0, lt=1)]


class QpuSection(Section):
    """The quantum processor: its clock and its deadline."""

    preset: str | None = None
    round_period: PositiveTime
    """Time from one syndrome round to the next."""
    readout: Delay = _AT_ONCE
    """From the end of a round to its bits being at the FPGA."""
    patches: Count = 1
    """Logical patches, each with its own stream of syndromes."""
    patch_offset: Time = 0
    """How much later than patch k patch k + 1 starts its rounds."""
    shot_period: PositiveTime | None = None
    """From the start of one shot to the start of the next; left out: shots are back to back."""
    reaction_limit: PositiveTime | None = None
    """Longest tolerable time from the last round of a window to its answer."""
    suppression: Annotated[Number, Field(gt=1)] | None = None
    """Error suppression factor Lambda from distance d to d + 2; for the cost of waiting."""


class WindowSection(Section):
    """How a shot is cut into decoding windows."""

    kind: Literal["whole", "sliding", "parallel"] = "whole"
    commit: Count | None = None
    """Rounds whose corrections become final."""
    buffer: Natural | None = None
    """Rounds read beyond the committed ones, on one side (sliding) or both (parallel)."""
    tail: Literal["truncate", "absorb"] = "truncate"
    """What sliding windows do at the end of a shot: get shorter, or the last one commits all."""


def _rounds_or_window(value: object) -> object:
    if value == "window" or (type(value) is int and value >= 1):
        return value
    text = f'"{value}"' if isinstance(value, str) else str(value)
    raise ValueError(f'{text} is neither a number of rounds >= 1 nor "window"')


class FpgaSection(Section):
    """The packetiser between processor and link, in cycles of one clock."""

    preset: str | None = None
    clock: Frequency = parse_frequency("322.265625 MHz")
    bus_bits: Literal[64, 128, 256, 512] = 512
    intake: Literal["message", "rounds"] = "message"
    """``message``: a message enters over the bus when its last round is there; ``rounds``: each
    round enters as it comes, over an input of its patch, and messages leave in order without gaps.
    """
    input_bits: Literal[8, 16, 32, 64, 128, 256] = 32
    """Width of a patch's input, with ``intake = "rounds"``."""
    pipeline_cycles: Natural = 22
    """From the last beat of a packet (with ``rounds``: of a message's last round) to its frame."""
    store_and_forward: StrictBool = True
    """Whether a packet waits for its last beat; has no effect with ``intake = "rounds"``."""
    min_spacing_cycles: Natural = 48
    """Shortest distance between the starts of two messages; no effect with ``rounds``."""
    receive_cycles: Natural = 18
    """From the last beat of an answer to the correction being applied."""
    rounds_per_message: Annotated[Count | Literal["window"], BeforeValidator(_rounds_or_window)] = (
        "window"
    )
    """Rounds of one message; ``"window"``: what a window commits."""
    encoding: Literal["bits", "bytes"] = "bits"
    """Whether a detection event takes a bit or a byte on the line."""
    timing: Literal["model", "rtl"] = "model"
    """Cycles as these keys describe them, or from running the packetiser in hdl/rtl."""


class LinkSection(Section):
    """One direction of the way between FPGA and host."""

    preset: str | None = None
    rate: Rate | None = None
    """Line rate; left out: frames take no time on the line."""
    latency: Delay = _AT_ONCE
    propagation: Time = 0
    hops: Natural = 0
    """Store-and-forward switches on the way."""
    hop_latency: Time = 0
    mtu: PositiveSize = 4096
    """Longest payload of one frame."""
    framing: Literal["roce", "udp", "raw"] = "roce"
    port: Literal["shared", "per_patch"] = "shared"
    loss: Probability = 0.0
    """Probability that a message is lost."""


class LinksSection(Section):
    """The link, up to the host and down to the FPGA."""

    up: LinkSection = LinkSection()
    down: LinkSection = LinkSection()


class HostSection(Section):
    """The receive ring and the dispatcher behind it."""

    preset: str | None = None
    ring_slots: Annotated[Count, Field(le=1 << 20)] = 64
    on_full: Literal["drop", "wait"] = "drop"
    release: Literal["dispatch", "response"] = "response"
    """When a slot is free again: its message dispatched, or its answer sent."""
    dispatch: Delay = _AT_ONCE


class PredecoderSection(Section):
    """A neural network in front of the decoder, which removes most detection events."""

    preset: str | None = None
    kind: Literal["none", "onnx", "delay"] = "none"
    """``delay``: it takes time in the loop, but answers come from the decoder alone."""
    model: Path | None = None
    orientation: Orientation | None = None
    """What the model was trained for; left out: as the code."""
    streams: Count = 1
    """Inferences that run side by side."""
    batch: Count = 1
    batch_timeout: Time = 0
    """How long a batch that is not full waits for more."""
    timing: Timing = "measured"
    profile: Path | None = None


class DecoderSection(Section):
    """The decoder that gives the answers."""

    preset: str | None = None
    algorithm: Annotated[str, Field(min_length=1)] = "pymatching"
    """``pymatching``, ``pymatching_correlated``, any decoder of sinter, ``module:function``, or
    ``none``: a timing-only run, which decodes nothing and measures no logical error rate.
    """
    allow_dropped: Probability = 0.0
    """Share of the error probability that the decoder may leave out: errors with three or more
    detectors, which matching cannot use.
    """
    workers: Count = 1
    timing: Timing = "measured"
    profile: Path | None = None


class FeedbackSection(Section):
    """A processor that needs results to go on."""

    every: Count
    """Rounds between two results that are waited for."""


class BudgetSection(Section):
    """What has to be met."""

    reaction: PositiveTime | None = None
    """Longest tolerable reaction time; left out: ``qpu.reaction_limit``."""
    quantile: OpenUnit = 0.99
    """Part of the reactions that must be within the limit."""
    confidence: OpenUnit = 0.95
    logical_error_rate: Probability | None = None
    """Largest tolerable logical error rate per shot."""
    lost_rounds: Natural = 0


class RunSection(Section):
    """How much is run, and with which random numbers."""

    title: str = ""
    shots: Count = 1000
    """Per patch."""
    seed: Natural = 0
    warmup_windows: Natural = 0
    """Windows of the beginning that no statistic counts."""
    drain: StrictBool = True
    """Whether windows in flight at the last round are waited for."""
    chunk_shots: Count = 1024
    """Shots sampled and decoded at a time; changes memory, not results."""
