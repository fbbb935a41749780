import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.numbering import Emission, Numbering, answered_messages, round_arrivals_ps

EMISSIONS = st.builds(
    lambda period_ps, rounds, gap_ps, **others: Emission(
        period_ps, rounds, shot_period_ps=rounds * period_ps + gap_ps, **others
    ),
    period_ps=st.integers(1, 5),
    rounds=st.integers(1, 4),
    gap_ps=st.integers(0, 9),
    shots=st.integers(1, 4),
    patches=st.integers(1, 6),
    patch_offset_ps=st.integers(0, 60),
)


def all_ends_ps(emission: Emission) -> NDArray[np.int64]:
    return np.array(
        [
            emission.round_end_ps(patch, shot, number)
            for patch in range(emission.patches)
            for shot in range(emission.shots)
            for number in range(emission.rounds)
        ]
    )


@given(EMISSIONS)
def test_rounds_emitted_by_a_time_are_those_that_have_ended(emission: Emission) -> None:
    ends_ps = all_ends_ps(emission)
    times_ps = np.arange(-3, emission.horizon_ps + 3)
    expected = (ends_ps <= times_ps[:, None]).sum(axis=1)
    assert emission.emitted_by(times_ps).tolist() == expected.tolist()
    assert emission.emitted_by(times_ps[::-7]).tolist() == expected[::-7].tolist()
    assert ends_ps.max() == emission.horizon_ps
    assert emission.total_rounds == len(ends_ps)


def test_rounds_are_counted_up_to_the_longest_horizon() -> None:
    emission = Emission(10**15, 4, 1000, patches=3, patch_offset_ps=10**17)
    end_ps = emission.horizon_ps
    times_ps = np.array([0, end_ps - 1, end_ps, 2**63 - 1])
    assert end_ps > 2**61
    assert emission.emitted_by(times_ps).tolist() == [0, 11_999, 12_000, 12_000]


def test_the_clock_of_many_patches_is_merged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many patches begin within a shot, the times are looked up once a cycle of theirs."""
    calls: list[int] = []
    search = np.searchsorted

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(1)
        return search(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(np, "searchsorted", counted)
    for patches in (1, 1000):
        Emission(10_000, 3, 5, patches, 7).emitted_by(np.arange(100))
    assert 2 <= len(calls) <= 4


@given(
    st.builds(Numbering, st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)), st.integers(1, 4)
)
def test_numbers_run_through_all_that_they_count(numbering: Numbering, shots: int) -> None:
    patches, windows, messages = numbering.patches, numbering.windows, numbering.messages
    rows = [numbering.row(p, s) for s in range(shots) for p in range(patches)]
    assert rows == list(range(shots * patches))
    places = [(p, s, w) for s in range(shots) for p in range(patches) for w in range(windows)]
    assert [numbering.window(*place) for place in places] == list(range(len(places)))
    assert [numbering.of_window(k) for k in range(len(places))] == places
    sent = [(p, s, m) for s in range(shots) for m in range(messages) for p in range(patches)]
    assert [numbering.message(*place) for place in sent] == list(range(len(sent)))
    assert [numbering.of_message(k) for k in range(len(sent))] == sent
    assert [numbering.request_id(*place) for place in sent] == list(range(len(sent)))
    for patch in range(patches):
        own = [numbering.counter(s, m) for p, s, m in sent if p == patch]
        assert own == list(range(shots * messages))
    assert [numbering.of_row(row) for row in rows] == [divmod(row, patches)[::-1] for row in rows]


def test_arrays_are_numbered_as_numbers_are() -> None:
    numbering = Numbering(3, 4, 5)
    patch, shot, place = (np.array(values) for values in ([0, 2, 1], [7, 0, 3], [2, 3, 0]))
    for number in (numbering.window, numbering.message, numbering.request_id):
        one_by_one = [number(*(int(v) for v in key)) for key in zip(patch, shot, place)]  # noqa: B905
        assert number(patch, shot, place).tolist() == one_by_one
    for found in (
        numbering.of_window(numbering.window(patch, shot, place)),
        numbering.of_message(numbering.message(patch, shot, place)),
    ):
        assert [column.tolist() for column in found] == [v.tolist() for v in (patch, shot, place)]


def test_a_request_id_has_32_bits() -> None:
    numbering = Numbering(2, 1, 1)
    assert numbering.message(1, 2**31, 0) == 2**32 + 1
    assert numbering.request_id(1, 2**31, 0) == 1
    assert numbering.request_id(np.array([1]), np.array([2**31]), np.array([0])).tolist() == [1]


def test_a_window_answers_the_message_with_the_last_round_that_it_commits() -> None:
    carried = [range(3), range(3, 6), range(6, 8)]
    commits = [range(2), range(2, 4), range(4, 6), range(6, 8)]
    assert answered_messages(commits, carried) == (0, 1, 1, 2)


@given(st.data(), EMISSIONS)
def test_rounds_arrive_late_but_in_order(data: st.DataObject, emission: Emission) -> None:
    per_message = data.draw(st.integers(1, emission.rounds))
    carried = [
        range(start, min(emission.rounds, start + per_message))
        for start in range(0, emission.rounds, per_message)
    ]
    patch = data.draw(st.integers(0, emission.patches - 1))
    delay = st.integers(0, 30)
    delays = [[data.draw(delay) for _ in carried] for _ in range(emission.shots)]
    before, expected = 3, []
    for shot in range(emission.shots):
        arrivals = []
        for rounds, late in zip(carried, delays[shot], strict=True):
            ends = [emission.round_end_ps(patch, shot, number) + late for number in rounds]
            arrivals += [max(end, before) for end in ends]
            before = max(before, ends[-1])
        expected.append(arrivals)
    shots = np.arange(emission.shots)
    found, last = round_arrivals_ps(
        emission, carried, patch, shots, delays_ps=np.array(delays), earliest_ps=3
    )
    assert found.tolist() == expected
    assert last == before
