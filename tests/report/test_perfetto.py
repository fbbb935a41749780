import io
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

from emulator.errors import RoundtripError
from emulator.loop.records import STAGES, TIMESTAMPS, Pool
from emulator.report.display import stage_label
from emulator.report.perfetto import write_perfetto
from tests.report.fixture import make_backlog, make_windows

WINDOWS = make_windows(60)


def parsed(**options: Any) -> Any:
    stream = io.BytesIO()
    write_perfetto(stream, WINDOWS, **options)
    trace = Trace()
    trace.ParseFromString(stream.getvalue())
    return trace


def tracks_of(trace: Any) -> dict[int, Any]:
    found = [p.track_descriptor for p in trace.packet if p.HasField("track_descriptor")]
    assert len({d.uuid for d in found}) == len(found)
    return {d.uuid: d for d in found}


def events_of(trace: Any, kind: int) -> list[Any]:
    packets = [p for p in trace.packet if p.HasField("track_event")]
    return [p for p in packets if p.track_event.type == kind]


def arguments(packet: Any) -> dict[str, int]:
    return {a.name: a.int_value for a in packet.track_event.debug_annotations}


def test_every_stage_of_every_window_is_a_slice_with_its_exact_times() -> None:
    begins = events_of(parsed(), TrackEvent.TYPE_SLICE_BEGIN)
    found = {}
    for packet in begins:
        known = arguments(packet)
        found[known["window"], packet.track_event.name] = known["start_ps"], known["end_ps"]
        assert packet.timestamp == known["start_ps"] // 1000
        assert known["duration_ps"] == known["end_ps"] - known["start_ps"]
    expected = {
        (row, stage_label(stage)): (int(WINDOWS[start][row]), int(WINDOWS[end][row]))
        for row in range(60)
        for stage, start, end in zip(STAGES, TIMESTAMPS[:-1], TIMESTAMPS[1:], strict=True)
        if WINDOWS[end][row] > WINDOWS[start][row]
    }
    assert found == expected


def test_begins_and_ends_pair_up_on_every_track() -> None:
    depth: dict[int, int] = defaultdict(int)
    last: dict[int, int] = defaultdict(int)
    trace = parsed()
    packets = [p for p in trace.packet if p.HasField("track_event")]
    assert [p.timestamp for p in packets] == sorted(p.timestamp for p in packets)
    for packet in packets:
        event = packet.track_event
        depth[event.track_uuid] += 1 if event.type == TrackEvent.TYPE_SLICE_BEGIN else -1
        assert 0 <= depth[event.track_uuid] <= 1
        assert packet.timestamp >= last[event.track_uuid]
        last[event.track_uuid] = packet.timestamp
    assert set(depth.values()) == {0}
    assert set(depth) <= set(tracks_of(trace))


def test_a_flow_joins_the_slices_of_each_window_and_of_no_other() -> None:
    flows: dict[int, list[tuple[bool, int, str]]] = defaultdict(list)
    for packet in events_of(parsed(), TrackEvent.TYPE_SLICE_BEGIN):
        event = packet.track_event
        ids = [*event.flow_ids, *event.terminating_flow_ids]
        assert len(ids) == 1
        flows[ids[0]].append(
            (bool(event.terminating_flow_ids), arguments(packet)["window"], event.name)
        )
    assert len(flows) == 60
    order = [stage_label(stage) for stage in STAGES]
    for steps in flows.values():
        assert len({window for _, window, _ in steps}) == 1
        assert [ends for ends, _, _ in steps] == [False] * (len(steps) - 1) + [True]
        places = [order.index(name) for _, _, name in steps]
        assert places == sorted(places)
        assert steps[-1][2] == "apply"


def test_components_are_tracks_with_a_lane_per_server() -> None:
    servers = {"decode": 4, "predecode": 2, "uplink": 1}
    trace = parsed(pools={name: Pool(count, 1, 1, 1, 1, 0) for name, count in servers.items()})
    tracks = tracks_of(trace)
    lanes = defaultdict(list)
    for track in tracks.values():
        if track.HasField("parent_uuid"):
            lanes[tracks[track.parent_uuid].name].append(track.name)
    assert lanes["matcher"] == ["worker 0", "worker 1", "worker 2", "worker 3"]
    assert lanes["pre-decoder"] == ["stream 0", "stream 1"]
    assert lanes["Roundtrip"][:4] == ["QPU", "FPGA", "uplink", "ring"]
    assert lanes["Roundtrip"][-1] == "downlink"


def test_windows_of_a_batch_are_stacked_in_one_stream() -> None:
    windows = {name: column[:4].copy() for name, column in WINDOWS.items()}
    for name, at in (("predecode_start_ps", 10**9), ("predecode_end_ps", 2 * 10**9)):
        windows[name][:] = at
    for k, name in enumerate(("decode_start_ps", "decode_end_ps", "returned_ps", "applied_ps")):
        windows[name][:] = 2 * 10**9 + k
    stream = io.BytesIO()
    write_perfetto(stream, windows, predecode_batch=2)
    trace = Trace()
    trace.ParseFromString(stream.getvalue())
    tracks = tracks_of(trace)
    begins = events_of(trace, TrackEvent.TYPE_SLICE_BEGIN)
    where = {
        arguments(p)["window"]: tracks[p.track_event.track_uuid].name
        for p in begins
        if p.track_event.name == "pre-decode"
    }
    assert where == {0: "stream 0", 1: "stream 0", 2: "stream 1", 3: "stream 1"}


def test_backlog_and_emissions_end_with_the_windows_shown() -> None:
    backlog = make_backlog(WINDOWS)
    rounds = np.arange(1, 661, dtype=np.int64) * 10**6
    trace = parsed(backlog=backlog, emissions_ps=rounds, limit=10)
    until = int(WINDOWS["applied_ps"][:10].max())
    counts = events_of(trace, TrackEvent.TYPE_COUNTER)
    kept = backlog[backlog[:, 0] <= until]
    assert [(p.timestamp, p.track_event.counter_value) for p in counts] == [
        (at // 1000, n) for at, n in kept.tolist()
    ]
    counter = tracks_of(trace)[counts[0].track_event.track_uuid]
    assert (counter.name, counter.counter.unit_name) == ("backlog", "rounds")
    instants = events_of(trace, TrackEvent.TYPE_INSTANT)
    assert len(instants) == np.count_nonzero(rounds <= until)


def test_the_limit_is_kept_and_reported() -> None:
    assert write_perfetto(io.BytesIO(), WINDOWS, limit=7) == 7
    assert write_perfetto(io.BytesIO(), WINDOWS, limit=None) == 60
    begins = events_of(parsed(limit=7), TrackEvent.TYPE_SLICE_BEGIN)
    assert {arguments(p)["window"] for p in begins} == set(range(7))


def test_no_windows_make_a_trace_of_empty_tracks() -> None:
    empty = {name: column[:0] for name, column in WINDOWS.items()}
    stream = io.BytesIO()
    assert write_perfetto(stream, empty) == 0
    trace = Trace()
    trace.ParseFromString(stream.getvalue())
    assert {"QPU", "matcher"} <= {t.name for t in tracks_of(trace).values()}


def test_a_missing_column_is_named() -> None:
    windows = {name: column for name, column in WINDOWS.items() if name != "slotted_ps"}
    with pytest.raises(RoundtripError, match=r"'slotted_ps' is missing"):
        write_perfetto(io.BytesIO(), windows)
