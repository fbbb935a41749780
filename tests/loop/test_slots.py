"""A sender that waits for slots never waits for ever, and is refused a ring in which it could."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emulator.loop import limits, slots
from emulator.loop.config import Host, LinkSpec, LoopConfig, PoolSpec
from emulator.loop.engine import run_loop
from emulator.loop.slots import _slots_at_most, _way_up, slots_missed, slots_needed
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window
from tests.loop.build import INSTANT, ROUND_PS, Fixed, Listed, ListedLosses, loop_config

PLANS: dict[str, tuple[Window, ...]] = {
    "whole": whole_window(10),
    "each round": sliding_windows(10, 1, 0),
    "sliding": sliding_windows(10, 2, 3),
    "parallel": parallel_windows(10, 2, 1),
}
WAITING = Host(64, INSTANT, waits=True, hold_until_response=True)


def with_slots(config: LoopConfig, slots: int) -> LoopConfig:
    return replace(config, host=replace(config.host, slots=slots))


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "check_slots", lambda _config: None)


@st.composite
def waiting_loops(draw: st.DrawFn, *, lossy: bool = True, per_patch: bool = True) -> LoopConfig:
    """A loop whose sender waits for slots that are held until the response."""
    times = st.lists(st.integers(0, 12 * ROUND_PS), min_size=1, max_size=30)
    losses = st.lists(st.booleans(), min_size=1, max_size=30)
    return loop_config(
        rounds=10,
        shots=draw(st.integers(1, 4)),
        patches=draw(st.integers(1, 4)),
        plan=PLANS[draw(st.sampled_from(sorted(PLANS)))],
        rounds_per_message=draw(st.sampled_from([1, 2, 3, 10])),
        patch_offset_ps=draw(st.sampled_from([0, 1, ROUND_PS // 3, 7 * ROUND_PS])),
        shot_period_ps=draw(st.sampled_from([0, 13 * ROUND_PS])),
        readout=draw(st.one_of(st.just(INSTANT), st.builds(Listed, times))),
        up=LinkSpec(
            None,
            draw(st.one_of(st.just(INSTANT), st.builds(Listed, times))),
            per_patch=per_patch and draw(st.booleans()),
            losses=ListedLosses(draw(losses)) if lossy and draw(st.booleans()) else None,
        ),
        host=replace(WAITING, dispatch=draw(st.sampled_from([INSTANT, Fixed(ROUND_PS)]))),
        predecode=draw(st.sampled_from([None, PoolSpec(1, INSTANT, 3, 2 * ROUND_PS)])),
        decode=PoolSpec(draw(st.integers(1, 2)), draw(st.builds(Listed, times))),
    )


@settings(max_examples=200, deadline=None)
@given(config=waiting_loops(), extra=st.integers(0, 2))
def test_with_the_slots_that_are_needed_every_round_comes_to_an_end(
    config: LoopConfig, extra: int
) -> None:
    record = run_loop(with_slots(config, slots_needed(config) + extra), keep_windows=False)
    assert record.in_flight == 0
    assert record.decoded + sum(record.lost_by_cause.values()) == record.emitted


@settings(max_examples=60, deadline=None)
@given(config=waiting_loops(lossy=False, per_patch=False))
def test_on_one_line_without_losses_a_slot_less_stands_still(config: LoopConfig) -> None:
    needed = slots_needed(config)
    assume(needed > 1)
    short = with_slots(config, needed - 1)
    with pytest.raises(ValueError, match=rf"slots\(={needed - 1}\) must be >= {needed}, "):
        run_loop(short)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "check_slots", lambda _config: None)
        with pytest.raises(RuntimeError, match="the loop stands still with"):
            run_loop(short)


def test_a_patch_asks_for_the_messages_that_its_windows_hold() -> None:
    needed = {name: slots_needed(loop_config(rounds=10, plan=plan)) for name, plan in PLANS.items()}
    # a shot; a round; 2 committed and 3 more; a gap of 4 and the next core up to its buffer
    assert needed == {"whole": 10, "each round": 1, "sliding": 5, "parallel": 7}


def test_patches_in_step_share_the_line_and_one_that_is_late_is_overtaken() -> None:
    config = loop_config(rounds=10, shots=5, patches=3, plan=PLANS["sliding"], host=WAITING)
    assert slots_needed(config) == 3 * (5 - 1) + 1
    # the fifth message of patch 0 comes 20 rounds late: the others send 20 more each meanwhile
    delays = [0] * 150
    delays[4 * 3] = 20 * ROUND_PS
    assert slots_needed(replace(config, readout=Listed(delays))) == 3 * (5 - 1) + 1 + 2 * 20


def test_the_order_of_a_few_shots_is_that_of_all() -> None:
    """A constant readout is looked at for a few shots only, a listed one of equal times for all."""
    for offset_ps in (0, ROUND_PS // 3, 7 * ROUND_PS, 33 * ROUND_PS):
        config = loop_config(
            rounds=10,
            shots=20,
            patches=3,
            plan=PLANS["sliding"],
            rounds_per_message=3,
            patch_offset_ps=offset_ps,
        )
        assert slots_needed(config) == slots_needed(replace(config, readout=Listed([0])))


def test_a_window_that_is_written_off_before_its_messages_have_slots_gives_them_up() -> None:
    """Shot 0 holds all slots when shot 1, whose first two messages wait for one, loses its last."""
    config = loop_config(
        rounds=3,
        shots=4,
        host=Host(3, INSTANT, waits=True, hold_until_response=True),
        decode=PoolSpec(1, Fixed(10 * ROUND_PS)),
        up=LinkSpec(None, INSTANT, losses=ListedLosses([False] * 5 + [True] + [False] * 6)),
    )
    record = run_loop(config)
    assert record.lost.tolist() == [[1, 0, 1, 0]]
    assert record.windows["shot"].tolist() == [0, 2, 3]
    # shot 1 is lost at 6; its messages wait until shot 0 is decoded at 13, and leave at once
    assert record.windows["slotted_ps"].tolist() == [k * ROUND_PS for k in (3, 13, 23)]


@settings(max_examples=60, deadline=None)
@given(config=waiting_loops(per_patch=False))
def test_a_ring_is_looked_into_only_where_it_may_be_too_small(config: LoopConfig) -> None:
    needed, enough = slots_needed(config), _slots_at_most(config)
    assert needed <= enough
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(slots, "slots_needed", lambda _config: pytest.fail("looked into"))
        if config.emission.patches > 1:
            assert slots_missed(with_slots(config, enough)) is None
    assert slots_missed(with_slots(config, needed)) is None
    for fewer in {needed - 1, 1} - {0, needed}:
        assert slots_missed(with_slots(config, fewer)) == needed


def test_a_ring_with_a_slot_for_every_message_is_not_looked_into() -> None:
    config = loop_config(rounds=10, shots=2, patches=2, readout=Listed([9 * ROUND_PS, 0]))
    config = replace(config, host=replace(WAITING, slots=40))
    assert run_loop(config).in_flight == 0


@pytest.mark.usefixtures("unchecked")
def test_a_ring_that_stands_still_is_no_result_but_an_error() -> None:
    config = loop_config(rounds=4, shots=3, host=replace(WAITING, slots=3))
    with pytest.raises(RuntimeError, match="12 of 12 rounds in flight") as caught:
        run_loop(config)
    assert "defect of the emulator" in str(caught.value)
    assert run_loop(replace(config, drain=False)).in_flight == 12


def test_the_bound_counts_what_is_digitised_while_a_message_is_held() -> None:
    # a message of the sliding plan is held for four rounds more
    config = loop_config(rounds=10, shots=5, patches=3, plan=PLANS["sliding"], host=WAITING)
    assert _slots_at_most(config) == 3 * 5  # in step: five instants of all patches
    for readout in (Fixed(7), Listed([7])):
        apart = replace(config, readout=readout)
        apart = replace(apart, emission=replace(config.emission, patch_offset_ps=1))
        assert _slots_at_most(apart) == 5 + 2 * 4  # all but one of the others come in between
    # the first message of patch 0 comes with its tenth round, and those between with it, while the
    # seventh of another patch is held until its tenth
    late = replace(config, readout=Listed([9 * ROUND_PS, *([0] * 149)]))
    assert _slots_at_most(late) == 10 + 2 * 4


def test_only_shots_that_surround_one_of_every_patch_are_looked_at() -> None:
    for offset_rounds, shots in ((0, 3), (1, 5), (3, 5), (4, 7), (10, 9)):
        config = loop_config(
            rounds=10, shots=20, patches=4, patch_offset_ps=offset_rounds * ROUND_PS
        )
        # so many shots lie between the first patch and the last, on either side, and one more
        assert _way_up(config).emission.shots == shots
        few = replace(config, emission=replace(config.emission, shots=2))
        assert _way_up(few).emission.shots == 2
        drawn = replace(config, readout=Listed([0]))
        assert _way_up(drawn).emission.shots == 20
        lines = replace(config, up=replace(config.up, per_patch=True))
        assert _way_up(lines).emission.shots == 20
