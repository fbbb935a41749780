// SPDX-License-Identifier: Apache-2.0
//
// The packetiser: rounds of syndromes to frames and responses to corrections, between a readout on
// rd_clk and a MAC on clk. It is packetiser_up and packetiser_down side by side; the requests that
// leave are what the responses are held against. The board has one address for both ways.
//
//     readout  s_axis[p] -> packetiser_up   -> tx_axis  MAC
//                                | requests
//              m_corr    <- packetiser_down <- rx_axis
//
// Latency and throughput are those of the two: first beat of a frame out 18 cycles after the
// last beat of its message, a correction out 13 cycles after the last beat of its frame, with
// rd_clk = clk.

`default_nettype none

module packetiser_top #(
    parameter DATA_W = 512,  // 64 or 512
    parameter KEEP_W = DATA_W / 8,
    parameter PATCHES = 1,  // 1 to 32
    parameter IN_W = 32,  // of a patch's input, as in syndrome_packer
    parameter DEPTH = 256,
    parameter MESSAGES = 16,
    parameter INDICES = 512,
    parameter LEN_W = 24,
    parameter PATCH_W = 8,
    parameter MAX_PAYLOAD = 256,  // of a response, as in roce_rx
    parameter CORR_W = 256,  // as in correction_unpacker
    parameter TABLE_W = 6,
    parameter TIME_W = 32
) (
    input  wire                          rd_clk,
    input  wire                          rd_rst,
    input  wire                          clk,
    input  wire                          rst,
    // rounds, on rd_clk
    input  wire [PATCHES*IN_W-1:0]       s_axis_tdata,
    input  wire [PATCHES-1:0]            s_axis_tvalid,
    output wire [PATCHES-1:0]            s_axis_tready,
    input  wire [PATCHES-1:0]            s_axis_tlast,
    input  wire [PATCHES*13-1:0]         s_axis_tuser,
    input  wire [31:0]                   rd_ptp_sec,
    input  wire [31:0]                   rd_ptp_nsec,
    // corrections, on rd_clk
    output wire                          m_corr_valid,
    input  wire                          m_corr_ready,
    output wire [PATCH_W-1:0]            m_corr_patch,
    output wire [31:0]                   m_corr_id,
    output wire [63:0]                   m_corr_ptp,
    output wire [CORR_W-1:0]             m_corr_bits,
    output wire [15:0]                   m_corr_bytes,
    output wire                          m_corr_late,
    // frames to the MAC, on clk as all below
    output wire [DATA_W-1:0]             tx_axis_tdata,
    output wire [KEEP_W-1:0]             tx_axis_tkeep,
    output wire                          tx_axis_tvalid,
    input  wire                          tx_axis_tready,
    output wire                          tx_axis_tlast,
    // frames from the MAC
    input  wire [DATA_W-1:0]             rx_axis_tdata,
    input  wire [KEEP_W-1:0]             rx_axis_tkeep,
    input  wire                          rx_axis_tvalid,
    output wire                          rx_axis_tready,
    input  wire                          rx_axis_tlast,
    input  wire                          rx_axis_tuser,
    // settings
    input  wire [19:0]                   cfg_message_bits,
    input  wire                          cfg_bytes,
    input  wire                          cfg_sparse,
    input  wire [63:0]                   cfg_decoder_first,
    input  wire [63:0]                   cfg_mapping_id,
    input  wire [31:0]                   cfg_request_first,
    input  wire                          cfg_mode_native,
    input  wire [LEN_W-1:0]              cfg_bytes_per_window,
    input  wire [8:0]                    cfg_pkt_len_pages128,
    input  wire [47:0]                   cfg_host_mac,
    input  wire [47:0]                   cfg_board_mac,
    input  wire [31:0]                   cfg_host_ip,
    input  wire [31:0]                   cfg_board_ip,
    input  wire [15:0]                   cfg_src_udp_port,
    input  wire [15:0]                   cfg_dst_udp_port,
    input  wire [23:0]                   cfg_dest_qp,
    input  wire [31:0]                   cfg_rkey,
    input  wire [63:0]                   cfg_base_va,
    input  wire [31:0]                   cfg_buf_increment_pages128,
    input  wire [11:0]                   cfg_last_buffer,
    input  wire [23:0]                   cfg_psn,
    input  wire                          cfg_psn_load,
    input  wire [11:0]                   cfg_buffer,
    input  wire                          cfg_buffer_load,
    input  wire [23:0]                   cfg_qp,
    input  wire [TIME_W-1:0]             cfg_deadline,
    // counts of packetiser_up
    output wire [PATCHES-1:0]            stat_round_dropped,
    output wire [PATCHES-1:0]            stat_round_short,
    output wire [PATCHES-1:0]            stat_round_long,
    output wire [PATCHES-1:0]            stat_message_long,
    output wire [PATCHES-1:0]            stat_message_bad,
    output wire [PATCHES-1:0]            stat_message_sent,
    output wire                          stat_packet,
    output wire                          stat_window,
    output wire                          stat_window_short,
    output wire                          stat_window_long,
    output wire                          stat_beat_dropped,
    // counts of packetiser_down
    output wire                          stat_accepted,
    output wire                          stat_mac_error,
    output wire                          stat_truncated,
    output wire                          stat_oversize,
    output wire                          stat_not_roce,
    output wire                          stat_bad_checksum,
    output wire                          stat_foreign_address,
    output wire                          stat_foreign_qp,
    output wire                          stat_bad_opcode,
    output wire                          stat_bad_length,
    output wire                          stat_bad_icrc,
    output wire                          stat_on_time,
    output wire                          stat_late,
    output wire                          stat_bad_status,
    output wire                          stat_duplicate,
    output wire                          stat_unknown,
    output wire                          stat_bad_response,
    output wire                          stat_bad_magic,
    output wire                          stat_correction_lost,
    output wire                          stat_missing,
    output wire                          stat_displaced
);

    wire               req_valid;
    wire [31:0]        req_id;
    wire [PATCH_W-1:0] req_patch;

    packetiser_up #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .PATCHES(PATCHES),
        .IN_W(IN_W),
        .DEPTH(DEPTH),
        .MESSAGES(MESSAGES),
        .INDICES(INDICES),
        .LEN_W(LEN_W),
        .PATCH_W(PATCH_W)
    ) up (
        .rd_clk(rd_clk),
        .rd_rst(rd_rst),
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast(s_axis_tlast),
        .s_axis_tuser(s_axis_tuser),
        .rd_ptp_sec(rd_ptp_sec),
        .rd_ptp_nsec(rd_ptp_nsec),
        .m_axis_tdata(tx_axis_tdata),
        .m_axis_tkeep(tx_axis_tkeep),
        .m_axis_tvalid(tx_axis_tvalid),
        .m_axis_tready(tx_axis_tready),
        .m_axis_tlast(tx_axis_tlast),
        .req_valid(req_valid),
        .req_id(req_id),
        .req_patch(req_patch),
        .cfg_message_bits(cfg_message_bits),
        .cfg_bytes(cfg_bytes),
        .cfg_sparse(cfg_sparse),
        .cfg_decoder_first(cfg_decoder_first),
        .cfg_mapping_id(cfg_mapping_id),
        .cfg_request_first(cfg_request_first),
        .cfg_mode_native(cfg_mode_native),
        .cfg_bytes_per_window(cfg_bytes_per_window),
        .cfg_pkt_len_pages128(cfg_pkt_len_pages128),
        .cfg_host_mac(cfg_host_mac),
        .cfg_board_mac(cfg_board_mac),
        .cfg_host_ip(cfg_host_ip),
        .cfg_board_ip(cfg_board_ip),
        .cfg_src_udp_port(cfg_src_udp_port),
        .cfg_dst_udp_port(cfg_dst_udp_port),
        .cfg_dest_qp(cfg_dest_qp),
        .cfg_rkey(cfg_rkey),
        .cfg_base_va(cfg_base_va),
        .cfg_buf_increment_pages128(cfg_buf_increment_pages128),
        .cfg_last_buffer(cfg_last_buffer),
        .cfg_psn(cfg_psn),
        .cfg_psn_load(cfg_psn_load),
        .cfg_buffer(cfg_buffer),
        .cfg_buffer_load(cfg_buffer_load),
        .stat_round_dropped(stat_round_dropped),
        .stat_round_short(stat_round_short),
        .stat_round_long(stat_round_long),
        .stat_message_long(stat_message_long),
        .stat_message_bad(stat_message_bad),
        .stat_message_sent(stat_message_sent),
        .stat_packet(stat_packet),
        .stat_window(stat_window),
        .stat_window_short(stat_window_short),
        .stat_window_long(stat_window_long),
        .stat_beat_dropped(stat_beat_dropped)
    );

    packetiser_down #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .MAX_PAYLOAD(MAX_PAYLOAD),
        .CORR_W(CORR_W),
        .PATCH_W(PATCH_W),
        .TABLE_W(TABLE_W),
        .TIME_W(TIME_W)
    ) down (
        .rd_clk(rd_clk),
        .rd_rst(rd_rst),
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(rx_axis_tdata),
        .s_axis_tkeep(rx_axis_tkeep),
        .s_axis_tvalid(rx_axis_tvalid),
        .s_axis_tready(rx_axis_tready),
        .s_axis_tlast(rx_axis_tlast),
        .s_axis_tuser(rx_axis_tuser),
        .req_valid(req_valid),
        .req_id(req_id),
        .req_patch(req_patch),
        .m_corr_valid(m_corr_valid),
        .m_corr_ready(m_corr_ready),
        .m_corr_patch(m_corr_patch),
        .m_corr_id(m_corr_id),
        .m_corr_ptp(m_corr_ptp),
        .m_corr_bits(m_corr_bits),
        .m_corr_bytes(m_corr_bytes),
        .m_corr_late(m_corr_late),
        .cfg_mac(cfg_board_mac),
        .cfg_ip(cfg_board_ip),
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
        .stat_correction_lost(stat_correction_lost),
        .stat_missing(stat_missing),
        .stat_displaced(stat_displaced)
    );

endmodule

`resetall
