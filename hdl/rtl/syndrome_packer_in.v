// SPDX-License-Identifier: Apache-2.0
//
// Front of the syndrome packer: checks the length of every round, admits a message or drops it,
// and joins the bits of its rounds without a gap into words of WORD_W bits.
//
// The input is never held up. A message is admitted at its first beat, if `room` is high then;
// a round of a message that was not admitted is dropped whole. A round that ends too early or
// too late makes its message bad; tlast alone counts rounds, so the next message is in step again.
//
// Bits of the message fill a word from bit 0; the last word is filled with zeros.
// Latency: a word is written in the cycle after the beat that completes it, the rest of a message
// that overflows its last full word in the cycle after that.
// At most one word is written a cycle: a word holds two beats, so the first beat of a message
// never completes a word, unless the message is that beat and nothing precedes it.

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

    input  wire [31:0]       ptp_sec,
    input  wire [31:0]       ptp_nsec,

    input  wire              room,  // a message may be admitted
    output wire              admit,  // a message is admitted, in the cycle of its first beat

    output wire              word_valid,
    output wire [WORD_W-1:0] word_data,

    output wire              open,  // first beat of an admitted message
    output wire [63:0]       open_count,  // messages before it, dropped ones included
    output wire [63:0]       open_ptp,  // time of its first beat: seconds low, nanoseconds high
    output wire              close,  // its end, after or with its last word but one
    output wire              bad,  // it has had a round of a wrong length

    input  wire [11:0]       cfg_last_bit,  // bits of a round less one
    input  wire [7:0]        cfg_last_round,  // rounds of a message less one

    output wire              stat_round_dropped,
    output wire              stat_round_short,
    output wire              stat_round_long
);

    localparam IN_LOG = $clog2(IN_W);
    localparam POS_W = $clog2(WORD_W);
    localparam LANES = WORD_W / IN_W;
    localparam LANE_W = POS_W - IN_LOG;
    localparam BEAT_W = 12 - IN_LOG;

    // derived configuration, one cycle behind cfg_*
    wire [IN_LOG:0] tail_bits = {1'b0, cfg_last_bit[IN_LOG-1:0]} + {{IN_LOG{1'b0}}, 1'b1};

    reg [BEAT_W-1:0] last_beat_reg;
    reg              one_beat_reg;
    reg              one_round_reg;
    reg [IN_LOG:0]   tail_bits_reg;
    reg [IN_W-1:0]   tail_mask_reg;

    always @(posedge clk) begin
        last_beat_reg <= cfg_last_bit[11:IN_LOG];
        one_beat_reg <= cfg_last_bit[11:IN_LOG] == 0;
        one_round_reg <= cfg_last_round == 0;
        tail_bits_reg <= tail_bits;
        tail_mask_reg <= ~({IN_W{1'b1}} << tail_bits);
    end

    // where in the message the beat at the input stands
    reg [BEAT_W-1:0] beat_reg = 0;
    reg [7:0]        round_reg = 0;
    reg              first_reg = 1'b1;  // the first beat of a message
    reg              complete_reg = 1'b0;  // it completes the bits of its round
    reg              over_reg = 1'b0;  // they are complete, tlast is missing
    reg              last_round_reg = 1'b0;
    reg              taken_reg = 1'b0;
    reg              bad_reg = 1'b0;
    reg [63:0]       count_reg = 0;
    reg [POS_W-1:0]  pos_reg = 0;  // where its bits go in their word

    wire beat = s_axis_tvalid;
    wire last = s_axis_tlast && last_round_reg;
    wire taken = first_reg ? room : taken_reg;
    wire short_round = beat && s_axis_tlast && !complete_reg && !over_reg;
    wire long_round = beat && !s_axis_tlast && complete_reg;
    wire is_bad = short_round || long_round || (bad_reg && !first_reg);
    wire store = beat && taken && !over_reg;
    wire [BEAT_W-1:0] beat_next = beat_reg + {{(BEAT_W-1){1'b0}}, 1'b1};
    wire [7:0]        round_next = round_reg + 8'd1;

    assign admit = beat && first_reg && room;

    wire [IN_LOG:0]   beat_bits = complete_reg ? tail_bits_reg : {1'b1, {IN_LOG{1'b0}}};
    wire [POS_W:0]    pos_end = {1'b0, pos_reg} + {{LANE_W{1'b0}}, beat_bits};
    wire [IN_W-1:0]   beat_data = s_axis_tdata & (tail_mask_reg | {IN_W{!complete_reg}});

    reg              s1_store_reg = 1'b0;
    reg              s1_first_reg = 1'b0;
    reg              s1_full_reg = 1'b0;  // the beat completes its word
    reg              s1_over_reg = 1'b0;  // and some of its bits are of the next one
    reg              s1_flush_reg = 1'b0;  // the last bits of the message
    reg              s1_close_reg = 1'b0;
    reg              s1_bad_reg = 1'b0;
    reg [LANE_W-1:0] s1_lane_reg = 0;
    reg [2*IN_W-1:0] s1_data_reg = 0;
    reg [63:0]       s1_ptp_reg = 0;
    reg [63:0]       s1_count_reg = 0;
    reg              dropped_reg = 1'b0;
    reg              short_reg = 1'b0;
    reg              long_reg = 1'b0;

    always @(posedge clk) begin
        if (beat) begin
            first_reg <= last;
            taken_reg <= taken;
            bad_reg <= is_bad;
            if (s_axis_tlast) begin
                beat_reg <= 0;
                complete_reg <= one_beat_reg;
                over_reg <= 1'b0;
                round_reg <= last_round_reg ? 8'd0 : round_next;
                last_round_reg <= last_round_reg ? one_round_reg : round_next == cfg_last_round;
            end else begin
                beat_reg <= beat_next;
                complete_reg <= beat_next == last_beat_reg && !complete_reg && !over_reg;
                over_reg <= complete_reg || over_reg;
            end
            if (last)
                pos_reg <= 0;
            else if (!over_reg)
                pos_reg <= pos_end[POS_W-1:0];
            if (last)
                count_reg <= count_reg + 64'd1;
        end

        s1_store_reg <= store;
        s1_first_reg <= first_reg;
        s1_full_reg <= pos_end[POS_W];
        s1_over_reg <= pos_end[POS_W] && pos_end[POS_W-1:0] != 0;
        s1_flush_reg <= complete_reg && last_round_reg;
        s1_close_reg <= beat && taken && last;
        s1_bad_reg <= is_bad;
        s1_lane_reg <= pos_reg[POS_W-1:IN_LOG];
        s1_data_reg <= {{IN_W{1'b0}}, beat_data} << pos_reg[IN_LOG-1:0];
        s1_ptp_reg <= {ptp_nsec, ptp_sec};
        s1_count_reg <= count_reg;

        dropped_reg <= beat && s_axis_tlast && !taken;
        short_reg <= short_round;
        long_reg <= long_round;

        if (rst) begin
            beat_reg <= 0;
            round_reg <= 0;
            first_reg <= 1'b1;
            complete_reg <= one_beat_reg;
            over_reg <= 1'b0;
            last_round_reg <= one_round_reg;
            count_reg <= 0;
            pos_reg <= 0;
            s1_store_reg <= 1'b0;
            s1_close_reg <= 1'b0;
            dropped_reg <= 1'b0;
            short_reg <= 1'b0;
            long_reg <= 1'b0;
        end
    end

    // the word being filled; its upper half is above the beats of its last lane
    reg [WORD_W-1:0] word_reg = 0;
    reg              rest_reg = 1'b0;  // word_reg is the end of a message, still to be written

    wire [WORD_W-1:0] filled;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : g_lane
            wire here = s1_lane_reg == lane;
            wire [IN_W-1:0] old = s1_first_reg ? {IN_W{1'b0}} : word_reg[lane*IN_W +: IN_W];
            wire [IN_W-1:0] low = here ? s1_data_reg[0 +: IN_W] : {IN_W{1'b0}};
            if (lane == 0) begin : g_first
                assign filled[lane*IN_W +: IN_W] = old | low;
            end else begin : g_next
                wire after = s1_lane_reg == lane - 1;
                wire [IN_W-1:0] high = after ? s1_data_reg[IN_W +: IN_W] : {IN_W{1'b0}};
                assign filled[lane*IN_W +: IN_W] = old | low | high;
            end
        end
    endgenerate

    wire word_done = s1_store_reg && (s1_full_reg || s1_flush_reg);

    assign word_valid = word_done || rest_reg;
    assign word_data = rest_reg ? word_reg : filled;
    assign open = s1_store_reg && s1_first_reg;
    assign open_count = s1_count_reg;
    assign open_ptp = s1_ptp_reg;
    assign close = s1_close_reg;
    assign bad = s1_bad_reg;
    assign stat_round_dropped = dropped_reg;
    assign stat_round_short = short_reg;
    assign stat_round_long = long_reg;

    always @(posedge clk) begin
        if (s1_store_reg)
            word_reg <= s1_full_reg ? {{(WORD_W-IN_W){1'b0}}, s1_data_reg[IN_W +: IN_W]} : filled;
        rest_reg <= s1_store_reg && s1_flush_reg && s1_over_reg;
        if (rst)
            rest_reg <= 1'b0;
    end

endmodule

`resetall
