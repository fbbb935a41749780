"""The answers of a run: every shot really pre-decoded and decoded, window times kept if asked."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.ising_embedding import IsingEmbedding
from emulator.decoders.predecoder import Predecoder
from emulator.decoders.windowed import WindowedDecoder
from emulator.syndromes.source import SyndromeSource

__all__ = ["Answers", "Front", "answer_shots"]

Bits = NDArray[np.uint8]
Times = NDArray[np.int64]

_WARM_UP_CALLS = 10


@dataclass(frozen=True, eq=False)
class Front:
    """A pre-decoder before the matcher: how shots are laid out for it, and how many at a time.

    ``embedding`` is None where the source's detectors already are in the Ising order. The
    correction's parity belongs to observable 0.
    """

    predecoder: Predecoder
    embedding: IsingEmbedding | None
    batch: int = 1


@dataclass(frozen=True, eq=False)
class Answers:
    """What came of n shots, in the order of the source.

    ``wrong``: bool (n,), some observable was predicted wrong; None where the true observables are
    not known. ``corrections``: uint8 (n, windows, ceil(O / 8)), least significant bit first, what
    each window's response says, whose exclusive or is the shot's prediction.
    ``predecode_ps``: int64 (n,) and ``decode_ps``: int64 (n, windows), picoseconds measured on
    this machine, or None where not timed. ``events_in`` and ``events_out``: int64 (n,), detection
    events before and after pre-decoding (equal without a pre-decoder). ``detectors``: uint8
    (n, ceil(D / 8)), least significant bit first, the syndromes; None where they were not kept.
    """

    wrong: NDArray[np.bool_] | None
    corrections: Bits
    predecode_ps: Times | None
    decode_ps: Times | None
    events_in: Times
    events_out: Times
    detectors: Bits | None = None


def answer_shots(
    source: SyndromeSource,
    *,
    shots: int,
    seed: int,
    chunk_shots: int,
    decoder: WindowedDecoder,
    front: Front | None = None,
    time_predecoder: bool = False,
    time_decoder: bool = False,
    keep_detectors: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Answers:
    """Decode ``shots`` shots of ``source``, chunk by chunk, in bounded memory but for the answers.

    Times cover one call each, on this thread, with the first calls of every chunk done once
    beforehand: of the pre-decoder for ``front.batch`` shots (each of which is given that time),
    of the decoder for one window of one shot. ``progress`` is told the shots done so far.
    """
    parts: list[Answers] = []
    for chunk in source.chunks(shots, seed=seed, chunk_shots=chunk_shots):
        packed = chunk.detectors
        events_in = events_out = _count_events(packed)
        pre_l: Bits | None = None
        predecode_ps = None
        if front is not None:
            pre_l, packed, predecode_ps = _predecode(
                front, packed, source.num_detectors, timed=time_predecoder
            )
            events_out = _count_events(packed)
        decoded = decoder.decode(packed, timed=time_decoder)
        corrections = decoded.corrections
        if pre_l is not None:
            corrections[:, -1, 0] ^= pre_l
        known = source.num_observables > 0
        predictions = np.bitwise_xor.reduce(corrections, axis=1)
        wrong = (predictions != chunk.observables).any(axis=1) if known else None
        kept = chunk.detectors if keep_detectors else None
        times = (predecode_ps, decoded.window_ps, events_in, events_out)
        parts.append(Answers(wrong, corrections, *times, kept))
        if progress is not None:
            progress(chunk.first_shot + len(packed))
    return _join(parts)


def _count_events(packed: Bits) -> Times:
    events: Times = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
    return events


def _predecode(
    front: Front, packed: Bits, num_detectors: int, *, timed: bool
) -> tuple[Bits, Bits, Times | None]:
    rows = np.unpackbits(packed, axis=1, count=num_detectors, bitorder="little")
    if front.embedding is not None:
        rows = front.embedding.embed(rows)
    if timed:
        pre_l, residual, elapsed_ps = _timed_run(front, rows)
    else:
        pre_l, residual = front.predecoder.run(rows)
        elapsed_ps = None
    if front.embedding is not None:
        residual = front.embedding.extract(residual)
    return pre_l, np.packbits(residual, axis=1, bitorder="little"), elapsed_ps


def _timed_run(front: Front, rows: Bits) -> tuple[Bits, Bits, Times]:
    run, batch, now = front.predecoder.run, front.batch, time.perf_counter_ns
    for _ in range(_WARM_UP_CALLS):
        run(rows[:batch])
    pre_l = np.empty(len(rows), dtype=np.uint8)
    residual = np.empty_like(rows)
    elapsed_ps = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), batch):
        part = slice(start, start + batch)
        began = now()
        answer = run(rows[part])
        elapsed_ps[part] = (now() - began) * 1000
        pre_l[part], residual[part] = answer
    return pre_l, residual, elapsed_ps


def _join(parts: list[Answers]) -> Answers:
    wrong = [part.wrong for part in parts if part.wrong is not None]
    predecode_ps = [part.predecode_ps for part in parts if part.predecode_ps is not None]
    decode_ps = [part.decode_ps for part in parts if part.decode_ps is not None]
    detectors = [part.detectors for part in parts if part.detectors is not None]
    return Answers(
        wrong=np.concatenate(wrong) if wrong else None,
        corrections=np.concatenate([part.corrections for part in parts]),
        predecode_ps=np.concatenate(predecode_ps) if predecode_ps else None,
        decode_ps=np.concatenate(decode_ps) if decode_ps else None,
        events_in=np.concatenate([part.events_in for part in parts]),
        events_out=np.concatenate([part.events_out for part in parts]),
        detectors=np.concatenate(detectors) if detectors else None,
    )
