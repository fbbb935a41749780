import stim

from emulator.syndromes.components import read_components, read_folded

FOLDED = """
    error(0.25) D0 L1
    repeat 2 {
        error(0.1) D0 D1 ^ D2 L0 L1
        error(0.2) L0
        repeat 3 {
            error(0.1) D1
            shift_detectors 2
        }
        shift_detectors 1
        error(0.3) D0 D4 ^ L0 ^ D1
    }
    error(0.25) D3 L1
"""


def described(text: str) -> list[tuple[int, str, str, list[int]]]:
    parts = read_components(text)
    rows = zip(parts.error.tolist(), parts.head.tolist(), parts.label.tolist(), strict=True)
    return [
        (error, parts.heads[head], parts.labels[label], parts.flips[start:stop].tolist())
        for (error, head, label), start, stop in zip(
            rows, parts.first[:-1].tolist(), parts.first[1:].tolist(), strict=True
        )
    ]


def test_components_are_those_of_the_flattened_model() -> None:
    dem = stim.DetectorErrorModel(FOLDED)
    found = described(str(dem))
    assert found == described(str(dem.flattened()))
    assert found[0] == (0, "error(0.25)", " L1", [0])
    assert found[-1] == (13, "error(0.25)", " L1", [17])
    assert len(found) == 16


def test_each_run_of_errors_is_read_once() -> None:
    folded = read_folded(str(stim.DetectorErrorModel(FOLDED)))
    assert len(folded.runs.error) == 1 + 2 + 1 + 2 + 1
    assert folded.run.tolist() == [0, 1, 2, 2, 2, 3, 1, 2, 2, 2, 3, 4]
    assert folded.offset.tolist() == [0, 0, 0, 2, 4, 7, 7, 7, 9, 11, 14, 14]
    assert folded.before.tolist() == [0, 1, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13]
