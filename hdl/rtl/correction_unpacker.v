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
// Requests. req_valid, when a request is sent, opens an entry for its id; the low TABLE_W bits of
// the id choose the place, so the last 2^TABLE_W requests of ids that count up are known. A request
// still unanswered when its place is taken again pulses stat_displaced.
//
// Responses. Every one pulses exactly one of stat_on_time, _late, _bad_status, _duplicate,
// _unknown, _bad_response (shorter than its result length says, or a result longer than CORR_W)
// and _bad_magic. On time and late ones come out, m_corr_late tells which.
//
// Deadline. A correction is on time if m_corr_valid is high at most cfg_deadline cycles after
// req_valid (1 to 2^TIME_W - 1); a request without response by then pulses stat_missing in that
// cycle. So requests = on time + bad status before the deadline + missing + displaced + open.
//
// Latency: last beat in (cycle n) -> correction out in cycle n + 3. The input is never stalled, a
// response may come every cycle. m_corr has no ready: it is one cycle long.

`default_nettype none

module correction_unpacker #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    // most correction bits of a response, whole bytes
    parameter CORR_W = 256,
    parameter PATCH_W = 8,
    parameter TABLE_W = 4,
    parameter TIME_W = 32
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
    output reg                stat_missing,
    output reg                stat_displaced
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
        if (TIME_W < 2) begin : g_bad_time_w
            bad_parameter_TIME_W instance_stops_elaboration();
        end
    endgenerate

    localparam HEADER_W = 8 * RESPONSE_HEADER_SIZE;
    localparam LANE_W = $clog2(KEEP_W);
    localparam BEATS = (HEADER_W + CORR_W + DATA_W - 1) / DATA_W;
    localparam BEAT_W = $clog2(BEATS + 1);
    localparam LENGTH_W = BEAT_W + LANE_W;
    localparam [31:0] BEAT_LIMIT = BEATS;
    localparam [31:0] MOST_BYTES = CORR_W / 8;
    localparam PLACES = 1 << TABLE_W;

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
    // stage 2: its fields, and the entry of its request; a request of this very cycle counts

    wire [31:0] magic = message_reg[8*RESPONSE_HEADER_MAGIC_OFFSET +: 32];
    wire [31:0] status = message_reg[8*RESPONSE_HEADER_STATUS_OFFSET +: 32];
    wire [31:0] result_length = message_reg[8*RESPONSE_HEADER_RESULT_LEN_OFFSET +: 32];
    wire [31:0] id = message_reg[8*RESPONSE_HEADER_REQUEST_ID_OFFSET +: 32];

    wire [31:0] length = {{32-LENGTH_W{1'b0}}, length_reg};
    wire        fits = result_length <= MOST_BYTES;
    wire        complete = length >= RESPONSE_HEADER_SIZE + {16'd0, result_length[15:0]};

    reg [31:0]        id_mem [0:PLACES-1];
    reg [PATCH_W-1:0] patch_mem [0:PLACES-1];
    reg [TIME_W-1:0]  expiry_mem [0:PLACES-1];
    reg [PLACES-1:0]  known_reg;
    reg [PLACES-1:0]  open_reg;
    reg [PLACES-1:0]  answered_reg;

    wire [TABLE_W-1:0] place = id[TABLE_W-1:0];
    wire [TABLE_W-1:0] req_place = req_id[TABLE_W-1:0];
    wire               opens = req_valid && req_place == place;

    reg               found_valid_reg;
    reg               found_magic_reg;
    reg               found_whole_reg;
    reg               found_ok_reg;
    reg               found_request_reg;
    reg [31:0]        found_id_reg;
    reg [PATCH_W-1:0] found_patch_reg;
    reg [63:0]        found_ptp_reg;
    reg [CORR_W-1:0]  found_bits_reg;
    reg [15:0]        found_bytes_reg;
    reg [15:0]        octet;

    always @(posedge clk) begin
        found_valid_reg <= whole_reg;
        found_magic_reg <= magic == RESPONSE_HEADER_MAGIC_DEFAULT;
        found_whole_reg <= fits && complete;
        found_ok_reg <= status == STATUS_OK;
        found_request_reg <= opens ? req_id == id : known_reg[place] && id_mem[place] == id;
        found_patch_reg <= opens ? req_patch : patch_mem[place];
        found_id_reg <= id;
        found_ptp_reg <= message_reg[8*RESPONSE_HEADER_PTP_TIMESTAMP_OFFSET +: 64];
        found_bytes_reg <= result_length[15:0];
        for (octet = 16'd0; octet < MOST_BYTES[15:0]; octet = octet + 16'd1)
            found_bits_reg[8*octet +: 8] <= octet < result_length[15:0]
                ? message_reg[HEADER_W+8*octet +: 8] : 8'd0;
        if (rst)
            found_valid_reg <= 1'b0;
    end

    // ---------------------------------------------------------------------------------------------
    // stage 3: the decision, on the state of the entry now

    wire [TABLE_W-1:0] found_place = found_id_reg[TABLE_W-1:0];
    wire is_message = found_valid_reg && found_magic_reg && found_whole_reg;
    wire is_known = is_message && found_request_reg;
    wire is_first = is_known && !answered_reg[found_place];
    wire is_on_time = is_first && open_reg[found_place];

    reg  [TIME_W-1:0] now_reg;
    wire [PLACES-1:0] expires;
    reg  [PLACES-1:0] answers;
    reg  [PLACES-1:0] requests;

    genvar g;
    generate
        for (g = 0; g < PLACES; g = g + 1) begin : g_expiry
            assign expires[g] = open_reg[g] && expiry_mem[g] == now_reg;
        end
    endgenerate

    always @* begin
        answers = {PLACES{1'b0}};
        answers[found_place] = is_first;
        requests = {PLACES{1'b0}};
        requests[req_place] = req_valid;
    end

    always @(posedge clk) begin
        now_reg <= now_reg + 1'b1;
        if (req_valid) begin
            id_mem[req_place] <= req_id;
            patch_mem[req_place] <= req_patch;
            // the pulse comes a cycle after the comparison
            expiry_mem[req_place] <= now_reg + cfg_deadline - 1'b1;
        end
        known_reg <= known_reg | requests;
        open_reg <= open_reg & ~answers & ~expires | requests;
        answered_reg <= (answered_reg | answers) & ~requests;

        stat_on_time <= is_on_time && found_ok_reg;
        stat_late <= is_first && !is_on_time && found_ok_reg;
        stat_bad_status <= is_first && !found_ok_reg;
        stat_duplicate <= is_known && !is_first;
        stat_unknown <= is_message && !found_request_reg;
        stat_bad_response <= found_valid_reg && found_magic_reg && !found_whole_reg;
        stat_bad_magic <= found_valid_reg && !found_magic_reg;
        stat_missing <= |(expires & ~answers);
        stat_displaced <= |(requests & open_reg & ~answers & ~expires);
        if (rst) begin
            now_reg <= {TIME_W{1'b0}};
            known_reg <= {PLACES{1'b0}};
            open_reg <= {PLACES{1'b0}};
            answered_reg <= {PLACES{1'b0}};
            stat_on_time <= 1'b0;
            stat_late <= 1'b0;
            stat_bad_status <= 1'b0;
            stat_duplicate <= 1'b0;
            stat_unknown <= 1'b0;
            stat_bad_response <= 1'b0;
            stat_bad_magic <= 1'b0;
            stat_missing <= 1'b0;
            stat_displaced <= 1'b0;
        end
    end

    reg [31:0]        corr_id_reg;
    reg [PATCH_W-1:0] corr_patch_reg;
    reg [63:0]        corr_ptp_reg;
    reg [CORR_W-1:0]  corr_bits_reg;
    reg [15:0]        corr_bytes_reg;

    always @(posedge clk) begin
        corr_id_reg <= found_id_reg;
        corr_patch_reg <= found_patch_reg;
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
