// SPDX-License-Identifier: Apache-2.0
//
// RoCEv2 transmitter: windows of syndrome data in, Ethernet frames out, each an RDMA WRITE over
// the unreliable connected service into a slot of the host's ring.
//
//     offset  bytes  part
//          0     14  Ethernet
//         14     20  IPv4
//         34      8  UDP
//         42     12  BTH, opcode 0x2A; 0x2B for the last packet of a window
//         54     16  RETH
//         70      4  immediate, 0x2B only: {PSN[19:0], slot[11:0]}
//      70/74      n  payload, with zeros up to a whole 4-byte word and their number in the BTH
//        end      4  ICRC; preamble and frame check sequence are the MAC's
//
// A frame leaves while its payload comes in, since the length is known before:
//   native mode (cfg_mode_native): s_len gives the length of every window, one for each tlast of
//     s_axis, from 0 bytes; before the window or with its first beat;
//   sensor-bridge mode: every window has cfg_bytes_per_window, a multiple of 4.
// A window that ends early is filled up with zeros (stat_window_short). What comes after its
// length, up to tlast, is dropped (stat_window_long once for the window, stat_beat_dropped for
// every beat of which nothing is sent). All beats of a window but the last must be full.
//
// Latency, first beat of payload in to first beat of the frame out: 7 cycles; 8 if its s_len comes
// in the same cycle. Throughput: a frame of f bytes takes ceil(f / KEEP_W) cycles, without a gap
// to the next one. While m_axis_tready is low all of it stands still; nothing is lost.
//
// PSN and slot are zero after reset and go on through changes of the settings; cfg_psn_load and
// cfg_buffer_load set them. Settings may change while no window is in progress and none is
// announced on s_len, and count 20 cycles later.

`default_nettype none

module roce_tx #(
    // 64 or 512
    parameter DATA_W = 512,
    parameter KEEP_W = DATA_W / 8,
    parameter LEN_W = 24
) (
    input  wire              clk,
    input  wire              rst,

    // payload, a window up to each tlast
    input  wire [DATA_W-1:0] s_axis_tdata,
    input  wire [KEEP_W-1:0] s_axis_tkeep,
    input  wire              s_axis_tvalid,
    output wire              s_axis_tready,
    input  wire              s_axis_tlast,

    // bytes of the next window, native mode only
    input  wire [LEN_W-1:0]  s_len_tdata,
    input  wire              s_len_tvalid,
    output wire              s_len_tready,

    // frames, destination MAC to ICRC
    output wire [DATA_W-1:0] m_axis_tdata,
    output wire [KEEP_W-1:0] m_axis_tkeep,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire              m_axis_tlast,

    input  wire              cfg_mode_native,
    input  wire [LEN_W-1:0]  cfg_bytes_per_window,
    // most payload of a packet, 1 to 511 pages of 128 bytes; 0 counts as 511
    input  wire [8:0]        cfg_pkt_len_pages128,
    input  wire [47:0]       cfg_host_mac,
    input  wire [47:0]       cfg_board_mac,
    input  wire [31:0]       cfg_host_ip,
    input  wire [31:0]       cfg_board_ip,
    input  wire [15:0]       cfg_src_udp_port,
    input  wire [15:0]       cfg_dst_udp_port,
    input  wire [23:0]       cfg_dest_qp,
    input  wire [31:0]       cfg_rkey,
    input  wire [63:0]       cfg_base_va,
    input  wire [31:0]       cfg_buf_increment_pages128,
    input  wire [11:0]       cfg_last_buffer,
    input  wire [23:0]       cfg_psn,
    input  wire              cfg_psn_load,
    input  wire [11:0]       cfg_buffer,
    input  wire              cfg_buffer_load,

    output wire              stat_packet,
    output wire              stat_window,
    output wire              stat_window_short,
    output wire              stat_window_long,
    output wire              stat_beat_dropped
);

    localparam BEAT_W = $clog2(KEEP_W);
    localparam COUNT_W = 16 - BEAT_W;
    localparam WORD_W = BEAT_W - 2;

    generate
        if (DATA_W != 64 && DATA_W != 512) begin : g_bad_data_w
            bad_parameter_DATA_W instance_stops_elaboration();
        end
        if (KEEP_W != DATA_W / 8) begin : g_bad_keep_w
            bad_parameter_KEEP_W instance_stops_elaboration();
        end
        if (LEN_W <= 16) begin : g_bad_len_w
            bad_parameter_LEN_W instance_stops_elaboration();
        end
    endgenerate

    wire [DATA_W-1:0]  payload_tdata;
    wire [KEEP_W-1:0]  payload_tkeep;
    wire               payload_tvalid;
    wire               payload_tready;
    wire               payload_tlast;
    wire               payload_tuser_unused;

    wire               packet_valid;
    wire               packet_ready;
    wire               packet_last;
    wire [15:0]        packet_dma_len;
    wire [15:0]        packet_ip_len;
    wire [15:0]        packet_udp_len;
    wire [1:0]         packet_pad;
    wire [COUNT_W-1:0] packet_last_beat;
    wire [KEEP_W-1:0]  packet_last_keep;
    wire [COUNT_W-1:0] packet_icrc_slot;
    wire [WORD_W-1:0]  packet_icrc_word;
    wire [COUNT_W-1:0] packet_last_slot;

    wire               header_ready;
    wire               header_next;
    wire [47:0]        dst_mac;
    wire [511:0]       header;
    wire [31:0]        immediate;
    wire [15:0]        ip_checksum;

    wire               slot_valid;
    wire [DATA_W-1:0]  slot_data;
    wire               slot_first;
    wire               slot_last;
    wire               slot_is_header;
    wire [2:0]         slot_header_index;
    wire               slot_covered;
    wire               slot_has_icrc;
    wire [WORD_W-1:0]  slot_icrc_word;

    wire [DATA_W-1:0]  frame_tdata;
    wire [KEEP_W-1:0]  frame_tkeep;
    wire               frame_tvalid;
    wire               frame_tready;
    wire               frame_tlast;
    wire               frame_tuser_unused;

    axis_skid #(
        .DATA_W(DATA_W)
    ) payload_skid (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tkeep(s_axis_tkeep),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast(s_axis_tlast),
        .s_axis_tuser(1'b0),
        .m_axis_tdata(payload_tdata),
        .m_axis_tkeep(payload_tkeep),
        .m_axis_tvalid(payload_tvalid),
        .m_axis_tready(payload_tready),
        .m_axis_tlast(payload_tlast),
        .m_axis_tuser(payload_tuser_unused)
    );

    roce_tx_plan #(
        .DATA_W(DATA_W),
        .LEN_W(LEN_W)
    ) plan (
        .clk(clk),
        .rst(rst),
        .s_len_tdata(s_len_tdata),
        .s_len_tvalid(s_len_tvalid),
        .s_len_tready(s_len_tready),
        .packet_valid(packet_valid),
        .packet_ready(packet_ready),
        .packet_last(packet_last),
        .packet_dma_len(packet_dma_len),
        .packet_ip_len(packet_ip_len),
        .packet_udp_len(packet_udp_len),
        .packet_pad(packet_pad),
        .packet_last_beat(packet_last_beat),
        .packet_last_keep(packet_last_keep),
        .packet_icrc_slot(packet_icrc_slot),
        .packet_icrc_word(packet_icrc_word),
        .packet_last_slot(packet_last_slot),
        .cfg_mode_native(cfg_mode_native),
        .cfg_bytes_per_window(cfg_bytes_per_window),
        .cfg_pkt_len_pages128(cfg_pkt_len_pages128)
    );

    roce_tx_header write_header (
        .clk(clk),
        .rst(rst),
        .packet_last(packet_last),
        .packet_dma_len(packet_dma_len),
        .packet_ip_len(packet_ip_len),
        .packet_udp_len(packet_udp_len),
        .packet_pad(packet_pad),
        .ready(header_ready),
        .next(header_next),
        .dst_mac(dst_mac),
        .header(header),
        .immediate(immediate),
        .ip_checksum(ip_checksum),
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
        .cfg_buffer_load(cfg_buffer_load)
    );

    roce_tx_body #(
        .DATA_W(DATA_W)
    ) body (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(payload_tdata),
        .s_axis_tkeep(payload_tkeep),
        .s_axis_tvalid(payload_tvalid),
        .s_axis_tready(payload_tready),
        .s_axis_tlast(payload_tlast),
        .packet_valid(packet_valid),
        .packet_ready(packet_ready),
        .packet_last(packet_last),
        .packet_last_beat(packet_last_beat),
        .packet_last_keep(packet_last_keep),
        .packet_icrc_slot(packet_icrc_slot),
        .packet_icrc_word(packet_icrc_word),
        .packet_last_slot(packet_last_slot),
        .header_ready(header_ready),
        .header_next(header_next),
        .header(header),
        .immediate(immediate),
        .slot_ready(frame_tready),
        .slot_valid(slot_valid),
        .slot_data(slot_data),
        .slot_first(slot_first),
        .slot_last(slot_last),
        .slot_is_header(slot_is_header),
        .slot_header_index(slot_header_index),
        .slot_covered(slot_covered),
        .slot_has_icrc(slot_has_icrc),
        .slot_icrc_word(slot_icrc_word),
        .stat_packet(stat_packet),
        .stat_window(stat_window),
        .stat_window_short(stat_window_short),
        .stat_window_long(stat_window_long),
        .stat_beat_dropped(stat_beat_dropped)
    );

    roce_tx_icrc #(
        .DATA_W(DATA_W)
    ) trailer (
        .clk(clk),
        .rst(rst),
        .slot_valid(slot_valid),
        .slot_data(slot_data),
        .slot_first(slot_first),
        .slot_last(slot_last),
        .slot_is_header(slot_is_header),
        .slot_header_index(slot_header_index),
        .slot_covered(slot_covered),
        .slot_has_icrc(slot_has_icrc),
        .slot_icrc_word(slot_icrc_word),
        .dst_mac(dst_mac),
        .ip_checksum(ip_checksum),
        .m_axis_tdata(frame_tdata),
        .m_axis_tkeep(frame_tkeep),
        .m_axis_tvalid(frame_tvalid),
        .m_axis_tready(frame_tready),
        .m_axis_tlast(frame_tlast)
    );

    axis_skid #(
        .DATA_W(DATA_W)
    ) frame_skid (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(frame_tdata),
        .s_axis_tkeep(frame_tkeep),
        .s_axis_tvalid(frame_tvalid),
        .s_axis_tready(frame_tready),
        .s_axis_tlast(frame_tlast),
        .s_axis_tuser(1'b0),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast),
        .m_axis_tuser(frame_tuser_unused)
    );

endmodule

`resetall
