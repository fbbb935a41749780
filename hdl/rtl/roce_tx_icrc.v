// SPDX-License-Identifier: Apache-2.0
//
// Turns the slots of roce_tx_body into the frame: works out the ICRC, puts it behind the payload,
// fills in the IPv4 checksum and shifts everything by the 6 bytes of the destination MAC.
//
// The slots leave out the destination MAC, so that 8 bytes of Ethernet header come first: masked to
// ones they are the 8 bytes of ones that open the ICRC, and everything after them is aligned to
// 4-byte words. The last slot is taken as filled up with zeros, and these are then taken back by
// multiplying with the inverse of the step over 4, 8, 16 and 32 zero bytes.
//
//     stage   CRC                              data
//         1   step over the slot, from zero    IPv4 checksum filled in
//         2   sum of the steps
//         3   4 and 8 zero bytes taken back
//         4   16 and 32 bytes taken back       ICRC put in its word; then shifted
//
// Latency: 4 cycles, slot in to beat out, all of it stopped while m_axis_tready is low.

`default_nettype none

module roce_tx_icrc #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    parameter WORD_W = $clog2(KEEP_W) - 2
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              slot_valid,
    input  wire [DATA_W-1:0] slot_data,
    input  wire              slot_first,
    input  wire              slot_last,
    input  wire              slot_is_header,
    input  wire [2:0]        slot_header_index,
    input  wire              slot_covered,
    input  wire              slot_has_icrc,
    input  wire [WORD_W-1:0] slot_icrc_word,

    input  wire [47:0]       dst_mac,
    input  wire [15:0]       ip_checksum,

    output wire [DATA_W-1:0] m_axis_tdata,
    output wire [KEEP_W-1:0] m_axis_tkeep,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire              m_axis_tlast
);

    `include "roundtrip_fields.vh"

    localparam SHIFT = WRITE_ONLY_DST_MAC_W / 8;
    localparam HEADER_SIZE = WRITE_ONLY_SIZE - SHIFT;
    localparam WORDS = KEEP_W / 4;
    // bytes of the last beat behind the ICRC's place: the shift and the ICRC itself
    localparam BEHIND = (SHIFT + 4) % KEEP_W;
    localparam CHECKSUM_AT = WRITE_ONLY_IP_CHECKSUM_OFFSET - SHIFT;
    localparam CHECKSUM_SLOT = CHECKSUM_AT / KEEP_W;
    localparam CHECKSUM_LANE = CHECKSUM_AT % KEEP_W;

    // stage 1
    wire [8*HEADER_SIZE-1:0] mask;

    genvar i;
    generate
        for (i = 0; i < HEADER_SIZE; i = i + 1) begin : g_mask
            // what may change on the way counts as ones
            localparam AT = i + SHIFT;
            assign mask[8*i +: 8] = {8{
                AT < WRITE_ONLY_IP_VERSION_IHL_OFFSET
                || AT == WRITE_ONLY_IP_TOS_OFFSET
                || AT == WRITE_ONLY_IP_TTL_OFFSET
                || AT == WRITE_ONLY_IP_CHECKSUM_OFFSET
                || AT == WRITE_ONLY_IP_CHECKSUM_OFFSET + 1
                || AT == WRITE_ONLY_UDP_CHECKSUM_OFFSET
                || AT == WRITE_ONLY_UDP_CHECKSUM_OFFSET + 1
                || AT == WRITE_ONLY_BTH_RESERVED_OFFSET}};
        end
    endgenerate

    wire [DATA_W-1:0] slot_mask = mask[slot_header_index*DATA_W +: DATA_W];
    wire [DATA_W-1:0] masked = slot_data | (slot_is_header ? slot_mask : {DATA_W{1'b0}});
    wire [31:0]       step;
    wire              fill = slot_is_header && slot_header_index == CHECKSUM_SLOT[2:0];

    reg               valid_1_reg = 1'b0;
    reg  [DATA_W-1:0] data_1_reg = {DATA_W{1'b0}};
    reg               first_1_reg = 1'b0;
    reg               last_1_reg = 1'b0;
    reg               covered_1_reg = 1'b0;
    reg               has_icrc_1_reg = 1'b0;
    reg  [WORD_W-1:0] word_1_reg = {WORD_W{1'b0}};
    reg  [31:0]       step_1_reg = 32'd0;

    // stage 2
    wire [31:0]       stepped;

    reg               valid_2_reg = 1'b0;
    reg  [DATA_W-1:0] data_2_reg = {DATA_W{1'b0}};
    reg               first_2_reg = 1'b0;
    reg               last_2_reg = 1'b0;
    reg               has_icrc_2_reg = 1'b0;
    reg  [WORD_W-1:0] word_2_reg = {WORD_W{1'b0}};
    reg  [31:0]       crc_2_reg = 32'd0;

    // stage 3
    wire [31:0]       crc_3;

    reg               valid_3_reg = 1'b0;
    reg  [DATA_W-1:0] data_3_reg = {DATA_W{1'b0}};
    reg               first_3_reg = 1'b0;
    reg               last_3_reg = 1'b0;
    reg               has_icrc_3_reg = 1'b0;
    reg  [WORD_W-1:0] word_3_reg = {WORD_W{1'b0}};
    reg  [31:0]       crc_3_reg = 32'd0;

    // stage 4
    wire [31:0]       crc_4;
    wire [DATA_W-1:0] icrc_4;
    wire [WORD_W+1:0] last_length_4 = {word_3_reg, 2'd0} + BEHIND[WORD_W+1:0];
    wire [KEEP_W-1:0] last_keep_4 = ~({KEEP_W{1'b1}} << last_length_4);

    reg               valid_4_reg = 1'b0;
    reg  [DATA_W-1:0] data_4_reg = {DATA_W{1'b0}};
    reg  [KEEP_W-1:0] keep_4_reg = {KEEP_W{1'b0}};
    reg               first_4_reg = 1'b0;
    reg               last_4_reg = 1'b0;
    reg  [47:0]       before_reg = 48'd0;

    assign m_axis_tvalid = valid_4_reg;
    assign m_axis_tdata = {data_4_reg[DATA_W-49:0], first_4_reg ? dst_mac : before_reg};
    assign m_axis_tkeep = keep_4_reg;
    assign m_axis_tlast = last_4_reg;

    generate
        if (DATA_W == 512) begin : g_crc_512
            wire [31:0] without_4;
            wire [31:0] without_8;
            wire [31:0] without_16;
            wire [31:0] without_32;
            wire [3:0]  zeros_2 = 4'd0 - word_2_reg;
            wire [3:0]  zeros_3 = 4'd0 - word_3_reg;
            wire [31:0] taken_4 = zeros_2[0] ? without_4 : crc_2_reg;
            wire [31:0] taken_16 = zeros_3[2] ? without_16 : crc_3_reg;

            crc32_w512 step_crc (.state_in(32'd0), .data_in(masked), .state_out(step));
            crc32_w512 sum_crc (
                .state_in(first_1_reg ? CRC32_INIT : crc_2_reg),
                .data_in(512'd0),
                .state_out(stepped)
            );
            crc32_unpad4 unpad_4 (.state_in(crc_2_reg), .state_out(without_4));
            crc32_unpad8 unpad_8 (.state_in(taken_4), .state_out(without_8));
            crc32_unpad16 unpad_16 (.state_in(crc_3_reg), .state_out(without_16));
            crc32_unpad32 unpad_32 (.state_in(taken_16), .state_out(without_32));

            assign crc_3 = zeros_2[1] ? without_8 : taken_4;
            assign crc_4 = zeros_3[3] ? without_32 : taken_16;

            wire unused = &{1'b0, zeros_2[3:2], zeros_3[1:0]};
        end else if (DATA_W == 64) begin : g_crc_64
            wire [31:0] without_4;

            crc32_w64 step_crc (.state_in(32'd0), .data_in(masked), .state_out(step));
            crc32_w64 sum_crc (
                .state_in(first_1_reg ? CRC32_INIT : crc_2_reg),
                .data_in(64'd0),
                .state_out(stepped)
            );
            crc32_unpad4 unpad_4 (.state_in(crc_2_reg), .state_out(without_4));

            assign crc_3 = word_2_reg ? without_4 : crc_2_reg;
            assign crc_4 = crc_3_reg;
        end

        for (i = 0; i < WORDS; i = i + 1) begin : g_word
            localparam [WORD_W-1:0] HERE = i;
            assign icrc_4[32*i +: 32] = has_icrc_3_reg && word_3_reg == HERE ? ~crc_4 : 32'd0;
        end
    endgenerate

    always @(posedge clk) begin
        if (m_axis_tready) begin
            valid_1_reg <= slot_valid;
            data_1_reg <= slot_data;
            if (fill)
                data_1_reg[8*CHECKSUM_LANE +: 16] <= ip_checksum;
            first_1_reg <= slot_first;
            last_1_reg <= slot_last;
            covered_1_reg <= slot_covered;
            has_icrc_1_reg <= slot_has_icrc;
            word_1_reg <= slot_icrc_word;
            if (slot_valid)
                step_1_reg <= step;

            valid_2_reg <= valid_1_reg;
            data_2_reg <= data_1_reg;
            first_2_reg <= first_1_reg;
            last_2_reg <= last_1_reg;
            has_icrc_2_reg <= has_icrc_1_reg;
            word_2_reg <= word_1_reg;
            if (valid_1_reg && covered_1_reg)
                crc_2_reg <= stepped ^ step_1_reg;

            valid_3_reg <= valid_2_reg;
            data_3_reg <= data_2_reg;
            first_3_reg <= first_2_reg;
            last_3_reg <= last_2_reg;
            has_icrc_3_reg <= has_icrc_2_reg;
            word_3_reg <= word_2_reg;
            if (valid_2_reg)
                crc_3_reg <= crc_3;

            valid_4_reg <= valid_3_reg;
            data_4_reg <= data_3_reg | icrc_4;
            keep_4_reg <= last_3_reg ? last_keep_4 : {KEEP_W{1'b1}};
            first_4_reg <= first_3_reg;
            last_4_reg <= last_3_reg;
            if (valid_4_reg)
                before_reg <= data_4_reg[DATA_W-1 -: 48];
        end
        if (rst) begin
            valid_1_reg <= 1'b0;
            valid_2_reg <= 1'b0;
            valid_3_reg <= 1'b0;
            valid_4_reg <= 1'b0;
        end
    end

endmodule

`resetall
