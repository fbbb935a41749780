// SPDX-License-Identifier: Apache-2.0
//
// RoCEv2 receiver of the FPGA: takes Ethernet frames, passes on the payload of those that are
// whole, for this board and right, and drops every other one whole.
//
//   offset  size  field                     must be
//        0     6  destination MAC           cfg_mac
//        6     6  source MAC                anything
//       12     2  EtherType                 0x0800
//       14     1  IPv4 version, IHL         0x45
//       15     1  TOS                       anything
//       16     2  IPv4 total length         UDP length + 20, a multiple of 4
//       18     4  identification, fragment  no fragment
//       22     2  TTL, protocol             anything, 17
//       24     2  IPv4 header checksum      right
//       26     8  source, destination IP    anything, cfg_ip
//       34     4  UDP ports                 anything, 4791
//       38     4  UDP length, checksum      see IPv4 total length, anything
//       42     1  BTH opcode                0x24, 0x2A, 0x2B: UC SEND Only, UC WRITE Only,
//                                           UC WRITE Only with Immediate
//       43     4  flags, P_Key, reserved    bits 5:4 of the flags are the pad count
//       47     3  destination QP            cfg_qp
//       50     4  AckReq, PSN               anything: UC, nothing is acknowledged
//       54    16  RETH (0x2A, 0x2B)         DMA length = bytes of payload
//       70     4  immediate (0x2B)          anything
//        .     n  payload                   1 to MAX_PAYLOAD bytes
//        .   0-3  padding                   pad count
//        .     4  ICRC                      right
//
// s_axis carries a frame from its destination MAC to its ICRC: the MAC has taken off preamble and
// frame check sequence, and sets s_axis_tuser on the last beat of a frame that it found bad. Only
// the last beat may be partial. A frame without payload is refused (stat_bad_length).
//
// A payload waits in a slot of its own until the ICRC is known, so m_axis never carries a byte of
// a bad frame. s_axis_tready is registered; it falls between frames, when all slots are taken, and
// nothing is lost. m_axis may be wider than s_axis: a payload then leaves in fewer, wider beats.
//
// Every frame pulses exactly one stat_*, five cycles after its last beat: the first that applies of
// mac_error, truncated (shorter than any RoCE frame), not_roce, bad_checksum, foreign_address,
// truncated, oversize, bad_opcode, foreign_qp, bad_length, bad_icrc, accepted.
//
// Latency: last beat in (cycle n) -> first beat of payload out in cycle n + 5, at every width, ICRC
// checked. A payload leaves without bubbles, so its last beat in cycle n + 4 + b for a payload of b
// beats of OUT_W; frames may follow each other without a gap.

`default_nettype none

module roce_rx #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    // width of the payload, DATA_W or 512
    parameter OUT_W = DATA_W,
    parameter OUT_KEEP_W = OUT_W / 8,
    // longest payload of a frame, bytes
    parameter MAX_PAYLOAD = 256
) (
    input  wire                  clk,
    input  wire                  rst,

    // frames from the MAC
    input  wire [DATA_W-1:0]     s_axis_tdata,
    input  wire [KEEP_W-1:0]     s_axis_tkeep,
    input  wire                  s_axis_tvalid,
    output wire                  s_axis_tready,
    input  wire                  s_axis_tlast,
    input  wire                  s_axis_tuser,

    // payloads
    output wire [OUT_W-1:0]      m_axis_tdata,
    output wire [OUT_KEEP_W-1:0] m_axis_tkeep,
    output wire                  m_axis_tvalid,
    input  wire                  m_axis_tready,
    output wire                  m_axis_tlast,

    // configuration
    input  wire [47:0]           cfg_mac,
    input  wire [31:0]           cfg_ip,
    input  wire [23:0]           cfg_qp,

    // one pulse a frame
    output wire                  stat_accepted,
    output wire                  stat_mac_error,
    output wire                  stat_truncated,
    output wire                  stat_oversize,
    output wire                  stat_not_roce,
    output wire                  stat_bad_checksum,
    output wire                  stat_foreign_address,
    output wire                  stat_foreign_qp,
    output wire                  stat_bad_opcode,
    output wire                  stat_bad_length,
    output wire                  stat_bad_icrc
);

    `include "roundtrip_fields.vh"

    generate
        if (DATA_W != 64 && DATA_W != 512) begin : g_bad_data_w
            bad_parameter_DATA_W instance_stops_elaboration();
        end
        if (KEEP_W != DATA_W / 8) begin : g_bad_keep_w
            bad_parameter_KEEP_W instance_stops_elaboration();
        end
        if (OUT_W != DATA_W && OUT_W != 512) begin : g_bad_out_w
            bad_parameter_OUT_W instance_stops_elaboration();
        end
        if (OUT_KEEP_W != OUT_W / 8) begin : g_bad_out_keep_w
            bad_parameter_OUT_KEEP_W instance_stops_elaboration();
        end
        if (MAX_PAYLOAD < 4 || MAX_PAYLOAD > 4096) begin : g_bad_max_payload
            bad_parameter_MAX_PAYLOAD instance_stops_elaboration();
        end
    endgenerate

    localparam LANE_W = $clog2(KEEP_W);
    localparam ICRC_SIZE = 4;
    localparam MAX_FRAME = WRITE_WITH_IMMEDIATE_SIZE + MAX_PAYLOAD + 3 + ICRC_SIZE;
    localparam BEAT_W = $clog2(MAX_FRAME / KEEP_W + 2);
    localparam LENGTH_W = BEAT_W + LANE_W;
    // a frame of that many beats is too long, whatever follows
    localparam [BEAT_W-1:0] BEAT_LIMIT = {BEAT_W{1'b1}};

    // header bytes that are looked at: all but the immediate
    localparam HEADER_SIZE = WRITE_ONLY_SIZE;
    localparam HEADER_BEATS = (HEADER_SIZE + KEEP_W - 1) / KEEP_W;
    localparam [31:0] OPCODE_BEAT = SEND_ONLY_BTH_OPCODE_OFFSET / KEEP_W;
    localparam OPCODE_LANE = SEND_ONLY_BTH_OPCODE_OFFSET % KEEP_W;

    // ---------------------------------------------------------------------------------------------
    // ICRC constants. The CRC runs over whole beats from the destination MAC on. Bytes in front of
    // the IPv4 header count as zeros and the CRC starts from a state that those zeros turn into the
    // one that opens the ICRC. It ends over the received ICRC and the empty lanes of the last beat,
    // as zeros: a frame is right if the state is the CRC's residue moved on by these zeros.

    localparam SKIPPED = SEND_ONLY_IP_VERSION_IHL_OFFSET;
    // what may change on the way counts as ones
    localparam [127:0] ONES = 128'd1 << SEND_ONLY_IP_TOS_OFFSET
        | 128'd1 << SEND_ONLY_IP_TTL_OFFSET
        | 128'd3 << SEND_ONLY_IP_CHECKSUM_OFFSET
        | 128'd3 << SEND_ONLY_UDP_CHECKSUM_OFFSET
        | 128'd1 << SEND_ONLY_BTH_RESERVED_OFFSET;
    localparam [127:0] ZEROS = (128'd1 << SKIPPED) - 128'd1;

    localparam [31:0] POLYNOMIAL = 32'hedb88320;

    function [31:0] forward(input [31:0] state, input integer zero_bytes);
        integer step;
        begin
            forward = state;
            for (step = 0; step < 8 * zero_bytes; step = step + 1)
                forward = {1'b0, forward[31:1]} ^ (forward[0] ? POLYNOMIAL : 32'd0);
        end
    endfunction

    // the polynomial's top bit is one: the top bit of a state is the bit that was shifted out
    function [31:0] backward(input [31:0] state, input integer zero_bytes);
        integer step;
        begin
            backward = state;
            for (step = 0; step < 8 * zero_bytes; step = step + 1)
                backward = backward[31] ? {backward[30:0] ^ POLYNOMIAL[30:0], 1'b1}
                                        : {backward[30:0], 1'b0};
        end
    endfunction

    // all frames end 2 bytes into a 4-byte word: entry n is for 4 n + 2 bytes in the last beat
    function [8*KEEP_W-1:0] residues(input integer unused);
        integer word;
        for (word = 0; word < KEEP_W / 4; word = word + 1)
            residues[32*word +: 32] = forward(CRC32_RESIDUE, KEEP_W - 4 * word - 2);
    endfunction

    localparam [31:0] CRC_START = backward(ICRC_SEED, SKIPPED);
    localparam [8*KEEP_W-1:0] RESIDUES = residues(0);

    // ---------------------------------------------------------------------------------------------
    // stage 1: the beat, with zeros in lanes that carry nothing

    wire accept = s_axis_tvalid && s_axis_tready;

    reg              beat_valid_reg;
    reg              beat_last_reg;
    reg              beat_error_reg;
    reg [DATA_W-1:0] beat_data_reg;
    reg [KEEP_W-1:0] beat_keep_reg;
    reg [BEAT_W-1:0] beat_number_reg, beat_number_next;
    // the beat as the CRC takes it, with ones and zeros where the bytes do not count
    reg              beat_first_reg;
    reg [DATA_W-1:0] beat_crc_reg;
    wire [127:0]     ones = ONES >> (beat_number_next * KEEP_W);
    wire [127:0]     zeros = ZEROS >> (beat_number_next * KEEP_W);

    reg [DATA_W-1:0] s_axis_kept;
    reg [DATA_W-1:0] s_axis_crc;
    integer lane;

    always @* begin
        for (lane = 0; lane < KEEP_W; lane = lane + 1) begin
            s_axis_kept[8*lane +: 8] = s_axis_tdata[8*lane +: 8] & {8{s_axis_tkeep[lane]}};
            s_axis_crc[8*lane +: 8] = (s_axis_kept[8*lane +: 8] | {8{ones[lane]}})
                & {8{!zeros[lane]}};
        end
        beat_number_next = beat_number_reg;
        if (beat_valid_reg && beat_last_reg)
            beat_number_next = {BEAT_W{1'b0}};
        else if (beat_valid_reg && beat_number_reg != BEAT_LIMIT)
            beat_number_next = beat_number_reg + 1'b1;
    end

    always @(posedge clk) begin
        beat_valid_reg <= accept;
        if (accept) begin
            beat_last_reg <= s_axis_tlast;
            beat_error_reg <= s_axis_tuser;
            beat_data_reg <= s_axis_kept;
            beat_crc_reg <= s_axis_crc;
            beat_keep_reg <= s_axis_tkeep;
        end
        beat_number_reg <= beat_number_next;
        beat_first_reg <= beat_number_next == {BEAT_W{1'b0}};
        if (rst) begin
            beat_valid_reg <= 1'b0;
            beat_number_reg <= {BEAT_W{1'b0}};
            beat_first_reg <= 1'b1;
        end
    end

    // ---------------------------------------------------------------------------------------------
    // stage 2: CRC, header and length so far; what they are at the end of a frame is checked

    wire [31:0]       crc_state = beat_first_reg ? CRC_START : crc_reg;
    wire [31:0]       crc_next;
    // bytes in a partial last beat; a full one has none
    reg  [LANE_W-1:0] tail;
    integer byte_lane;

    always @* begin
        tail = {LANE_W{1'b0}};
        for (byte_lane = 1; byte_lane < KEEP_W; byte_lane = byte_lane + 1)
            if (beat_keep_reg[byte_lane-1] && !beat_keep_reg[byte_lane])
                tail = tail | byte_lane[LANE_W-1:0];
    end

    generate
        if (DATA_W == 64) begin : g_crc64
            crc32_w64 crc (.state_in(crc_state), .data_in(beat_crc_reg), .state_out(crc_next));
        end else begin : g_crc512
            crc32_w512 crc (.state_in(crc_state), .data_in(beat_crc_reg), .state_out(crc_next));
        end
    endgenerate

    wire             full_beat = beat_keep_reg[KEEP_W-1];
    wire [7:0]       opcode = beat_data_reg[8*OPCODE_LANE +: 8];
    reg              end_reg;
    reg              end_error_reg;
    reg              end_too_long_reg;
    reg [LENGTH_W-1:0] end_length_reg;
    reg [BEAT_W-1:0] end_number_reg;
    reg [DATA_W-1:0] previous_reg;
    reg [31:0]       crc_reg;
    reg [HEADER_BEATS*DATA_W-1:0] header_reg;
    reg              send_reg;
    reg              write_reg;
    reg              immediate_reg;
    integer          head;

    always @(posedge clk) begin
        end_reg <= beat_valid_reg && beat_last_reg;
        end_error_reg <= beat_error_reg;
        end_too_long_reg <= beat_number_reg == BEAT_LIMIT;
        end_number_reg <= beat_number_reg;
        end_length_reg <= {beat_number_reg + {{BEAT_W-1{1'b0}}, full_beat}, tail};
        if (beat_valid_reg) begin
            previous_reg <= beat_data_reg;
            crc_reg <= crc_next;
            for (head = 0; head < HEADER_BEATS; head = head + 1)
                if (beat_number_reg == head[BEAT_W-1:0])
                    header_reg[head*DATA_W +: DATA_W] <= beat_data_reg;
            if (beat_number_reg == OPCODE_BEAT[BEAT_W-1:0]) begin
                send_reg <= opcode == OPCODE_SEND_ONLY;
                write_reg <= opcode == OPCODE_WRITE_ONLY
                    || opcode == OPCODE_WRITE_ONLY_WITH_IMMEDIATE;
                immediate_reg <= opcode == OPCODE_WRITE_ONLY_WITH_IMMEDIATE;
            end
        end
        if (rst)
            end_reg <= 1'b0;
    end

    wire [31:0] residue = RESIDUES[{end_length_reg[LANE_W-1:2], 5'd0} +: 32];
    wire        verdict_valid;
    wire        verdict_good;
    wire [15:0] payload_last_byte;

    roce_rx_check #(
        .LENGTH_W(LENGTH_W),
        .MAX_PAYLOAD(MAX_PAYLOAD)
    ) check (
        .clk(clk),
        .rst(rst),
        .frame_end(end_reg),
        .frame_error(end_error_reg),
        .frame_too_long(end_too_long_reg),
        .frame_length(end_length_reg),
        .frame_crc_right(crc_reg == residue),
        .header(header_reg[8*HEADER_SIZE-1:0]),
        .frame_send(send_reg),
        .frame_write(write_reg),
        .frame_immediate(immediate_reg),
        .cfg_mac(cfg_mac),
        .cfg_ip(cfg_ip),
        .cfg_qp(cfg_qp),
        .payload_last_byte(payload_last_byte),
        .verdict_valid(verdict_valid),
        .verdict_good(verdict_good),
        .stat_accepted(stat_accepted),
        .stat_mac_error(stat_mac_error),
        .stat_truncated(stat_truncated),
        .stat_oversize(stat_oversize),
        .stat_not_roce(stat_not_roce),
        .stat_bad_checksum(stat_bad_checksum),
        .stat_foreign_address(stat_foreign_address),
        .stat_foreign_qp(stat_foreign_qp),
        .stat_bad_opcode(stat_bad_opcode),
        .stat_bad_length(stat_bad_length),
        .stat_bad_icrc(stat_bad_icrc)
    );

    // ---------------------------------------------------------------------------------------------
    // payload: moved down to lane 0, a beat of it from the ends of two beats of the frame; what the
    // last beat leaves over is written in the cycle after it, when no other frame can write

    localparam SEND_LANE = SEND_ONLY_SIZE % KEEP_W;
    localparam WRITE_LANE = WRITE_ONLY_SIZE % KEEP_W;
    localparam IMMEDIATE_LANE = WRITE_WITH_IMMEDIATE_SIZE % KEEP_W;
    localparam [31:0] SEND_BEAT = SEND_ONLY_SIZE / KEEP_W;
    localparam [31:0] WRITE_BEAT = WRITE_ONLY_SIZE / KEEP_W;
    localparam [31:0] IMMEDIATE_BEAT = WRITE_WITH_IMMEDIATE_SIZE / KEEP_W;

    wire [2*DATA_W-1:0] two_beats = {end_reg ? {DATA_W{1'b0}} : beat_data_reg, previous_reg};
    wire [2*DATA_W-1:0] moved = immediate_reg ? two_beats >> (8 * IMMEDIATE_LANE)
        : write_reg ? two_beats >> (8 * WRITE_LANE) : two_beats >> (8 * SEND_LANE);
    wire [BEAT_W-1:0]   start_number = immediate_reg ? IMMEDIATE_BEAT[BEAT_W-1:0]
        : write_reg ? WRITE_BEAT[BEAT_W-1:0] : SEND_BEAT[BEAT_W-1:0];

    reg              payload_valid_reg;
    reg              payload_end_reg;
    reg [DATA_W-1:0] payload_data_reg;

    always @(posedge clk) begin
        payload_data_reg <= moved[DATA_W-1:0];
        payload_valid_reg <= end_reg ? end_number_reg >= start_number
                                     : beat_valid_reg && beat_number_reg > start_number;
        payload_end_reg <= end_reg;
        if (rst) begin
            payload_valid_reg <= 1'b0;
            payload_end_reg <= 1'b0;
        end
    end

    roce_rx_buffer #(
        .DATA_W(DATA_W),
        .OUT_W(OUT_W),
        .OUT_KEEP_W(OUT_KEEP_W),
        .MAX_PAYLOAD(MAX_PAYLOAD)
    ) buffer (
        .clk(clk),
        .rst(rst),
        .frame_taken(accept && s_axis_tlast),
        .frame_ready(s_axis_tready),
        .payload_data(payload_data_reg),
        .payload_valid(payload_valid_reg),
        .payload_end(payload_end_reg),
        .payload_last_byte(payload_last_byte),
        .verdict_valid(verdict_valid),
        .verdict_good(verdict_good),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast)
    );

    wire unused = &{
        1'b0, ones[127:KEEP_W], zeros[127:KEEP_W], moved[2*DATA_W-1:DATA_W],
        header_reg[HEADER_BEATS*DATA_W-1:8*HEADER_SIZE]
    };

endmodule

`resetall
