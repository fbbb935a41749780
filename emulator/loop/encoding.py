"""A loop as the compiled engine takes it: structures, arrays, and laws in a table."""

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emulator.errors import RoundtripError
from emulator.loop.config import Fpga, LinkSpec, LoopConfig, PoolSpec, StageService
from emulator.loop.native import STAGES, ConfigStruct, LawStruct, LinkStruct, PoolStruct
from emulator.loop.route import Route
from emulator.timing.law import (
    Affine,
    Always,
    Choice,
    Cold,
    Costed,
    Draws,
    Filled,
    Law,
    Listed,
    Sloped,
)
from emulator.units import serialisation_ps

__all__ = ["DrawsInUse", "EncodedLoop", "EngineRefusalError", "encode"]

Ints = NDArray[np.int64]

_KINDS = (Always, Draws, Listed, Costed, Choice, Sloped, Cold, Filled, Affine)
"""Kinds of laws by their number in the library."""

_MAX_JOBS = 2**48


class EngineRefusalError(RoundtripError):
    """The compiled engine cannot run this loop: ``what`` it cannot express."""

    def __init__(self, what: str) -> None:
        """Say what, and who can."""
        super().__init__(f"the compiled engine cannot run this loop: {what}; --engine simpy can")


@dataclass(frozen=True, slots=True)
class DrawsInUse:
    """A sequence of draws that ``stage`` takes, for its jobs from ``first`` up to ``stop``.

    ``stop`` is None where there is no last one.
    """

    stage: str
    make: Callable[[int], Ints]
    first: int
    stop: int | None


@dataclass(frozen=True, eq=False)
class EncodedLoop:
    """``config`` for the library, and its ``draws`` by number; ``kept`` is what it points to."""

    config: ConfigStruct
    draws: Sequence[DrawsInUse]
    kept: Sequence[object]


def encode(config: LoopConfig, *, keep_windows: bool) -> EncodedLoop:
    """Encode a loop whose emission and ring have been checked.

    Raises EngineRefusalError for what the library cannot express: a service without a `Law`, and
    numbers that are negative or take more than 64 bits.
    """
    encoder = _Encoder(config)
    try:
        encoder.shape(keep_windows=keep_windows)
        encoder.plan()
        encoder.parts()
        struct = encoder.finished()
    except OverflowError as error:
        raise EngineRefusalError("it has a number of more than 64 bits") from error
    return EncodedLoop(struct, encoder.laws.draws, encoder.kept)


@dataclass
class _LawTable:
    """Laws as rows, each after its parts, and the draws that they take."""

    rows: list[tuple[int, int, int, int, int, Ints | None]] = field(default_factory=list)
    draws: list[DrawsInUse] = field(default_factory=list)

    def add(self, law: Law, stage: str, first: int = 0, stop: int | None = None) -> int:
        """Add a law that is asked for the jobs from ``first`` up to ``stop``; return its number."""

        def part(of: Law) -> int:
            return self.add(of, stage, first, stop)

        value = count = one = other = 0
        data: Iterable[int] | Ints | None = None
        match law:
            case Always():
                value = law.value
            case Draws():
                value = len(self.draws)
                self.draws.append(DrawsInUse(stage, law.make, first, stop))
            case Listed():
                value, count, data = law.again, len(law.values), law.values
            case Costed():
                one, count, data = part(law.part), len(law.ppm), law.ppm
            case Choice():
                one, count = part(law.chosen), len(law.parts)
                data = [part(each) for each in law.parts]
            case Sloped():
                value, one, other = law.steps, part(law.idle), part(law.loaded)
            case Cold():
                end = law.jobs if stop is None else min(stop, law.jobs)
                one = self.add(law.first, stage, first, end)
                other = self.add(law.then, stage, max(first, law.jobs), stop)
                value = law.jobs
            case Filled():
                count, data = len(law.fills), [*law.fills, *law.times]
            case Affine():
                value, one = law.windows_only, part(law.part)
                data = [law.busy, law.fill, law.round]
        array = None if data is None else np.ascontiguousarray(data, dtype=np.int64)
        self.rows.append((_KINDS.index(type(law)), value, count, one, other, array))
        return len(self.rows) - 1


class _Encoder:
    """Fills in the structure, field by field."""

    def __init__(self, config: LoopConfig) -> None:
        self._config = config
        self._struct = ConfigStruct()
        self.kept: list[object] = []
        self.laws = _LawTable()

    def shape(self, *, keep_windows: bool) -> None:
        """Fill in the emission and the messages."""
        config, emission = self._config, self._config.emission
        self._scalars(
            self._struct,
            patches=emission.patches,
            shots=emission.shots,
            messages=len(config.messages),
            windows=len(config.plan),
            period_ps=emission.round_period_ps,
            offset_ps=emission.patch_offset_ps,
            shot_period_ps=emission.shot_period_ps,
            horizon_ps=emission.horizon_ps,
            drain=config.drain,
            keep=keep_windows,
        )
        a_shot = max(len(config.messages), len(config.plan))
        if not config.plan or emission.patches * emission.shots * a_shot > _MAX_JOBS:
            raise EngineRefusalError("it has no window, or more than 2^48 messages or windows")
        if any(not message.packets for message in config.messages) or not config.response:
            raise EngineRefusalError("a message or a response is of no packet")
        self._arrays(
            message_rounds=[len(message.rounds) for message in config.messages],
            message_stop=[message.rounds.stop for message in config.messages],
        )
        self._grouped(
            "packets", [m.packets for m in config.messages], packet_beats=lambda packet: packet[0]
        )
        self._grouped(
            "intake", [m.intake for m in config.messages], intake_beats=lambda beats: beats
        )

    def plan(self) -> None:
        """Fill in which messages feed which windows."""
        plan = self._config.plan
        route = Route(self._config.messages, plan)
        self._arrays(
            committer=route.committer,
            needs_first=[needs.start for needs in route.needs],
            needs_stop=[needs.stop for needs in route.needs],
            waits_for=route.waits_for,
            reads_rounds=[len(window.rounds) for window in plan],
            first_round=[window.commits[0] for window in plan],
            last_round=[window.commits[-1] for window in plan],
        )
        self._grouped(
            "completes",
            route.completes,
            completes_window=lambda pair: pair[0],
            completes_later=lambda pair: pair[1],
        )
        self._grouped("releases", route.releases, releases_message=lambda number: number)
        self._grouped("followers", route.followers, followers_window=lambda number: number)
        self._grouped(
            "commits",
            [window.commits for window in plan],
            commits_message=lambda number: route.message_of[number],
        )

    def parts(self) -> None:
        """Fill in FPGA, link, host and pools, and the laws of their times."""
        config, struct = self._config, self._struct
        self._fpga()
        host = config.host
        loses = config.up.losses
        self._scalars(
            struct,
            readout=self._law("readout", config.readout),
            readout_constant=config.readout.constant_ps is not None,
            dispatch=self._law("dispatch", host.dispatch),
            slots=host.slots,
            waits=host.waits,
            hold=host.hold_until_response,
            predecodes=config.predecode is not None,
            response_packets=len(config.response),
            response_beats=sum(beats for beats, _ in config.response),
        )
        struct.losses = -1
        if loses is not None:
            law = loses.law()
            if law is None:
                raise EngineRefusalError("its losses have no law")
            struct.losses = self.laws.add(law, "loss")
        if host.slots < 1:
            raise EngineRefusalError("its ring has no slot")
        bits = [bits for message in config.messages for _, bits in message.packets]
        self._link(struct.up, "uplink", config.up, bits)
        self._link(struct.down, "downlink", config.down, [bits for _, bits in config.response])
        self._pool(struct.decode, "decode", config.decode)
        if config.predecode is not None:
            self._pool(struct.predecode, "predecode", config.predecode)

    def finished(self) -> ConfigStruct:
        """Put the table of laws in its place; return the structure."""
        rows = (LawStruct * len(self.laws.rows))()
        for row, (kind, value, count, first, second, data) in zip(
            rows, self.laws.rows, strict=True
        ):
            self._scalars(row, value=value)
            row.kind, row.count, row.first, row.second = kind, count, first, second
            if data is not None:
                row.data = self._pointer(data)
        self.kept.append(rows)
        self._struct.law = rows
        self._struct.laws, self._struct.draws = len(rows), len(self.laws.draws)
        self._arrays(draws_stage=[STAGES.index(draws.stage) for draws in self.laws.draws])
        return self._struct

    def _fpga(self) -> None:
        config, struct, fpga = self._config, self._struct, self._config.fpga
        edges, span_ps = fpga.clock.ratio
        self._scalars(
            struct,
            clock_edges=edges,
            clock_span_ps=span_ps,
            pipeline=fpga.pipeline_cycles,
            receive=fpga.receive_cycles,
        )
        if isinstance(fpga, Fpga):
            self._scalars(
                struct,
                store_and_forward=fpga.store_and_forward,
                spacing=fpga.min_spacing_cycles,
            )
            return
        intake = [message.intake for message in config.messages]
        if not all(intake):
            raise EngineRefusalError("a message enters round by round without beats")
        longest = max(max(beats) for beats in intake)
        whole = fpga.clock.whole_cycles(config.emission.round_period_ps)
        struct.by_rounds = True
        struct.spaced = config.readout.constant_ps is not None and longest <= whole
        if config.framing is not None:
            self._seen(config.framing.first_edges, config.framing.last_edges)

    def _seen(self, first: Ints, last: Ints) -> None:
        """Check that every frame of every message has its edges, and hand them over."""
        config, emission = self._config, self._config.emission
        packets = {len(message.packets) for message in config.messages}
        messages = emission.patches * emission.shots * len(config.messages)
        if any(edges.shape != (messages, *packets) or edges.min() < 0 for edges in (first, last)):
            raise EngineRefusalError("its framing is not that of its messages")
        self._arrays(seen_first=first, seen_last=last)

    def _link(self, struct: LinkStruct, stage: str, link: LinkSpec, bits: Sequence[int]) -> None:
        rate = link.rate_bps
        self._scalars(
            struct,
            ports=self._config.emission.patches if link.per_patch else 1,
            hops=link.hops,
            flight_ps=link.propagation_ps + link.hops * link.hop_latency_ps,
            latency=self._law(stage, link.latency),
        )
        serial_ps = [0 if rate is None else serialisation_ps(each, rate) for each in bits]
        struct.serial_ps = self._pointer(np.array(serial_ps, dtype=np.int64))

    def _pool(self, struct: PoolStruct, stage: str, pool: PoolSpec) -> None:
        self._scalars(
            struct,
            servers=pool.servers,
            batch=pool.batch,
            timeout_ps=pool.batch_timeout_ps,
            service=self._law(stage, pool.service),
        )

    def _law(self, stage: str, service: StageService) -> int:
        constant_ps = service.constant_ps
        law = service.law() if constant_ps is None else Always(constant_ps)
        if law is None:
            raise EngineRefusalError(f"the service of stage {stage} has no law")
        return self.laws.add(law, stage)

    def _scalars(self, struct: ctypes.Structure, **values: int) -> None:
        """Set fields of a structure; ctypes itself would cut off what does not fit."""
        for name, value in values.items():
            if value < 0:
                raise EngineRefusalError(f"{name}(={value}) is negative")
            if value >= 2**63:
                raise OverflowError
            setattr(struct, name, value)

    def _arrays(self, **values: Sequence[int] | Ints) -> None:
        """Set pointers of the configuration to arrays of these values."""
        for name, each in values.items():
            array = np.ascontiguousarray(each, dtype=np.int64)
            setattr(self._struct, name, self._pointer(array))

    def _grouped(
        self, name: str, groups: Sequence[Sequence[object]], **tables: Callable[..., int]
    ) -> None:
        """Lay groups end to end in one or more tables; ``<name>_from`` says where each begins."""
        starts = np.cumsum([0, *(len(group) for group in groups)])
        self._arrays(**{f"{name}_from": starts})
        for table, value in tables.items():
            self._arrays(**{table: [value(item) for group in groups for item in group]})

    def _pointer(self, array: Ints) -> object:
        self.kept.append(array)
        return array.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
