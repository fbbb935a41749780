from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from emulator.loop.config import Fpga
from emulator.loop.fpga import Packetiser, receive
from emulator.units import Clock

MAC = Clock(Fraction(322_265_625))
FOREVER = 10**18


def test_store_and_forward_waits_for_the_last_beat_then_22_cycles() -> None:
    spec = Fpga(MAC, 22, store_and_forward=True, min_spacing_cycles=48)
    ((ready, bits),) = Packetiser(spec, FOREVER).frame(0, ((5, 999),))
    assert (ready, bits) == (MAC.edge_ps(4 + 22), 999)


def test_cut_through_does_not_wait() -> None:
    spec = Fpga(MAC, 5, store_and_forward=False)
    assert Packetiser(spec, FOREVER).frame(0, ((5, 1),)) == [(MAC.edge_ps(5), 1)]


def test_messages_are_spaced_by_the_minimum_or_by_their_own_beats() -> None:
    spec = Fpga(MAC, 22, store_and_forward=False, min_spacing_cycles=48)
    packetiser = Packetiser(spec, FOREVER)
    ready = [packetiser.frame(0, ((beats, 1),))[0][0] for beats in (1, 60, 1)]
    assert ready == [MAC.edge_ps(n + 22) for n in (0, 48, 108)]
    assert packetiser.busy_ps == MAC.edge_ps(48) + (MAC.edge_ps(108) - MAC.edge_ps(48)) + (
        MAC.edge_ps(156) - MAC.edge_ps(108)
    )


def test_packets_of_a_long_message_leave_one_by_one() -> None:
    spec = Fpga(MAC, 22, store_and_forward=True)
    frames = Packetiser(spec, FOREVER).frame(0, ((62, 1), (62, 1), (10, 2)))
    assert [t for t, _ in frames] == [MAC.edge_ps(n + 22) for n in (61, 123, 133)]


@given(st.integers(0, 10**12), st.integers(0, 100))
def test_a_response_is_applied_on_a_clock_edge_that_is_late_enough(arrival: int, n: int) -> None:
    spec = Fpga(MAC, 0, receive_cycles=n)
    applied = receive(spec, arrival)
    period = 102_400 / 33
    assert 0 <= applied - arrival - n * period + 1 < period + 2
    assert any(MAC.edge_ps(k) == applied for k in (MAC.edge_at_or_after(applied),))
