"""Bench of roce_rx: payloads of good frames come out whole and in time, bad frames never.

The frames, and what they carry, are emulator.wire's.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from emulator.wire import HsbRegisters, Opcode, WireError, decode_frame, encode_send, encode_window
from emulator.wire.fields import SEND_ONLY, WRITE_ONLY, WRITE_WITH_IMMEDIATE, Layout
from emulator.wire.icrc import ICRC_SIZE, icrc, with_ipv4_checksum
from hdl.tb.axis import AxisSink, AxisSource, pauses, start
from hdl.toolchain import ROOT

MAC = bytes.fromhex("cafec0ffee00")
IP = bytes([192, 168, 0, 2])
QP = 2
HOST_MAC = bytes.fromhex("123456789abc")
HOST_IP = bytes([192, 168, 1, 1])
MAX_PAYLOAD = 256
LATENCY = 5
SLOTS = {8: 4, 64: 8}
DRAIN = 100
RECORDED = ROOT / "tests" / "data" / "hsb_frames" / "host_to_fpga_sample.json"

_LAYOUTS = {
    Opcode.SEND_ONLY: SEND_ONLY,
    Opcode.WRITE_ONLY: WRITE_ONLY,
    Opcode.WRITE_ONLY_WITH_IMMEDIATE: WRITE_WITH_IMMEDIATE,
}


def send(payload: bytes) -> bytes:
    """SEND Only frame for the board."""
    return encode_send(
        payload, src_mac=HOST_MAC, dst_mac=MAC, src_ip=HOST_IP, dst_ip=IP, dest_qp=QP
    )


def window(payload: bytes) -> bytes:
    """WRITE Only with Immediate for the board; the payload is whole 4-byte words."""
    registers = HsbRegisters(
        vip_mask=1,
        pkt_len_pages128=31,
        src_udp_port=0xC000,
        dest_qp=QP,
        rkey=0x1234,
        va_lo=0x1000,
        va_hi=0,
        buf_increment_pages128=3,
        last_buffer=3,
        bytes_per_window=len(payload),
        host_mac_lo=int.from_bytes(MAC[2:], "big"),
        host_mac_hi=int.from_bytes(MAC[:2], "big"),
        host_ip=int.from_bytes(IP, "big"),
        host_udp_port_and_md_disable=1 << 16 | 4791,
    )
    (frame,) = encode_window(
        payload, registers, board_mac=HOST_MAC, board_ip=HOST_IP, psn=7, buffer=1
    )
    return frame


def frame_with(payload: bytes, opcode: Opcode = Opcode.SEND_ONLY, **values: int) -> bytes:
    """Frame for the board with other values in the header, and checksum and ICRC right for them."""
    layout: Layout = _LAYOUTS[opcode]
    pad = -len(payload) % 4
    size = layout.size + len(payload) + pad + ICRC_SIZE
    header = {
        "dst_mac": int.from_bytes(MAC, "big"),
        "dst_ip": int.from_bytes(IP, "big"),
        "ip_total_length": size - 14,
        "udp_length": size - 34,
        "bth_opcode": opcode,
        "bth_flags": pad << 4,
        "bth_dest_qp": QP,
    }
    if layout is not SEND_ONLY:
        header["reth_dma_len"] = len(payload)
    return finish(layout.encode(**(header | values)) + payload + bytes(pad))


def finish(body: bytes) -> bytes:
    """Checksum and ICRC for a frame that lacks them."""
    field = SEND_ONLY["ip_checksum"]
    body = with_ipv4_checksum(body[: field.offset] + bytes(field.size) + body[field.end :])
    return body + icrc(body)


def accepts(frame: bytes) -> bool:
    """Whether the frame is one for the board, by the decoder of emulator.wire."""
    try:
        decoded = decode_frame(frame)
    except WireError:
        return False
    values = SEND_ONLY.decode(frame)
    for_us = frame[:6] == MAC and values["dst_ip"] == int.from_bytes(IP, "big")
    return for_us and decoded.qp == QP and 1 <= len(decoded.payload) <= MAX_PAYLOAD


async def count_stats(dut: Any, counts: Counter[str]) -> None:
    """Count the pulses of every stat_* port, by its name without stat_."""
    ports = {name[5:]: getattr(dut, name) for name in dir(dut) if name.startswith("stat_")}
    if not ports:
        raise RuntimeError("no stat_* port found")
    edge = RisingEdge(dut.clk)
    while True:
        await edge
        if int(dut.rst.value):
            continue
        for name, port in ports.items():
            if int(port.value):
                counts[name] += 1


def configure(dut: Any) -> None:
    """Give the board its addresses."""
    dut.cfg_mac.value = int.from_bytes(MAC, "big")
    dut.cfg_ip.value = int.from_bytes(IP, "big")
    dut.cfg_qp.value = QP


class Bench:
    """The receiver between a source and a sink, with its pulses counted."""

    def __init__(self, dut: Any, idle: float | None = None, stall: float | None = None) -> None:
        self.dut = dut
        self.lanes = len(dut.s_axis_tkeep)
        self.out_lanes = len(dut.m_axis_tkeep)
        self.source = AxisSource(dut, "s_axis", dut.clk, pause=pauses(11, idle) if idle else None)
        self.sink = AxisSink(dut, "m_axis", dut.clk, pause=pauses(12, stall) if stall else None)
        self.counts: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()
        configure(dut)

    async def start(self) -> None:
        """Reset, and count from there."""
        await start(self.dut)
        cocotb.start_soon(count_stats(self.dut, self.counts))

    def good(self, frame: bytes) -> bytes:
        """Queue a frame that must pass; return its payload."""
        assert accepts(frame)
        self.source.send_nowait(frame)
        self.expected["accepted"] += 1
        return decode_frame(frame).payload

    def bad(self, frame: bytes, stat: str, *, user: int = 0) -> None:
        """Queue a frame that must be dropped for that reason."""
        self.source.send_nowait(frame, user=user)
        self.expected[stat] += 1

    async def receive(self, payloads: list[bytes]) -> None:
        """Compare what comes out, to the end."""
        for payload in payloads:
            assert (await self.sink.recv()).data == payload
        await self.end()

    async def end(self) -> None:
        """Wait until all is sent and nothing more comes; compare the counts."""
        frames = sum(self.expected.values())
        while len(self.source.sent) < frames:
            await RisingEdge(self.dut.clk)
        await ClockCycles(self.dut.clk, DRAIN)
        assert self.sink.empty()
        assert self.counts == self.expected


def lengths(lanes: int) -> list[int]:
    """Every position of the end in a beat out, with one to three beats, and the longest ones."""
    return [*range(1, 2 * lanes + 11), *range(MAX_PAYLOAD - 9, MAX_PAYLOAD + 1)]


def frames_of(payload: bytes) -> list[bytes]:
    """The payload in a frame of each kind."""
    frames = [send(payload), *(frame_with(payload, opcode) for opcode in list(Opcode)[1:])]
    return [*frames, window(payload)] if len(payload) % 4 == 0 else frames


@cocotb.test()
@cocotb.parametrize(idle=[None, 0.4], stall=[None, 0.5])
async def every_length_and_kind_passes(dut: Any, idle: float | None, stall: float | None) -> None:
    bench = Bench(dut, idle, stall)
    await bench.start()
    generator = random.Random(1)
    payloads = []
    for length in lengths(bench.out_lanes):
        for frame in frames_of(generator.randbytes(length)):
            if generator.random() < 0.2:
                bench.bad(frame[:-1] + bytes([frame[-1] ^ 0x80]), "bad_icrc")
            payloads.append(bench.good(frame))
    await bench.receive(payloads)


@cocotb.test()
async def latency_is_five_cycles_and_there_are_no_bubbles(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    for length in lengths(bench.out_lanes):
        for frame in frames_of(bytes(range(length % 256)) or bytes(length)):
            if not accepts(frame):
                continue
            sent = await bench.source.send(frame)
            received = await bench.sink.recv()
            beats = -(-len(received.data) // bench.out_lanes)
            assert received.first_cycle == sent.last_cycle + LATENCY
            assert received.last_cycle == received.first_cycle + beats - 1


@cocotb.test()
async def frames_follow_each_other_without_a_gap(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    generator = random.Random(2)
    payloads = []
    for length in (4, 24, 32, 100, MAX_PAYLOAD):
        for _ in range(40):
            payload = generator.randbytes(length)
            payloads.append(bench.good(send(payload)))
            if generator.random() < 0.3:
                bench.bad(frame_with(payload, bth_dest_qp=3), "foreign_qp")
    await bench.receive(payloads)
    for earlier, later in zip(bench.source.sent, bench.source.sent[1:], strict=False):
        assert later.first_cycle == earlier.last_cycle + 1


_PAYLOAD = bytes(range(40))
_WRITE = Opcode.WRITE_ONLY_WITH_IMMEDIATE


def _flip(frame: bytes, place: int, mask: int = 1) -> bytes:
    return frame[:place] + bytes([frame[place] ^ mask]) + frame[place + 1 :]


_BAD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "icrc": ("bad_icrc", lambda: _flip(send(_PAYLOAD), -1 + len(send(_PAYLOAD)))),
    "payload": ("bad_icrc", lambda: _flip(send(_PAYLOAD), 60)),
    "rkey": ("bad_icrc", lambda: _flip(window(_PAYLOAD), WRITE_ONLY["reth_rkey"].offset)),
    "checksum": ("bad_checksum", lambda: _flip(send(_PAYLOAD), SEND_ONLY["ip_checksum"].offset)),
    "ttl without checksum": ("bad_checksum", lambda: _flip(send(_PAYLOAD), 22)),
    "mac": ("foreign_address", lambda: frame_with(_PAYLOAD, dst_mac=0xCAFEC0FFEE01)),
    "broadcast": ("foreign_address", lambda: frame_with(_PAYLOAD, dst_mac=0xFFFFFFFFFFFF)),
    "ip": ("foreign_address", lambda: frame_with(_PAYLOAD, dst_ip=0xC0A80003)),
    "qp": ("foreign_qp", lambda: frame_with(_PAYLOAD, bth_dest_qp=0x800002)),
    "ethertype": ("not_roce", lambda: frame_with(_PAYLOAD, ethertype=0x0806)),
    "ip version": ("not_roce", lambda: frame_with(_PAYLOAD, ip_version_ihl=0x65)),
    "ip options": ("not_roce", lambda: frame_with(_PAYLOAD, ip_version_ihl=0x46)),
    "fragment": ("not_roce", lambda: frame_with(_PAYLOAD, ip_flags_fragment=0x2000)),
    "fragment offset": ("not_roce", lambda: frame_with(_PAYLOAD, ip_flags_fragment=0x0001)),
    "tcp": ("not_roce", lambda: frame_with(_PAYLOAD, ip_protocol=6)),
    "port": ("not_roce", lambda: frame_with(_PAYLOAD, udp_dst_port=4790)),
    "rc send": ("bad_opcode", lambda: frame_with(_PAYLOAD, bth_opcode=0x04)),
    "uc send first": ("bad_opcode", lambda: frame_with(_PAYLOAD, bth_opcode=0x20)),
    "udp length": ("bad_length", lambda: frame_with(_PAYLOAD, udp_length=80)),
    "pad beyond payload": ("bad_length", lambda: frame_with(b"", bth_flags=0x30)),
    "no payload": ("bad_length", lambda: send(b"")),
    "no payload after reth": ("bad_length", lambda: frame_with(b"", _WRITE)),
    "reth cut off": ("bad_length", lambda: frame_with(b"1234", bth_opcode=_WRITE)),
    "dma length": ("bad_length", lambda: frame_with(_PAYLOAD, _WRITE, reth_dma_len=41)),
    "dma length high": (
        "bad_length",
        lambda: frame_with(_PAYLOAD, _WRITE, reth_dma_len=40 + (1 << 31)),
    ),
    "odd length": ("bad_length", lambda: _odd(1)),
    "half word": ("bad_length", lambda: _odd(2)),
    "longer than ip says": ("oversize", lambda: send(_PAYLOAD) + bytes(4)),
    "payload too long": ("oversize", lambda: send(bytes(MAX_PAYLOAD + 1))),
    "write too long": ("oversize", lambda: window(bytes(MAX_PAYLOAD + 4))),
    "jumbo": ("oversize", lambda: send(bytes(9000))),
    "total length 65535": (
        "truncated",
        lambda: frame_with(_PAYLOAD, ip_total_length=0xFFFF, udp_length=0xFFEB),
    ),
    "total length 0": ("oversize", lambda: frame_with(_PAYLOAD, ip_total_length=0)),
}


def _odd(extra: int) -> bytes:
    """A frame that is right but for a payload that is not whole words."""
    whole = frame_with(_PAYLOAD, ip_total_length=84 + extra, udp_length=64 + extra)
    return finish(whole[:-ICRC_SIZE] + bytes(extra))


@cocotb.test()
@cocotb.parametrize(case=list(_BAD))
async def bad_frame_is_dropped_and_counted(dut: Any, case: str) -> None:
    stat, make = _BAD[case]
    frame = make()
    assert not accepts(frame) or case in ("odd length", "half word")
    bench = Bench(dut)
    await bench.start()
    before = bench.good(send(b"before"))
    bench.bad(frame, stat)
    bench.bad(frame, stat)
    await bench.receive([before, bench.good(send(b"after"))])


@cocotb.test()
async def frame_that_the_mac_found_bad_is_dropped(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    bench.bad(send(_PAYLOAD), "mac_error", user=1)
    bench.bad(b"\x55", "mac_error", user=1)
    await bench.receive([bench.good(window(_PAYLOAD))])


@cocotb.test()
async def cut_at_any_byte_is_truncated(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    payloads = []
    for frame in (send(_PAYLOAD), window(_PAYLOAD)):
        for end in range(1, len(frame)):
            # a frame cut before the fields that make it RoCE is short, whatever it was
            bench.bad(frame[:end], "truncated")
        payloads.append(bench.good(frame))
    await bench.receive(payloads)


@cocotb.test()
@cocotb.parametrize(kind=[send, window])
async def no_flipped_bit_passes(dut: Any, kind: Callable[[bytes], bytes]) -> None:
    bench = Bench(dut)
    await bench.start()
    payloads = []
    frame = kind(random.Random(3).randbytes(36))
    unprotected = [SEND_ONLY[name] for name in ("src_mac", "udp_checksum", "bth_reserved")]
    free = {place for field in unprotected for place in range(field.offset, field.end)}
    for place in range(len(frame)):
        for bit in range(8):
            flipped = _flip(frame, place, 1 << bit)
            if place in free:
                payloads.append(bench.good(flipped))
            else:
                assert not accepts(flipped)
                bench.source.send_nowait(flipped)
    for payload in payloads:
        assert (await bench.sink.recv()).data == payload
    while len(bench.source.sent) < 8 * len(frame):
        await RisingEdge(dut.clk)
    await ClockCycles(dut.clk, DRAIN)
    assert bench.sink.empty()
    assert bench.counts["accepted"] == 8 * len(free)
    assert sum(bench.counts.values()) == 8 * len(frame)
    icrc_only = range(SEND_ONLY["bth_psn"].offset, WRITE_ONLY["reth_dma_len"].offset)
    assert bench.counts["bad_icrc"] >= 8 * len(icrc_only)


@cocotb.test()
async def changed_headers_are_judged_as_the_decoder_does(dut: Any) -> None:
    bench = Bench(dut, 0.1, 0.3)
    await bench.start()
    generator = random.Random(4)
    payloads, dropped = [], 0
    for _ in range(400):
        kind = generator.choice([send, window])
        body = bytearray(kind(generator.randbytes(4 * generator.randint(1, 20)))[:-ICRC_SIZE])
        for _ in range(generator.randint(0, 2)):
            body[generator.randrange(min(len(body), 74))] ^= 1 << generator.randrange(8)
        frame = finish(bytes(body))
        if accepts(frame):
            payloads.append(bench.good(frame))
        else:
            bench.source.send_nowait(frame)
            dropped += 1
    for payload in payloads:
        assert (await bench.sink.recv()).data == payload
    while len(bench.source.sent) < 400:
        await RisingEdge(dut.clk)
    await ClockCycles(dut.clk, DRAIN)
    assert bench.sink.empty()
    assert 50 < dropped < 350
    assert bench.counts["accepted"] == len(payloads)
    assert sum(bench.counts.values()) == 400


@cocotb.test()
async def stall_fills_the_slots_and_loses_nothing(dut: Any) -> None:
    bench = Bench(dut)
    stalled = True

    def pause() -> Any:
        while True:
            yield stalled

    bench.sink.pause = pause()
    await bench.start()
    payloads = [bench.good(send(bytes([i]) * 100)) for i in range(20)]
    await ClockCycles(dut.clk, 2000)
    assert len(bench.source.sent) == SLOTS[bench.lanes]
    assert not int(dut.s_axis_tready.value)
    stalled = False
    await bench.receive(payloads)


@cocotb.test()
async def reset_in_a_frame_leaves_nothing_behind(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    for cycles in range(1, 44, 3):
        # cuts the first frame, its payload on the way out, or the second frame
        bench.source.send_nowait(send(bytes(200)))
        bench.source.send_nowait(send(bytes(9000)))
        await ClockCycles(dut.clk, cycles)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        assert not int(dut.m_axis_tvalid.value)
        assert not int(dut.s_axis_tready.value)
        while not bench.sink.empty():
            await bench.sink.recv()
        bench.counts.clear()
        before = len(bench.source.sent)
        dut.rst.value = 0
        await bench.source.send(window(bytes(range(100))))
        assert (await bench.sink.recv()).data == bytes(range(100))
        await ClockCycles(dut.clk, DRAIN)
        assert bench.sink.empty()
        uncut = Counter(frame.data for frame in bench.source.sent[before:])
        assert bench.counts.pop("oversize", 0) == uncut[send(bytes(9000))]
        assert bench.counts == {"accepted": 1}


@cocotb.test()
async def recorded_frames_pass(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    samples = json.loads(RECORDED.read_text())
    payloads = []
    for sample in samples:
        frame = bytes.fromhex(sample["frame_hex"])
        payload = bench.good(frame)
        # the recorded design passed padding, ICRC and empty lanes on as well
        recorded = bytes.fromhex("".join(sample["sensor_tx_beats"]))
        assert recorded.rstrip(b"\0") == frame[SEND_ONLY.size :].rstrip(b"\0")
        assert recorded.startswith(payload)
        payloads.append(payload)
    assert payloads
    await bench.receive(payloads)
