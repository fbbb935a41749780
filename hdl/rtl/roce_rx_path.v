// SPDX-License-Identifier: Apache-2.0
//
// Host to FPGA: RoCEv2 frames in, corrections out; roce_rx followed by correction_unpacker.
//
// Latency: last beat of the frame in (cycle n) -> correction out in cycle n + 8 + b, with the ICRC
// checked, where b = ceil(payload bytes / 64): n + 9 for a payload of up to 64 bytes, n + 12 for
// one of 256. It is the same at both widths, as payloads pass from one to the other in beats of
// 512 bits.

`default_nettype none

module roce_rx_path #(
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    parameter MAX_PAYLOAD = 256,
    parameter CORR_W = 256,
    parameter PATCH_W = 8,
    parameter TABLE_W = 4,
    parameter TIME_W = 32
) (
    input  wire               clk,
    input  wire               rst,

    // frames from the MAC
    input  wire [DATA_W-1:0]  s_axis_tdata,
    input  wire [KEEP_W-1:0]  s_axis_tkeep,
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,
    input  wire               s_axis_tlast,
    input  wire               s_axis_tuser,

    // requests as they are sent
    input  wire               req_valid,
    input  wire [31:0]        req_id,
    input  wire [PATCH_W-1:0] req_patch,

    // corrections
    output wire               m_corr_valid,
    output wire [PATCH_W-1:0] m_corr_patch,
    output wire [31:0]        m_corr_id,
    output wire [63:0]        m_corr_ptp,
    output wire [CORR_W-1:0]  m_corr_bits,
    output wire [15:0]        m_corr_bytes,
    output wire               m_corr_late,

    // configuration
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
    // one pulse a request
    output wire               stat_missing,
    output wire               stat_displaced
);

    localparam PAYLOAD_W = 512;

    wire [PAYLOAD_W-1:0]   payload_tdata;
    wire [PAYLOAD_W/8-1:0] payload_tkeep;
    wire                   payload_tvalid;
    wire                   payload_tready;
    wire                   payload_tlast;

    roce_rx #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .OUT_W(PAYLOAD_W),
        .MAX_PAYLOAD(MAX_PAYLOAD)
    ) receiver (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tkeep(s_axis_tkeep),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast(s_axis_tlast),
        .s_axis_tuser(s_axis_tuser),
        .m_axis_tdata(payload_tdata),
        .m_axis_tkeep(payload_tkeep),
        .m_axis_tvalid(payload_tvalid),
        .m_axis_tready(payload_tready),
        .m_axis_tlast(payload_tlast),
        .cfg_mac(cfg_mac),
        .cfg_ip(cfg_ip),
        .cfg_qp(cfg_qp),
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

    correction_unpacker #(
        .DATA_W(PAYLOAD_W),
        .CORR_W(CORR_W),
        .PATCH_W(PATCH_W),
        .TABLE_W(TABLE_W),
        .TIME_W(TIME_W)
    ) unpacker (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(payload_tdata),
        .s_axis_tkeep(payload_tkeep),
        .s_axis_tvalid(payload_tvalid),
        .s_axis_tready(payload_tready),
        .s_axis_tlast(payload_tlast),
        .req_valid(req_valid),
        .req_id(req_id),
        .req_patch(req_patch),
        .m_corr_valid(m_corr_valid),
        .m_corr_patch(m_corr_patch),
        .m_corr_id(m_corr_id),
        .m_corr_ptp(m_corr_ptp),
        .m_corr_bits(m_corr_bits),
        .m_corr_bytes(m_corr_bytes),
        .m_corr_late(m_corr_late),
        .cfg_deadline(cfg_deadline),
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

endmodule

`resetall
