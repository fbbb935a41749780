"""The compiled way down: every correction comes out, in the cycle of the law."""

import numpy as np
import pytest

from emulator.errors import MissingToolError
from emulator.rtl import Downlink
from emulator.rtl.limits import RECEIVE_CYCLES, REMEMBERED_REQUESTS
from emulator.rtl.verilator import environment
from emulator.wire import Response, Status, encode_send

MAC, IP, QP = bytes.fromhex("00005e005301"), bytes([192, 0, 2, 1]), 2


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    try:
        environment("these tests")
    except MissingToolError as error:
        pytest.skip(str(error))


def response(request_id: int, result: bytes) -> bytes:
    payload = Response(Status.OK, request_id, 1000 + request_id, result).encode()
    return encode_send(payload, src_mac=bytes(6), dst_mac=MAC, src_ip=bytes(4), dst_ip=IP)


def ask(down: Downlink, ids: list[int], patches: list[int]) -> None:
    down.requests(
        np.arange(10, 10 + len(ids), dtype=np.uint64),
        np.array(ids, dtype=np.uint32),
        np.array(patches, dtype=np.uint32),
    )


@pytest.mark.parametrize("data_w", [64, 512])
@pytest.mark.parametrize("spacing", [0, 1, 5, 40, 1000])
def test_corrections_come_out_in_the_cycle_of_the_law(data_w: int, spacing: int) -> None:
    down = Downlink(data_w=data_w, mac=MAC, ip=IP, qp=QP)
    rng = np.random.default_rng(spacing)
    ids = list(range(50))
    results = [rng.bytes(int(rng.integers(1, 33))) for _ in ids]
    frames = [response(i, result) for i, result in zip(ids, results, strict=True)]
    ask(down, ids, [i % 7 for i in ids])
    arrived = 200 + spacing * np.arange(len(ids), dtype=np.uint64)
    down.push(arrived, frames)
    found = down.run()
    last, wanted = 0, []
    for edge, frame in zip(arrived.tolist(), frames, strict=True):
        last = max(edge, last + -(-len(frame) // (data_w // 8)))
        wanted.append(last + RECEIVE_CYCLES)
    assert found.rows["cycle"].tolist() == wanted
    assert found.rows["request_id"].tolist() == ids
    assert found.rows["patch"].tolist() == [i % 7 for i in ids]
    assert found.rows["ptp"].tolist() == [1000 + i for i in ids]
    assert not found.rows["late"].any()
    for row, result in zip(found.data, results, strict=True):
        assert row.tobytes().rstrip(b"\0") == result.rstrip(b"\0")
    assert found.rows["bytes"].tolist() == [len(result) for result in results]
    assert down.stats["on_time"] == down.stats["accepted"] == len(ids)


def test_what_fits_no_request_is_counted() -> None:
    down = Downlink(data_w=512, mac=MAC, ip=IP, qp=QP)
    ask(down, [1, 2], [0, 0])
    broken = bytearray(response(2, b"\1"))
    broken[-1] ^= 1
    frames = [response(1, b"\1"), response(1, b"\1"), response(9, b"\1"), bytes(broken)]
    down.push(np.array([300, 310, 320, 330], dtype=np.uint64), frames)
    assert down.run().rows["request_id"].tolist() == [1]
    counted = {name: count for name, count in down.stats.items() if count}
    assert counted == {"on_time": 1, "duplicate": 1, "unknown": 1, "accepted": 3, "dropped": 1}


def test_more_requests_than_are_remembered_displace_each_other() -> None:
    down = Downlink(data_w=512, mac=MAC, ip=IP, qp=QP)
    count = REMEMBERED_REQUESTS + 6
    ask(down, list(range(count)), [0] * count)
    down.push(np.array([800, 810], dtype=np.uint64), [response(5, b"\1"), response(6, b"\1")])
    assert down.run().rows["request_id"].tolist() == [6]
    assert down.stats["displaced"] == 6
    assert down.stats["unknown"] == 1
