// SPDX-License-Identifier: Apache-2.0
//
// Verdict on a received RoCEv2 frame: its header, its length and its ICRC against what a frame for
// this board must be (the table in roce_rx.v).
//
// Latency: frame_end in cycle n -> length of the payload in cycle n + 1, verdict in cycle n + 2,
// stat_* in cycle n + 3; one frame a cycle.

`default_nettype none

module roce_rx_check #(
    parameter LENGTH_W = 9,
    parameter MAX_PAYLOAD = 256
) (
    input  wire                clk,
    input  wire                rst,

    // in the cycle after the last beat of a frame; a length that is too long is not exact
    input  wire                frame_end,
    input  wire                frame_error,
    input  wire                frame_too_long,
    input  wire [LENGTH_W-1:0] frame_length,
    input  wire                frame_crc_right,
    // as on the wire, byte 0 lowest, up to the end of the RETH
    input  wire [559:0]        header,
    // what its opcode says; frame_write with or without immediate
    input  wire                frame_send,
    input  wire                frame_write,
    input  wire                frame_immediate,

    input  wire [47:0]         cfg_mac,
    input  wire [31:0]         cfg_ip,
    input  wire [23:0]         cfg_qp,

    // bytes of the payload less one
    output wire [15:0]         payload_last_byte,
    output wire                verdict_valid,
    output wire                verdict_good,

    output reg                 stat_accepted,
    output reg                 stat_mac_error,
    output reg                 stat_truncated,
    output reg                 stat_oversize,
    output reg                 stat_not_roce,
    output reg                 stat_bad_checksum,
    output reg                 stat_foreign_address,
    output reg                 stat_foreign_qp,
    output reg                 stat_bad_opcode,
    output reg                 stat_bad_length,
    output reg                 stat_bad_icrc
);

    `include "roundtrip_fields.vh"

    localparam ICRC_SIZE = 4;
    localparam [16:0] IP_START = SEND_ONLY_IP_VERSION_IHL_OFFSET;
    localparam [15:0] IP_HEADER_SIZE =
        SEND_ONLY_UDP_SRC_PORT_OFFSET - SEND_ONLY_IP_VERSION_IHL_OFFSET;
    localparam [16:0] LEAST_FRAME = SEND_ONLY_SIZE + ICRC_SIZE;
    // IPv4 total length without payload and padding, a multiple of 4
    localparam [15:0] SEND_OVERHEAD = LEAST_FRAME[15:0] - IP_START[15:0];
    localparam [15:0] WRITE_OVERHEAD = SEND_OVERHEAD + (WRITE_ONLY_SIZE - SEND_ONLY_SIZE);
    localparam [15:0] IMMEDIATE_OVERHEAD =
        SEND_OVERHEAD + (WRITE_WITH_IMMEDIATE_SIZE - SEND_ONLY_SIZE);
    localparam [15:0] LONGEST_PAYLOAD = MAX_PAYLOAD;
    localparam IP_HEADER = 8 * SEND_ONLY_IP_VERSION_IHL_OFFSET;

    // fields are big-endian: their first byte is the most significant
    function [15:0] be16(input [15:0] bytes);
        be16 = {bytes[7:0], bytes[15:8]};
    endfunction

    function [31:0] be32(input [31:0] bytes);
        be32 = {be16(bytes[15:0]), be16(bytes[31:16])};
    endfunction

    wire [47:0] dst_mac = {
        be32(header[8*SEND_ONLY_DST_MAC_OFFSET +: 32]),
        be16(header[8*SEND_ONLY_DST_MAC_OFFSET+32 +: 16])
    };
    wire [15:0] ethertype = be16(header[8*SEND_ONLY_ETHERTYPE_OFFSET +: 16]);
    wire [7:0]  version_ihl = header[8*SEND_ONLY_IP_VERSION_IHL_OFFSET +: 8];
    wire [15:0] total_length = be16(header[8*SEND_ONLY_IP_TOTAL_LENGTH_OFFSET +: 16]);
    wire [15:0] fragment = be16(header[8*SEND_ONLY_IP_FLAGS_FRAGMENT_OFFSET +: 16]);
    wire [7:0]  protocol = header[8*SEND_ONLY_IP_PROTOCOL_OFFSET +: 8];
    wire [31:0] dst_ip = be32(header[8*SEND_ONLY_DST_IP_OFFSET +: 32]);
    wire [15:0] udp_port = be16(header[8*SEND_ONLY_UDP_DST_PORT_OFFSET +: 16]);
    wire [15:0] udp_length = be16(header[8*SEND_ONLY_UDP_LENGTH_OFFSET +: 16]);
    wire [1:0]  pad = header[8*SEND_ONLY_BTH_FLAGS_OFFSET+4 +: 2];
    wire [31:0] reserved_qp = be32(header[8*SEND_ONLY_BTH_RESERVED_OFFSET +: 32]);
    wire [31:0] dma_length = be32(header[8*WRITE_ONLY_RETH_DMA_LEN_OFFSET +: 32]);

    // ---------------------------------------------------------------------------------------------
    // first cycle: what can be told from the header at once, and sums and differences of the rest

    wire [15:0] overhead =
        frame_immediate ? IMMEDIATE_OVERHEAD : frame_write ? WRITE_OVERHEAD : SEND_OVERHEAD;
    wire [16:0] received = {{17-LENGTH_W{1'b0}}, frame_length};
    // total length - overhead - pad - 1, as -x - 1 is ~x; bit 16 is set if there is no payload
    wire [16:0] last_byte = {1'b0, total_length} + ~{1'b0, overhead[15:2], pad};

    // sum of up to four words of the IPv4 header; bytes stay swapped, which RFC 1071 allows
    function [17:0] sum4(input [63:0] words);
        sum4 = {2'd0, words[15:0]} + {2'd0, words[31:16]} + {2'd0, words[47:32]}
            + {2'd0, words[63:48]};
    endfunction

    reg        end_reg;
    reg        error_reg;
    reg        runt_reg;
    reg        not_roce_reg;
    reg        foreign_mac_reg;
    reg        foreign_ip_reg;
    reg        bad_opcode_reg;
    reg        foreign_qp_reg;
    reg        bad_icrc_reg;
    reg        too_long_reg;
    reg        not_words_reg;
    reg        write_reg;
    reg [16:0] received_reg;
    reg [16:0] announced_reg;
    reg [15:0] udp_length_reg;
    reg [15:0] udp_expected_reg;
    reg [16:0] last_byte_reg;
    reg [31:0] dma_last_byte_reg;
    reg [17:0] sum_first_reg;
    reg [17:0] sum_middle_reg;
    reg [17:0] sum_last_reg;

    always @(posedge clk) begin
        end_reg <= frame_end;
        error_reg <= frame_error;
        runt_reg <= !frame_too_long && received < LEAST_FRAME;
        not_roce_reg <= ethertype != SEND_ONLY_ETHERTYPE_DEFAULT
            || version_ihl != SEND_ONLY_IP_VERSION_IHL_DEFAULT
            || fragment[13:0] != 14'd0
            || protocol != SEND_ONLY_IP_PROTOCOL_DEFAULT
            || udp_port != ROCE_UDP_PORT;
        foreign_mac_reg <= dst_mac != cfg_mac;
        foreign_ip_reg <= dst_ip != cfg_ip;
        bad_opcode_reg <= !frame_send && !frame_write;
        foreign_qp_reg <= reserved_qp[23:0] != cfg_qp;
        bad_icrc_reg <= !frame_crc_right;
        too_long_reg <= frame_too_long;
        not_words_reg <= total_length[1:0] != 2'd0;
        write_reg <= frame_write;
        received_reg <= received;
        announced_reg <= {1'b0, total_length} + IP_START;
        udp_length_reg <= udp_length;
        udp_expected_reg <= total_length - IP_HEADER_SIZE;
        last_byte_reg <= last_byte;
        dma_last_byte_reg <= dma_length - 32'd1;
        sum_first_reg <= sum4(header[IP_HEADER +: 64]);
        sum_middle_reg <= sum4({16'd0, header[IP_HEADER+64 +: 48]});
        sum_last_reg <= sum4({16'd0, header[IP_HEADER+112 +: 48]});
        if (rst)
            end_reg <= 1'b0;
    end

    assign payload_last_byte = last_byte_reg[15:0];

    // ---------------------------------------------------------------------------------------------
    // second cycle: the checks, the first that fails gives the reason

    localparam [3:0]
        MAC_ERROR = 4'd0,
        RUNT = 4'd1,
        NOT_ROCE = 4'd2,
        BAD_CHECKSUM = 4'd3,
        FOREIGN_ADDRESS = 4'd4,
        TRUNCATED = 4'd5,
        OVERSIZE = 4'd6,
        BAD_OPCODE = 4'd7,
        FOREIGN_QP = 4'd8,
        BAD_LENGTH = 4'd9,
        BAD_ICRC = 4'd10;

    reg        valid_reg;
    reg [10:0] failed_reg;
    reg [19:0] sum_reg;

    always @(posedge clk) begin
        valid_reg <= end_reg;
        sum_reg <= {2'd0, sum_first_reg} + {2'd0, sum_middle_reg} + {2'd0, sum_last_reg};
        failed_reg[MAC_ERROR] <= error_reg;
        failed_reg[RUNT] <= runt_reg;
        failed_reg[NOT_ROCE] <= not_roce_reg;
        failed_reg[BAD_CHECKSUM] <= 1'b0; // known a cycle later, from the sum
        failed_reg[FOREIGN_ADDRESS] <= foreign_mac_reg || foreign_ip_reg;
        failed_reg[TRUNCATED] <= !too_long_reg && received_reg < announced_reg;
        failed_reg[OVERSIZE] <= too_long_reg || received_reg > announced_reg
            || !last_byte_reg[16] && last_byte_reg[15:0] >= LONGEST_PAYLOAD;
        failed_reg[BAD_OPCODE] <= bad_opcode_reg;
        failed_reg[FOREIGN_QP] <= foreign_qp_reg;
        failed_reg[BAD_LENGTH] <= udp_length_reg != udp_expected_reg
            || not_words_reg
            || last_byte_reg[16]
            || write_reg && dma_last_byte_reg != {16'd0, last_byte_reg[15:0]};
        failed_reg[BAD_ICRC] <= bad_icrc_reg;
        if (rst)
            valid_reg <= 1'b0;
    end

    // one's complement sum, all ones when right: low + high = 0xffff
    wire        checksum_right = sum_reg[15:0] == {12'hfff, ~sum_reg[19:16]};
    reg  [10:0] failed;
    reg  [10:0] reason;
    reg         good;
    integer     test;

    always @* begin
        failed = failed_reg;
        failed[BAD_CHECKSUM] = !checksum_right;
        good = valid_reg;
        for (test = 0; test < 11; test = test + 1) begin
            reason[test] = good && failed[test];
            good = good && !failed[test];
        end
    end

    assign verdict_valid = valid_reg;
    assign verdict_good = good;

    always @(posedge clk) begin
        stat_accepted <= good;
        stat_mac_error <= reason[MAC_ERROR];
        stat_truncated <= reason[RUNT] || reason[TRUNCATED];
        stat_oversize <= reason[OVERSIZE];
        stat_not_roce <= reason[NOT_ROCE];
        stat_bad_checksum <= reason[BAD_CHECKSUM];
        stat_foreign_address <= reason[FOREIGN_ADDRESS];
        stat_foreign_qp <= reason[FOREIGN_QP];
        stat_bad_opcode <= reason[BAD_OPCODE];
        stat_bad_length <= reason[BAD_LENGTH];
        stat_bad_icrc <= reason[BAD_ICRC];
        if (rst) begin
            stat_accepted <= 1'b0;
            stat_mac_error <= 1'b0;
            stat_truncated <= 1'b0;
            stat_oversize <= 1'b0;
            stat_not_roce <= 1'b0;
            stat_bad_checksum <= 1'b0;
            stat_foreign_address <= 1'b0;
            stat_foreign_qp <= 1'b0;
            stat_bad_opcode <= 1'b0;
            stat_bad_length <= 1'b0;
            stat_bad_icrc <= 1'b0;
        end
    end

    wire unused = &{1'b0, header, fragment[15:14], reserved_qp[31:24], overhead[1:0]};

endmodule

`resetall
