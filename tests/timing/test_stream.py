"""Number i of a stream is a function of the stream and i: of no order and no block size."""

import pickle
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Philox, SeedSequence

from emulator.timing import Losses, Stream, Streams
from emulator.timing.stream import BLOCK, LAST_LUCK, BlockCache


def luck_of(seed: int, number: int, index: int) -> float:
    """The documented law, one number at a time and from the counter of its own."""
    key = SeedSequence(seed, spawn_key=(number,)).generate_state(2, np.uint64)
    place = index % 4096
    generator = Philox(key=key, counter=[place // 4, 0, index // 4096, 0])
    word = int(generator.random_raw(4)[place % 4])
    return (word // 4096 + 0.5) / 2**52


@given(
    seed=st.integers(0, 2**200),
    number=st.integers(0, 50),
    index=st.integers(0, 2**40),
)
def test_a_number_follows_from_seed_stream_and_index(seed: int, number: int, index: int) -> None:
    block = Stream(seed, number).block(index // BLOCK)
    assert block.shape == (BLOCK,)
    assert block[index % BLOCK] == luck_of(seed, number, index)


def test_the_stream_is_pinned() -> None:
    """A change of these values changes the result of every run with random delays."""
    assert Stream(1, 2).block(0)[:2].tolist() == [0.12159044185290979, 0.4689308296247042]
    parts = ("readout", "up", "down", "loss", "dispatch", "predecode", "decode")
    streams = {part: Stream(3, number) for number, part in enumerate(parts, start=1)}
    assert Streams.of(3) == Streams(7224678797418390616, **streams)


def test_numbers_are_uniform_in_the_open_interval() -> None:
    luck = np.concatenate([Stream(5, 1).block(number) for number in range(25)])
    assert 2.0**-53 <= luck.min() < luck.max() <= LAST_LUCK < 1
    counts, _ = np.histogram(luck, bins=64, range=(0, 1))
    expected = len(luck) / 64
    # chi squared of 63 degrees of freedom is above 120 with a probability of 2e-5
    assert ((counts - expected) ** 2 / expected).sum() < 120
    assert abs(np.corrcoef(luck[1:], luck[:-1])[0, 1]) < 5 / np.sqrt(len(luck))


def test_streams_of_a_run_are_independent_and_repeat() -> None:
    first, again, other = Streams.of(3), Streams.of(3), Streams.of(4)
    assert first == again != other
    assert 0 <= first.syndromes < 2**63
    parts = [getattr(s, f.name) for s in (first, other) for f in fields(s) if f.name != "syndromes"]
    blocks = [part.block(0) for part in parts]
    correlations = np.corrcoef(blocks) - np.eye(len(blocks))
    assert np.abs(correlations).max() < 5 / np.sqrt(BLOCK)
    assert pickle.loads(pickle.dumps(first)) == first
    assert hash(first) == hash(again)


@given(low=st.floats(0, 0.9), width=st.floats(1e-9, 0.1), seed=st.integers(0, 100))
def test_a_narrowed_stream_stretches_its_draws(low: float, width: float, seed: int) -> None:
    whole, high = Stream(seed, 1), low + width
    luck, narrow = whole.block(0), whole.between(low, high).block(0)
    inside = (low < luck) & (luck < high)
    assert narrow[inside] == pytest.approx((luck[inside] - low) / (high - low))
    assert (narrow[luck <= low] == 2.0**-53).all()
    assert (narrow[luck >= high] == LAST_LUCK).all()
    twice = whole.between(0.5, 1.0).between(low, high)
    assert (twice.low, twice.high) == pytest.approx((0.5 + low / 2, 0.5 + high / 2))


def test_a_stream_narrower_than_any_draw_still_has_numbers() -> None:
    for high in (0.5, 0.5 + 1e-320):
        block = Stream(1, 1, 0.5, high).block(0)
        assert ((block > 0) & (block < 1)).all()
    block = Stream(1, 1, 0.0, 5e-324).block(0)
    assert (block == LAST_LUCK).all()


@given(indices=st.lists(st.integers(0, 20 * BLOCK), min_size=1, max_size=40))
def test_a_cache_gives_the_same_in_any_order(indices: list[int]) -> None:
    cache = BlockCache(lambda number: np.arange(number * BLOCK, (number + 1) * BLOCK) * 3)
    assert [cache[index] for index in indices] == [3 * index for index in indices]


def test_a_cache_stays_bounded_and_makes_dropped_blocks_again() -> None:
    made: list[int] = []

    def make(number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        made.append(number)
        return np.full(BLOCK, number, dtype=np.int64)

    cache = BlockCache(make)
    assert [cache[number * BLOCK] for number in range(1025)] == list(range(1025))
    assert cache[5 * BLOCK] == 5
    assert len(made) == 1025
    assert cache[1] == 0
    assert made[1025:] == [0]


@given(
    probability=st.floats(0, 1),
    indices=st.lists(st.integers(0, 5 * BLOCK), min_size=1, max_size=40),
)
def test_messages_are_lost_by_their_own_number(probability: float, indices: list[int]) -> None:
    losses = Losses(probability, Stream(9, 4))
    lost = pickle.loads(pickle.dumps(losses)).reader()
    assert [lost(index) for index in indices] == [luck_of(9, 4, i) < probability for i in indices]
    assert all(isinstance(lost(index), bool) for index in indices)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_nothing_or_all_is_lost(probability: float, share: float) -> None:
    lost = Losses(probability, Stream(9, 4)).reader()
    assert np.mean([lost(index) for index in range(10_000)]) == share
