"""The way of every window through the loop as a timeline for the Perfetto viewer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

import numpy as np
from numpy.typing import NDArray

from emulator.errors import MissingToolError, RoundtripError
from emulator.loop.records import COLUMNS, LABELS, STAGES, Pool
from emulator.report.display import stage_label
from emulator.report.lanes import Slice, lay_out, slices_of

try:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackDescriptor, TrackEvent
    from perfetto.trace_builder.proto_builder import StreamingTraceProtoBuilder
except ImportError as error:
    raise MissingToolError(
        "Python package perfetto is not installed; a timeline needs it: "
        "pip install 'roundtrip-emulator[timeline]'."
    ) from error

__all__ = ["write_perfetto"]

_COMPONENTS = {
    "readout": "QPU",
    "packetise": "FPGA",
    "uplink": "uplink",
    "ring": "ring",
    "dispatch": "host",
    "predecode_queue": "pre-decoder queue",
    "predecode": "pre-decoder",
    "decode_queue": "matcher queue",
    "decode": "matcher",
    "downlink": "downlink",
    "apply": "FPGA",
}
_LANES = {"pre-decoder": "stream", "matcher": "worker"}
_SEQUENCE = 1
_PS_PER_NS = 1000


def write_perfetto(
    stream: IO[bytes],
    windows: Mapping[str, NDArray[np.int64]],
    *,
    backlog: NDArray[np.int64] | None = None,
    emissions_ps: NDArray[np.int64] | None = None,
    pools: Mapping[str, Pool] | None = None,
    predecode_batch: int = 1,
    limit: int | None = 2000,
) -> int:
    """Write the first ``limit`` windows (None: all) to ``stream`` and return how many they are.

    ``windows`` has int64 (n,) per name of ``emulator.loop.records.COLUMNS``; ``backlog`` is int64
    (k, 2) of time in ps and rounds; ``emissions_ps`` int64 (r,), when each round left the
    processor. ``pools`` names the stages whose servers are all shown, busy or not. Windows of one
    pre-decoder batch of up to ``predecode_batch`` are stacked in one stream.

    Every component has a track with as many lanes as it handles windows at once, the lowest free
    lane being taken; a window's slices are joined by a flow. Perfetto counts in nanoseconds:
    times are rounded down to them, and the picoseconds stand in each slice's arguments. Raises
    RoundtripError when a column is missing.
    """
    missing = [name for name in COLUMNS if name not in windows]
    if missing:
        raise RoundtripError(
            f"window table: column {missing[0]!r} is missing; write the trace from the"
            " windows.parquet of a run"
        )
    count = len(windows["window"]) if limit is None else min(limit, len(windows["window"]))
    end_ps = int(windows["applied_ps"][:count].max()) if count else 0
    slices = list(slices_of(windows, count))
    writer = _Writer(stream)
    root = writer.track("Roundtrip")
    events = _slice_events(writer, root, windows, slices, pools or {}, batch=predecode_batch)
    if emissions_ps is not None:
        track = writer.track("rounds", root)
        times = emissions_ps[emissions_ps <= end_ps].tolist()
        events += [_Event(at, _INSTANT, track, name="round") for at in times]
    if backlog is not None:
        track = writer.track("backlog", root, unit="rounds")
        samples = backlog[backlog[:, 0] <= end_ps].tolist()
        events += [_Event(at, _COUNTER, track, value=rounds) for at, rounds in samples]
    for event in sorted(events, key=lambda e: (e.time_ps, e.order, e.flow or 0)):
        writer.write(event)
    return count


_END, _BEGIN, _INSTANT, _COUNTER = range(4)
"""Kinds of events, in the order in which those of one instant are written."""

_TYPES = (
    TrackEvent.TYPE_SLICE_END,
    TrackEvent.TYPE_SLICE_BEGIN,
    TrackEvent.TYPE_INSTANT,
    TrackEvent.TYPE_COUNTER,
)


@dataclass(frozen=True, slots=True)
class _Event:
    """Something on a track; ``flow`` joins the slices of a window, ``last`` ends it."""

    time_ps: int
    order: int
    track: int
    name: str | None = None
    value: int | None = None
    flow: int | None = None
    last: bool = False
    arguments: Mapping[str, int] = field(default_factory=dict)


def _slice_events(
    writer: "_Writer",
    root: int,
    windows: Mapping[str, NDArray[np.int64]],
    slices: list[Slice],
    pools: Mapping[str, Pool],
    *,
    batch: int,
) -> list[_Event]:
    """Announce the tracks of all components and return the begins and ends on them."""
    final = {piece.row: piece.stage for piece in slices}  # slices of a window come in order
    labels = {name: windows[name].tolist() for name in LABELS}
    laid = lay_out(slices, _COMPONENTS, {"pre-decoder": batch})
    servers = {_COMPONENTS[name]: p.servers for name, p in pools.items() if name in _COMPONENTS}
    events: list[_Event] = []
    for component in dict.fromkeys(_COMPONENTS.values()):
        used = laid[component].lanes if component in laid else []
        parent = writer.track(component, root)
        for k in range(max(len(used), servers.get(component, 0))):
            track = writer.track(f"{_LANES.get(component, 'lane')} {k}", parent)
            for piece in used[k] if k < len(used) else ():
                ids = {name: values[piece.row] for name, values in labels.items()}
                events += _begin_and_end(track, piece, ids, last=final[piece.row] == piece.stage)
    return events


def _begin_and_end(
    track: int, piece: Slice, ids: Mapping[str, int], *, last: bool
) -> tuple[_Event, _Event]:
    times = {
        "start_ps": piece.start_ps,
        "end_ps": piece.end_ps,
        "duration_ps": piece.end_ps - piece.start_ps,
    }
    begin = _Event(
        piece.start_ps,
        _BEGIN,
        track,
        name=stage_label(STAGES[piece.stage]),
        flow=ids["window"] + 1,  # 0 is no flow
        last=last,
        arguments={**ids, **times},
    )
    return begin, _Event(piece.end_ps, _END, track)


class _Writer:
    """Packets of one trace, in the order in which they are written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._builder = StreamingTraceProtoBuilder(stream)
        self._tracks = 0

    def track(self, name: str, parent: int | None = None, unit: str | None = None) -> int:
        """Announce a track below ``parent``, a counter if it has a ``unit``; return its number."""
        self._tracks += 1
        packet = self._builder.create_packet()
        descriptor = packet.track_descriptor
        descriptor.uuid = self._tracks
        descriptor.name = name
        descriptor.child_ordering = TrackDescriptor.EXPLICIT
        descriptor.sibling_order_rank = self._tracks
        if parent is not None:
            descriptor.parent_uuid = parent
        if unit is not None:
            descriptor.counter.unit_name = unit
        self._builder.write_packet(packet)
        return self._tracks

    def write(self, event: _Event) -> None:
        """Write one event, its time rounded down to whole nanoseconds."""
        packet = self._builder.create_packet()
        packet.timestamp = event.time_ps // _PS_PER_NS
        packet.trusted_packet_sequence_id = _SEQUENCE
        track_event = packet.track_event
        track_event.type = _TYPES[event.order]
        track_event.track_uuid = event.track
        if event.name is not None:
            track_event.name = event.name
        if event.value is not None:
            track_event.counter_value = event.value
        if event.flow is not None:
            flows = track_event.terminating_flow_ids if event.last else track_event.flow_ids
            flows.append(event.flow)
        for name, value in event.arguments.items():
            track_event.debug_annotations.add(name=name, int_value=value)
        self._builder.write_packet(packet)
