"""Decoding a run: every shot really pre-decoded and decoded, each call timed if asked."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import Answers
from emulator.decoders.stopwatch import WARM_UP_CALLS, Timed, time_calls
from emulator.errors import SyndromeError

if TYPE_CHECKING:  # they bring ONNX Runtime and sinter
    from emulator.decoders.ising_embedding import IsingEmbedding
    from emulator.decoders.predecoder import Predecoder
    from emulator.decoders.windowed import WindowedDecoder
    from emulator.syndromes.source import SyndromeSource

__all__ = ["PredecodeStage", "answer_shots", "fill_costs"]

FILL_REPEATS = 5
"""Calls of each fill whose median is its cost."""
MAX_FILLS = 16
"""Fills that are measured; those between are interpolated."""
MAX_CHUNK_BITS = 1 << 29
"""Detectors of all shots of a chunk: fewer than ``chunk_shots`` long shots are decoded at once."""
PPM = 1_000_000

Bits = NDArray[np.uint8]
Times = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PredecodeStage:
    """A pre-decoder before the matcher: how shots are laid out for it, and how many at a time.

    ``embedding`` is None where the source's detectors already are in the Ising order. The
    correction's parity belongs to observable 0.
    """

    predecoder: "Predecoder"
    embedding: "IsingEmbedding | None"
    batch: int = 1


def answer_shots(
    source: "SyndromeSource",
    *,
    shots: int,
    seed: int,
    chunk_shots: int,
    decoder: "WindowedDecoder",
    predecode: PredecodeStage | None = None,
    time_predecoder: bool = False,
    time_decoder: bool = False,
    keep_detectors: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Answers:
    """Decode ``shots`` shots of ``source``, chunk by chunk, in bounded memory but for the answers.

    Times cover one call each, on this thread, with the first calls of every chunk done once
    beforehand: of the pre-decoder for a full batch of shots (each of which is given that time), of
    the decoder for one window of one shot. ``progress`` is called with the shots done so far.

    Raises RoundtripError for shots that do not fit the decoder, PluginError for a decoder that
    fails.
    """
    parts: list[Answers] = []
    fill_ppm: tuple[int, ...] | None = None
    chunk_shots = max(1, min(chunk_shots, MAX_CHUNK_BITS // max(1, source.num_detectors)))
    for chunk in source.chunks(shots, seed=seed, chunk_shots=chunk_shots):
        packed = chunk.detectors
        events_in = events_out = _count_events(packed)
        parity: Bits | None = None
        predecoded: Timed | None = None
        if predecode is not None:
            rows = _laid_out(predecode, packed, source.num_detectors)
            if time_predecoder and not parts:
                fill_ppm = fill_costs(predecode, rows)
            parity, residual, predecoded = _predecode(predecode, rows, timed=time_predecoder)
            packed = _packed(predecode, residual)
            events_out = _count_events(packed)
        try:
            decoded = decoder.decode(packed, timed=time_decoder)
        except SyndromeError as error:
            if predecode is None:
                raise
            raise SyndromeError(f"behind the pre-decoder, {error}") from error
        corrections = decoded.corrections
        if parity is not None:
            corrections[:, -1, 0] ^= parity
        known = source.num_observables > 0
        predictions = np.bitwise_xor.reduce(corrections, axis=1)
        parts.append(
            Answers(
                wrong=(predictions != chunk.observables).any(axis=1) if known else None,
                corrections=corrections,
                predecode_ps=None if predecoded is None else predecoded.elapsed_ps,
                decode_ps=decoded.window_ps,
                events_in=events_in,
                events_out=events_out,
                disturbed_predecode=None if predecoded is None else predecoded.disturbed,
                disturbed_decode=decoded.disturbed,
                predecode_fill_ppm=fill_ppm,
                detectors=chunk.detectors if keep_detectors else None,
                unused=decoder.unused,
            )
        )
        if progress is not None:
            progress(chunk.first_shot + len(packed))
    return _join(parts)


def fill_costs(stage: PredecodeStage, rows: Bits) -> tuple[int, ...] | None:
    """Measure what a call for 1 .. ``stage.batch`` shots costs, in millionths of that for all.

    ``rows``: shots as the pre-decoder takes them, uint8 (n, N), n >= 1. The median of
    ``FILL_REPEATS`` calls, the disturbed ones left out where some are left; fills take turns, so
    that a change of the clock frequency meets all alike. Of more than ``MAX_FILLS`` fills some
    are measured, and a straight line is drawn between them. None where ``stage.batch`` is 1.
    """
    batch = stage.batch
    if batch == 1:
        return None
    rows = np.resize(rows, (batch, rows.shape[1]))
    fills = np.unique(np.linspace(1, batch, min(batch, MAX_FILLS)).round().astype(int))
    calls = [partial(stage.predecoder.run, rows[:fill]) for fill in fills.tolist()]
    for call in calls:
        call()
    _, timed = time_calls(calls * FILL_REPEATS, lambda answer: answer)
    times = timed.elapsed_ps.reshape(FILL_REPEATS, -1)
    left_out = timed.disturbed.reshape(FILL_REPEATS, -1)
    left_out &= ~left_out.all(axis=0)
    cost = np.nanmedian(np.where(left_out, np.nan, times), axis=0)
    every = np.interp(np.arange(1, batch + 1), fills, cost / cost[-1] * PPM)
    return tuple(every.round().astype(int).tolist())


def _count_events(packed: Bits) -> Times:
    events: Times = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
    return events


def _laid_out(stage: PredecodeStage, packed: Bits, num_detectors: int) -> Bits:
    rows = np.unpackbits(packed, axis=1, count=num_detectors, bitorder="little")
    return rows if stage.embedding is None else stage.embedding.embed(rows)


def _packed(stage: PredecodeStage, residual: Bits) -> Bits:
    rows = residual if stage.embedding is None else stage.embedding.extract(residual)
    return np.packbits(rows, axis=1, bitorder="little")


def _predecode(
    stage: PredecodeStage, rows: Bits, *, timed: bool
) -> tuple[Bits, Bits, Timed | None]:
    """Parity uint8 (n,) and residual uint8 (n, N) of the rows, with their times if asked for."""
    run, batch, count = stage.predecoder.run, stage.batch, len(rows)
    if not timed:
        return *run(rows), None
    # The first rows fill the last batch up, so that all times are those of full batches.
    rows = np.resize(rows, (-(-count // batch) * batch, rows.shape[1]))
    for _ in range(WARM_UP_CALLS):
        run(rows[:batch])
    calls = (partial(run, rows[at : at + batch]) for at in range(0, len(rows), batch))
    answers, times = time_calls(calls, lambda answer: answer)
    parities, residuals = (np.concatenate(part)[:count] for part in zip(*answers, strict=True))
    elapsed_ps = np.repeat(times.elapsed_ps, batch)[:count]
    disturbed = np.repeat(times.disturbed, batch)[:count]
    return parities, residuals, Timed(elapsed_ps, disturbed)


def _join(parts: list[Answers]) -> Answers:
    """Put the answers of consecutive chunks together."""
    joined: dict[str, Any] = {}
    for field in fields(Answers):
        found = [getattr(part, field.name) for part in parts]
        arrays = isinstance(found[0], np.ndarray)
        joined[field.name] = np.concatenate(found) if arrays else found[0]
    return Answers(**joined)
