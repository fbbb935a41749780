from emulator.loop.config import LinkSpec
from emulator.loop.link import Port
from tests.loop.build import Fixed

US = 1_000_000
FOREVER = 10**18


def test_fifo_link_delivers_as_an_ns3_point_to_point_link() -> None:
    # 24 bit/us, 0.15 us propagation: (start, end, delivery) follow from FIFO order
    port = Port(LinkSpec(24_000_000, Fixed(0), propagation_ps=150_000), FOREVER)
    sends = [(0, 24), (100_000, 24), (200_000, 24), (5 * US, 48), (5_100_000, 12)]
    deliveries = [port.send(k, [send]) for k, send in enumerate(sends)]
    assert deliveries == [1_150_000, 2_150_000, 3_150_000, 7_150_000, 7_650_000]
    assert port.busy_ps == 5_500_000


def test_two_store_and_forward_hops_take_1106_ns() -> None:
    # 36 B payload + 28 B UDP/IP + 2 B PPP at 10 Gbit/s, 500 ns a hop (ns-3 3.37)
    spec = LinkSpec(10**10, Fixed(0), propagation_ps=500_000, hops=1, hop_latency_ps=500_000)
    delivery = Port(spec, FOREVER).send(0, [(0, 66 * 8)])
    assert delivery == 2 * 52_800 + 2 * 500_000
    assert round(delivery / 1000) == 1106


def test_serialisation_rounds_up_to_a_picosecond_and_no_rate_means_no_time() -> None:
    assert Port(LinkSpec(3 * 10**12, Fixed(0)), FOREVER).send(0, [(0, 1)]) == 1
    assert Port(LinkSpec(None, Fixed(7)), FOREVER).send(0, [(3, 10**9)]) == 10


def test_a_late_message_holds_up_those_behind_it() -> None:
    class Falling:
        constant_ps = None

        def reader(self) -> "Falling":
            return self

        def __call__(self, index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG002
            return 1000 - 600 * index

    port = Port(LinkSpec(None, Falling()), FOREVER)
    assert [port.send(k, [(k * 10, 8)]) for k in range(2)] == [1000, 1000]


def test_frames_of_one_message_follow_each_other_and_busy_time_stops_at_the_horizon() -> None:
    port = Port(LinkSpec(10**9, Fixed(0)), 2500)
    assert port.send(0, [(0, 1), (500, 1), (5000, 1)]) == 6000
    assert port.busy_ps == 2000
