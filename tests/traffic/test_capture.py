from collections import defaultdict

import numpy as np
import pymatching
import pytest

from emulator.errors import ScenarioError
from emulator.syndromes.source import bits_per_round
from emulator.traffic.capture import INTERFACES
from emulator.traffic.messages import messages, response_packets
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
from tests.run.examples import (
    PARALLEL,
    SLIDING,
    captured,
    ran,
    resolved,
    shots_of,
    source_of,
    wrong_of,
)

UP, DOWN = range(2)

SMALL_FRAMES = ("link.up.mtu=220 B", "fpga.encoding=bytes")
EACH_ROUND = (*SLIDING, "fpga.rounds_per_message=1", "host.on_full=wait")
READOUT = "qpu.readout={kind = 'lognormal', median = '2 us', sigma = 1.0}"
PATCHES = ("qpu.patches=3", READOUT, "decoder.workers=2", "decoder.timing.sigma=1.0")

VARIANTS = ((), SMALL_FRAMES, EACH_ROUND, PARALLEL, PATCHES, (*PATCHES, "link.up.port=per_patch"))
every_variant = pytest.mark.parametrize("overrides", VARIANTS, ids=" ".join)


def frames_of(overrides: tuple[str, ...], shots: int = 120) -> list[tuple[int, int, bytes]]:
    return captured(overrides, shots)


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


def place_of(overrides: tuple[str, ...], request_id: int) -> tuple[int, int, int]:
    """Patch, shot and place in the shot of the message with this id."""
    sent, patches = ran(*overrides).record.messages, resolved(*overrides).scenario.qpu.patches
    counter, patch = divmod(request_id, patches)
    shot, number = divmod(counter, int(sent["number"].max()) + 1)
    return patch, shot, number


def sent_rows(overrides: tuple[str, ...]) -> dict[tuple[int, int, int], dict[str, int]]:
    """Rows of the message table by patch, shot and place in the shot."""
    sent = ran(*overrides).record.messages
    rows = [dict(zip(sent, row, strict=True)) for row in zip(*sent.values(), strict=True)]
    return {
        (int(row["patch"]), int(row["shot"]), int(row["number"])): {
            k: int(v) for k, v in row.items()
        }
        for row in rows
    }


def window_rows(overrides: tuple[str, ...]) -> dict[int, int]:
    """Rows of the window table by the id of the request that each window answers."""
    run, scenario = ran(*overrides).record, resolved(*overrides).scenario
    bits = bits_per_round(source_of(scenario)).tolist()
    shape = messages(scenario.fpga, scenario.link.up, scenario.window, bits)
    found = {}
    for row in range(len(run.windows["window"])):
        last = int(run.windows["last_round"][row])
        [number] = [n for n, message in enumerate(shape) if last in message.rounds]
        counter = int(run.windows["shot"][row]) * len(shape) + number
        found[counter * scenario.qpu.patches + int(run.windows["patch"][row])] = row
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
        *_, number = place_of(overrides, request.request_id)
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
    scenario = resolved(*overrides).scenario
    detectors, _ = shots_of(scenario)
    source = source_of(scenario)
    bits = bits_per_round(source).tolist()
    shape = messages(scenario.fpga, scenario.link.up, scenario.window, bits)
    carried = 0
    for _, request, _, _ in requests_of(frames_of(overrides)):
        patch, shot_number, place = place_of(overrides, request.request_id)
        shot = detectors[shot_number * scenario.qpu.patches + patch]
        expected = [
            bit
            for number in shape[place].rounds
            for bit in shot[source.detector_round == number].tolist()
        ]
        if isinstance(request.call, EnqueueSyndromes):
            assert request.call.decoder_id == patch
            assert request.call.counter == shot_number * len(shape) + place
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
    rows, stamps = sent_rows(overrides), {}
    for time_ps, request, _, _ in requests_of(frames):
        row = rows.pop(place_of(overrides, request.request_id))
        assert time_ps == row["framed_ps"]
        nanoseconds, seconds = request.ptp_timestamp >> 32, request.ptp_timestamp & 0xFFFFFFFF
        assert seconds * 10**9 + nanoseconds == row["taken_ps"] // 1000
        stamps[request.request_id] = request.ptp_timestamp
    assert not rows
    windows = window_rows(overrides)
    for time_ps, response, _ in responses_of(frames):
        assert time_ps == record.windows["decode_end_ps"][windows.pop(response.request_id)]
        assert response.ptp_timestamp == stamps[response.request_id]
    assert not windows


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
    slots, rows = resolved(*overrides).scenario.host.ring_slots, sent_rows(overrides)
    for _, request, frames, _ in requests_of(frames_of(overrides)):
        row = rows[place_of(overrides, request.request_id)]
        assert frames[-1].slot == row["message"] % slots
        addresses = [frame.va for frame in frames]
        assert addresses == sorted(set(addresses), key=lambda va: va or 0)


@pytest.mark.parametrize("overrides", [(), PATCHES])
def test_responses_carry_the_predicted_observables(overrides: tuple[str, ...]) -> None:
    scenario, windows = resolved(*overrides).scenario, ran(*overrides).record.windows
    detectors, _ = shots_of(scenario)
    predicted = pymatching.Matching(source_of(scenario).dem).decode_batch(detectors)[:, 0]
    assert 0 < predicted.sum() < len(predicted)
    rows = window_rows(overrides)
    for _, response, _ in responses_of(frames_of(overrides)):
        row = rows[response.request_id]
        shot = int(windows["shot"][row]) * scenario.qpu.patches + int(windows["patch"][row])
        assert response.status is Status.OK
        assert response.result == bytes([predicted[shot]])


@pytest.mark.parametrize("overrides", [SLIDING, PARALLEL])
def test_responses_of_the_windows_of_a_shot_add_up(overrides: tuple[str, ...]) -> None:
    _, observables = shots_of(resolved(*overrides).scenario)
    found = np.zeros(120, dtype=np.uint8)
    for _, response, _ in responses_of(frames_of(overrides)):
        _, shot, _ = place_of(overrides, response.request_id)
        found[shot] ^= response.result[0]
    assert ((found != observables[:, 0]) == wrong_of(ran(*overrides))).all()


@pytest.mark.parametrize("overrides", [(), PATCHES, EACH_ROUND])
def test_fewer_shots_are_the_first_ones(overrides: tuple[str, ...]) -> None:
    some = frames_of(overrides, shots=5)
    windows = ran(*overrides).record.windows
    sent = {place for place in sent_rows(overrides) if place[1] < 5}
    assert {place_of(overrides, r.request_id) for _, r, _, _ in requests_of(some)} == sent
    asked = {i for i, row in window_rows(overrides).items() if windows["shot"][row] < 5}
    assert {r.request_id for _, r, _ in responses_of(some)} == asked
    assert len(asked) == (windows["shot"] < 5).sum()


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
