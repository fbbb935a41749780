from pathlib import Path

import pytest

from emulator.errors import ScenarioError
from emulator.timing.latency_table import read_latencies

ROWS = "0,1.0861\n1,1.0892\n"
TIMES = [1_086_100, 1_089_200]


def read(
    folder: Path, content: str | bytes, column: str | None = None, unit: str | None = None
) -> list[int]:
    path = folder / "lat.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    times: list[int] = read_latencies(path, column, unit).tolist()
    return times


@pytest.mark.parametrize(
    "header",
    [
        "#, usec",
        "sample, rtt_us",
        "Sample,RTT_US",
        "iteration,latency (us)",
        "i,latency [µs]",
        "i,latency [\u03bcs]",
        "i,t_usec",
        "i,latencyUs",
        "i,Latency in microseconds",
        '"i","rtt_us"',
        "# sample,rtt_us",
        "# host=lab1\n# clock=322 MHz, lab\nsample,rtt_us",
        "% made by a tool\n\nsample,rtt_us,",
        "Test: x\nIterations,1000\nsample,rtt_us",
    ],
)
def test_headers_of_many_tools(tmp_path: Path, header: str) -> None:
    assert read(tmp_path, f"{header}\n{ROWS}") == TIMES
    assert read(tmp_path, f"{header}\r\n{ROWS}# end\r\n\r\n") == TIMES


@pytest.mark.parametrize(
    "content",
    [
        "i;t_us\n0;1,0861\n1;1,0892\n",
        "i\tt_us\n0\t1.0861\n1\t1.0892",
        "i|t_us\n0|1.0861\n1|1.0892",
        "i t_us\n0   1.0861\n1   1.0892",
        "t_us\n1,0861\n1,0892\n",
        '"t_us"\n1.0861\n1.0892\n',
        '"t_us"\n"1.0861"\n"1.0892"\n',
        '"round trip us"\n1.0861\n1.0892\n',
        "round trip us\n1.0861\n1.0892\n",
        "i,t_us,\n0,1.0861,\n1,1.0892,\n",
        "decoder,when,t_us\nA,12:00,1.0861\nA,12:01,1.0892\n",
        "t_ns\n1086.1\n1.0892e3\n",
    ],
)
def test_separators_and_decimals(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == TIMES


@pytest.mark.parametrize("mark", [";", "\t"])
def test_commas_before_three_digits(tmp_path: Path, mark: str) -> None:
    """They stand before decimals where one value of the column shows it."""
    for value, time in (("2,5", 2500), ("0,512", 512), ("1234,567", 1_234_567)):
        table = f"i;t_ns\n0;1,500\n1;{value}\n2;900\n".replace(";", mark)
        assert read(tmp_path, table) == [1500, time, 900_000]
    with pytest.raises(ScenarioError, match='line 2, column "t_ns": the comma in "1,500" may'):
        read(tmp_path, "i;t_ns\n0;1,500\n1;12,400\n2;900\n".replace(";", mark))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, f"Nr;Laufzeit µs\n{ROWS}".replace(",", ";").encode(encoding)) == TIMES


def test_columns_are_found_by_name_number_and_unit(tmp_path: Path) -> None:
    table = f"n,Trip_US,b_ns\n{ROWS.replace(chr(10), ',7' + chr(10))}"
    assert read(tmp_path, table, "trip_us") == TIMES
    assert read(tmp_path, table, "b_ns") == [7000, 7000]
    assert read(tmp_path, ROWS, "2", "us") == TIMES
    assert read(tmp_path, "1.0861\n1.0892\n", unit="us") == TIMES
    assert read(tmp_path, "n,trip\n" + ROWS, "trip", "us") == TIMES


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("rtt_us\n1\n2\n-3\n", 'line 4, column "rtt_us": "-3" is negative .1 of 3 values'),
        ("rtt_us\n1\nnan\nnan\n", 'line 3, column "rtt_us": "nan" is not finite .2 of 3 values'),
        ("# x\n\nrtt_us\n1\ninf\n", 'line 5, column "rtt_us": "inf" is not finite'),
        ("rtt_us\n0.0\n", 'line 2, column "rtt_us": "0.0" is zero'),
        ("rtt_us\n1\nfast\n", 'line 3, column "rtt_us": "fast" is no number'),
        ("rtt_us\n1e400\n", 'line 2, column "rtt_us": "1e400" is not finite'),
        ("rtt_s\n1e8\n", '"1e8" is longer than 106 days'),
        ("i,rtt_us\n0,1\n1\n", 'line 3: found 1 fields, "1", instead of columns "i", "rtt_us"'),
        ("i,rtt_us\n0,1.5\n1,2,5\n2,3.5\n", 'line 3: found 3 fields, "1", "2", "5", instead of'),
        ("i,rtt_us\n0,1\n1,,\n", 'line 3, column "rtt_us": "" is empty'),
        (
            "i,rtt_us\n0,1,0861\n1,1,0892\n",
            r'header has 2 name\(s\), "i", "rtt_us", and .* 3 values',
        ),
        ("rtt_us\n1.5 ms\n", r'header has 1 name\(s\), "rtt_us", and the lines below have 2'),
        ("rtt_ns\n1,000\n2,500\n", 'comma in "1,000" may stand before decimals or after thousands'),
        (
            'latency_ns\n"1,500"\n"2,400"\n"900"\n',
            'line 2, column "latency_ns": "1,500" has a comma in it, .* thousands separator, and',
        ),
        ('latency_ns\n"900"\n"800"\n"2,400"\n', 'line 4, .* comma in "2,400" may stand before'),
        ('i,t_ns\n0,900\n1,"1,234,567.5"\n', 'line 3, .* "1,234,567.5" has a comma in it'),
        ('i,t_us\n0,"1,5"\n1,"2,5"\n', 'line 2, .* "1,5" has a comma .* decimals behind a point'),
        ("rtt_us\n" + '"' + "1" * 140_000 + '"\n', "line 2, is no line of a CSV file"),
        ("rtt_us\n" + "1" * 100 + "\n", r'line 2, column "rtt_us": "1{40}…" is no number'),
        ("", "has no rows of times"),
        ("rtt_us\n", 'has no rows of times; .* it holds only "rtt_us"'),
        (b"\x1f\x8b\x08\0\0\0\xff\xfe", "is not a text file"),
        ("i,rtt_cycles\n" + ROWS, r'_ps, _ns, _us, _ms, _s.*Its header says "i", "rtt_cycles"'),
        ("i,status\n" + ROWS, 'Its header says "i", "status"'),
        (ROWS, 'it has no header, .*Found 2 column.*, the first line "0", "1.0861"'),
        ("a_us,b_us\n" + ROWS, "no column chosen; set column to one of a_us, b_us"),
        ("i;x,rtt_µs\n0;350;1.0\n".encode("latin-1"), r"read as Latin-1, as it is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_was_found(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(ScenarioError, match=sentence) as error:
        read(tmp_path, content)
    assert "lat.csv" in str(error.value)


@pytest.mark.parametrize(
    ("content", "column", "unit", "sentence"),
    [
        (ROWS, "rtt_us", None, 'has no header and so no column "rtt_us"; .* from 1 to 2'),
        (ROWS, "3", "us", "from 1 to 2"),
        (ROWS, "2", None, "unit of column 2 is not known"),
        ("i,t_us\n" + ROWS, "rtt", None, 'no column "rtt"; set column to one of t_us'),
        ("i,t_us\n" + ROWS, "i", None, 'unit of column "i" is not known'),
        ("i,t_us\n" + ROWS, "t_us", "ns", 'is in us by its name, and unit = "ns" contradicts'),
        ("t_us,t_us\n" + ROWS, "t_us", None, 'has 2 columns "t_us"'),
        ("n,trip\n" + ROWS, None, "us", "set column to the one with times"),
    ],
)
def test_columns_that_cannot_be_chosen(
    tmp_path: Path, content: str, column: str | None, unit: str | None, sentence: str
) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        read(tmp_path, content, column, unit)
