// SPDX-License-Identifier: Apache-2.0
//
// Reads RPC responses, finds the request each one answers, and hands out the correction bits of
// its patch. What does not fit (late, duplicate, unknown, missing, malformed) is counted, one
// pulse each; no correction comes out of a response that is malformed, unknown or a duplicate.
//
//   offset  size  field (little-endian)
//        0     4  magic                     0x43555153
//        4     4  status                    0: the result follows
//        8     4  result length             bytes, at most CORR_W / 8
//       12     4  request id                echo
//       16     8  PTP time stamp            echo of what the request carried
//       24     n  result                    correction bits, the first one lowest
//        .     .  rest of the slot          ignored
//
// Requests. req_valid, when a request is sent, opens an entry for its id a cycle later; the low
// TABLE_W bits of the id choose the place, so the last 2^TABLE_W requests of ids that count up are
// known. A request still unanswered when its place is taken again pulses stat_displaced.
//
// Responses. Every one pulses exactly one of stat_on_time, _late, _bad_status, _duplicate,
// _unknown, _bad_response (shorter than its result length says, or a result longer than CORR_W)
// and _bad_magic. On time and late ones come out, m_corr_late tells which.
//
// Deadline. A correction is on time if m_corr_valid is high at most cfg_deadline cycles after
// req_valid (5 to 2^TIME_W - 1); a request without response by then pulses stat_missing in that
// cycle. So requests = on time + bad status before the deadline + missing + displaced + open.
//
// Latency: last beat in (cycle n) -> correction out in cycle n + 4. The input is never stalled, a
// response may come every cycle. m_corr has no ready: it is one cycle long.

`default_nettype none

module correction_unpacker #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    // most correction bits of a response, whole bytes
    parameter CORR_W = 256,
    parameter PATCH_W = 8,
    parameter TABLE_W = 4,
    parameter TIME_W = 32  // even
) (
    input  wire               clk,
    input  wire               rst,

    // responses
    input  wire [DATA_W-1:0]  s_axis_tdata,
    input  wire [KEEP_W-1:0]  s_axis_tkeep,
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,
    input  wire               s_axis_tlast,

    // requests as they are sent
    input  wire               req_valid,
    input  wire [31:0]        req_id,
    input  wire [PATCH_W-1:0] req_patch,

    // corrections; bits beyond m_corr_bytes are zero
    output wire               m_corr_valid,
    output wire [PATCH_W-1:0] m_corr_patch,
    output wire [31:0]        m_corr_id,
    output wire [63:0]        m_corr_ptp,
    output wire [CORR_W-1:0]  m_corr_bits,
    output wire [15:0]        m_corr_bytes,
    output wire               m_corr_late,

    // configuration
    input  wire [TIME_W-1:0]  cfg_deadline,

    // one pulse a response
    output reg                stat_on_time,
    output reg                stat_late,
    output reg                stat_bad_status,
    output reg                stat_duplicate,
    output reg                stat_unknown,
    output reg                stat_bad_response,
    output reg                stat_bad_magic,
    // one pulse a request
    output wire               stat_missing,
    output wire               stat_displaced
);

    `include "roundtrip_fields.vh"

    generate
        if (DATA_W != 64 && DATA_W != 512) begin : g_bad_data_w
            bad_parameter_DATA_W instance_stops_elaboration();
        end
        if (KEEP_W != DATA_W / 8) begin : g_bad_keep_w
            bad_parameter_KEEP_W instance_stops_elaboration();
        end
        if (CORR_W < 8 || CORR_W > 32768 || CORR_W % 8 != 0) begin : g_bad_corr_w
            bad_parameter_CORR_W instance_stops_elaboration();
        end
        if (PATCH_W < 1) begin : g_bad_patch_w
            bad_parameter_PATCH_W instance_stops_elaboration();
        end
        if (TABLE_W < 1 || TABLE_W > 8) begin : g_bad_table_w
            bad_parameter_TABLE_W instance_stops_elaboration();
        end
        if (TIME_W < 4 || TIME_W % 2 != 0) begin : g_bad_time_w
            bad_parameter_TIME_W instance_stops_elaboration();
        end
    endgenerate

    localparam HEADER_W = 8 * RESPONSE_HEADER_SIZE;
    localparam [31:0] HEADER_SIZE = RESPONSE_HEADER_SIZE;
    localparam LANE_W = $clog2(KEEP_W);
    localparam BEATS = (HEADER_W + CORR_W + DATA_W - 1) / DATA_W;
    localparam BEAT_W = $clog2(BEATS + 1);
    localparam LENGTH_W = BEAT_W + LANE_W;
    localparam [31:0] BEAT_LIMIT = BEATS;
    localparam [31:0] MOST_BYTES = CORR_W / 8;

    // ---------------------------------------------------------------------------------------------
    // stage 1: the response in one piece; beats that can hold no result are left out

    reg                    ready_reg;
    reg                    whole_reg;
    reg [BEATS*DATA_W-1:0] message_reg;
    reg [LENGTH_W-1:0]     length_reg;
    reg [BEAT_W-1:0]       beat_reg;

    wire accept = s_axis_tvalid && ready_reg;
    wire beat_counts = beat_reg != BEAT_LIMIT[BEAT_W-1:0];
    wire full_beat = s_axis_tkeep[KEEP_W-1];
    // bytes in a partial beat
    reg [LANE_W-1:0] tail;
    integer lane;
    integer beat;

    assign s_axis_tready = ready_reg;

    always @* begin
        tail = {LANE_W{1'b0}};
        for (lane = 1; lane < KEEP_W; lane = lane + 1)
            if (s_axis_tkeep[lane-1] && !s_axis_tkeep[lane])
                tail = tail | lane[LANE_W-1:0];
    end

    always @(posedge clk) begin
        ready_reg <= 1'b1;
        whole_reg <= accept && s_axis_tlast;
        if (accept) begin
            for (beat = 0; beat < BEATS; beat = beat + 1)
                if (beat_reg == beat[BEAT_W-1:0])
                    message_reg[beat*DATA_W +: DATA_W] <= s_axis_tdata;
            if (beat_counts)
                length_reg <= {beat_reg + {{BEAT_W-1{1'b0}}, full_beat}, tail};
            else
                length_reg <= {beat_reg, {LANE_W{1'b0}}};
            if (s_axis_tlast)
                beat_reg <= {BEAT_W{1'b0}};
            else if (beat_counts)
                beat_reg <= beat_reg + 1'b1;
        end
        if (rst) begin
            ready_reg <= 1'b0;
            whole_reg <= 1'b0;
            beat_reg <= {BEAT_W{1'b0}};
        end
    end

    // ---------------------------------------------------------------------------------------------
    // stage 2: its fields

    wire [31:0] magic = message_reg[8*RESPONSE_HEADER_MAGIC_OFFSET +: 32];
    wire [31:0] status = message_reg[8*RESPONSE_HEADER_STATUS_OFFSET +: 32];
    wire [31:0] result_length = message_reg[8*RESPONSE_HEADER_RESULT_LEN_OFFSET +: 32];
    wire [31:0] id = message_reg[8*RESPONSE_HEADER_REQUEST_ID_OFFSET +: 32];

    reg                field_valid_reg;
    reg                field_magic_reg;
    reg                field_ok_reg;
    reg                field_fits_reg;
    // bytes after the header; negative if it is cut off
    reg [LENGTH_W:0]   field_rest_reg;
    reg [31:0]         field_id_reg;
    reg [63:0]         field_ptp_reg;
    reg [15:0]         field_bytes_reg;
    reg [CORR_W-1:0]   field_bits_reg;
    reg [CORR_W/8-1:0] field_keep_reg;
    integer            octet;

    always @(posedge clk) begin
        field_valid_reg <= whole_reg;
        field_magic_reg <= magic == RESPONSE_HEADER_MAGIC_DEFAULT;
        field_ok_reg <= status == STATUS_OK;
        field_fits_reg <= result_length <= MOST_BYTES;
        field_rest_reg <= {1'b0, length_reg} - HEADER_SIZE[LENGTH_W:0];
        field_id_reg <= id;
        field_ptp_reg <= message_reg[8*RESPONSE_HEADER_PTP_TIMESTAMP_OFFSET +: 64];
        field_bytes_reg <= result_length[15:0];
        field_bits_reg <= message_reg[HEADER_W +: CORR_W];
        // of a result that fits
        for (octet = 0; octet < CORR_W / 8; octet = octet + 1)
            field_keep_reg[octet] <= octet[LENGTH_W-1:0] < result_length[LENGTH_W-1:0];
        if (rst)
            field_valid_reg <= 1'b0;
    end

    // ---------------------------------------------------------------------------------------------
    // stage 3: whether it is whole, and the bits of its result alone

    wire complete = !field_rest_reg[LENGTH_W]
        && field_rest_reg[LENGTH_W-1:0] >= field_bytes_reg[LENGTH_W-1:0];
    wire field_whole = field_valid_reg && field_magic_reg && field_fits_reg && complete;

    reg              found_valid_reg;
    reg              found_magic_reg;
    reg              found_whole_reg;
    reg              found_ok_reg;
    reg [31:0]       found_id_reg;
    reg [63:0]       found_ptp_reg;
    reg [CORR_W-1:0] found_bits_reg;
    reg [15:0]       found_bytes_reg;
    integer          kept;

    always @(posedge clk) begin
        found_valid_reg <= field_valid_reg;
        found_magic_reg <= field_magic_reg;
        found_whole_reg <= field_whole;
        found_ok_reg <= field_ok_reg;
        found_id_reg <= field_id_reg;
        found_ptp_reg <= field_ptp_reg;
        found_bytes_reg <= field_bytes_reg;
        for (kept = 0; kept < CORR_W / 8; kept = kept + 1)
            found_bits_reg[8*kept +: 8] <= field_bits_reg[8*kept +: 8] & {8{field_keep_reg[kept]}};
        if (rst) begin
            found_valid_reg <= 1'b0;
            found_whole_reg <= 1'b0;
        end
    end

    // ---------------------------------------------------------------------------------------------
    // stage 4: the decision, with the entry of its request

    wire               is_known;
    wire               is_first;
    wire               is_open;
    wire [PATCH_W-1:0] patch;

    correction_unpacker_table #(
        .PATCH_W(PATCH_W),
        .TABLE_W(TABLE_W),
        .TIME_W(TIME_W)
    ) requests (
        .clk(clk),
        .rst(rst),
        .req_valid(req_valid),
        .req_id(req_id),
        .req_patch(req_patch),
        .response_id(id),
        .response_whole(field_whole),
        .response_known(is_known),
        .response_first(is_first),
        .response_open(is_open),
        .response_patch(patch),
        .cfg_deadline(cfg_deadline),
        .stat_missing(stat_missing),
        .stat_displaced(stat_displaced)
    );

    always @(posedge clk) begin
        stat_on_time <= is_open && found_ok_reg;
        stat_late <= is_first && !is_open && found_ok_reg;
        stat_bad_status <= is_first && !found_ok_reg;
        stat_duplicate <= is_known && !is_first;
        stat_unknown <= found_whole_reg && !is_known;
        stat_bad_response <= found_valid_reg && found_magic_reg && !found_whole_reg;
        stat_bad_magic <= found_valid_reg && !found_magic_reg;
        if (rst) begin
            stat_on_time <= 1'b0;
            stat_late <= 1'b0;
            stat_bad_status <= 1'b0;
            stat_duplicate <= 1'b0;
            stat_unknown <= 1'b0;
            stat_bad_response <= 1'b0;
            stat_bad_magic <= 1'b0;
        end
    end

    reg [31:0]        corr_id_reg;
    reg [PATCH_W-1:0] corr_patch_reg;
    reg [63:0]        corr_ptp_reg;
    reg [CORR_W-1:0]  corr_bits_reg;
    reg [15:0]        corr_bytes_reg;

    always @(posedge clk) begin
        corr_id_reg <= found_id_reg;
        corr_patch_reg <= patch;
        corr_ptp_reg <= found_ptp_reg;
        corr_bits_reg <= found_bits_reg;
        corr_bytes_reg <= found_bytes_reg;
    end

    assign m_corr_valid = stat_on_time || stat_late;
    assign m_corr_late = stat_late;
    assign m_corr_id = corr_id_reg;
    assign m_corr_patch = corr_patch_reg;
    assign m_corr_ptp = corr_ptp_reg;
    assign m_corr_bits = corr_bits_reg;
    assign m_corr_bytes = corr_bytes_reg;

    wire unused = &{1'b0, message_reg};

endmodule

`resetall
