import pytest

from emulator.errors import ScenarioError
from emulator.scenario.sections import FpgaSection, LinkSection, WindowSection
from emulator.traffic import messages as traffic_messages
from emulator.traffic.messages import messages, response_packets, window_plan
from emulator.windows import parallel_windows, sliding_windows, whole_window

# what Ethernet adds to the bytes of a frame: preamble, frame check sequence, gap
AROUND = 8 + 4 + 12
# Ethernet, IPv4, UDP, BTH and ICRC
ROCE = 14 + 20 + 8 + 12 + 4
WRITE, IMMEDIATE = 16, 4

RPC = 24  # header of a request or a response
ENQUEUE = 32  # decoder, counter, mapping and number of bits
BITS = [4, 8, 8, 8, 8, 12]


def window(**values: object) -> WindowSection:
    return WindowSection.model_validate(values)


def line_bits(payload: int, headers: int) -> int:
    return 8 * (AROUND + headers + payload)


def test_windows_are_cut_as_the_table_says() -> None:
    assert window_plan(window(), 6) == whole_window(6)
    sliding = window(kind="sliding", commit=2, buffer=3, tail="absorb")
    assert window_plan(sliding, 11) == sliding_windows(11, 2, 3, "absorb")
    parallel = window(kind="parallel", commit=2, buffer=1)
    assert window_plan(parallel, 11) == parallel_windows(11, 2, 1)
    with pytest.raises(ValueError, match="sliding window needs commit and buffer"):
        window_plan(window(kind="sliding"), 11)


@pytest.mark.parametrize(
    ("size", "cut", "expected"),
    [
        ("window", {}, [range(6)]),
        ("window", {"kind": "sliding", "commit": 4, "buffer": 1}, [range(4), range(4, 6)]),
        (1, {}, [range(k, k + 1) for k in range(6)]),
        (5, {}, [range(5), range(5, 6)]),
    ],
)
def test_messages_carry_what_a_window_commits_or_a_number_of_rounds(
    size: object, cut: dict[str, object], expected: list[range]
) -> None:
    fpga = FpgaSection.model_validate({"rounds_per_message": size})
    found = messages(fpga, LinkSection(), window(**cut), BITS)
    assert [message.rounds for message in found] == expected


def test_messages_of_one_length_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = [4, *[8] * 10_000, 12]
    encoded: list[int] = []
    real = traffic_messages._payload_bytes

    def counted(encoding: str, size: int) -> int:
        encoded.append(size)
        return real(encoding, size)

    monkeypatch.setattr(traffic_messages, "_payload_bytes", counted)
    fpga = FpgaSection.model_validate({"rounds_per_message": 1})
    found = messages(fpga, LinkSection(), window(), bits)
    assert encoded == [4, 8, 12]
    assert len(found) == len(bits)
    # 4 and 8 bits take one byte, 12 bits two
    assert len({id(message.packets) for message in found}) == 2


def test_a_message_of_bits_is_padded_to_a_beat() -> None:
    # 48 events take 6 bytes, the request 62, which fill one beat of 64
    [message] = messages(FpgaSection(), LinkSection(), window(), BITS)
    assert RPC + ENQUEUE + 6 == 62
    assert message.packets == ((1, line_bits(64, ROCE + WRITE + IMMEDIATE)),)


def test_a_byte_for_each_event_without_any_head_but_the_request() -> None:
    fpga = FpgaSection.model_validate({"encoding": "bytes"})
    [message] = messages(fpga, LinkSection(), window(), BITS)
    assert message.packets == ((2, line_bits(128, ROCE + WRITE + IMMEDIATE)),)


def test_an_mtu_cuts_a_message_into_pages_of_which_the_last_has_the_immediate() -> None:
    # 1000 bytes and the head of the request fill 16 beats; two pages of 128 bytes fit a packet
    fpga, link = (
        FpgaSection.model_validate({"encoding": "bytes"}),
        LinkSection.model_validate({"mtu": "400 B"}),
    )
    [message] = messages(fpga, link, window(), [1000])
    middle = (4, line_bits(256, ROCE + WRITE))
    assert message.packets == (
        middle,
        middle,
        middle,
        (4, line_bits(256, ROCE + WRITE + IMMEDIATE)),
    )


def test_a_narrow_bus_takes_more_beats_of_the_same_frame() -> None:
    wide, narrow = (
        messages(FpgaSection.model_validate({"bus_bits": bits}), LinkSection(), window(), BITS)[
            0
        ].packets[0]
        for bits in (512, 64)
    )
    assert narrow == (8 * wide[0], wide[1])


def test_raw_and_udp_framing() -> None:
    [raw] = messages(FpgaSection(), LinkSection.model_validate({"framing": "raw"}), window(), BITS)
    assert raw.packets == ((1, 8 * 62),)
    [udp] = messages(FpgaSection(), LinkSection.model_validate({"framing": "udp"}), window(), BITS)
    assert udp.packets == ((1, line_bits(62, 14 + 20 + 8)),)


@pytest.mark.parametrize(("observables", "payload"), [(1, 25), (8, 25), (9, 26), (64, 32)])
def test_a_response_carries_a_bit_for_each_observable(observables: int, payload: int) -> None:
    [(_, bits)] = response_packets(FpgaSection(), LinkSection(), observables)
    assert bits == line_bits(-(-payload // 4) * 4, ROCE)


def test_what_the_protocol_cannot_carry_is_refused_with_its_key() -> None:
    with pytest.raises(ScenarioError, match=r"fpga\.rounds_per_message: a message of 2000000 bits"):
        messages(FpgaSection(), LinkSection(), window(), [1_000_000, 1_000_000])
    messages(
        FpgaSection.model_validate({"rounds_per_message": 1}),
        LinkSection(),
        window(),
        [1_000_000] * 2,
    )
    with pytest.raises(ScenarioError, match=r"link\.up\.mtu\(=100\) leaves no room.*at least 192"):
        messages(FpgaSection(), LinkSection.model_validate({"mtu": "100 B"}), window(), BITS)


def test_windows_of_one_length_whatever_their_message_holds() -> None:
    """Messages of 63 and 65 bytes, of which the longest says how long the windows are."""
    several = messages(FpgaSection(rounds_per_message=1), LinkSection(), window(), [56, 72])
    assert len({message.packets for message in several}) == 1
    [single] = messages(FpgaSection(rounds_per_message=1), LinkSection(), window(), [56])
    assert single.packets[0][1] < several[0].packets[0][1]


def test_rounds_enter_beat_by_beat_and_whole_frames_take_the_bus() -> None:
    fpga = FpgaSection(intake="rounds", input_bits=16, bus_bits=64)
    [message] = messages(fpga, LinkSection(), window(), [12, 24, 33])
    assert message.intake == (1, 2, 3)
    [(beats, bits)] = message.packets
    frame_bytes = bits // 8 - 24
    assert beats == -(-frame_bytes // 8)
    [(down_beats, down_bits)] = response_packets(fpga, LinkSection(), 1)
    assert down_beats == -(-(down_bits // 8 - 24) // 8)


def test_a_round_without_bits_cannot_enter() -> None:
    with pytest.raises(ScenarioError, match=r"fpga\.intake: round 1 has no detector"):
        messages(FpgaSection(intake="rounds"), LinkSection(), window(), [4, 0, 4])
