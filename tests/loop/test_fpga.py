from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.loop.config import Fpga, Framing, Message, RoundFpga
from emulator.loop.fpga import BusPacketiser, Receiver, RoundPacketiser
from emulator.loop.tally import Tally
from emulator.numbering import Emission
from emulator.units import Clock

MAC = Clock(Fraction(322_265_625))
ROUND_PS = 1_000_000


def endless() -> Tally:
    return Tally(10**18, drain=True)


def bus(spec: Fpga, *messages: tuple[tuple[int, int], ...]) -> list[list[tuple[int, int]]]:
    """Frames of messages of one round that all arrive at the start."""
    packetiser = bus_packetiser(spec, *messages)
    at_once = (0, 0)
    return [packetiser.frame(0, 0, number, at_once) for number in range(len(messages))]


def bus_packetiser(spec: Fpga, *messages: tuple[tuple[int, int], ...]) -> BusPacketiser:
    shot = [Message(range(n, n + 1), packets) for n, packets in enumerate(messages)]
    return BusPacketiser(spec, shot, endless())


def test_store_and_forward_waits_for_the_last_beat_then_22_cycles() -> None:
    spec = Fpga(MAC, 22, store_and_forward=True, min_spacing_cycles=48)
    assert bus(spec, ((5, 999),)) == [[(MAC.edge_ps(4 + 22), 999)]]


def test_cut_through_does_not_wait() -> None:
    spec = Fpga(MAC, 5, store_and_forward=False)
    assert bus(spec, ((5, 1),)) == [[(MAC.edge_ps(5), 1)]]


def test_messages_are_spaced_by_the_minimum_or_by_their_own_beats() -> None:
    spec = Fpga(MAC, 22, store_and_forward=False, min_spacing_cycles=48)
    packetiser = bus_packetiser(spec, *(((beats, 1),) for beats in (1, 60, 1)))
    ready = [packetiser.frame(0, 0, number, (0, 0))[0][0] for number in range(3)]
    assert ready == [MAC.edge_ps(n + 22) for n in (0, 48, 108)]
    assert packetiser.tally.busy_ps == MAC.edge_ps(156)


def test_packets_of_a_long_message_leave_one_by_one() -> None:
    spec = Fpga(MAC, 22, store_and_forward=True)
    [frames] = bus(spec, ((62, 1), (62, 1), (10, 2)))
    assert [t for t, _ in frames] == [MAC.edge_ps(n + 22) for n in (61, 123, 133)]


def test_a_message_enters_the_bus_when_its_last_round_is_there() -> None:
    packetiser = BusPacketiser(Fpga(MAC, 22), [Message(range(3), ((5, 1),))], endless())
    edge = MAC.edge_at_or_after(6 * ROUND_PS + 7)
    assert packetiser.accept(0, 0, 6 * ROUND_PS + 7, 0) == (edge, edge)


PACKETS = ((3, 1200),)


def rounds(
    *intake: int, emission: Emission, spaced: bool = True, per_message: int = 1
) -> RoundPacketiser:
    messages = [
        Message(range(n, n + per_message), PACKETS, intake[n : n + per_message])
        for n in range(0, len(intake), per_message)
    ]
    tally = Tally(emission.horizon_ps, drain=True)
    return RoundPacketiser(
        RoundFpga(MAC, 17, 10), messages, emission, tally, spaced=spaced, framing=None
    )


def test_a_round_enters_beat_by_beat_and_its_message_leaves_behind_the_last() -> None:
    packetiser = rounds(1, 1, 2, emission=Emission(ROUND_PS, 3, 1), per_message=3)
    span = packetiser.accept(0, 0, 3 * ROUND_PS + 500, 0)
    first, last = (MAC.edge_at_or_after(n * ROUND_PS + 500) for n in (1, 3))
    assert span == (first, last + 1)
    assert packetiser.frame(0, 0, 0, span) == [(MAC.edge_ps(last + 1 + 17), 1200)]
    assert packetiser.tally.busy_ps == 0  # after the last emission


def test_messages_that_are_whole_at_once_follow_each_other_without_a_gap() -> None:
    packetiser = rounds(1, emission=Emission(ROUND_PS, 1, 5, patches=3))
    span = packetiser.accept(0, 0, ROUND_PS, 0)
    ready = [packetiser.frame(patch, 0, 0, span)[0][0] for patch in range(3)]
    start = span[1] + 17
    assert ready == [MAC.edge_ps(start + n) for n in (0, 3, 6)]
    assert packetiser.tally.busy_ps == MAC.edge_ps(start + 9) - MAC.edge_ps(start)


def test_rounds_longer_than_their_period_hold_each_other_up() -> None:
    """A round period of 10 cycles, and rounds of 15."""
    packetiser = rounds(15, 15, emission=Emission(31_031, 2, 2))
    begin = MAC.edge_at_or_after(31_031)
    assert packetiser.accept(0, 0, 31_031, 0) == (begin, begin + 14)
    assert packetiser.accept(0, 1, 2 * 31_031, 31_031) == (begin + 15, begin + 29)


@given(
    st.lists(st.integers(1, 300), min_size=6, max_size=6),
    st.integers(0, 10**7),
    st.sampled_from([1, 2, 3]),
)
def test_only_the_last_round_counts_where_rounds_are_spaced(
    intake: list[int], delay_ps: int, per_message: int
) -> None:
    emission = Emission(ROUND_PS, 6, 3)
    spaced, general = (
        rounds(*intake, emission=emission, spaced=spaced, per_message=per_message)
        for spaced in (True, False)
    )
    earliest = 0
    for shot in range(3):
        for number in range(6 // per_message):
            whole = emission.round_end_ps(0, shot, (number + 1) * per_message - 1) + delay_ps
            keys = (0, number, whole, earliest)
            assert spaced.accept(*keys) == general.accept(*keys)
            earliest = whole


def test_cycles_of_the_hardware_itself_take_the_place_of_the_law() -> None:
    first_edges = np.array([[10, 20, 30, 40, 50, 60]]).T
    seen = Framing(first_edges, first_edges + 2)
    messages = [Message(range(1), PACKETS, (1,))]
    emission = Emission(ROUND_PS, 1, 3, patches=2)
    spec = RoundFpga(MAC, 17, 10)
    packetiser = RoundPacketiser(spec, messages, emission, endless(), spaced=True, framing=seen)
    assert packetiser.frame(1, 2, 0, (0, 0)) == [(MAC.edge_ps(60), 1200)]
    assert packetiser.tally.busy_ps == MAC.edge_ps(63) - MAC.edge_ps(60)


@given(st.integers(0, 10**12), st.integers(0, 100))
def test_a_response_is_applied_on_a_clock_edge_that_is_late_enough(arrival: int, n: int) -> None:
    applied = Receiver(Fpga(MAC, 0, receive_cycles=n), 1).applied_ps(arrival)
    period = 102_400 / 33
    assert 0 <= applied - arrival - n * period + 1 < period + 2
    assert MAC.edge_ps(MAC.edge_at_or_after(applied)) == applied


@pytest.mark.parametrize(("beats", "expected"), [(1, [10, 11, 12, 110]), (2, [10, 12, 14, 110])])
def test_responses_take_their_beats_one_after_the_other(beats: int, expected: list[int]) -> None:
    receiver = Receiver(RoundFpga(MAC, 0, 10), beats)
    applied = [receiver.applied_ps(time) for time in (0, 0, 0, MAC.edge_ps(100))]
    assert applied == [MAC.edge_ps(edge) for edge in expected]


def test_the_law_begins_at_the_first_edge() -> None:
    # rounds of 20 cycles, twice their period, that are there at the start of all time
    emission = Emission(31_031, 2, 1, patches=2)
    packetiser = rounds(20, 20, emission=emission)
    for patch in range(2):
        assert packetiser.accept(patch, 0, 0, 0) == (0, 19)
        assert packetiser.accept(patch, 1, 0, 0) == (20, 39)
    line = RoundPacketiser(
        RoundFpga(MAC, 0, 0),
        [Message(range(1), PACKETS, (1,))],
        emission,
        endless(),
        spaced=True,
        framing=None,
    )
    assert line.frame(0, 0, 0, (0, 0)) == [(0, 1200)]
    assert line.frame(0, 0, 0, (0, 0)) == [(MAC.edge_ps(3), 1200)]


def test_a_message_that_came_in_time_and_began_too_late_is_left_over() -> None:
    horizon_ps = MAC.edge_ps(48) - 1
    for span, left in (((0, 0), 1), ((48, 48), 0)):
        tally = Tally(horizon_ps, drain=True)
        spec = Fpga(MAC, 0, store_and_forward=False, min_spacing_cycles=48)
        packetiser = BusPacketiser(spec, [Message(range(1), ((1, 1),))], tally)
        packetiser.frame(0, 0, 0, (0, 0))
        packetiser.frame(0, 0, 0, span)
        pool = packetiser.tally.pool(1)
        assert (pool.jobs, pool.left_over) == (2, left)


def test_responses_take_no_beats_of_a_bus_that_is_not_looked_at() -> None:
    receiver = Receiver(Fpga(MAC, 0, receive_cycles=2), 5)
    assert [receiver.applied_ps(0) for _ in range(2)] == [MAC.edge_ps(2)] * 2
    receiver = Receiver(RoundFpga(MAC, 0, 2), 5)
    assert [receiver.applied_ps(0) for _ in range(2)] == [MAC.edge_ps(2), MAC.edge_ps(7)]
