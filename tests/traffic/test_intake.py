from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.rtl.uplink import ENDS_MESSAGE, LAST_BEAT
from emulator.run import prepare
from emulator.syndromes.source import SyndromeSource
from emulator.traffic import Traffic
from emulator.traffic.intake import Beats, Intake
from emulator.units import Clock
from tests.run.examples import resolved, source_of

CLOCK = Clock(Fraction(322_265_625))
ROUND_PS = 1_000_000


def source() -> SyndromeSource:
    """A distance-3 memory of 4 rounds: 4, 8, 8 and 12 detectors."""
    return source_of(resolved("code.rounds=4").scenario)


def intake_of(
    delays: list[int],
    *,
    patches: int = 1,
    shots: int = 3,
    offset_ps: int = 0,
) -> Intake:
    traffic = traffic_of(
        *(f"qpu.patches={patches}", f"qpu.patch_offset={offset_ps} ps", f"run.shots={shots}"),
        "fpga.rounds_per_message=3",
    )
    assert [message.intake for message in traffic.messages] == [(1, 1, 1), (2,)]
    return Intake(traffic, delays.__getitem__)


def traffic_of(*overrides: str) -> Traffic:
    rounds = ("code.rounds=4", "fpga.intake=rounds", "fpga.input_bits=8")
    return prepare(resolved(*rounds, *overrides)).traffic


def rounds_of(beats: Beats) -> list[tuple[int, list[int], bool]]:
    """Cycle, bits and end-of-message flag of every round."""
    found, bits, first = [], [], None
    for cycle, data, user in zip(
        beats.cycles.tolist(), beats.data, beats.user.tolist(), strict=True
    ):
        first = cycle if first is None else first
        assert cycle == first  # all beats of a round are offered at once
        bits += np.unpackbits(data, bitorder="little").tolist()
        if user & LAST_BEAT:
            size = (user & 0xFFF) + 1
            assert not any(bits[size:])
            found.append((first, bits[:size], bool(user & ENDS_MESSAGE)))
            bits, first = [], None
    assert not bits
    return found


def shots_of(rows: int, detectors: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(rows)
    return rng.integers(0, 2, (rows, detectors), dtype=np.uint8)


def test_rounds_carry_their_detectors_and_the_last_one_ends_the_message() -> None:
    found = source()
    detectors = shots_of(2, found.num_detectors)
    [beats] = intake_of([0] * 6).beats(0, detectors)
    rounds = rounds_of(beats)
    for number, (_, bits, ends) in enumerate(rounds):
        shot, place = divmod(number, 4)
        assert bits == detectors[shot][found.detector_round == place].tolist()
        assert ends == (place in {2, 3})
    assert len(rounds) == 8


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_rounds_come_when_they_are_read_out_but_never_before_the_message_before(
    data: st.DataObject,
) -> None:
    patches, shots = data.draw(st.integers(1, 3)), 3
    offset_ps = data.draw(st.integers(0, 10**6))
    count = 2 * shots * patches
    delays = data.draw(st.lists(st.integers(0, 5 * ROUND_PS), min_size=count, max_size=count))
    found = source()
    intake = intake_of(delays, patches=patches, shots=shots, offset_ps=offset_ps)
    rows = shots_of(shots * patches, found.num_detectors)
    split = data.draw(st.integers(0, len(rows)))
    parts = [*intake.beats(0, rows[:split]), *intake.beats(split, rows[split:])]
    for patch in range(patches):
        mine = [entry for beats in parts if beats.patch == patch for entry in rounds_of(beats)]
        wanted, there = [], 0
        for shot in range(shots):
            for number, rounds in enumerate((range(3), range(3, 4))):
                delay = delays[(2 * shot + number) * patches + patch]
                start = patch * offset_ps + shot * 4 * ROUND_PS
                ends = [start + (r + 1) * ROUND_PS + delay for r in rounds]
                wanted += [CLOCK.edge_at_or_after(max(end, there)) for end in ends]
                there = max(ends[-1], there)
        assert [cycle for cycle, _, _ in mine] == wanted


def test_nothing_enters_before_the_cycle_that_is_promised() -> None:
    found = source()
    rows = shots_of(18, found.num_detectors)
    for row in range(17):
        intake = intake_of([0] * 100, patches=2, shots=9, offset_ps=300_000)
        beats = [b.cycles.min() for b in intake.beats(row, rows[row:]) if len(b.cycles)]
        assert min(beats) == intake.first_cycle(row)


def test_a_clock_of_no_simple_ratio_is_exact_as_well() -> None:
    clock = Clock(Fraction(322_265_617))
    shots = 10**6
    traffic = traffic_of(f"run.shots={shots}", "fpga.clock=322.265617 MHz")
    intake = Intake(traffic, lambda _index: 7)
    [beats] = intake.beats(shots - 1, shots_of(1, len(traffic.detector_round)))
    ends = [traffic.emission.round_end_ps(0, shots - 1, r) + 7 for r in range(4)]
    assert [cycle for cycle, *_ in rounds_of(beats)] == [*map(clock.edge_at_or_after, ends)]
