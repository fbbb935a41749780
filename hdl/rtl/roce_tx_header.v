// SPDX-License-Identifier: Apache-2.0
//
// Headers of the next RoCEv2 UC WRITE packet, and what counts from one packet to the next: packet
// sequence number, ring slot, virtual address.
//
//     offset  bytes  field                          value
//          0     12  destination, source MAC        cfg_host_mac, cfg_board_mac
//         12      2  EtherType                      0x0800
//         14     20  IPv4, checksum at 24           protocol 17, do not fragment, TTL 64
//         34      8  UDP, checksum zero             cfg_src_udp_port, cfg_dst_udp_port
//         42     12  BTH                            0x2A, or 0x2B for the last packet of a window
//         54     16  RETH                           address, cfg_rkey, length of the payload
//         70      4  immediate (0x2B)               {PSN[19:0], slot[11:0]}
//
// Address: cfg_base_va + 128 * (slot * cfg_buf_increment_pages128 + pages sent of this window).
// The slot goes from 0 to cfg_last_buffer and around; the PSN wraps at 24 bits. Both are zero
// after reset and take cfg_buffer and cfg_psn in the cycle of their load.
//
// All outputs but the checksum hold for the packet that is described at the input; next takes one
// step to the packet after it and may come every second cycle. The checksum follows the described
// lengths by one cycle.
// Settings count 20 cycles after they change; ready is low while the slot's offset is worked out.

`default_nettype none

module roce_tx_header (
    input  wire         clk,
    input  wire         rst,

    input  wire         packet_last,
    input  wire [15:0]  packet_dma_len,
    input  wire [15:0]  packet_ip_len,
    input  wire [15:0]  packet_udp_len,
    input  wire [1:0]   packet_pad,

    output wire         ready,
    input  wire         next,
    // first byte on the wire in bits 7:0 of each
    output wire [47:0]  dst_mac,
    output wire [511:0] header,
    output wire [31:0]  immediate,
    output wire [15:0]  ip_checksum,

    input  wire [47:0]  cfg_host_mac,
    input  wire [47:0]  cfg_board_mac,
    input  wire [31:0]  cfg_host_ip,
    input  wire [31:0]  cfg_board_ip,
    input  wire [15:0]  cfg_src_udp_port,
    input  wire [15:0]  cfg_dst_udp_port,
    input  wire [23:0]  cfg_dest_qp,
    input  wire [31:0]  cfg_rkey,
    input  wire [63:0]  cfg_base_va,
    input  wire [31:0]  cfg_buf_increment_pages128,
    input  wire [11:0]  cfg_last_buffer,
    input  wire [23:0]  cfg_psn,
    input  wire         cfg_psn_load,
    input  wire [11:0]  cfg_buffer,
    input  wire         cfg_buffer_load
);

    `include "roundtrip_fields.vh"

    localparam SIZE = WRITE_ONLY_SIZE;
    // 4,096 slots of 2**32 pages
    localparam PAGE_W = 45;
    // cycles in which the slot's offset is multiplied out, one a bit, and then settles
    localparam [3:0] SEEK_BITS = 4'd12;
    localparam [3:0] SEEK_SETTLES = 4'd3;

    // ring
    reg [23:0]       psn_reg = 24'd0;
    reg [11:0]       buffer_reg = 12'd0;
    reg [31:0]       increment_reg = 32'd0;
    reg              ready_reg = 1'b0;
    reg              seek_start_reg = 1'b0;
    reg [3:0]        seek_reg = 4'd0;
    reg [11:0]       factor_reg = 12'd0;
    reg [PAGE_W-1:0] slot_page_reg = {PAGE_W{1'b0}};
    reg [PAGE_W-1:0] next_slot_page_reg = {PAGE_W{1'b0}};
    reg [11:0]       next_buffer_reg = 12'd0;
    reg [PAGE_W-1:0] page_reg = {PAGE_W{1'b0}};
    reg [63:0]       va_reg = 64'd0;

    wire [PAGE_W-1:0] increment = {{PAGE_W-32{1'b0}}, cfg_buf_increment_pages128};
    wire              wrap = buffer_reg >= cfg_last_buffer;


    assign ready = ready_reg && !seek_start_reg;

    always @(posedge clk) begin
        increment_reg <= cfg_buf_increment_pages128;
        next_buffer_reg <= wrap ? 12'd0 : buffer_reg + 12'd1;
        next_slot_page_reg <= wrap ? {PAGE_W{1'b0}} : slot_page_reg + increment;
        va_reg <= cfg_base_va + {{57-PAGE_W{1'b0}}, page_reg, 7'd0};

        if (next) begin
            psn_reg <= psn_reg + 24'd1;
            if (packet_last) begin
                buffer_reg <= next_buffer_reg;
                slot_page_reg <= next_slot_page_reg;
                page_reg <= next_slot_page_reg;
            end else begin
                page_reg <= page_reg + {{PAGE_W-9{1'b0}}, packet_dma_len[15:7]};
            end
        end

        seek_start_reg <= cfg_buffer_load || increment_reg != cfg_buf_increment_pages128;
        ready_reg <= seek_reg <= 4'd1 && !seek_start_reg;
        if (seek_reg != 4'd0) begin
            seek_reg <= seek_reg - 4'd1;
            page_reg <= slot_page_reg;
        end
        if (seek_reg > SEEK_SETTLES) begin
            factor_reg <= {factor_reg[10:0], 1'b0};
            slot_page_reg <= {slot_page_reg[PAGE_W-2:0], 1'b0}
                + (factor_reg[11] ? increment : {PAGE_W{1'b0}});
        end
        if (seek_start_reg) begin
            seek_reg <= SEEK_BITS + SEEK_SETTLES;
            factor_reg <= buffer_reg;
            slot_page_reg <= {PAGE_W{1'b0}};
        end
        if (cfg_buffer_load)
            buffer_reg <= cfg_buffer;
        if (cfg_psn_load)
            psn_reg <= cfg_psn;

        if (rst) begin
            psn_reg <= 24'd0;
            buffer_reg <= 12'd0;
            slot_page_reg <= {PAGE_W{1'b0}};
            page_reg <= {PAGE_W{1'b0}};
            seek_start_reg <= 1'b0;
            seek_reg <= SEEK_SETTLES;
            ready_reg <= 1'b0;
        end
    end

    // IPv4 checksum: what does not change from packet to packet is summed ahead
    localparam [18:0] CONSTANT_SUM =
        {3'd0, WRITE_ONLY_IP_VERSION_IHL_DEFAULT, WRITE_ONLY_IP_TOS_DEFAULT}
        + {3'd0, WRITE_ONLY_IP_IDENTIFICATION_DEFAULT}
        + {3'd0, WRITE_ONLY_IP_FLAGS_FRAGMENT_DEFAULT}
        + {3'd0, WRITE_ONLY_IP_TTL_DEFAULT, WRITE_ONLY_IP_PROTOCOL_DEFAULT};

    reg [16:0] source_sum_reg = 17'd0;
    reg [16:0] destination_sum_reg = 17'd0;
    reg [18:0] sum_reg = 19'd0;
    reg [16:0] folded_sum_reg = 17'd0;
    reg [15:0] base_sum_reg = 16'd0;
    reg [15:0] ip_checksum_reg = 16'd0;

    wire [16:0] ip_sum = {1'b0, base_sum_reg} + {1'b0, packet_ip_len};

    always @(posedge clk) begin
        source_sum_reg <= {1'b0, cfg_board_ip[31:16]} + {1'b0, cfg_board_ip[15:0]};
        destination_sum_reg <= {1'b0, cfg_host_ip[31:16]} + {1'b0, cfg_host_ip[15:0]};
        sum_reg <= CONSTANT_SUM + {2'd0, source_sum_reg} + {2'd0, destination_sum_reg};
        folded_sum_reg <= {1'b0, sum_reg[15:0]} + {14'd0, sum_reg[18:16]};
        base_sum_reg <= folded_sum_reg[15:0] + {15'd0, folded_sum_reg[16]};
        ip_checksum_reg <= ~(ip_sum[15:0] + {15'd0, ip_sum[16]});
    end

    assign ip_checksum = {ip_checksum_reg[7:0], ip_checksum_reg[15:8]};

    // fields in network order, the first byte on the wire in the most significant bits
    wire [8*SIZE-1:0] fields;

    localparam TOP = 8 * SIZE - 1;

    assign fields[TOP-8*WRITE_ONLY_DST_MAC_OFFSET -: WRITE_ONLY_DST_MAC_W] =
        cfg_host_mac;
    assign fields[TOP-8*WRITE_ONLY_SRC_MAC_OFFSET -: WRITE_ONLY_SRC_MAC_W] =
        cfg_board_mac;
    assign fields[TOP-8*WRITE_ONLY_ETHERTYPE_OFFSET -: WRITE_ONLY_ETHERTYPE_W] =
        WRITE_ONLY_ETHERTYPE_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_VERSION_IHL_OFFSET -: WRITE_ONLY_IP_VERSION_IHL_W] =
        WRITE_ONLY_IP_VERSION_IHL_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_TOS_OFFSET -: WRITE_ONLY_IP_TOS_W] =
        WRITE_ONLY_IP_TOS_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_TOTAL_LENGTH_OFFSET -: WRITE_ONLY_IP_TOTAL_LENGTH_W] =
        packet_ip_len;
    assign fields[TOP-8*WRITE_ONLY_IP_IDENTIFICATION_OFFSET -: WRITE_ONLY_IP_IDENTIFICATION_W] =
        WRITE_ONLY_IP_IDENTIFICATION_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_FLAGS_FRAGMENT_OFFSET -: WRITE_ONLY_IP_FLAGS_FRAGMENT_W] =
        WRITE_ONLY_IP_FLAGS_FRAGMENT_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_TTL_OFFSET -: WRITE_ONLY_IP_TTL_W] =
        WRITE_ONLY_IP_TTL_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_PROTOCOL_OFFSET -: WRITE_ONLY_IP_PROTOCOL_W] =
        WRITE_ONLY_IP_PROTOCOL_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_IP_CHECKSUM_OFFSET -: WRITE_ONLY_IP_CHECKSUM_W] =
        WRITE_ONLY_IP_CHECKSUM_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_SRC_IP_OFFSET -: WRITE_ONLY_SRC_IP_W] =
        cfg_board_ip;
    assign fields[TOP-8*WRITE_ONLY_DST_IP_OFFSET -: WRITE_ONLY_DST_IP_W] =
        cfg_host_ip;
    assign fields[TOP-8*WRITE_ONLY_UDP_SRC_PORT_OFFSET -: WRITE_ONLY_UDP_SRC_PORT_W] =
        cfg_src_udp_port;
    assign fields[TOP-8*WRITE_ONLY_UDP_DST_PORT_OFFSET -: WRITE_ONLY_UDP_DST_PORT_W] =
        cfg_dst_udp_port;
    assign fields[TOP-8*WRITE_ONLY_UDP_LENGTH_OFFSET -: WRITE_ONLY_UDP_LENGTH_W] =
        packet_udp_len;
    assign fields[TOP-8*WRITE_ONLY_UDP_CHECKSUM_OFFSET -: WRITE_ONLY_UDP_CHECKSUM_W] =
        WRITE_ONLY_UDP_CHECKSUM_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_BTH_OPCODE_OFFSET -: WRITE_ONLY_BTH_OPCODE_W] =
        packet_last ? OPCODE_WRITE_ONLY_WITH_IMMEDIATE : OPCODE_WRITE_ONLY;
    assign fields[TOP-8*WRITE_ONLY_BTH_FLAGS_OFFSET -: WRITE_ONLY_BTH_FLAGS_W] =
        WRITE_ONLY_BTH_FLAGS_DEFAULT | {2'd0, packet_pad, 4'd0};
    assign fields[TOP-8*WRITE_ONLY_BTH_PKEY_OFFSET -: WRITE_ONLY_BTH_PKEY_W] =
        WRITE_ONLY_BTH_PKEY_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_BTH_RESERVED_OFFSET -: WRITE_ONLY_BTH_RESERVED_W] =
        WRITE_ONLY_BTH_RESERVED_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_BTH_DEST_QP_OFFSET -: WRITE_ONLY_BTH_DEST_QP_W] =
        cfg_dest_qp;
    assign fields[TOP-8*WRITE_ONLY_BTH_ACK_REQ_OFFSET -: WRITE_ONLY_BTH_ACK_REQ_W] =
        WRITE_ONLY_BTH_ACK_REQ_DEFAULT;
    assign fields[TOP-8*WRITE_ONLY_BTH_PSN_OFFSET -: WRITE_ONLY_BTH_PSN_W] =
        psn_reg;
    assign fields[TOP-8*WRITE_ONLY_RETH_VA_OFFSET -: WRITE_ONLY_RETH_VA_W] =
        va_reg;
    assign fields[TOP-8*WRITE_ONLY_RETH_RKEY_OFFSET -: WRITE_ONLY_RETH_RKEY_W] =
        cfg_rkey;
    assign fields[TOP-8*WRITE_ONLY_RETH_DMA_LEN_OFFSET -: WRITE_ONLY_RETH_DMA_LEN_W] =
        {16'd0, packet_dma_len};

    wire [31:0]       immediate_field = {psn_reg[19:0], buffer_reg};
    wire [8*SIZE-1:0] lanes;

    genvar i;
    generate
        for (i = 0; i < SIZE; i = i + 1) begin : g_lane
            assign lanes[8*i +: 8] = fields[8*(SIZE-1-i) +: 8];
        end
        for (i = 0; i < 4; i = i + 1) begin : g_immediate_lane
            assign immediate[8*i +: 8] = immediate_field[8*(3-i) +: 8];
        end
    endgenerate

    assign dst_mac = lanes[47:0];
    assign header = lanes[8*SIZE-1:48];

endmodule

`resetall
