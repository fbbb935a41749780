"""The compiled engine: runs a loop in ``engine.cpp`` and returns the record that SimPy would.

The library runs a slice of events at a time. In between, Python draws the chance of the shots that
come next, hears of interrupts, and reports how far the run has come.
"""

import ctypes
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emulator.loop.config import LoopConfig
from emulator.loop.encoding import EncodedLoop, encode
from emulator.loop.feedback import idle_rounds
from emulator.loop.ledger import CAUSES
from emulator.loop.limits import RunTooLongError, check_loop
from emulator.loop.native import (
    STAGES,
    AccountStruct,
    Ending,
    TablesStruct,
    TallyStruct,
    engine_library,
)
from emulator.loop.records import COLUMNS, MESSAGE_COLUMNS, Pool, Record, backlog_of
from emulator.timing.stream import BLOCK

__all__ = ["run_compiled"]

Ints = NDArray[np.int64]

SLICE = 1 << 18
"""Events between two looks at interrupts and progress, some ten milliseconds."""

JOBS_AHEAD = 1 << 16
"""Jobs for which draws are made at a time, or those of one shot of all patches if they are more."""


def run_compiled(
    config: LoopConfig,
    *,
    keep_windows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Record:
    """Run the loop to its end; arguments, record and errors are those of `engine.run_loop`.

    Raises EngineRefusalError for a loop that the library cannot express, MissingToolError where it
    has to be compiled and there is no compiler.
    """
    check_loop(config)
    encoded = encode(config, keep_windows=keep_windows)
    tables = _Tables(config, keep=keep_windows)
    with _Run(config, encoded, tables) as run:
        ended = False
        while not ended:
            ended = run.advance()
            if progress is not None and run.emitted:
                progress(run.emitted)
        account = run.account()
    record = _record(config, account, tables, keep_windows=keep_windows)
    record.check_conservation()
    return record


class _Tables:
    """The rows of a run, which the library fills in: as many as there can be, if kept at all."""

    def __init__(self, config: LoopConfig, *, keep: bool) -> None:
        shots = config.emission.shots * config.emission.patches if keep else 0
        windows, messages = shots * len(config.plan), shots * len(config.messages)
        self.windows = np.empty((len(COLUMNS), windows), dtype=np.int64)
        self.applied = np.zeros(windows, dtype=np.bool_)
        self.messages = np.empty((len(MESSAGE_COLUMNS), messages), dtype=np.int64)
        self.done = np.empty((windows, 2), dtype=np.int64)
        self.responses = np.empty((windows, 2), dtype=np.int64)
        self.lost = np.empty((windows, 4), dtype=np.int64)

    def struct(self) -> TablesStruct:
        """Return where the library finds them."""
        ints, flags = ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(ctypes.c_uint8)
        return TablesStruct(
            windows=self.windows.ctypes.data_as(ints),
            windows_stride=self.windows.shape[1],
            applied=self.applied.ctypes.data_as(flags),
            messages=self.messages.ctypes.data_as(ints),
            messages_stride=self.messages.shape[1],
            done=self.done.ctypes.data_as(ints),
            responses=self.responses.ctypes.data_as(ints),
            lost=self.lost.ctypes.data_as(ints),
        )

    def window_columns(self) -> dict[str, Ints]:
        """Return the columns of the windows whose corrections were applied."""
        table = self.windows if self.applied.all() else self.windows[:, self.applied]
        return dict(zip(COLUMNS, table, strict=True))

    def message_columns(self, count: int) -> dict[str, Ints]:
        """Return the columns of the messages that were sent."""
        return dict(zip(MESSAGE_COLUMNS, _begun(self.messages.T, count).T, strict=True))


def _begun(rows: Ints, count: int) -> Ints:
    """Return the first rows; a copy where most of the memory would be kept for nothing."""
    return rows[:count] if 2 * count > len(rows) else rows[:count].copy(order="A")


class _Run:
    """A loop inside the library, from its making to its end."""

    def __init__(self, config: LoopConfig, encoded: EncodedLoop, tables: _Tables) -> None:
        self._config = config
        self._kept = encoded, tables
        self._library = engine_library()
        self._handle = ctypes.c_void_p()
        self._tables = tables.struct()
        patches = config.emission.patches
        windows, messages = patches * len(config.plan), patches * len(config.messages)
        self._sources = [
            (draws, windows if draws.stage in {"predecode", "decode", "downlink"} else messages)
            for draws in encoded.draws
        ]
        self._next = [draws.first // BLOCK for draws in encoded.draws]
        self._shots = 0
        self._shots_ahead = max(1, JOBS_AHEAD // max(windows, messages))
        self._check(self._library.rt_new(encoded.config, self._tables, self._handle))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._library.rt_free(self._handle)

    @property
    def emitted(self) -> int:
        """Rounds emitted so far."""
        return int(self._library.rt_emitted(self._handle))

    def advance(self) -> bool:
        """Run a slice of events; return whether the run is at its end."""
        status = self._library.rt_advance(self._handle, SLICE)
        if status == Ending.HUNGRY:
            self._draw()
        elif status not in {Ending.DONE, Ending.PAUSED}:
            self._check(status)
        return bool(status == Ending.DONE)

    def account(self) -> AccountStruct:
        """Return the account of the run so far."""
        account = AccountStruct()
        self._library.rt_account_of(self._handle, account)
        return account

    def _draw(self) -> None:
        """Draw what the jobs of the next shots need."""
        self._shots = min(self._shots + self._shots_ahead, self._config.emission.shots)
        for number, (draws, jobs_per_shot) in enumerate(self._sources):
            stop = self._shots * jobs_per_shot
            if draws.stop is not None:
                stop = min(stop, draws.stop)
            while self._next[number] * BLOCK < stop:
                block = np.ascontiguousarray(draws.make(self._next[number]), dtype=np.int64)
                values = block.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
                self._check(self._library.rt_feed(self._handle, number, self._next[number], values))
                self._next[number] += 1
        self._check(self._library.rt_fed(self._handle, self._shots))

    def _check(self, status: int) -> None:
        """Raise the error that a status stands for."""
        if status == Ending.DONE:
            return
        if status == Ending.TOO_LONG:
            raise RunTooLongError
        if status == Ending.NO_MEMORY:
            raise MemoryError("the compiled engine has no memory left")
        if status == Ending.NEGATIVE:
            raise ValueError(f"delay_ps(={self.account().negative_ps}) must be >= 0.")
        if status == Ending.LAWLESS:
            self._ask_reader()
        raise RuntimeError(f"the compiled engine ended with status {status}; this is a defect")

    def _ask_reader(self) -> None:
        """Let the readable law say why a job has no time: it raises the error."""
        config = self._config
        stage, index, *circumstances = self.account().failed
        services = {
            "readout": config.readout,
            "uplink": config.up.latency,
            "dispatch": config.host.dispatch,
            "decode": config.decode.service,
            "downlink": config.down.latency,
        }
        if config.predecode is not None:
            services["predecode"] = config.predecode.service
        services[STAGES[stage]].reader()(index, *circumstances)


def _record(
    config: LoopConfig, account: AccountStruct, tables: _Tables, *, keep_windows: bool
) -> Record:
    windows, idle = tables.window_columns(), None
    done = _begun(tables.done, account.done)
    backlog = np.empty((0, 2), dtype=np.int64)
    if keep_windows:
        backlog = backlog_of(config.emission, done)
        if config.feedback_every is not None:
            idle = idle_rounds(windows, config.emission, config.feedback_every)
    horizon_ps = config.emission.horizon_ps
    return Record(
        windows=windows,
        messages=tables.message_columns(account.messages if keep_windows else 0),
        responses=_begun(tables.responses, account.responses),
        lost=_begun(tables.lost, account.lost_windows),
        causes=CAUSES,
        emitted=account.emitted,
        decoded=account.decoded - account.late,
        in_flight=account.open_rounds + account.late,
        lost_by_cause=dict(zip(CAUSES, account.lost, strict=True)),
        pools=_pools(config, account),
        horizon_ps=horizon_ps,
        end_ps=max(account.end_ps, horizon_ps),
        backlog=backlog,
        emission=config.emission,
        done=done,
        drained=config.drain,
        idle_rounds=idle,
        ring_waits=account.ring_waits,
        engine="compiled",
    )


def _pools(config: LoopConfig, account: AccountStruct) -> dict[str, Pool]:
    patches = config.emission.patches
    before_ring, before_predecoders, before_decoders = account.waiting
    servers = {
        "packetise": (patches if config.up.per_patch else 1, 0),
        "uplink": (patches if config.up.per_patch else 1, 0),
        "ring": (config.host.slots, before_ring),
        "dispatch": (1, 0),
        "decode": (config.decode.servers, before_decoders),
        "downlink": (patches if config.down.per_patch else 1, 0),
    }
    if config.predecode is not None:
        servers["predecode"] = (config.predecode.servers, before_predecoders)
    return {
        stage: _pool(tally, *servers[stage])
        for stage, tally in zip(STAGES, account.tally, strict=False)
        if stage in servers
    }


def _pool(tally: TallyStruct, servers: int, waiting: int) -> Pool:
    return Pool(
        servers,
        _signed(tally.busy),
        _signed(tally.demand),
        _whole(tally.squares),
        tally.jobs,
        tally.left_over + waiting,
    )


def _whole(words: Sequence[int]) -> int:
    """Put words of 64 bits, the lowest first, together."""
    return sum(word << 64 * place for place, word in enumerate(words))


def _signed(words: Sequence[int]) -> int:
    whole = _whole(words)
    return whole - (whole >> 127 << 128)
