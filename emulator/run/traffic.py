"""The messages of a shot, sized by really encoding them."""

from collections.abc import Sequence

from emulator.errors import ScenarioError
from emulator.loop.config import Message, messages_of_shot
from emulator.scenario.sections import Fpga, Link
from emulator.scenario.sections import Window as WindowSection
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window
from emulator.wire import (
    EnqueueSyndromes,
    Predecode,
    Request,
    Response,
    Status,
    WireError,
    message_frames,
)
from emulator.wire.framing import BEAT_BYTES, Direction

__all__ = ["messages", "response_packets", "window_plan"]

Packets = tuple[tuple[int, int], ...]
"""Bus beats and line bits of each frame of a message."""


def window_plan(section: WindowSection, rounds: int) -> tuple[Window, ...]:
    """Cut a shot of ``rounds`` rounds as the [window] table says."""
    if section.kind == "whole":
        return whole_window(rounds)
    if section.commit is None or section.buffer is None:
        raise ValueError(f"a {section.kind} window needs commit and buffer.")
    if section.kind == "sliding":
        return sliding_windows(rounds, section.commit, section.buffer, section.tail)
    return parallel_windows(rounds, section.commit, section.buffer)


def messages(
    fpga: Fpga, link: Link, window: WindowSection, bits_per_round: Sequence[int]
) -> tuple[Message, ...]:
    """Messages that carry the detection events of one shot up the link, in order.

    ``bits_per_round`` has the detectors each round completes. A message is an enqueue_syndromes
    call, bit-packed, or with ``encoding = "bytes"`` the pre-decoder's byte per detector. Raises
    ScenarioError for a message larger than the protocol allows and an MTU too small for any.
    """
    rounds = len(bits_per_round)
    size = fpga.rounds_per_message
    per_message = (window.commit or rounds) if size == "window" else size
    found = []
    for carried in messages_of_shot(rounds, per_message):
        payload = _payload_bytes(fpga.encoding, sum(bits_per_round[r] for r in carried))
        found.append(Message(carried, _packets(payload, link, "up", fpga.bus_bits)))
    return tuple(found)


def response_packets(fpga: Fpga, link: Link, observables: int) -> Packets:
    """Frames of the response that carries the corrections of one window down the link."""
    result = bytes(-(-observables // 8))
    payload = len(Response(Status.OK, result=result).encode())
    return _packets(payload, link, "down", fpga.bus_bits)


def _payload_bytes(encoding: str, bits: int) -> int:
    if encoding == "bytes":
        return len(Request(Predecode(bytes(bits))).encode())
    packed = bytes(-(-bits // 8))
    try:
        return len(Request(EnqueueSyndromes(0, 0, 0, bits, packed)).encode())
    except WireError as error:
        raise ScenarioError(
            f"fpga.rounds_per_message: a message of {bits} bits is too long ({error}); "
            "write fewer rounds per message"
        ) from error


def _packets(payload_bytes: int, link: Link, direction: Direction, bus_bits: int) -> Packets:
    def line_bits(size: int) -> tuple[int, ...]:
        try:
            return message_frames(size, link.framing, mtu=link.mtu, direction=direction)
        except WireError as error:
            raise ScenarioError(f"link.{direction}.{error}") from error

    # what framing adds to a frame that needs no padding
    overhead_bits = line_bits(BEAT_BYTES)[0] - 8 * BEAT_BYTES
    return tuple(
        (-(-(bits - overhead_bits) // bus_bits), bits) for bits in line_bits(payload_bytes)
    )
