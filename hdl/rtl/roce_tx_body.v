// SPDX-License-Identifier: Apache-2.0
//
// Puts packets together as slots of DATA_W bits, the view in which the ICRC is aligned: a frame
// without its destination MAC.
//
//     slots                     content
//     512 / DATA_W              header, frame offsets 6 to 69
//     as many as it takes       immediate (4 bytes, last packet of a window), payload, zeros
//     0 to 2                    zeros, where the ICRC and the shift by 6 bytes run over
//
// The payload is aligned to the input in a packet without immediate and shifted by one word in a
// packet with one. Bytes that the window lacks (tlast came early) are zeros; beats after its end
// (tlast came late) are dropped. Every beat of the input but the last of a window is full.
//
// Latency: 1 cycle; one slot a cycle, without gaps if the payload comes without gaps. The header
// starts once payload waits at the input.

`default_nettype none

module roce_tx_body #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    parameter BEAT_W = $clog2(KEEP_W),
    parameter COUNT_W = 16 - BEAT_W,
    parameter WORD_W = BEAT_W - 2
) (
    input  wire               clk,
    input  wire               rst,

    input  wire [DATA_W-1:0]  s_axis_tdata,
    input  wire [KEEP_W-1:0]  s_axis_tkeep,
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,
    input  wire               s_axis_tlast,

    // packet to send, as described by roce_tx_plan
    input  wire               packet_valid,
    output wire               packet_ready,
    input  wire               packet_last,
    input  wire [COUNT_W-1:0] packet_last_beat,
    input  wire [KEEP_W-1:0]  packet_last_keep,
    input  wire [COUNT_W-1:0] packet_icrc_slot,
    input  wire [WORD_W-1:0]  packet_icrc_word,
    input  wire [COUNT_W-1:0] packet_last_slot,

    // its header, from roce_tx_header
    input  wire               header_ready,
    output wire               header_next,
    input  wire [511:0]       header,
    input  wire [31:0]        immediate,

    // slots move on while this is high
    input  wire               slot_ready,
    output wire               slot_valid,
    output wire [DATA_W-1:0]  slot_data,
    output wire               slot_first,
    output wire               slot_last,
    output wire               slot_is_header,
    output wire [2:0]         slot_header_index,
    // holds bytes of the ICRC's range
    output wire               slot_covered,
    // holds the ICRC, in word slot_icrc_word
    output wire               slot_has_icrc,
    output wire [WORD_W-1:0]  slot_icrc_word,

    output wire               stat_packet,
    output wire               stat_window,
    output wire               stat_window_short,
    output wire               stat_window_long,
    output wire               stat_beat_dropped
);

    localparam LAST_HEADER_SLOT = 512 / DATA_W - 1;

    localparam STATE_HEADER = 1'b0;
    localparam STATE_PAYLOAD = 1'b1;

    reg               state_reg = STATE_HEADER, state_next;
    reg [2:0]         header_index_reg = 3'd0, header_index_next;
    // the slot is the last of the header; it is not the first one
    reg               header_end_reg = LAST_HEADER_SLOT == 0, header_end_next;
    reg               begun_reg = 1'b0, begun_next;
    // number of the slot after this one; what the packet says about this one was compared before
    reg [COUNT_W-1:0] ahead_reg = {COUNT_W{1'b0}}, ahead_next;
    reg               wants_beat_reg = 1'b0, wants_beat_next;
    reg               packet_end_reg = 1'b0, packet_end_next;
    reg               at_icrc_reg = 1'b0, at_icrc_next;
    reg               past_icrc_reg = 1'b0, past_icrc_next;
    reg               at_last_reg = 1'b0, at_last_next;
    reg [31:0]        carry_reg = 32'd0, carry_next;
    // tlast came before the end of the window
    reg               ended_reg = 1'b0, ended_next;
    // the window ended before tlast came
    reg               drop_reg = 1'b0, drop_next;

    reg               slot_valid_reg = 1'b0;
    wire              slot_valid_next;
    reg [DATA_W-1:0]  slot_data_reg = {DATA_W{1'b0}}, slot_data_next;
    reg               slot_first_reg = 1'b0, slot_first_next;
    reg               slot_last_reg = 1'b0, slot_last_next;
    reg               slot_is_header_reg = 1'b0;
    reg [2:0]         slot_header_index_reg = 3'd0;
    reg               slot_covered_reg = 1'b0, slot_covered_next;
    reg               slot_has_icrc_reg = 1'b0, slot_has_icrc_next;
    reg [WORD_W-1:0]  slot_icrc_word_reg = {WORD_W{1'b0}};

    reg               stat_packet_reg = 1'b0;
    reg               stat_window_reg = 1'b0;
    reg               stat_window_short_reg = 1'b0;
    reg               stat_window_long_reg = 1'b0;
    reg               stat_beat_dropped_reg = 1'b0;

    assign slot_valid = slot_valid_reg;
    assign slot_data = slot_data_reg;
    assign slot_first = slot_first_reg;
    assign slot_last = slot_last_reg;
    assign slot_is_header = slot_is_header_reg;
    assign slot_header_index = slot_header_index_reg;
    assign slot_covered = slot_covered_reg;
    assign slot_has_icrc = slot_has_icrc_reg;
    assign slot_icrc_word = slot_icrc_word_reg;

    assign stat_packet = stat_packet_reg;
    assign stat_window = stat_window_reg;
    assign stat_window_short = stat_window_short_reg;
    assign stat_window_long = stat_window_long_reg;
    assign stat_beat_dropped = stat_beat_dropped_reg;

    // what the payload slot takes from the input
    wire              window_end = packet_end_reg && packet_last;
    wire [KEEP_W-1:0] expected = packet_end_reg ? packet_last_keep : {KEEP_W{1'b1}};
    wire              open = wants_beat_reg && !ended_reg;
    wire [KEEP_W-1:0] kept = open ? s_axis_tkeep & expected : {KEEP_W{1'b0}};
    wire              taken = open && s_axis_tvalid && slot_ready;
    wire [DATA_W-1:0] payload;

    genvar i;
    generate
        for (i = 0; i < KEEP_W; i = i + 1) begin : g_lane
            assign payload[8*i +: 8] = s_axis_tdata[8*i +: 8] & {8{kept[i]}};
        end
    endgenerate

    assign s_axis_tready = drop_reg || (open && slot_ready);

    wire starts = packet_valid && header_ready && (ended_reg || (s_axis_tvalid && !drop_reg));
    // a packet that has begun goes on, but for payload that has not come
    assign slot_valid_next = begun_reg ? s_axis_tvalid || !open : starts;
    wire moves = slot_ready && slot_valid_next;

    // at_last_reg is low but in the last slot of the payload
    assign packet_ready = slot_ready && at_last_reg && (s_axis_tvalid || !open);
    assign header_next = moves && state_reg == STATE_HEADER && header_end_reg;

    wire is_short = taken && s_axis_tlast && (!window_end || (expected & ~s_axis_tkeep) != 0);
    wire is_long = taken && window_end && (!s_axis_tlast || (s_axis_tkeep & ~expected) != 0);

    always @* begin
        state_next = state_reg;
        header_index_next = header_index_reg;
        begun_next = begun_reg;
        ahead_next = ahead_reg + 1'b1;
        wants_beat_next = wants_beat_reg && !packet_end_reg;
        packet_end_next = ahead_reg == packet_last_beat;
        at_icrc_next = ahead_reg == packet_icrc_slot;
        past_icrc_next = past_icrc_reg || at_icrc_reg;
        at_last_next = ahead_reg == packet_last_slot;
        carry_next = carry_reg;
        slot_data_next = header[header_index_reg*DATA_W +: DATA_W];
        slot_first_next = 1'b0;
        slot_last_next = 1'b0;
        slot_covered_next = 1'b1;
        slot_has_icrc_next = 1'b0;

        case (state_reg)
            STATE_HEADER: begin
                slot_first_next = !begun_reg;
                begun_next = 1'b1;
                carry_next = immediate;
                wants_beat_next = header_end_reg;
                past_icrc_next = 1'b0;
                if (header_end_reg) begin
                    header_index_next = 3'd0;
                    state_next = STATE_PAYLOAD;
                end else begin
                    header_index_next = header_index_reg + 3'd1;
                    ahead_next = {COUNT_W{1'b0}};
                    at_last_next = 1'b0;
                end
            end
            STATE_PAYLOAD: begin
                slot_data_next = packet_last ? {payload[DATA_W-33:0], carry_reg} : payload;
                slot_last_next = at_last_reg;
                slot_has_icrc_next = at_icrc_reg;
                slot_covered_next = !past_icrc_reg && !(at_icrc_reg && packet_icrc_word == 0);
                carry_next = payload[DATA_W-1 -: 32];
                if (at_last_reg) begin
                    ahead_next = {COUNT_W{1'b0}};
                    at_last_next = 1'b0;
                    begun_next = 1'b0;
                    state_next = STATE_HEADER;
                end
            end
        endcase

        header_end_next = header_index_next == LAST_HEADER_SLOT[2:0];

        ended_next = ended_reg;
        if (wants_beat_reg && window_end && moves)
            ended_next = 1'b0;
        else if (taken && s_axis_tlast)
            ended_next = 1'b1;

        drop_next = drop_reg;
        if (drop_reg && s_axis_tvalid && s_axis_tlast)
            drop_next = 1'b0;
        else if (taken && window_end && !s_axis_tlast)
            drop_next = 1'b1;
    end

    always @(posedge clk) begin
        if (moves) begin
            state_reg <= state_next;
            header_index_reg <= header_index_next;
            header_end_reg <= header_end_next;
            begun_reg <= begun_next;
            ahead_reg <= ahead_next;
            wants_beat_reg <= wants_beat_next;
            packet_end_reg <= packet_end_next;
            at_icrc_reg <= at_icrc_next;
            past_icrc_reg <= past_icrc_next;
            at_last_reg <= at_last_next;
            carry_reg <= carry_next;
        end
        ended_reg <= ended_next;
        drop_reg <= drop_next;

        if (slot_ready) begin
            slot_valid_reg <= slot_valid_next;
            slot_data_reg <= slot_data_next;
            slot_first_reg <= slot_first_next;
            slot_last_reg <= slot_last_next;
            slot_is_header_reg <= state_reg == STATE_HEADER;
            slot_header_index_reg <= header_index_reg;
            slot_covered_reg <= slot_covered_next;
            slot_has_icrc_reg <= slot_has_icrc_next;
            slot_icrc_word_reg <= packet_icrc_word;
        end

        stat_packet_reg <= packet_ready;
        stat_window_reg <= packet_ready && packet_last;
        stat_window_short_reg <= is_short;
        stat_window_long_reg <= is_long;
        stat_beat_dropped_reg <= drop_reg && s_axis_tvalid;

        if (rst) begin
            state_reg <= STATE_HEADER;
            header_index_reg <= 3'd0;
            header_end_reg <= LAST_HEADER_SLOT == 0;
            begun_reg <= 1'b0;
            ahead_reg <= {COUNT_W{1'b0}};
            wants_beat_reg <= 1'b0;
            at_last_reg <= 1'b0;
            ended_reg <= 1'b0;
            drop_reg <= 1'b0;
            slot_valid_reg <= 1'b0;
            stat_packet_reg <= 1'b0;
            stat_window_reg <= 1'b0;
            stat_window_short_reg <= 1'b0;
            stat_window_long_reg <= 1'b0;
            stat_beat_dropped_reg <= 1'b0;
        end
    end

endmodule

`resetall
