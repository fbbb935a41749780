"""The messages of a shot, sized by really encoding them."""

from collections.abc import Sequence

from emulator.errors import ScenarioError
from emulator.loop.config import Message, messages_of_shot
from emulator.scenario.sections import FpgaSection, LinkSection, WindowSection
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
from emulator.wire.framing import BEAT_BYTES, LINE_OVERHEAD_BITS, Direction

__all__ = ["carried_rounds", "messages", "payload_sizes", "response_packets", "window_plan"]

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
    fpga: FpgaSection, link: LinkSection, window: WindowSection, bits_per_round: Sequence[int]
) -> tuple[Message, ...]:
    """Messages that carry the detection events of one shot up the link, in order.

    ``bits_per_round`` has the detectors each round completes. A message is an enqueue_syndromes
    call, bit-packed, or with ``encoding = "bytes"`` the pre-decoder's byte per detector. Over RoCE
    all take a window of the same length, that of the longest. Raises ScenarioError for a message
    larger than the protocol allows and an MTU too small for any.
    """
    carried = carried_rounds(fpga, window, len(bits_per_round))
    payloads = payload_sizes(fpga, carried, bits_per_round)
    by_round = fpga.intake == "rounds"
    longest = max(payloads)
    packets = {
        payload: _packets(payload, link, "up", fpga, longest) for payload in dict.fromkeys(payloads)
    }
    return tuple(
        Message(
            rounds=numbers,
            packets=packets[payload],
            intake=_intake(fpga, numbers, bits_per_round) if by_round else (),
        )
        for numbers, payload in zip(carried, payloads, strict=True)
    )


def carried_rounds(fpga: FpgaSection, window: WindowSection, rounds: int) -> tuple[range, ...]:
    """Rounds of each message of a shot of ``rounds`` rounds, in order."""
    size = fpga.rounds_per_message
    return messages_of_shot(rounds, (window.commit or rounds) if size == "window" else size)


def payload_sizes(
    fpga: FpgaSection, carried: Sequence[range], bits_per_round: Sequence[int]
) -> list[int]:
    """Bytes of each message of a shot, by really encoding one of each length."""
    bits = [sum(bits_per_round[c.start : c.stop]) for c in carried]
    sizes = {each: _payload_bytes(fpga.encoding, each) for each in dict.fromkeys(bits)}
    return [sizes[each] for each in bits]


def _intake(fpga: FpgaSection, numbers: range, bits_per_round: Sequence[int]) -> tuple[int, ...]:
    for number in numbers:
        if bits_per_round[number] == 0:
            raise ScenarioError(
                f"fpga.intake: round {number} has no detector, and a round enters with its bits; "
                'write intake = "message"'
            )
    return tuple(-(-bits_per_round[number] // fpga.input_bits) for number in numbers)


def response_packets(fpga: FpgaSection, link: LinkSection, observables: int) -> Packets:
    """Frames of the response that carries the corrections of one window down the link."""
    result = bytes(-(-observables // 8))
    payload = len(Response(Status.OK, result=result).encode())
    return _packets(payload, link, "down", fpga, payload)


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


def _packets(
    payload_bytes: int,
    link: LinkSection,
    direction: Direction,
    fpga: FpgaSection,
    window_bytes: int,
) -> Packets:
    def line_bits(size: int, window: int) -> tuple[int, ...]:
        try:
            return message_frames(
                size, link.framing, mtu=link.mtu, direction=direction, window_bytes=window
            )
        except WireError as error:
            raise ScenarioError(f"link.{direction}.{error}") from error

    # what is on the line but not on the bus: what framing adds to a frame that needs no padding,
    # or, where the frame itself is on the bus, what the MAC adds to it
    if fpga.intake == "message":
        overhead_bits = line_bits(BEAT_BYTES, BEAT_BYTES)[0] - 8 * BEAT_BYTES
    else:
        overhead_bits = 0 if link.framing == "raw" else LINE_OVERHEAD_BITS
    return tuple(
        (-(-(bits - overhead_bits) // fpga.bus_bits), bits)
        for bits in line_bits(payload_bytes, window_bytes)
    )
