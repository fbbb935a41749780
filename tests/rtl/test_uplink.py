"""The compiled way up against the law and the encoder, over random rounds."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.errors import MissingToolError
from emulator.rtl import Uplink, UpSettings
from emulator.rtl.limits import PIPELINE_CYCLES, depth_of
from emulator.rtl.uplink import ENDS_MESSAGE, LAST_BEAT, Sent
from emulator.rtl.verilator import environment
from emulator.units import PS_PER_S, Clock
from emulator.wire import EnqueueSyndromes, Predecode, Request, encode_window
from emulator.wire.framing import roce_registers

CLOCK = Clock(Fraction(322_265_625))
MAC, IP = bytes.fromhex("00005e005301"), bytes([192, 0, 2, 1])
MAX_BITS = 600


@dataclass
class Round:
    cycle: int
    bits: NDArray[np.uint8]
    ends: bool


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    try:
        environment("these tests")
    except MissingToolError as error:
        pytest.skip(str(error))


REGISTERS = roce_registers(
    24 + MAX_BITS, 4096, last_buffer=63, host_udp_port_and_md_disable=1 << 16 | 4791
)


def uplink(data_w: int, in_w: int, patches: int, *, as_bytes: bool, skip: bool = True) -> Uplink:
    return Uplink(
        data_w=data_w,
        in_w=in_w,
        patches=patches,
        depth=depth_of(data_w, MAX_BITS),
        clock=CLOCK,
        skip=skip,
        settings=UpSettings.of(
            REGISTERS, board_mac=MAC, board_ip=IP, message_bits=MAX_BITS, as_bytes=as_bytes
        ),
    )


def push(up: Uplink, patch: int, rounds: list[Round], in_w: int) -> None:
    for entry in rounds:
        beats = -(-len(entry.bits) // in_w)
        padded = np.zeros(beats * in_w, dtype=np.uint8)
        padded[: len(entry.bits)] = entry.bits
        user = np.full(beats, len(entry.bits) - 1 | ENDS_MESSAGE * entry.ends, dtype=np.uint16)
        user[-1] |= LAST_BEAT
        data = np.packbits(padded, bitorder="little").reshape(beats, in_w // 8)
        up.push(patch, np.full(beats, entry.cycle, dtype=np.uint64), data, user)


def expected(
    rounds: list[list[Round]], data_w: int, in_w: int, *, as_bytes: bool
) -> list[tuple[int, int, bytes]]:
    """First cycle, last cycle and bytes of every frame, by the law."""
    whole = []
    for patch, entries in enumerate(rounds):
        free, number, bits, first = 0, 0, [], None
        for entry in entries:
            start = max(free, entry.cycle)
            free = start + -(-len(entry.bits) // in_w)
            first = start if first is None else first
            bits += entry.bits.tolist()
            if entry.ends:
                seconds, rest_ps = divmod(CLOCK.edge_ps(first), PS_PER_S)
                call: Predecode | EnqueueSyndromes = (
                    Predecode(bytes(bits))
                    if as_bytes
                    else EnqueueSyndromes.from_bits(
                        np.array(bits, dtype=np.uint8), decoder_id=patch, counter=number
                    )
                )
                identity, stamp = number * len(rounds) + patch, rest_ps // 1000 << 32 | seconds
                whole.append((free - 1, patch, Request(call, identity, stamp).encode()))
                number, bits, first = number + 1, [], None
    line, psn, found = 0, 0, []
    for slot, (last, _, request) in enumerate(sorted(whole)):
        line = max(line, last + PIPELINE_CYCLES)
        for frame in encode_window(
            request, REGISTERS, board_mac=MAC, board_ip=IP, psn=psn, buffer=slot % 64
        ):
            beats = -(-len(frame) // (data_w // 8))
            found.append((line, line + beats - 1, frame))
            line, psn = line + beats, psn + 1
    return found


def seen(sent: Sent) -> list[tuple[int, int, bytes]]:
    return list(
        zip(sent.first_cycle.tolist(), sent.last_cycle.tolist(), sent.frames(), strict=True)
    )


@st.composite
def traffic(draw: st.DrawFn, patches: int, in_w: int) -> list[list[Round]]:
    """At most twelve messages a patch, which its packer holds whatever the line does."""
    found = []
    for _ in range(patches):
        rounds, cycle = [], draw(st.integers(0, 50))
        for _ in range(draw(st.integers(0, 12))):
            left = draw(st.integers(1, MAX_BITS))
            while left:
                size = draw(st.integers(1, left))
                left -= size
                bits = np.array(draw(st.integers(0, 2**62)) >> np.arange(62) & 1, dtype=np.uint8)
                rounds.append(Round(cycle, np.resize(bits, size), left == 0))
                cycle += -(-size // in_w) + draw(st.sampled_from([0, 0, 1, 7, 30, 5000]))
        found.append(rounds)
    return found


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(st.data())
@pytest.mark.parametrize(("data_w", "in_w", "patches"), [(512, 32, 1), (64, 8, 3)])
def test_every_byte_and_every_cycle_is_that_of_the_law(
    data_w: int, in_w: int, patches: int, data: st.DataObject
) -> None:
    as_bytes = data.draw(st.booleans())
    rounds = data.draw(traffic(patches, in_w))
    up = uplink(data_w, in_w, patches, as_bytes=as_bytes)
    for patch, entries in enumerate(rounds):
        push(up, patch, entries, in_w)
    assert seen(up.run()) == expected(rounds, data_w, in_w, as_bytes=as_bytes)
    messages = sum(entry.ends for entries in rounds for entry in entries)
    wrong = {name: n for name, n in up.stats.items() if n and name != "window_short"}
    assert wrong == ({"message_sent": messages} if messages else {})


def regular(count: int, spacing: int, size: int = 24) -> list[Round]:
    rng = np.random.default_rng(count)
    return [
        Round(100 + n * spacing, rng.integers(0, 2, size, dtype=np.uint8), True)
        for n in range(count)
    ]


@pytest.mark.parametrize(("data_w", "in_w", "patches"), [(512, 32, 1), (64, 8, 3)])
def test_cycles_that_are_skipped_change_nothing(data_w: int, in_w: int, patches: int) -> None:
    """Rounds from back to back to far apart, with every cycle simulated and without."""
    rng = np.random.default_rng(3)
    every, few = (
        uplink(data_w, in_w, patches, as_bytes=False, skip=skip) for skip in (False, True)
    )
    end = 0
    for patch in range(patches):
        cycle, rounds = 60, []
        for number in range(120):
            bits = rng.integers(0, 2, int(rng.integers(1, 200)), dtype=np.uint8)
            rounds.append(Round(cycle, bits, number % 3 == 2))
            cycle += 10 + int(rng.integers(0, 2 ** int(rng.integers(0, 11))))
        for up in (every, few):
            push(up, patch, rounds, in_w)
        end = max(end, cycle + 1000)
    one, other = every.run(until=end), few.run(until=end)
    assert seen(one) == seen(other)
    assert one.request_cycle.tolist() == other.request_cycle.tolist()
    assert every.stats == few.stats
    assert few.evaluated < every.evaluated


def test_a_run_in_parts_is_the_run_in_one() -> None:
    rounds = regular(30, 7)
    whole, parts = (uplink(512, 32, 1, as_bytes=True) for _ in range(2))
    push(whole, 0, rounds, 32)
    push(parts, 0, rounds[:11], 32)
    one = seen(whole.run())
    several = seen(parts.run(until=rounds[11].cycle))
    push(parts, 0, rounds[11:], 32)
    for until in (200, 203, 290):
        several += seen(parts.run(until=until))
    several += seen(parts.run())
    assert several == one
    assert len(one) == 30


STALLS = ((150, 153), (160, 161), (200, 100_000))


def test_a_stalled_line_delays_frames_and_changes_no_byte() -> None:
    rounds = regular(14, 10)
    free, stalled = (uplink(512, 32, 1, as_bytes=False) for _ in range(2))
    for up in (free, stalled):
        push(up, 0, rounds, 32)
    for begin, end in STALLS:
        stalled.stall(begin, end)
    wanted, found = free.run(), stalled.run()
    assert found.frames() == wanted.frames()
    assert (found.first_cycle >= wanted.first_cycle).all()
    # every beat that had not left by cycle 200 leaves without a pause from the end of the stall on
    beats = sum(-(-len(frame) // 64) for frame in found.frames())
    begun = found.first_cycle[0]
    gone = 200 - int(begun) - sum(end - begin for begin, end in STALLS[:2])
    assert found.last_cycle[-1] == STALLS[2][1] - 1 + beats - gone


def test_rounds_without_a_place_are_counted() -> None:
    up = uplink(512, 32, 1, as_bytes=False)
    up.stall(0, 50_000)
    push(up, 0, regular(40, 100), 32)
    sent = up.run()
    dropped = up.stats["round_dropped"]
    assert dropped > 0
    assert len(sent.frames()) == up.stats["message_sent"] == 40 - dropped


def test_beats_of_the_wrong_shape_are_refused() -> None:
    up = uplink(512, 32, 1, as_bytes=False)
    cycles, user = np.zeros(2, dtype=np.uint64), np.zeros(2, dtype=np.uint16)
    with pytest.raises(ValueError, match=r"beats of \(2,\) bytes"):
        up.push(0, cycles, np.zeros((2, 2), dtype=np.uint8), user)
    with pytest.raises(ValueError, match="2 cycles, 3 beats"):
        up.push(0, cycles, np.zeros((3, 4), dtype=np.uint8), user)


def test_messages_too_long_for_any_memory_are_told() -> None:
    assert depth_of(512, 1) == 256
    assert depth_of(64, 17_472) == 1024
    with pytest.raises(Exception, match="write fewer rounds per message"):
        depth_of(64, 300_000)
