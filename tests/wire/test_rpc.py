import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.wire.bits import pack_bits, unpack_bits
from emulator.wire.errors import WireError
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
from tests.wire.conftest import Recorded

ids = st.integers(0, 2**32 - 1)
times = st.integers(0, 2**64 - 1)
decoders = st.integers(0, 31)
words = st.integers(-(2**63), 2**63 - 1)
bit_lists = st.lists(st.booleans(), max_size=500).map(lambda bits: np.array(bits, dtype=np.bool_))
calls = st.one_of(
    st.builds(
        EnqueueSyndromes.from_bits,
        bit_lists,
        decoder_id=decoders,
        counter=words,
        syndrome_mapping_id=words,
    ),
    st.builds(GetCorrections, decoders, st.integers(0, 2**20), st.booleans()),
    st.builds(ResetDecoder, decoders),
    st.builds(Predecode, st.lists(st.integers(0, 1)).map(bytes)),
)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("", 0x811C9DC5),  # FNV's own test vectors
        ("a", 0xE40C292C),
        ("foobar", 0xBF9CF968),
        ("enqueue_syndromes", 0x7ED8BE82),  # asserted in cudaqx
        ("get_corrections", 0x882D5BA1),
        ("reset_decoder", 0x977A59CF),
        ("mock_decode", 0x6C45A6D6),
        ("rpc_increment", 0x191B6322),
    ],
)
def test_function_ids(name: str, identifier: int) -> None:
    assert function_id(name) == identifier


@given(calls, ids, times, st.integers(0, 70))
def test_requests_survive_encoding_and_padding(
    call: Call, request_id: int, ptp_timestamp: int, padding: int
) -> None:
    request = Request(call, request_id, ptp_timestamp)
    assert Request.decode(request.encode() + bytes(padding)) == request


@given(st.sampled_from(Status), ids, times, st.binary(max_size=50), st.integers(0, 70))
def test_responses_survive_encoding_and_padding(
    status: Status, request_id: int, ptp_timestamp: int, result: bytes, padding: int
) -> None:
    response = Response(status, request_id, ptp_timestamp, result)
    assert Response.decode(response.encode() + bytes(padding)) == response


def test_recorded_payloads_are_enqueue_requests(recorded: list[Recorded]) -> None:
    found = 0
    for window in recorded:
        if window.payload.startswith(bytes.fromhex("52515543")):
            request = Request.decode(window.payload)
            assert isinstance(request.call, EnqueueSyndromes)
            assert request.encode() == window.payload
            found += 1
    assert found == 3


@pytest.mark.parametrize(("bits", "size"), [(24, 59), (168, 77), (440, 111)])
def test_size_of_an_enqueue_request(bits: int, size: int) -> None:
    call = EnqueueSyndromes.from_bits(np.ones(bits, dtype=np.bool_))
    assert len(Request(call).encode()) == size
    assert call.bits.sum() == bits


def test_the_header_is_little_endian() -> None:
    message = Request(ResetDecoder(3), request_id=0x0A0B0C0D, ptp_timestamp=1).encode()
    assert message.hex() == "52515543cf597a97080000000d0c0b0a01000000000000000300000000000000"
    assert Response(Status.BUSY, 7).encode().hex() == (
        "535155430500000000000000070000000000000000000000"
    )


def test_a_predecoder_takes_one_byte_a_detector() -> None:
    message = Request(Predecode(bytes(17472))).encode()
    assert len(message) == 17496  # d = 13, 104 rounds: 274 lines of 64 bytes
    assert -(-len(message) // 64) * 64 == 17536


def test_corrections_come_back_bit_packed_with_the_identity_of_the_request() -> None:
    corrections = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1], dtype=np.uint8)
    request = Request(GetCorrections(0, 9), request_id=5, ptp_timestamp=99)
    response = Response.decode(request.respond(pack_bits(corrections)).encode())
    assert (response.status, response.request_id, response.ptp_timestamp) == (Status.OK, 5, 99)
    assert response.result == b"\x01\x01"
    assert unpack_bits(response.result, 9).tolist() == corrections.tolist()


def test_a_result_of_the_wrong_length_is_refused_unless_the_call_failed() -> None:
    request = Request(GetCorrections(0, 9))
    with pytest.raises(WireError, match="the result of get_corrections takes 2 bytes, not 0"):
        request.respond()
    assert request.respond(status=Status.NOT_READY).result == b""
    assert Request(ResetDecoder(0)).respond().result == b""
    assert len(Request(Predecode(b"\1")).respond(bytes(8)).result) == 8


@pytest.mark.parametrize("decoder_id", [-1, 32])
def test_more_decoders_than_dispatched_are_refused(decoder_id: int) -> None:
    with pytest.raises(WireError, match=rf"decoder_id\(={decoder_id}\) must be in 0\.\.31"):
        ResetDecoder(decoder_id)


def test_more_bits_than_allowed_are_refused() -> None:
    assert EnqueueSyndromes.from_bits(np.zeros(2**20, dtype=np.bool_)).num_syndromes == 2**20
    with pytest.raises(WireError, match=r"num_syndromes\(=1048577\) must be in 0\.\.1048576"):
        EnqueueSyndromes.from_bits(np.zeros(2**20 + 1, dtype=np.bool_))
    with pytest.raises(WireError, match=r"return_size\(=-1\)"):
        GetCorrections(0, -1)


def test_detectors_are_bits() -> None:
    with pytest.raises(WireError, match="detector byte 7 must be 0 or 1"):
        Predecode(b"\0\7")


RESET = Request(ResetDecoder(1)).encode()
FETCH = Request(GetCorrections(1, 8)).encode()
ENQUEUE = Request(EnqueueSyndromes.from_bits(np.ones(9, dtype=np.bool_))).encode()


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (RESET[:23], "23 bytes are too few for the 24 bytes of RPC request header"),
        (Response(Status.OK).encode(), "magic 0x43555153 is not that of an RPC request header"),
        (RESET[:-1], "arg_len announces 8 bytes; only 7 follow"),
        (RESET[:4] + bytes(4) + RESET[8:], "function id 0x00000000 is not one of a QEC decoder"),
        (RESET[:8] + b"\x09" + RESET[9:] + b"\0", "reset_decoder arguments take 8 bytes, not 9"),
        (RESET[:8] + b"\x07" + RESET[9:], "7 bytes are too few for the 8 bytes of reset_decoder"),
        (FETCH[:-1] + b"\x02", r"reset\(=2\) must be 0 or 1"),
        (ENQUEUE[:8] + b"\x21" + ENQUEUE[9:], "9 bits take 2 bytes, not 1"),
    ],
)
def test_bytes_that_are_no_request_are_refused(message: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        Request.decode(message)


@pytest.mark.parametrize("status", [-1, 7])
def test_unknown_status_is_refused(status: int) -> None:
    message = bytearray(Response(Status.OK).encode())
    message[4:8] = status.to_bytes(4, "little", signed=True)
    with pytest.raises(WireError, match=rf"RPC status {status} is none of 0\.\.6"):
        Response.decode(bytes(message))
