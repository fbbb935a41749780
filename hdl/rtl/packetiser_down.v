// SPDX-License-Identifier: Apache-2.0
//
// Host to FPGA: RoCEv2 frames on the clock of the MAC become corrections on the readout clock.
//
//     on clk                 | on rd_clk
//     s_axis -> roce_rx_path -> axis_async_fifo -> m_corr
//
// roce_rx_path.v says which frames are taken and how responses are told apart. m_corr_valid stays
// up until m_corr_ready; a correction that finds DEPTH others waiting is lost and counted
// (stat_correction_lost). req_* are the requests as they are sent.
//
// Latency, last beat of a frame in to its correction out, with rd_clk = clk: 13 cycles for a
// payload of up to 64 bytes, one more for each further 64. Four of them are the crossing, which
// takes up to five cycles of rd_clk where the clocks differ.
// Hold both resets for at least four cycles of the slower clock.

`default_nettype none

module packetiser_down #(
    parameter DATA_W = 512,  // 64 or 512
    parameter KEEP_W = DATA_W / 8,
    parameter MAX_PAYLOAD = 256,  // as in roce_rx
    parameter CORR_W = 256,  // as in correction_unpacker, and so are the three below
    parameter PATCH_W = 8,
    parameter TABLE_W = 6,
    parameter TIME_W = 32,
    parameter DEPTH = 16  // corrections that can wait, power of two
) (
    input  wire               rd_clk,
    input  wire               rd_rst,
    input  wire               clk,
    input  wire               rst,

    // frames from the MAC
    input  wire [DATA_W-1:0]  s_axis_tdata,
    input  wire [KEEP_W-1:0]  s_axis_tkeep,
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,
    input  wire               s_axis_tlast,
    input  wire               s_axis_tuser,  // the MAC found the frame bad

    // requests as they are sent
    input  wire               req_valid,
    input  wire [31:0]        req_id,
    input  wire [PATCH_W-1:0] req_patch,

    // corrections, on rd_clk
    output wire               m_corr_valid,
    input  wire               m_corr_ready,
    output wire [PATCH_W-1:0] m_corr_patch,
    output wire [31:0]        m_corr_id,
    output wire [63:0]        m_corr_ptp,
    output wire [CORR_W-1:0]  m_corr_bits,
    output wire [15:0]        m_corr_bytes,
    output wire               m_corr_late,

    input  wire [47:0]        cfg_mac,
    input  wire [31:0]        cfg_ip,
    input  wire [23:0]        cfg_qp,
    input  wire [TIME_W-1:0]  cfg_deadline,

    // one pulse a frame
    output wire               stat_accepted,
    output wire               stat_mac_error,
    output wire               stat_truncated,
    output wire               stat_oversize,
    output wire               stat_not_roce,
    output wire               stat_bad_checksum,
    output wire               stat_foreign_address,
    output wire               stat_foreign_qp,
    output wire               stat_bad_opcode,
    output wire               stat_bad_length,
    output wire               stat_bad_icrc,
    // one pulse a response
    output wire               stat_on_time,
    output wire               stat_late,
    output wire               stat_bad_status,
    output wire               stat_duplicate,
    output wire               stat_unknown,
    output wire               stat_bad_response,
    output wire               stat_bad_magic,
    output reg                stat_correction_lost,
    // one pulse a request
    output wire               stat_missing,
    output wire               stat_displaced
);

    localparam USER_W = 1 + 16 + PATCH_W + 32 + 64;

    wire               corr_valid;
    wire               corr_ready;
    wire [PATCH_W-1:0] corr_patch;
    wire [31:0]        corr_id;
    wire [63:0]        corr_ptp;
    wire [CORR_W-1:0]  corr_bits;
    wire [15:0]        corr_bytes;
    wire               corr_late;

    roce_rx_path #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .MAX_PAYLOAD(MAX_PAYLOAD),
        .CORR_W(CORR_W),
        .PATCH_W(PATCH_W),
        .TABLE_W(TABLE_W),
        .TIME_W(TIME_W)
    ) path (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tkeep(s_axis_tkeep),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast(s_axis_tlast),
        .s_axis_tuser(s_axis_tuser),
        .req_valid(req_valid),
        .req_id(req_id),
        .req_patch(req_patch),
        .m_corr_valid(corr_valid),
        .m_corr_patch(corr_patch),
        .m_corr_id(corr_id),
        .m_corr_ptp(corr_ptp),
        .m_corr_bits(corr_bits),
        .m_corr_bytes(corr_bytes),
        .m_corr_late(corr_late),
        .cfg_mac(cfg_mac),
        .cfg_ip(cfg_ip),
        .cfg_qp(cfg_qp),
        .cfg_deadline(cfg_deadline),
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
        .stat_bad_icrc(stat_bad_icrc),
        .stat_on_time(stat_on_time),
        .stat_late(stat_late),
        .stat_bad_status(stat_bad_status),
        .stat_duplicate(stat_duplicate),
        .stat_unknown(stat_unknown),
        .stat_bad_response(stat_bad_response),
        .stat_bad_magic(stat_bad_magic),
        .stat_missing(stat_missing),
        .stat_displaced(stat_displaced)
    );

    wire [CORR_W/8-1:0] keep_unused;
    wire                last_unused;

    axis_async_fifo #(
        .DATA_W(CORR_W),
        .USER_W(USER_W),
        .DEPTH(DEPTH)
    ) crossing (
        .s_clk(clk),
        .s_rst(rst),
        .m_clk(rd_clk),
        .m_rst(rd_rst),
        .s_axis_tdata(corr_bits),
        .s_axis_tkeep({(CORR_W/8){1'b1}}),
        .s_axis_tvalid(corr_valid),
        .s_axis_tready(corr_ready),
        .s_axis_tlast(1'b1),
        .s_axis_tuser({corr_late, corr_bytes, corr_patch, corr_id, corr_ptp}),
        .m_axis_tdata(m_corr_bits),
        .m_axis_tkeep(keep_unused),
        .m_axis_tvalid(m_corr_valid),
        .m_axis_tready(m_corr_ready),
        .m_axis_tlast(last_unused),
        .m_axis_tuser({m_corr_late, m_corr_bytes, m_corr_patch, m_corr_id, m_corr_ptp})
    );

    always @(posedge clk)
        stat_correction_lost <= corr_valid && !corr_ready && !rst;

endmodule

`resetall
