// SPDX-License-Identifier: Apache-2.0
//
// Lengths of windows in, one description of a packet out: where it is cut, what its length fields
// say, and in which slots its payload, its ICRC and its end lie.
//
// A window is cut after every cfg_pkt_len_pages128 * 128 bytes; only its last packet carries an
// immediate and may need padding to a whole 4-byte word. The body of a packet is counted from the
// end of the RETH: immediate (4, last packet only), payload, padding. Slots are those of
// roce_tx_body after the header.
//
// With cfg_mode_native the length of each window comes from s_len; without, it is
// cfg_bytes_per_window, prepared before the window starts and again whenever that setting changes.
//
// Latency: a length accepted in cycle n is described in cycle n + 2; one packet every 2 cycles.

`default_nettype none

module roce_tx_plan #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    parameter LEN_W = 24,
    parameter BEAT_W = $clog2(KEEP_W),
    parameter COUNT_W = 16 - BEAT_W,
    parameter WORD_W = BEAT_W - 2
) (
    input  wire               clk,
    input  wire               rst,

    input  wire [LEN_W-1:0]   s_len_tdata,
    input  wire               s_len_tvalid,
    output wire               s_len_tready,

    output wire               packet_valid,
    input  wire               packet_ready,
    // last packet of its window
    output wire               packet_last,
    output wire [15:0]        packet_dma_len,
    output wire [15:0]        packet_ip_len,
    output wire [15:0]        packet_udp_len,
    output wire [1:0]         packet_pad,
    // number of the last beat of payload, and the bytes of the window in it
    output wire [COUNT_W-1:0] packet_last_beat,
    output wire [KEEP_W-1:0]  packet_last_keep,
    // number of the slot and of the 4-byte word in it that holds the ICRC before the frame's shift
    output wire [COUNT_W-1:0] packet_icrc_slot,
    output wire [WORD_W-1:0]  packet_icrc_word,
    // number of the last slot
    output wire [COUNT_W-1:0] packet_last_slot,

    input  wire               cfg_mode_native,
    input  wire [LEN_W-1:0]   cfg_bytes_per_window,
    // 1 to 511; 0 counts as 511
    input  wire [8:0]         cfg_pkt_len_pages128
);

    `include "roundtrip_fields.vh"

    localparam ICRC_SIZE = 4;
    localparam IMMEDIATE_SIZE = WRITE_WITH_IMMEDIATE_SIZE - WRITE_ONLY_SIZE;
    localparam [15:0] IP_OVERHEAD =
        WRITE_ONLY_SIZE - WRITE_ONLY_IP_VERSION_IHL_OFFSET + ICRC_SIZE;
    localparam [15:0] UDP_OVERHEAD = WRITE_ONLY_SIZE - WRITE_ONLY_UDP_SRC_PORT_OFFSET + ICRC_SIZE;
    // the shift puts 6 bytes before the body and the ICRC 4 behind it; the sum counts whole words
    localparam [15:0] FRAME_OVERHEAD = 16'd8;

    // restart what was prepared from settings that have changed
    reg              native_reg = 1'b0;
    reg [LEN_W-1:0]  window_reg = {LEN_W{1'b0}};
    reg [8:0]        pages_reg = 9'd0;
    reg [15:0]       most_reg = 16'd0;

    wire stale = !native_reg && (cfg_mode_native || window_reg != cfg_bytes_per_window
        || pages_reg != cfg_pkt_len_pages128);

    // first stage: cut
    reg              cut_valid_reg = 1'b0;
    // bytes of the window are left after this packet
    reg              cut_more_reg = 1'b0;
    reg [15:0]       cut_len_reg = 16'd0;
    reg [LEN_W-1:0]  cut_rest_reg = {LEN_W{1'b0}};
    reg              rest_fits_reg = 1'b0;

    // second stage: fields
    reg               packet_valid_reg = 1'b0;
    reg               packet_last_reg = 1'b0;
    reg [15:0]        packet_dma_len_reg = 16'd0;
    reg [13:0]        packet_ip_words_reg = 14'd0;
    reg [13:0]        packet_udp_words_reg = 14'd0;
    reg [1:0]         packet_pad_reg = 2'd0;
    reg [COUNT_W-1:0] packet_last_beat_reg = {COUNT_W{1'b0}};
    reg [KEEP_W-1:0]  packet_last_keep_reg = {KEEP_W{1'b0}};
    reg [COUNT_W-1:0] packet_icrc_slot_reg = {COUNT_W{1'b0}};
    reg [WORD_W-1:0]  packet_icrc_word_reg = {WORD_W{1'b0}};
    reg [COUNT_W-1:0] packet_last_slot_reg = {COUNT_W{1'b0}};

    assign s_len_tready = native_reg && !cut_valid_reg && !cut_more_reg;

    assign packet_valid = packet_valid_reg;
    assign packet_last = packet_last_reg;
    assign packet_dma_len = packet_dma_len_reg;
    assign packet_ip_len = {packet_ip_words_reg, 2'd0};
    assign packet_udp_len = {packet_udp_words_reg, 2'd0};
    assign packet_pad = packet_pad_reg;
    assign packet_last_beat = packet_last_beat_reg;
    assign packet_last_keep = packet_last_keep_reg;
    assign packet_icrc_slot = packet_icrc_slot_reg;
    assign packet_icrc_word = packet_icrc_word_reg;
    assign packet_last_slot = packet_last_slot_reg;

    wire describe = cut_valid_reg && (!packet_valid_reg || packet_ready);

    wire [LEN_W-1:0] most = {{LEN_W-16{1'b0}}, most_reg};
    wire [LEN_W-1:0] window = native_reg ? s_len_tdata : window_reg;
    wire [LEN_W-1:0] left = cut_more_reg ? cut_rest_reg : window;
    // each compared by itself: a choice before the sum takes longer than one behind it
    wire             window_fits = (native_reg && s_len_tdata <= most)
        || (!native_reg && window_reg <= most);
    wire             left_fits = (cut_more_reg && rest_fits_reg) || (!cut_more_reg && window_fits);
    wire             cut = !cut_valid_reg && (cut_more_reg || !native_reg || s_len_tvalid);

    // every field is one sum of the length of the payload and a constant
    wire [15:0] immediate = cut_more_reg ? 16'd0 : IMMEDIATE_SIZE;
    wire [15:0] body = cut_len_reg + (16'd3 + immediate);
    wire [15:0] ip = cut_len_reg + (IP_OVERHEAD + 16'd3 + immediate);
    wire [15:0] udp = cut_len_reg + (UDP_OVERHEAD + 16'd3 + immediate);
    wire [15:0] frame = cut_len_reg + (FRAME_OVERHEAD + 16'd3 + immediate);
    wire [15:0] before = cut_len_reg - 16'd1;

    wire              empty = cut_len_reg == 16'd0;
    wire [BEAT_W-1:0] tail = cut_len_reg[BEAT_W-1:0];
    wire [KEEP_W-1:0] tail_keep = ~({KEEP_W{1'b1}} << tail);

    always @(posedge clk) begin
        native_reg <= cfg_mode_native;
        window_reg <= cfg_bytes_per_window;
        pages_reg <= cfg_pkt_len_pages128;
        most_reg <= {cfg_pkt_len_pages128 == 9'd0 ? 9'd511 : cfg_pkt_len_pages128, 7'd0};

        if (cut) begin
            cut_more_reg <= !left_fits;
            cut_len_reg <= left_fits ? left[15:0] : most_reg;
            cut_rest_reg <= left - most;
            rest_fits_reg <= left <= {most[LEN_W-2:0], 1'b0};
        end
        cut_valid_reg <= cut || (cut_valid_reg && !describe);

        if (describe) begin
            packet_last_reg <= !cut_more_reg;
            packet_dma_len_reg <= cut_len_reg;
            packet_ip_words_reg <= ip[15:2];
            packet_udp_words_reg <= udp[15:2];
            packet_pad_reg <= 2'd0 - cut_len_reg[1:0];
            packet_last_beat_reg <= empty ? {COUNT_W{1'b0}} : before[15:BEAT_W];
            packet_last_keep_reg <= tail == 0 && !empty ? {KEEP_W{1'b1}} : tail_keep;
            packet_icrc_slot_reg <= body[15:BEAT_W];
            packet_icrc_word_reg <= body[BEAT_W-1:2];
            packet_last_slot_reg <= frame[15:BEAT_W];
        end
        packet_valid_reg <= describe || (packet_valid_reg && !packet_ready);

        if (rst || stale) begin
            cut_valid_reg <= 1'b0;
            cut_more_reg <= 1'b0;
            packet_valid_reg <= 1'b0;
        end
    end

    wire unused = &{1'b0, ip[1:0], udp[1:0], body[1:0], frame[BEAT_W-1:0], before[BEAT_W-1:0]};

endmodule

`resetall
