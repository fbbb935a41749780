"""Patches that share a packetiser: who is served when, against a list sorted after the fact."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.loop.config import Message, RoundFpga
from emulator.loop.engine import run_loop
from emulator.loop.records import Record
from emulator.numbering import Emission
from emulator.units import Clock
from tests.loop.build import Fixed, Listed, loop_config

MAC = Clock(Fraction(322_265_625))
FPGA = RoundFpga(MAC, pipeline_cycles=17, receive_cycles=10)
BEATS = 3


def run(
    emission: Emission, readout: Fixed | Listed, intake: tuple[int, ...], response_beats: int = 2
) -> Record:
    config = loop_config(rounds=emission.rounds, readout=readout, fpga=FPGA)
    messages = tuple(
        Message(range(n, n + 1), ((BEATS, 1000 + n),), (beats,)) for n, beats in enumerate(intake)
    )
    response = ((response_beats, 900),)
    return run_loop(replace(config, emission=emission, messages=messages, response=response))


def served(
    emission: Emission, delays: list[int], intake: tuple[int, ...]
) -> list[tuple[int, int, int, int]]:
    """(framed_ps, patch, shot, number) in order, from all arrivals at once."""
    whole = []
    for patch in range(emission.patches):
        free, digitised = 0, 0
        for place in range(emission.shots * emission.rounds):
            shot, number = divmod(place, emission.rounds)
            delay = delays[place * emission.patches + patch]
            end = emission.round_end_ps(patch, shot, number)
            digitised = max(end + delay, digitised)
            free = max(MAC.edge_at_or_after(digitised), free) + intake[number]
            whole.append((free - 1, patch, shot, number))
    line, rows = 0, []
    for edge, patch, shot, number in sorted(whole):
        start = max(line, edge + FPGA.pipeline_cycles)
        line = start + BEATS
        rows.append((MAC.edge_ps(start), patch, shot, number))
    return rows


def rows_of(record: Record) -> list[tuple[int, ...]]:
    names = ("framed_ps", "patch", "shot", "number")
    return list(zip(*(record.messages[name].tolist() for name in names), strict=True))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_messages_leave_in_the_order_in_which_they_became_whole(data: st.DataObject) -> None:
    emission = Emission(
        round_period_ps=data.draw(st.sampled_from([20_000, 100_000, 1_000_000])),
        rounds=data.draw(st.integers(1, 3)),
        shots=data.draw(st.integers(1, 4)),
        patches=data.draw(st.integers(2, 4)),
        patch_offset_ps=data.draw(st.sampled_from([0, 100, 19_900, 99_900, 333_333])),
    )
    count = emission.rounds * emission.shots * emission.patches
    intake = tuple(data.draw(st.integers(1, 20)) for _ in range(emission.rounds))
    if data.draw(st.booleans()):
        delay = data.draw(st.integers(0, 10_000))
        readout: Fixed | Listed = Fixed(delay)
        delays = [delay] * count
    else:
        delays = data.draw(st.lists(st.integers(0, 200_000), min_size=count, max_size=count))
        readout = Listed(delays)
    record = run(emission, readout, intake)
    assert rows_of(record) == served(emission, delays, intake)
    assert record.messages["message"].tolist() == list(range(count))


def test_messages_of_one_cycle_leave_in_the_order_of_their_patches() -> None:
    """Patch 1 ends a round 100 ps before patch 0, and both are taken in by the same edge."""
    emission = Emission(1_000_000, 1, 3, patches=2, patch_offset_ps=999_900)
    record = run(emission, Fixed(0), (1,))
    middle = [row for row in rows_of(record) if row[1:3] in {(0, 1), (1, 0)}]
    edge = MAC.edge_at_or_after(2_000_000)
    assert MAC.edge_at_or_after(1_999_900) == edge
    assert middle == [(MAC.edge_ps(edge + 17), 0, 1, 0), (MAC.edge_ps(edge + 20), 1, 0, 0)]


def test_responses_share_the_way_back() -> None:
    """They come three cycles apart, as their messages left, and take five each."""
    emission = Emission(1_000_000, 1, 1, patches=3)
    record = run(emission, Fixed(0), (1,), response_beats=5)
    returned = [MAC.edge_at_or_after(t) for t in record.windows["returned_ps"].tolist()]
    assert np.diff(returned).tolist() == [BEATS, BEATS]
    edges = [returned[0] + 5 * n + FPGA.receive_cycles for n in range(3)]
    assert record.windows["applied_ps"].tolist() == [MAC.edge_ps(edge) for edge in edges]
    returns = np.stack([record.windows["window"], record.windows["returned_ps"]], axis=1)
    assert record.responses.tolist() == returns.tolist()
