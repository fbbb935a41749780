// SPDX-License-Identifier: Apache-2.0
//
// Indices of the bits that are set in a message, as 16-bit little-endian numbers in rising order,
// for as long as there are at most `cfg_limit`: a buffer of chunks of DATA_W bits to read back.
//
// `start` begins a message of cfg_pieces pieces of 64 bits. A piece takes as many cycles as it has
// bits set, but at least one. `done` rises three cycles after the last one and stays up until the
// next start; `fits` then says whether the indices are all there, `count` how many there are.
// With more than cfg_limit of them the search ends early.
//
// rd_data is chunk rd_next of the cycle before; lanes past the last index are zero.

`default_nettype none

module syndrome_packer_sparse #(
    parameter DATA_W = 64,
    parameter INDICES = 512,
    parameter ADDR_W = $clog2(INDICES * 16 / DATA_W),
    parameter COUNT_W = $clog2(INDICES) + 1
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               start,
    input  wire [63:0]        piece,
    input  wire               piece_valid,
    output wire               piece_ready,

    output wire               done,
    output wire               fits,
    output wire [COUNT_W-1:0] count,

    input  wire [ADDR_W-1:0]  rd_next,
    output wire [DATA_W-1:0]  rd_data,

    input  wire [10:0]        cfg_pieces,  // 1..1024
    input  wire [COUNT_W-1:0] cfg_limit  // up to INDICES
);

    localparam LANES = DATA_W / 16;
    localparam LANE_W = $clog2(LANES);

    // the piece that is searched
    reg               busy_reg = 1'b0;
    reg [63:0]        bits_reg = 0;
    reg [9:0]         number_reg = 0;
    reg [10:0]        left_reg = 0;  // pieces not yet taken

    wire [63:0] rest = bits_reg & (bits_reg - 64'd1);
    wire [63:0] lowest = bits_reg & ~rest;
    wire        found = busy_reg && bits_reg != 0;

    assign piece_ready = busy_reg && rest == 0 && left_reg != 0;

    // number of the one bit that is set in `lowest`
    reg [5:0] place;
    integer   i;
    always @* begin
        place = 6'd0;
        for (i = 0; i < 64; i = i + 1)
            if (lowest[i])
                place = place | i[5:0];
    end

    reg               emit_reg = 1'b0;
    reg [15:0]        index_reg = 0;
    reg [COUNT_W-1:0] count_reg = 0;
    reg               excess_reg = 1'b0;
    reg               settle_reg = 1'b0;
    reg               done_reg = 1'b0;

    wire excess = emit_reg && count_reg == cfg_limit;

    always @(posedge clk) begin
        emit_reg <= found;
        index_reg <= {number_reg, place};
        if (emit_reg)
            count_reg <= count_reg + {{(COUNT_W-1){1'b0}}, 1'b1};
        if (excess)
            excess_reg <= 1'b1;
        if (found)
            bits_reg <= rest;
        if (piece_ready && piece_valid) begin
            bits_reg <= piece;
            number_reg <= number_reg + 10'd1;
            left_reg <= left_reg - 11'd1;
        end
        if (busy_reg && ((rest == 0 && left_reg == 0) || excess)) begin
            busy_reg <= 1'b0;
            settle_reg <= 1'b1;
        end
        if (settle_reg && !emit_reg) begin
            settle_reg <= 1'b0;
            done_reg <= 1'b1;
        end
        if (start) begin
            busy_reg <= 1'b1;
            bits_reg <= 64'd0;
            number_reg <= 10'h3ff;  // the first piece makes it 0
            left_reg <= cfg_pieces;
            count_reg <= 0;
            excess_reg <= 1'b0;
            done_reg <= 1'b0;
        end
        if (rst) begin
            busy_reg <= 1'b0;
            emit_reg <= 1'b0;
            settle_reg <= 1'b0;
            done_reg <= 1'b0;
        end
    end

    assign done = done_reg;
    assign fits = !excess_reg;
    assign count = count_reg;

    // the chunk that is being filled is written again with every index
    reg [DATA_W-1:0] buffer [0:(1<<ADDR_W)-1];
    reg [DATA_W-1:0] chunk_reg = 0;
    reg [DATA_W-1:0] rd_data_reg = 0;

    wire [LANE_W-1:0] lane = count_reg[LANE_W-1:0];
    wire [DATA_W-1:0] old = lane == 0 ? {DATA_W{1'b0}} : chunk_reg;
    wire [DATA_W-1:0] chunk;
    genvar g;
    generate
        for (g = 0; g < LANES; g = g + 1) begin : g_lane
            assign chunk[16*g +: 16] = old[16*g +: 16] | (lane == g ? index_reg : 16'd0);
        end
    endgenerate

    always @(posedge clk) begin
        if (emit_reg && !excess) begin
            chunk_reg <= chunk;
            buffer[count_reg[LANE_W +: ADDR_W]] <= chunk;
        end
        rd_data_reg <= buffer[rd_next];
    end

    assign rd_data = rd_data_reg;

endmodule

`resetall
