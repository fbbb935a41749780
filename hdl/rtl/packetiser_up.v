// SPDX-License-Identifier: Apache-2.0
//
// FPGA to host: the rounds of PATCHES patches, each at an input of its own on the readout clock,
// become RoCEv2 frames on the clock of the MAC.
//
//     on rd_clk            | on clk
//     s_axis[p] -> axis_async_fifo -> syndrome_packer -> axis_arbiter -> roce_tx -> m_axis
//
// Port p has bits p*IN_W and up of s_axis_tdata, and so on; syndrome_packer.v says what a round is
// (s_axis_tuser: {ends its message, bits less one}) and how a request looks, roce_tx.v how a frame
// does. The time at the rd_ptp_* ports in the cycle in which the first beat of a message is
// accepted is the time stamp of its request. Patch p sends the requests cfg_request_first + p,
// then PATCHES more each time, to decoder cfg_decoder_first + p.
//
// Messages leave in the order in which they became whole, those of one cycle in the order of their
// patches. req_* tells of each request as it leaves.
//
// Back-pressure: while m_axis_tready is low messages wait in their packers. A packer never holds up
// its input; a message for which it has no place is dropped whole and its rounds are counted.
// s_axis_tready falls only if rd_clk is faster than clk, and nothing is lost then.
//
// Latency, last beat of a message in to first beat of its frame out, with rd_clk = clk: 18 cycles.
// Throughput: a frame of f bytes takes ceil(f / KEEP_W) cycles, without a gap to the next.
// Hold both resets for at least four cycles of the slower clock. cfg_* may change in reset.

`default_nettype none

module packetiser_up #(
    parameter DATA_W = 512,  // 64 or 512
    parameter KEEP_W = DATA_W / 8,
    parameter PATCHES = 1,  // 1 to 32
    parameter IN_W = 32,  // as in syndrome_packer
    parameter DEPTH = 256,  // words of a packer, as in syndrome_packer
    parameter MESSAGES = 16,  // of a packer
    parameter INDICES = 512,
    parameter LEN_W = 24,
    parameter PATCH_W = 8
) (
    input  wire                    rd_clk,
    input  wire                    rd_rst,
    input  wire                    clk,
    input  wire                    rst,

    // rounds, on rd_clk
    input  wire [PATCHES*IN_W-1:0] s_axis_tdata,
    input  wire [PATCHES-1:0]      s_axis_tvalid,
    output wire [PATCHES-1:0]      s_axis_tready,
    input  wire [PATCHES-1:0]      s_axis_tlast,
    input  wire [PATCHES*13-1:0]   s_axis_tuser,
    input  wire [31:0]             rd_ptp_sec,
    input  wire [31:0]             rd_ptp_nsec,

    // frames, destination MAC to ICRC, on clk as all below
    output wire [DATA_W-1:0]       m_axis_tdata,
    output wire [KEEP_W-1:0]       m_axis_tkeep,
    output wire                    m_axis_tvalid,
    input  wire                    m_axis_tready,
    output wire                    m_axis_tlast,

    // requests as they leave
    output wire                    req_valid,
    output wire [31:0]             req_id,
    output wire [PATCH_W-1:0]      req_patch,

    input  wire [19:0]             cfg_message_bits,
    input  wire                    cfg_bytes,
    input  wire                    cfg_sparse,
    input  wire [63:0]             cfg_decoder_first,
    input  wire [63:0]             cfg_mapping_id,
    input  wire [31:0]             cfg_request_first,
    // settings of roce_tx
    input  wire                    cfg_mode_native,
    input  wire [LEN_W-1:0]        cfg_bytes_per_window,
    input  wire [8:0]              cfg_pkt_len_pages128,
    input  wire [47:0]             cfg_host_mac,
    input  wire [47:0]             cfg_board_mac,
    input  wire [31:0]             cfg_host_ip,
    input  wire [31:0]             cfg_board_ip,
    input  wire [15:0]             cfg_src_udp_port,
    input  wire [15:0]             cfg_dst_udp_port,
    input  wire [23:0]             cfg_dest_qp,
    input  wire [31:0]             cfg_rkey,
    input  wire [63:0]             cfg_base_va,
    input  wire [31:0]             cfg_buf_increment_pages128,
    input  wire [11:0]             cfg_last_buffer,
    input  wire [23:0]             cfg_psn,
    input  wire                    cfg_psn_load,
    input  wire [11:0]             cfg_buffer,
    input  wire                    cfg_buffer_load,

    // one bit a patch
    output wire [PATCHES-1:0]      stat_round_dropped,
    output wire [PATCHES-1:0]      stat_round_short,
    output wire [PATCHES-1:0]      stat_round_long,
    output wire [PATCHES-1:0]      stat_message_long,
    output wire [PATCHES-1:0]      stat_message_bad,
    output wire [PATCHES-1:0]      stat_message_sent,
    // of roce_tx
    output wire                    stat_packet,
    output wire                    stat_window,
    output wire                    stat_window_short,
    output wire                    stat_window_long,
    output wire                    stat_beat_dropped
);

    generate
        if (PATCHES < 1 || PATCHES > 32 || PATCHES > (1 << PATCH_W)) begin : g_bad_patches
            bad_parameter_PATCHES instance_stops_elaboration();
        end
    endgenerate

    localparam [31:0] STEP = PATCHES;

    wire [PATCHES*DATA_W-1:0]  message_tdata;
    wire [PATCHES*KEEP_W-1:0]  message_tkeep;
    wire [PATCHES-1:0]         message_tvalid;
    wire [PATCHES-1:0]         message_tready;
    wire [PATCHES-1:0]         message_tlast;
    wire [PATCHES*PATCH_W-1:0] message_tuser;
    wire [PATCHES*20-1:0]      length_tdata;
    wire [PATCHES-1:0]         length_tvalid;
    wire [PATCHES-1:0]         length_tready;
    wire [PATCHES-1:0]         come;

    genvar p;
    generate
        for (p = 0; p < PATCHES; p = p + 1) begin : g_patch
            localparam [31:0] NUMBER = p;

            wire [IN_W-1:0]   round_tdata;
            wire [IN_W/8-1:0] round_tkeep_unused;
            wire              round_tvalid;
            wire              round_tready;
            wire              round_tlast;
            wire [76:0]       round_tuser;

            axis_async_fifo #(
                .DATA_W(IN_W),
                .USER_W(77)
            ) crossing (
                .s_clk(rd_clk),
                .s_rst(rd_rst),
                .m_clk(clk),
                .m_rst(rst),
                .s_axis_tdata(s_axis_tdata[p*IN_W +: IN_W]),
                .s_axis_tkeep({(IN_W/8){1'b1}}),
                .s_axis_tvalid(s_axis_tvalid[p]),
                .s_axis_tready(s_axis_tready[p]),
                .s_axis_tlast(s_axis_tlast[p]),
                .s_axis_tuser({rd_ptp_nsec, rd_ptp_sec, s_axis_tuser[p*13 +: 13]}),
                .m_axis_tdata(round_tdata),
                .m_axis_tkeep(round_tkeep_unused),
                .m_axis_tvalid(round_tvalid),
                .m_axis_tready(round_tready),
                .m_axis_tlast(round_tlast),
                .m_axis_tuser(round_tuser)
            );

            assign message_tuser[p*PATCH_W +: PATCH_W] = NUMBER[PATCH_W-1:0];

            syndrome_packer #(
                .DATA_W(DATA_W),
                .IN_W(IN_W),
                .DEPTH(DEPTH),
                .MESSAGES(MESSAGES),
                .INDICES(INDICES)
            ) packer (
                .clk(clk),
                .rst(rst),
                .s_axis_tdata(round_tdata),
                .s_axis_tvalid(round_tvalid),
                .s_axis_tready(round_tready),
                .s_axis_tlast(round_tlast),
                .s_axis_tuser(round_tuser[12:0]),
                .ptp_sec(round_tuser[44:13]),
                .ptp_nsec(round_tuser[76:45]),
                .m_axis_tdata(message_tdata[p*DATA_W +: DATA_W]),
                .m_axis_tkeep(message_tkeep[p*KEEP_W +: KEEP_W]),
                .m_axis_tvalid(message_tvalid[p]),
                .m_axis_tready(message_tready[p]),
                .m_axis_tlast(message_tlast[p]),
                .m_len_tdata(length_tdata[p*20 +: 20]),
                .m_len_tvalid(length_tvalid[p]),
                .m_len_tready(length_tready[p]),
                .m_come(come[p]),
                .cfg_message_bits(cfg_message_bits),
                .cfg_bytes(cfg_bytes),
                .cfg_sparse(cfg_sparse),
                .cfg_decoder_id(cfg_decoder_first + {32'd0, NUMBER}),
                .cfg_mapping_id(cfg_mapping_id),
                .cfg_request_first(cfg_request_first + NUMBER),
                .cfg_request_step(STEP),
                .stat_round_dropped(stat_round_dropped[p]),
                .stat_round_short(stat_round_short[p]),
                .stat_round_long(stat_round_long[p]),
                .stat_message_long(stat_message_long[p]),
                .stat_message_bad(stat_message_bad[p]),
                .stat_message_sent(stat_message_sent[p])
            );
        end
    endgenerate

    wire [DATA_W-1:0]  next_tdata;
    wire [KEEP_W-1:0]  next_tkeep;
    wire               next_tvalid;
    wire               next_tready;
    wire               next_tlast;
    wire [PATCH_W-1:0] next_tuser;
    wire [19:0]        next_length;
    wire               next_length_valid;
    wire               next_length_ready;

    // without its own length a window is as long as all others
    wire               window_length_ready;
    assign next_length_ready = window_length_ready || !cfg_mode_native;

    // a message gives its place back with its last beat, when its length may still wait
    axis_arbiter #(
        .PORTS(PATCHES),
        .FRAMES(MESSAGES * (2 << $clog2(PATCHES))),
        .DATA_W(DATA_W),
        .USER_W(PATCH_W),
        .LEN_W(20)
    ) arbiter (
        .clk(clk),
        .rst(rst),
        .s_come(come),
        .s_axis_tdata(message_tdata),
        .s_axis_tkeep(message_tkeep),
        .s_axis_tvalid(message_tvalid),
        .s_axis_tready(message_tready),
        .s_axis_tlast(message_tlast),
        .s_axis_tuser(message_tuser),
        .s_len_tdata(length_tdata),
        .s_len_tvalid(length_tvalid),
        .s_len_tready(length_tready),
        .m_axis_tdata(next_tdata),
        .m_axis_tkeep(next_tkeep),
        .m_axis_tvalid(next_tvalid),
        .m_axis_tready(next_tready),
        .m_axis_tlast(next_tlast),
        .m_axis_tuser(next_tuser),
        .m_len_tdata(next_length),
        .m_len_tvalid(next_length_valid),
        .m_len_tready(next_length_ready)
    );

    roce_tx #(
        .DATA_W(DATA_W),
        .LEN_W(LEN_W)
    ) transmitter (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(next_tdata),
        .s_axis_tkeep(next_tkeep),
        .s_axis_tvalid(next_tvalid),
        .s_axis_tready(next_tready),
        .s_axis_tlast(next_tlast),
        .s_len_tdata({{(LEN_W-20){1'b0}}, next_length}),
        .s_len_tvalid(next_length_valid && cfg_mode_native),
        .s_len_tready(window_length_ready),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast),
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
        .stat_packet(stat_packet),
        .stat_window(stat_window),
        .stat_window_short(stat_window_short),
        .stat_window_long(stat_window_long),
        .stat_beat_dropped(stat_beat_dropped)
    );

    // ---- requests: their id is in the first beat at 512 bit, in the second one at 64 ----
    localparam [31:0] ID_BEAT = 12 / KEEP_W;
    localparam ID_BIT = 8 * (12 % KEEP_W);

    reg [1:0]         beat_reg = 2'd0;
    reg               req_valid_reg = 1'b0;
    reg [31:0]        req_id_reg = 0;
    reg [PATCH_W-1:0] req_patch_reg = 0;
    wire              passes = next_tvalid && next_tready;

    always @(posedge clk) begin
        req_valid_reg <= passes && beat_reg == ID_BEAT[1:0];
        req_id_reg <= next_tdata[ID_BIT +: 32];
        req_patch_reg <= next_tuser;
        if (passes)
            beat_reg <= next_tlast ? 2'd0 : beat_reg == 2'd2 ? 2'd2 : beat_reg + 2'd1;
        if (rst) begin
            beat_reg <= 2'd0;
            req_valid_reg <= 1'b0;
        end
    end

    assign req_valid = req_valid_reg;
    assign req_id = req_id_reg;
    assign req_patch = req_patch_reg;

endmodule

`resetall
