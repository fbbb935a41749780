import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

from emulator.cli import main, trace
from emulator.results import read_run
from emulator.results.store import OWN
from emulator.traffic.capture import INTERFACES
from emulator.wire import EnqueueSyndromes, Request, Response, decode_frame
from tests.cli.conftest import Call
from tests.cli.examples import SHOTS
from tests.wire.test_pcapng import _read as read_capture

FOLDER = Path("runs/recorded")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(call: Call, recorded: Path) -> Call:
    assert call("run", recorded)[0] == 0
    return call


def parsed(file: Path) -> Any:
    trace = Trace()
    trace.ParseFromString(file.read_bytes())
    return trace


def test_a_timeline_has_the_slices_of_the_first_shots(run: Call) -> None:
    assert run("trace", "perfetto", FOLDER, "--shots", "30") == (
        0,
        "runs/recorded/trace.pftrace: 30 windows; open it at ui.perfetto.dev\n",
        "",
    )
    packets = [p for p in parsed(FOLDER / "trace.pftrace").packet if p.HasField("track_event")]
    begun = [p for p in packets if p.track_event.type == TrackEvent.TYPE_SLICE_BEGIN]
    numbers = [
        note.int_value
        for packet in begun
        if packet.track_event.name == "decode"
        for note in packet.track_event.debug_annotations
        if note.name == "window"
    ]
    assert sorted(numbers) == list(range(30))
    windows = read_run(FOLDER).tables["windows"]
    end_ns = int(windows["applied_ps"][29]) // 1000
    assert max(packet.timestamp for packet in packets) == end_ns


def test_a_capture_has_the_frames_of_the_first_shots(run: Call) -> None:
    assert run("trace", "pcapng", FOLDER, "--shots", "30") == (
        0,
        "runs/recorded/frames.pcapng: 60 frames of 30 shots; open it in Wireshark\n",
        "",
    )
    names, packets = read_capture((FOLDER / "frames.pcapng").read_bytes())
    assert names == list(INTERFACES)
    tables = read_run(FOLDER).tables
    framed, decoded = tables["messages"]["framed_ps"], tables["windows"]["decode_end_ps"]
    times = sorted((*(framed[:30] // 1000).tolist(), *(decoded[:30] // 1000).tolist()))
    assert [time_ns for time_ns, _, _ in packets] == times
    for time_ns, interface, data in packets:
        payload = decode_frame(data).payload
        if interface == 0:
            request = Request.decode(payload)
            shot = request.request_id
            assert isinstance(request.call, EnqueueSyndromes)
            assert "".join(map(str, request.call.bits.tolist())) == SHOTS[shot % 10][:3]
            assert time_ns == framed[shot] // 1000
        else:
            response = Response.decode(payload)
            # of the ten shots only the last is not what is most likely
            answer = SHOTS[response.request_id % 10]
            assert response.result == bytes([int(answer[3]) ^ (answer == SHOTS[9])])


def test_all_shots_when_there_are_fewer_than_asked(run: Call) -> None:
    out = run("trace", "pcapng", FOLDER, "--shots", "100000", "--out", "all.pcapng")[1]
    assert out == "all.pcapng: 800 frames of 400 shots; open it in Wireshark\n"
    assert not (FOLDER / "frames.pcapng").exists()
    out = run("trace", "perfetto", FOLDER, "--shots", "100000")[1]
    assert "400 windows" in out


def test_a_link_that_is_not_roce_has_no_frames(call: Call, recorded: Path) -> None:
    call("run", recorded, "--set", "link.framing=udp")
    code, _, err = call("trace", "pcapng", FOLDER)
    assert code == 2
    assert err == (
        'error: link.up.framing: "udp" has no frames to write; a capture needs framing = "roce"\n'
    )
    assert not (FOLDER / "frames.pcapng").exists()
    assert call("trace", "perfetto", FOLDER)[0] == 0


def test_another_stim_would_sample_other_shots(call: Call, sampled: Path, recorded: Path) -> None:
    for scenario in (sampled, recorded):
        call("run", scenario)
        file = Path("runs") / scenario.stem / "result.json"
        result = json.loads(file.read_text())
        result["versions"]["stim"] = "0.9"
        file.write_text(json.dumps(result))
    code, _, err = call("trace", "pcapng", "runs/sampled")
    assert code == 2
    assert err.startswith("error: the shots of this run were sampled with Stim 0.9, and Stim ")
    assert call("trace", "pcapng", FOLDER)[0] == 0  # recorded shots stay as they are


def test_what_cannot_be_traced(run: Call) -> None:
    code, _, err = run("trace", "vcd", FOLDER)
    assert code == 2
    assert "'vcd' is not one of 'perfetto', 'pcapng'" in err
    assert run("trace", "pcapng", FOLDER, "--shots", "0")[0] == 2
    (FOLDER / "messages.parquet").unlink()
    _, _, err = run("trace", "pcapng", FOLDER)
    assert err == 'error: the run in "runs/recorded" has no messages.parquet; run it again\n'


def test_shots_that_are_gone_are_told(run: Call, recorded: Path) -> None:
    recorded.with_name("shots.01").unlink()
    code, _, err = run("trace", "pcapng", FOLDER)
    assert code == 2
    assert "shots.01" in err
    assert err.startswith("error: ")


def test_stimulus_has_the_rounds_of_a_scenario_and_what_becomes_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "stimulus.jsonl"
    scenario = str(ROOT / "scenarios" / "demo.toml")
    assert main(["trace", "stimulus", scenario, "--shots", "3", "--out", str(out)]) == 0
    text = f"{out}: 84 events; python -m hdl.check plays it in a checkout\n"
    assert capsys.readouterr().out == text
    header, *events = map(json.loads, out.read_text().splitlines())
    assert (header["data_w"], header["patches"], header["message_bits"]) == (512, 1, 600)
    counts = Counter(event["kind"] for event in events)
    assert counts == {"round": 75, "frame": 3, "response": 3, "correction": 3}


def test_stimulus_of_another_packetiser_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "stimulus.jsonl"
    scenario = str(ROOT / "scenarios" / "sliding_d7.toml")
    assert main(["trace", "stimulus", scenario, "--out", str(out)]) == 2
    assert 'write preset = "roundtrip_512"' in capsys.readouterr().err
    assert not out.exists()


def test_a_finished_run_takes_no_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "pcapng", "runs/any", "--set", "run.shots=5"]) == 2
    assert "a finished run cannot be changed" in capsys.readouterr().err


def test_a_trace_is_one_of_the_files_that_a_new_run_replaces() -> None:
    assert {trace._FILES["perfetto"], trace._FILES["pcapng"]} <= OWN


def test_a_timeline_names_the_package_that_it_needs(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "emulator.report.perfetto", raising=False)
    for name in ["perfetto", *(name for name in sys.modules if name.startswith("perfetto."))]:
        monkeypatch.setitem(sys.modules, name, None)
    code, _, err = run("trace", "perfetto", FOLDER)
    assert code == 3
    assert "pip install 'roundtrip-emulator[timeline]'" in err
