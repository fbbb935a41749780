from collections import defaultdict

import numpy as np
import pymatching
import pytest

from emulator.errors import ScenarioError
from emulator.run import INTERFACES, run_frames
from emulator.run.traffic import messages, response_packets
from emulator.syndromes.source import bits_per_round
from emulator.wire import (
    EnqueueSyndromes,
    Opcode,
    Predecode,
    Request,
    Response,
    RoceFrame,
    Status,
    decode_frame,
    line_bits,
)
from tests.run.examples import PARALLEL, SLIDING, ran, resolved, shots_of, source_of

UP, DOWN = range(2)

SMALL_FRAMES = ("link.up.mtu=220 B", "fpga.encoding=bytes")
EACH_ROUND = (*SLIDING, "fpga.rounds_per_message=1", "host.on_full=wait")
READOUT = "qpu.readout={kind = 'lognormal', median = '2 us', sigma = 1.0}"
PATCHES = ("qpu.patches=3", READOUT, "decoder.workers=2", "decoder.timing.sigma=1.0")

VARIANTS = ((), SMALL_FRAMES, EACH_ROUND, PARALLEL, PATCHES, (*PATCHES, "link.up.port=per_patch"))
every_variant = pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)


def frames_of(overrides: tuple[str, ...], shots: int = 120) -> list[tuple[int, int, bytes]]:
    run = ran(*overrides)
    scenario = resolved(*overrides).scenario
    return run_frames(scenario, run.record.windows, run.record.messages, shots=shots)


def requests_of(
    frames: list[tuple[int, int, bytes]],
) -> list[tuple[int, Request, list[RoceFrame], int]]:
    """Time, request, frames and line bits of every message up, put together from its frames."""
    found = []
    parts: dict[int, list[tuple[int, RoceFrame, int]]] = defaultdict(list)
    for time_ps, interface, data in frames:
        if interface != UP:
            continue
        frame = decode_frame(data)
        parts[frame.qp].append((time_ps, frame, line_bits(len(data))))
        if frame.opcode is Opcode.WRITE_ONLY_WITH_IMMEDIATE:
            times, whole, bits = zip(*parts.pop(frame.qp), strict=True)
            assert len(set(times)) == 1
            payload = b"".join(part.payload for part in whole)
            found.append((times[0], Request.decode(payload), list(whole), sum(bits)))
        else:
            assert frame.opcode is Opcode.WRITE_ONLY
    assert not parts
    return found


def responses_of(frames: list[tuple[int, int, bytes]]) -> list[tuple[int, Response, RoceFrame]]:
    decoded = [(t, decode_frame(data)) for t, interface, data in frames if interface == DOWN]
    assert all(frame.opcode is Opcode.SEND_ONLY for _, frame in decoded)
    return [(t, Response.decode(frame.payload), frame) for t, frame in decoded]


@every_variant
def test_the_line_carries_the_bits_of_the_frames(overrides: tuple[str, ...]) -> None:
    scenario, sent = resolved(*overrides).scenario, ran(*overrides).record.messages
    bits = bits_per_round(source_of(scenario)).tolist()
    shape = messages(scenario.fpga, scenario.link.up, scenario.window, bits)
    found = requests_of(frames_of(overrides))
    assert len(found) == len(sent["message"]) == len(shape) * 120 * scenario.qpu.patches
    for _, request, _, line in found:
        number = int(sent["number"][request.request_id])
        assert line == sum(bits for _, bits in shape[number].packets)
    [(_, response_bits)] = response_packets(scenario.fpga, scenario.link.down, 1)
    down = {line_bits(len(data)) for _, interface, data in frames_of(overrides) if interface}
    assert down == {response_bits}


def test_a_message_is_as_long_on_the_line_as_its_frames() -> None:
    overrides = (*SMALL_FRAMES, "link.up.rate=1 Gbit/s", "qpu.round_period=10 us")
    sent = ran(*overrides).record.messages
    [line] = {bits for _, _, _, bits in requests_of(frames_of(overrides))}
    spent = sent["delivered_ps"] - sent["framed_ps"]
    assert (spent == line * 1000 + 1_000_000).all()  # 1 ns a bit, and the latency


@every_variant
def test_requests_carry_the_sampled_syndromes(overrides: tuple[str, ...]) -> None:
    scenario, sent = resolved(*overrides).scenario, ran(*overrides).record.messages
    detectors, _ = shots_of(scenario)
    source = source_of(scenario)
    bits = bits_per_round(source).tolist()
    shape = messages(scenario.fpga, scenario.link.up, scenario.window, bits)
    carried = 0
    for _, request, _, _ in requests_of(frames_of(overrides)):
        row = {name: int(column[request.request_id]) for name, column in sent.items()}
        shot = detectors[row["shot"] * scenario.qpu.patches + row["patch"]]
        expected = [
            bit
            for number in shape[row["number"]].rounds
            for bit in shot[source.detector_round == number].tolist()
        ]
        if isinstance(request.call, EnqueueSyndromes):
            assert request.call.decoder_id == row["patch"]
            assert request.call.counter == row["number"]
            assert request.call.bits.tolist() == expected
        else:
            assert isinstance(request.call, Predecode)
            assert list(request.call.detectors) == expected
        carried += len(expected)
    assert carried == detectors.size


@every_variant
def test_times_are_those_of_the_tables(overrides: tuple[str, ...]) -> None:
    record, frames = ran(*overrides).record, frames_of(overrides)
    assert [time_ps for time_ps, _, _ in frames] == sorted(time_ps for time_ps, _, _ in frames)
    found = {request.request_id: time_ps for time_ps, request, _, _ in requests_of(frames)}
    assert found == dict(enumerate(record.messages["framed_ps"].tolist()))
    for time_ps, request, _, _ in requests_of(frames):
        nanoseconds, seconds = request.ptp_timestamp >> 32, request.ptp_timestamp & 0xFFFFFFFF
        assert seconds * 10**9 + nanoseconds == time_ps // 1000
    windows = record.windows
    answered = {response.request_id: time_ps for time_ps, response, _ in responses_of(frames)}
    ends = windows["decode_end_ps"].tolist()
    assert answered == dict(zip(windows["window"].tolist(), ends, strict=True))


@every_variant
def test_packet_numbers_count_the_frames_of_each_queue_pair(overrides: tuple[str, ...]) -> None:
    by_pair: dict[tuple[int, int], list[int]] = defaultdict(list)
    for _, interface, data in frames_of(overrides):
        frame = decode_frame(data)
        by_pair[interface, frame.qp].append(frame.psn)
    ports = 3 if "link.up.port=per_patch" in overrides else 1
    assert len(by_pair) == ports + 1
    for numbers in by_pair.values():
        assert numbers == list(range(len(numbers)))


@every_variant
def test_slots_are_those_of_the_ring(overrides: tuple[str, ...]) -> None:
    slots = resolved(*overrides).scenario.host.ring_slots
    for _, request, frames, _ in requests_of(frames_of(overrides)):
        assert frames[-1].slot == request.request_id % slots
        addresses = [frame.va for frame in frames]
        assert addresses == sorted(set(addresses), key=lambda va: va or 0)


@pytest.mark.parametrize("overrides", [(), PATCHES])
def test_responses_carry_the_predicted_observables(overrides: tuple[str, ...]) -> None:
    scenario, windows = resolved(*overrides).scenario, ran(*overrides).record.windows
    detectors, _ = shots_of(scenario)
    predicted = pymatching.Matching(source_of(scenario).dem).decode_batch(detectors)[:, 0]
    assert 0 < predicted.sum() < len(predicted)
    order = {window: k for k, window in enumerate(windows["window"].tolist())}
    for _, response, _ in responses_of(frames_of(overrides)):
        row = order[response.request_id]
        shot = int(windows["shot"][row]) * scenario.qpu.patches + int(windows["patch"][row])
        assert response.status is Status.OK
        assert response.result == bytes([predicted[shot]])


@pytest.mark.parametrize("overrides", [SLIDING, PARALLEL])
def test_responses_of_the_windows_of_a_shot_add_up(overrides: tuple[str, ...]) -> None:
    windows = len(ran(*overrides).record.windows["window"]) // 120
    _, observables = shots_of(resolved(*overrides).scenario)
    found = np.zeros(120, dtype=np.uint8)
    for _, response, _ in responses_of(frames_of(overrides)):
        found[response.request_id // windows] ^= response.result[0]
    assert ran(*overrides).answers.wrong is not None
    assert ((found != observables[:, 0]) == ran(*overrides).answers.wrong).all()


@pytest.mark.parametrize("overrides", [(), PATCHES, EACH_ROUND])
def test_fewer_shots_are_the_first_ones(overrides: tuple[str, ...]) -> None:
    some, patches = frames_of(overrides, shots=5), resolved(*overrides).scenario.qpu.patches
    windows, sent = ran(*overrides).record.windows, ran(*overrides).record.messages
    asked = {
        UP: np.flatnonzero(sent["shot"] < 5),
        DOWN: windows["window"][windows["shot"] < 5],
    }
    assert {r.request_id for _, r, _, _ in requests_of(some)} == set(asked[UP].tolist())
    assert {r.request_id for _, r, _ in responses_of(some)} == set(asked[DOWN].tolist())
    assert len(asked[DOWN]) == 5 * patches * len(set(windows["first_round"].tolist()))


def test_what_never_came_back_has_no_response() -> None:
    overrides = ("link.up.loss=0.2",)
    frames, record = frames_of(overrides), ran(*overrides).record
    assert len(requests_of(frames)) == 120
    assert len(responses_of(frames)) == 120 - int(record.messages["lost"].sum()) < 120


def test_interfaces_are_named_and_only_roce_has_frames() -> None:
    assert INTERFACES == ("FPGA to host", "host to FPGA")
    for way, framing in (("up", "udp"), ("down", "raw")):
        with pytest.raises(ScenarioError, match=f'link.{way}.framing: "{framing}" has no frames'):
            frames_of((f"link.{way}.framing={framing}",))
