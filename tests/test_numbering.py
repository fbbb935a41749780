import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emulator.numbering import Emission


@given(
    emission=st.builds(
        lambda period_ps, rounds, gap_ps, **others: Emission(
            period_ps, rounds, shot_period_ps=rounds * period_ps + gap_ps, **others
        ),
        period_ps=st.integers(1, 5),
        rounds=st.integers(1, 4),
        gap_ps=st.integers(0, 9),
        shots=st.integers(1, 4),
        patches=st.integers(1, 3),
        patch_offset_ps=st.integers(0, 9),
    )
)
def test_rounds_emitted_by_a_time_are_those_that_have_ended(emission: Emission) -> None:
    ends_ps = np.array(
        [
            emission.round_end_ps(patch, shot, number)
            for patch in range(emission.patches)
            for shot in range(emission.shots)
            for number in range(emission.rounds)
        ]
    )
    times_ps = np.arange(emission.horizon_ps + 3)
    expected = (ends_ps <= times_ps[:, None]).sum(axis=1)
    assert emission.emitted_by(times_ps).tolist() == expected.tolist()
    assert expected[emission.horizon_ps] == len(ends_ps)
