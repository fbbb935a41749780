"""Services of every kind, drawn at random, for loops that both engines run."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.timing import Fixed, Losses, Recorded, Service, Stream
from emulator.timing.combined import Batched, Loaded, Mixed, PerRound, Warmed
from emulator.timing.distribution import (
    Distribution,
    Gaussian,
    Interpolated,
    Resampled,
    ShiftedLognormal,
)
from emulator.timing.service import PPM, Drawn, Replayed

__all__ = ["losses", "message_services", "window_services"]

NS, US = 10**3, 10**6
MAX_FILL = 3

scales = st.sampled_from([2, 100 * NS, 2 * US])


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    return Stream(draw(st.integers(0, 9)), draw(st.integers(1, 7)))


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    scale = draw(scales)
    recorded = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 2 * scale, 37)
    return draw(
        st.sampled_from(
            [
                Gaussian(scale, scale, draw(st.sampled_from([0, scale // 2]))),
                ShiftedLognormal(scale // 3, scale, draw(st.sampled_from([0.1, 1.0, 2.5]))),
                Interpolated((0.1, 0.5, 0.99), (scale, 2 * scale, 9 * scale)),
                Resampled(recorded),
            ]
        )
    )


def recorded(seed: int, count: int, top: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, top, count)


@st.composite
def mixtures(draw: st.DrawFn, parts: st.SearchStrategy[Service]) -> Service:
    stream, bounds = draw(streams()), (0.3, 0.8)
    ends = ((0.0, 0.3), (0.3, 0.8), (0.8, 1.0))
    return Mixed(
        bounds,
        tuple(
            draw(st.one_of(st.builds(Drawn, distributions(), st.just(stream.between(*end))), parts))
            for end in ends
        ),
        stream,
    )


simple = st.one_of(
    st.sampled_from([0, 1, 100 * NS, US]).map(Fixed),
    st.builds(Drawn, distributions(), streams()),
    st.builds(
        lambda *sizes: Replayed(recorded(*sizes)), st.integers(0, 9), st.integers(1, 9), scales
    ),
)


def _more(parts: st.SearchStrategy[Service]) -> st.SearchStrategy[Service]:
    return st.one_of(
        mixtures(parts),
        st.builds(Loaded, parts, parts, st.integers(2, 4)),
        st.builds(Warmed, st.sampled_from([1, 7, 60]), parts, parts),
    )


message_services: st.SearchStrategy[Service] = st.recursive(simple, _more, max_leaves=4)

for_windows = st.one_of(
    simple,
    st.sampled_from([((1, 3), (US, 2 * US + 1)), ((2, 3), (3 * US, US)), ((3,), (7,))]).map(
        lambda listed: Batched(*listed)
    ),
    st.sampled_from([1, 100 * NS]).map(PerRound),
    # now and then fewer times than there are jobs, which is an error of both
    st.builds(
        lambda seed, count, cost: Recorded(recorded(seed, count, 3 * US), cost_ppm=cost),
        st.integers(0, 9),
        st.sampled_from([20, 999, 999, 999]),
        st.sampled_from([None, (400_001, 700_000, PPM)]),
    ),
)

window_services: st.SearchStrategy[Service] = st.recursive(for_windows, _more, max_leaves=4)

losses = st.one_of(st.none(), st.builds(Losses, st.sampled_from([0.02, 0.3]), streams()))
