// SPDX-License-Identifier: Apache-2.0
//
// Front of the syndrome packer: checks the length of every round, admits a message or drops it,
// and joins the bits of its rounds without a gap into words of WORD_W bits.
//
// The input is never held up. A message is admitted at its first beat, if `room` is high when that
// is in the input register; a round of a message that was not admitted is dropped whole. A round
// that ends too early or too late makes its message bad, and so does one that makes the message
// longer than cfg_message_bits: none of its bits are written. tlast alone ends rounds and, with
// the flag beside it, messages, so the next message is in step again.
//
// Bits of the message fill a word from bit 0; the last word is filled with zeros.
// Latency: a word is written in the second cycle after the beat that completes it, the rest of a
// message that overflows its last full word in the cycle after that. `close` comes in the second
// cycle after the last beat.
// At most one word is written a cycle: a word holds two beats, so the first beat of a message
// completes none unless it is the whole message. The word of such a message waits a cycle if the
// rest of the one before it is written then, and so do those of the messages of one beat that
// follow it without a pause.

`default_nettype none

module syndrome_packer_in #(
    parameter IN_W = 32,
    parameter WORD_W = 128
) (
    input  wire              clk,
    input  wire              rst,

    input  wire [IN_W-1:0]   s_axis_tdata,
    input  wire              s_axis_tvalid,
    input  wire              s_axis_tlast,
    input  wire [12:0]       s_axis_tuser,

    input  wire [31:0]       ptp_sec,
    input  wire [31:0]       ptp_nsec,

    input  wire              room,  // a message may be admitted
    output wire              admit,  // a message is admitted

    output wire              word_valid,
    output wire              word_late,  // of a message whose close was before this cycle
    output wire [WORD_W-1:0] word_data,

    output wire              open,  // first beat of an admitted message
    output wire [63:0]       open_count,  // messages before it, dropped ones included
    output wire [63:0]       open_ptp,  // time of its first beat: seconds low, nanoseconds high
    output wire              close,  // its end, with its last word or one that word_late follows
    output wire [19:0]       close_last_bit,  // its bits less one
    output wire              bad,  // it is too long or has had a round of a wrong length
    output wire              too_long,

    input  wire [19:0]       cfg_message_bits,

    output wire              stat_round_dropped,
    output wire              stat_round_short,
    output wire              stat_round_long
);

    localparam IN_LOG = $clog2(IN_W);
    localparam POS_W = $clog2(WORD_W);
    localparam LANES = WORD_W / IN_W;
    localparam LANE_W = POS_W - IN_LOG;
    localparam BEAT_W = 12 - IN_LOG;

    // ---- the beat at the input: where it stands in its round ----
    reg [BEAT_W-1:0] beat_reg = 0;
    reg              start_reg = 1'b1;  // the first beat of its round
    reg              over_reg = 1'b0;  // the bits of the round are complete, tlast is missing

    wire            at_end = s_axis_tuser[11:IN_LOG] == beat_reg;
    wire            complete = at_end && !over_reg;
    wire [IN_LOG:0] tail_bits = {1'b0, s_axis_tuser[IN_LOG-1:0]} + {{IN_LOG{1'b0}}, 1'b1};
    wire [IN_W-1:0] tail_mask = ~({IN_W{1'b1}} << tail_bits);

    reg              s1_valid_reg = 1'b0;
    reg              s1_start_reg = 1'b0;
    reg              s1_last_reg = 1'b0;  // of its round
    reg              s1_end_reg = 1'b0;  // its round ends the message
    reg              s1_complete_reg = 1'b0;  // it completes the bits of its round
    reg              s1_over_reg = 1'b0;
    reg              s1_short_reg = 1'b0;
    reg              s1_long_reg = 1'b0;
    reg [11:0]       s1_last_bit_reg = 0;  // bits of its round less one
    reg [12:0]       s1_round_reg = 0;  // bits of its round
    reg [IN_LOG:0]   s1_bits_reg = 0;  // that it brings
    reg [IN_W-1:0]   s1_data_reg = 0;
    reg [63:0]       s1_ptp_reg = 0;

    always @(posedge clk) begin
        if (s_axis_tvalid) begin
            beat_reg <= s_axis_tlast ? {BEAT_W{1'b0}} : beat_reg + {{(BEAT_W-1){1'b0}}, 1'b1};
            start_reg <= s_axis_tlast;
            over_reg <= !s_axis_tlast && (at_end || over_reg);
        end
        s1_valid_reg <= s_axis_tvalid;
        s1_start_reg <= start_reg;
        s1_last_reg <= s_axis_tlast;
        s1_end_reg <= s_axis_tuser[12];
        s1_complete_reg <= complete;
        s1_over_reg <= over_reg;
        s1_short_reg <= s_axis_tvalid && s_axis_tlast && !at_end && !over_reg;
        s1_long_reg <= s_axis_tvalid && !s_axis_tlast && complete;
        s1_last_bit_reg <= s_axis_tuser[11:0];
        s1_round_reg <= {1'b0, s_axis_tuser[11:0]} + 13'd1;
        s1_bits_reg <= at_end ? tail_bits : {1'b1, {IN_LOG{1'b0}}};
        s1_data_reg <= s_axis_tdata & (tail_mask | {IN_W{!at_end}});
        s1_ptp_reg <= {ptp_nsec, ptp_sec};
        if (rst) begin
            beat_reg <= 0;
            start_reg <= 1'b1;
            over_reg <= 1'b0;
            s1_valid_reg <= 1'b0;
            s1_short_reg <= 1'b0;
            s1_long_reg <= 1'b0;
        end
    end

    // ---- the beat in the input register: where it stands in its message ----
    reg             first_reg = 1'b1;  // the first beat of a message
    reg             taken_reg = 1'b0;
    reg             bad_reg = 1'b0;  // a round of the message has had a wrong length
    reg [63:0]      count_reg = 0;
    reg [POS_W-1:0] pos_reg = 0;  // where its bits go in their word
    reg [19:0]      last_bit_reg = 0;  // of the message, its round included
    reg [20:0]      left_reg = 0;  // bits left for rounds to come; stays negative (bit 20)

    wire             last = s1_last_reg && s1_end_reg;
    wire             taken = first_reg ? room : taken_reg;
    wire             is_bad = s1_short_reg || s1_long_reg || (bad_reg && !first_reg);
    wire [POS_W:0]   pos_end = {1'b0, pos_reg} + {{LANE_W{1'b0}}, s1_bits_reg};
    wire [20:0]      left = first_reg ? {1'b0, cfg_message_bits} : left_reg;

    assign admit = s1_valid_reg && first_reg && room;

    reg              s2_store_reg = 1'b0;
    reg              s2_first_reg = 1'b0;
    reg              s2_full_reg = 1'b0;  // the beat completes its word
    reg              s2_over_reg = 1'b0;  // and some of its bits are of the next one
    reg              s2_flush_reg = 1'b0;  // the last bits of a message that is not bad
    reg              s2_close_reg = 1'b0;
    reg              s2_bad_reg = 1'b0;
    reg [LANE_W-1:0] s2_lane_reg = 0;
    reg [2*IN_W-1:0] s2_data_reg = 0;
    reg [63:0]       s2_ptp_reg = 0;
    reg [63:0]       s2_count_reg = 0;
    reg              dropped_reg = 1'b0;

    always @(posedge clk) begin
        if (s1_valid_reg) begin
            first_reg <= last;
            taken_reg <= taken;
            bad_reg <= is_bad;
            if (last)
                pos_reg <= 0;
            else if (!s1_over_reg)
                pos_reg <= pos_end[POS_W-1:0];
            if (last)
                count_reg <= count_reg + 64'd1;
            if (s1_start_reg) begin
                last_bit_reg <= first_reg ? {8'd0, s1_last_bit_reg}
                    : last_bit_reg + {7'd0, s1_round_reg};
                left_reg <= left[20] ? left : left - {8'd0, s1_round_reg};
            end
        end

        s2_store_reg <= s1_valid_reg && taken && !s1_over_reg;
        s2_first_reg <= first_reg;
        s2_full_reg <= pos_end[POS_W];
        s2_over_reg <= pos_end[POS_W] && pos_end[POS_W-1:0] != 0;
        s2_flush_reg <= s1_complete_reg && s1_end_reg && !is_bad;
        s2_close_reg <= s1_valid_reg && taken && last;
        s2_bad_reg <= is_bad;
        s2_lane_reg <= pos_reg[POS_W-1:IN_LOG];
        s2_data_reg <= {{IN_W{1'b0}}, s1_data_reg} << pos_reg[IN_LOG-1:0];
        s2_ptp_reg <= s1_ptp_reg;
        s2_count_reg <= count_reg;

        dropped_reg <= s1_valid_reg && s1_last_reg && !taken;

        if (rst) begin
            first_reg <= 1'b1;
            count_reg <= 0;
            pos_reg <= 0;
            s2_store_reg <= 1'b0;
            s2_close_reg <= 1'b0;
            dropped_reg <= 1'b0;
        end
    end

    // ---- the word being filled; its upper half is above the beats of its last lane ----
    reg [WORD_W-1:0] word_reg = 0;
    reg              late_reg = 1'b0;  // word_reg is the end of a message, still to be written

    wire [WORD_W-1:0] filled;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : g_lane
            wire here = s2_lane_reg == lane;
            wire [IN_W-1:0] old = s2_first_reg ? {IN_W{1'b0}} : word_reg[lane*IN_W +: IN_W];
            wire [IN_W-1:0] low = here ? s2_data_reg[0 +: IN_W] : {IN_W{1'b0}};
            if (lane == 0) begin : g_first
                assign filled[lane*IN_W +: IN_W] = old | low;
            end else begin : g_next
                wire after = s2_lane_reg == lane - 1;
                wire [IN_W-1:0] high = after ? s2_data_reg[IN_W +: IN_W] : {IN_W{1'b0}};
                assign filled[lane*IN_W +: IN_W] = old | low | high;
            end
        end
    endgenerate

    // last_bit_reg and left_reg change with the first beat of a round, so they fit the beat here
    assign too_long = left_reg[20];
    wire   store = s2_store_reg && !too_long;

    assign word_valid = (store && (s2_full_reg || s2_flush_reg)) || late_reg;
    assign word_late = late_reg;
    assign word_data = late_reg ? word_reg : filled;
    assign open = s2_store_reg && s2_first_reg;
    assign open_count = s2_count_reg;
    assign open_ptp = s2_ptp_reg;
    assign close = s2_close_reg;
    assign close_last_bit = last_bit_reg;
    assign bad = s2_bad_reg || too_long;
    assign stat_round_dropped = dropped_reg;
    assign stat_round_short = s1_short_reg;
    assign stat_round_long = s1_long_reg;

    always @(posedge clk) begin
        if (s2_store_reg)
            word_reg <= s2_full_reg ? {{(WORD_W-IN_W){1'b0}}, s2_data_reg[IN_W +: IN_W]} : filled;
        late_reg <= store && s2_flush_reg && (s2_over_reg || late_reg);
        if (rst)
            late_reg <= 1'b0;
    end

endmodule

`resetall
