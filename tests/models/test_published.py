import pytest

from emulator.decoders.ising_layout import IsingLayout
from emulator.errors import ScenarioError
from models.published import published


@pytest.mark.parametrize(
    ("name", "layout", "p", "window_us", "with_matching"),
    [
        ("ising_fast_gb300_p003", IsingLayout(13, 13, "X"), 0.003, 13 * 3.717, True),
        ("ising_accurate_gb300_p006", IsingLayout(9, 9, "Z"), 0.006, 9 * 5.484, True),
        ("ising_accurate_gb300_t104", IsingLayout(13, 104, "X"), 0.003, 104 * 2.33, True),
        ("trt_fp16_gb200_d13_t104", IsingLayout(13, 104, "X"), 0.006, 119, False),
        ("trt_fp16_gb200_d13_t104_compute", IsingLayout(13, 104, "X"), 0.003, 88, False),
    ],
)
def test_a_preset_gives_the_time_of_a_window(
    name: str, layout: IsingLayout, p: float, window_us: float, with_matching: bool
) -> None:
    found = published(name, layout, p)
    assert found.preset.name == name
    assert found.window_ns == pytest.approx(1000 * window_us, rel=1e-9)
    assert found.with_matching is with_matching


@pytest.mark.parametrize(
    ("name", "layout", "p", "fix"),
    [
        (
            "trt_fp16_gb200_d13_t104",
            IsingLayout(13, 13, "X"),
            0.003,
            "give ising_accurate_gb300_p003 or ising_fast_gb300_p003.",
        ),
        (
            "ising_fast_gb300_p003",
            IsingLayout(13, 104, "X"),
            0.006,
            (
                "give trt_fp16_gb200_d13_t104 or trt_fp16_gb200_d13_t104_compute or "
                "trt_fp16_gb200_d13_t104_graph."
            ),
        ),
        ("this_machine", IsingLayout(5, 26, "Z"), 0.003, "none does, leave it out."),
        # a colour code, though of the same distance and rounds
        ("ising_color_fast_gb300_p001", IsingLayout(5, 5, "Z"), 0.001, "none does, leave it out."),
    ],
)
def test_a_preset_for_something_else_is_refused(
    name: str, layout: IsingLayout, p: float, fix: str
) -> None:
    with pytest.raises(ScenarioError) as raised:
        published(name, layout, p)
    assert str(raised.value) == (
        f'--profile: "{name}" has no time for the surface code at d={layout.distance} '
        f"T={layout.rounds} p = {p}; {fix}"
    )


def test_an_unknown_preset_is_named_with_those_there_are() -> None:
    with pytest.raises(ScenarioError, match='"this_machin" is no predecoder preset; did you mean'):
        published("this_machin", IsingLayout(13, 104, "X"), 0.003)
