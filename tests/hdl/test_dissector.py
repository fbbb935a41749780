"""The Wireshark dissector, run by tshark over frames and messages of this project."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.wire import fields, framing, roce
from emulator.wire.rpc import (
    Call,
    EnqueueSyndromes,
    GetCorrections,
    Predecode,
    Request,
    ResetDecoder,
    Response,
    Status,
    function_id,
)
from hdl import dissector, generate
from tests.run.examples import captured
from tests.wire.capture import Frame, dissected, needs_tshark

UP, DOWN = range(2)
SCRIPT = ("-X", f"lua_script:{dissector.FILE}")
PTP = 0x3B9AC9FF_12345678
SPARSE = "enqueue_syndromes_sparse"
HEADERS = {"request": fields.REQUEST_HEADER, "response": fields.RESPONSE_HEADER}
BODIES = {
    "enqueue": fields.ENQUEUE_BODY,
    "get_corrections": fields.GET_CORRECTIONS_BODY,
    "reset_decoder": fields.RESET_BODY,
}
HEXADECIMAL = {"magic", "function_id", "ptp_timestamp"}
ALL_LAYOUTS = HEADERS | BODIES
NAMES = [
    *(f"{prefix}.{field.name}" for prefix, layout in ALL_LAYOUTS.items() for field in layout),
    *("bit", "bits_set", "syndromes", "arguments", "result", "missing", "malformed"),
]


def read(frames: list[Frame], folder: Path) -> list[dict[str, str]]:
    """What the dissector finds in each frame: its fields without the ones that are absent."""
    wanted = [f"roundtrip.{name}" for name in NAMES]
    seen = dissected(frames, wanted, folder, *SCRIPT)
    return [
        {key.removeprefix("roundtrip."): value for key, value in line.items() if value}
        for line in seen
    ]


def up(message: bytes, mtu: int = 4096) -> list[Frame]:
    """A message as the packetiser sends it: filled to whole beats, cut to the MTU."""
    registers = framing.roce_registers(
        len(message), mtu, dest_qp=0x100, host_udp_port_and_md_disable=1 << 16 | 4791
    )
    frames = roce.encode_window(
        message, registers, board_mac=bytes(6), board_ip=bytes(4), psn=0, buffer=0
    )
    return [(0, UP, frame) for frame in frames]


def down(message: bytes) -> Frame:
    frame = roce.encode_send(
        message, src_mac=bytes(6), dst_mac=bytes(6), src_ip=bytes(4), dst_ip=bytes(4)
    )
    return 0, DOWN, frame


def said(prefix: str, data: bytes) -> dict[str, str]:
    """Fields of a layout as tshark writes them."""
    layout = ALL_LAYOUTS[prefix]
    values = layout.decode(data)
    return {
        f"{prefix}.{field.name}": f"0x{values[field.name]:0{2 * field.size}x}"
        if field.name in HEXADECIMAL
        else str(values[field.name])
        for field in layout
    }


def bits_said(set_bits: Iterable[int], raw: bytes) -> dict[str, str]:
    numbers = [str(bit) for bit in set_bits]
    lists = {"bit": ",".join(numbers)} if numbers else {}
    return {**lists, "bits_set": str(len(numbers))} | ({"syndromes": raw.hex()} if raw else {})


def header(function: str, body: bytes, arg_len: int | None = None) -> bytes:
    return fields.REQUEST_HEADER.encode(
        function_id=function_id(function),
        arg_len=len(body) if arg_len is None else arg_len,
        request_id=0xFEDCBA98,
        ptp_timestamp=PTP,
    )


def bits_of(count: int, every: int) -> NDArray[np.uint8]:
    """``count`` bits, of which every ``every``-th is 1."""
    bits = np.zeros(count, dtype=np.uint8)
    bits[every - 1 :: every] = 1
    return bits


def test_the_tables_are_fresh() -> None:
    assert dissector.FILE.read_text() == dissector.text()


def test_a_stale_table_is_named_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh, stale = dissector.text(), tmp_path / "roundtrip.lua"
    assert fresh.count("offset = 12, size = 4") == 2
    stale.write_text(fresh.replace("offset = 12, size = 4", "offset = 8, size = 4"))
    monkeypatch.setattr(dissector, "FILE", stale)
    assert generate.main(["--check"]) == 1
    assert "roundtrip.lua is stale; run python -m hdl.generate." in capsys.readouterr().err
    assert generate.main([]) == 0
    assert stale.read_text() == fresh


def test_lines_fit_the_page() -> None:
    assert max(map(len, dissector.text().split("\n"))) <= 100


@needs_tshark
def test_requests_and_responses_of_a_run(tmp_path: Path) -> None:
    frames = captured((), shots=30)
    found = read(frames, tmp_path)
    ups = 0
    for (_, interface, data), seen in zip(frames, found, strict=True):
        payload = roce.decode_frame(data).payload
        if interface == UP:
            request = Request.decode(payload)
            assert isinstance(request.call, EnqueueSyndromes)
            assert seen == (
                said("request", payload)
                | said("enqueue", payload[24:])
                | bits_said(np.flatnonzero(request.call.bits), request.call.packed)
            )
            assert int(seen["request.request_id"]) == request.request_id
            assert int(seen["enqueue.num_syndromes"]) == len(request.call.bits)
            ups += 1
        else:
            response = Response.decode(payload)
            assert seen == said("response", payload) | {"result": response.result.hex()}
    assert ups == len(frames) / 2 == 30


@needs_tshark
def test_every_call_and_every_status(tmp_path: Path) -> None:
    calls: list[tuple[Call, dict[str, str]]] = []
    for count, every in ((0, 1), (1, 1), (7, 2), (8, 8), (9, 9), (1000, 3), (20_000, 997)):
        bits = bits_of(count, every)
        dense = EnqueueSyndromes.from_bits(
            bits, decoder_id=31, counter=-1, syndrome_mapping_id=-(2**63)
        )
        where = np.flatnonzero(bits)
        calls += [
            (dense, said("enqueue", dense.encode()) | bits_said(where, dense.packed)),
            (
                Predecode(bits.tobytes()[:3000]),
                bits_said(where[where < 3000], bits[:3000].tobytes()),
            ),
        ]
    for reset in (False, True):
        fetch = GetCorrections(7, 12_345, reset)
        calls.append((fetch, said("get_corrections", fetch.encode())))
    calls.append((ResetDecoder(9), said("reset_decoder", ResetDecoder(9).encode())))
    frames, expected = [], []
    for number, (call, body) in enumerate(calls):
        message = Request(call, number, PTP).encode()
        frames += up(message)
        expected.append(said("request", message) | body)
    for status in Status:
        result = bytes(range(status))
        message = Response(status, 0xFFFFFFFF, PTP, result).encode()
        frames.append(down(message))
        expected.append(said("response", message) | ({"result": result.hex()} if result else {}))
    assert read(frames, tmp_path) == expected


@needs_tshark
def test_sparse_and_byte_forms_of_the_hardware(tmp_path: Path) -> None:
    frames, expected = [], []
    for indices in ([], [0], [5, 255, 256, 1999]):
        raw = b"".join(index.to_bytes(2, "little") for index in indices)
        body = fields.ENQUEUE_BODY.encode(decoder_id=3, counter=8, num_syndromes=2000) + raw
        message = header(SPARSE, body) + body
        frames += up(message)
        expected.append(said("request", message) | said("enqueue", body) | bits_said(indices, raw))
    for function in ("predecode", "mock_decode"):
        body = bits_of(50, 7).tobytes()
        message = header(function, body) + body
        frames += up(message)
        expected.append(said("request", message) | bits_said(range(6, 50, 7), body))
    body = b"\x01\x02\x03"
    message = header("rpc_increment", body) + body
    frames += up(message)
    expected.append(said("request", message) | {"arguments": body.hex()})
    assert read(frames, tmp_path) == expected


@needs_tshark
@pytest.mark.parametrize("mtu", [220, 1500])
def test_the_first_packet_of_a_split_window_says_what_follows(mtu: int, tmp_path: Path) -> None:
    call = EnqueueSyndromes.from_bits(bits_of(20_000, 11), decoder_id=1, counter=2)
    message = Request(call, 77, PTP).encode()
    frames = up(message, mtu)
    first = roce.decode_frame(frames[0][2]).payload
    held = len(first) - 24 - 32
    assert 0 < held < len(call.packed)
    found = read(frames, tmp_path)
    assert found[0] == (
        said("request", message)
        | said("enqueue", message[24:])
        | bits_said(range(10, 8 * held, 11), call.packed[:held])
        | {"missing": str(len(call.packed) - held)}
    )
    assert found[1:] == [{}] * (len(frames) - 1)


@needs_tshark
def test_what_is_not_as_its_call_has_it_is_marked(tmp_path: Path) -> None:
    def enqueue(count: int) -> bytes:
        return fields.ENQUEUE_BODY.encode(num_syndromes=count)

    bad = [
        ("enqueue_syndromes", enqueue(9) + b"\1"),
        ("enqueue_syndromes", enqueue(-1)),
        ("enqueue_syndromes", enqueue(8)[:31]),
        (SPARSE, enqueue(9) + b"\1"),
        (SPARSE, enqueue(9) + b"\x09\0"),
        ("get_corrections", bytes(16)),
        ("reset_decoder", bytes(9)),
        ("predecode", b"\0\2"),
    ]
    good = [("enqueue_syndromes", enqueue(8) + b"\1"), (SPARSE, enqueue(9) + b"\x08\0")]
    frames = [f for function, body in (*bad, *good) for f in up(header(function, body) + body)]
    marked = ["malformed" in line for line in read(frames, tmp_path)]
    assert marked == [True] * len(bad) + [False] * len(good)


@needs_tshark
def test_other_payloads_are_left_alone(tmp_path: Path) -> None:
    message = Response(Status.OK, 1, 2, b"\1").encode()
    others = [message[:20], b"\x54" + message[1:], bytes(64)]
    assert read([down(other) for other in others], tmp_path) == [{}] * 3
    [whole] = read([down(message)], tmp_path)
    assert whole["response.status"] == "0"
