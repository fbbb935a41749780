// SPDX-License-Identifier: Apache-2.0
//
// Indices of the bits that are set in a message, as 16-bit little-endian numbers in rising order,
// for as long as there are at most `limit`: a buffer of chunks of DATA_W bits to read back.
//
// `start` begins a message of `pieces` pieces of 64 bits, anew in every cycle in which it is up; no
// piece is offered then. `done` rises once they are searched and stays up until the next start;
// `fits` then says whether the indices are all there, `count` how many there are. The bit that
// would be one too many ends the search.
//
// Latency, start to done: 5 cycles, one for each piece and one for each bit set, one more if the
// last piece has any; a search that ends early counts up to the piece and the bit that end it.
// Chunks follow from the second cycle after done; lanes past the last index are zero.

`default_nettype none

module syndrome_packer_sparse #(
    parameter DATA_W = 64,
    parameter INDICES = 512,
    parameter COUNT_W = $clog2(INDICES) + 1
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               start,
    input  wire [63:0]        piece,
    input  wire               piece_valid,
    output wire               piece_ready,
    output wire               piece_last,

    output wire               done,
    output wire               fits,
    output wire [COUNT_W-1:0] count,

    output wire [DATA_W-1:0]  chunk_data,
    output wire               chunk_valid,
    input  wire               chunk_ready,

    input  wire [10:0]        pieces,  // 1 to 1,024, at start
    input  wire [COUNT_W-1:0] limit  // up to INDICES, until done
);

    localparam ADDR_W = $clog2(INDICES * 16 / DATA_W);
    localparam LANES = DATA_W / 16;
    localparam LANE_W = $clog2(LANES);

    // pieces on their way: the search must not hold up the read address of the words
    reg  [10:0] left_reg = 0;  // pieces not yet taken
    reg         more_reg = 1'b0;  // there is one
    reg         final_reg = 1'b0;  // it is the last one
    reg         busy_reg = 1'b0;
    wire        queue_ready, queue_valid;
    wire [63:0] queue_piece;
    wire [7:0]  keep_unused;
    wire        last, user_unused;
    wire        next;

    assign piece_ready = queue_ready && more_reg;
    assign piece_last = final_reg;

    axis_skid #(
        .DATA_W(64),
        .USER_W(1)
    ) queue_inst (
        .clk(clk),
        .rst(rst || start),
        .s_axis_tdata(piece),
        .s_axis_tkeep(8'hff),
        .s_axis_tvalid(piece_valid && more_reg),
        .s_axis_tready(queue_ready),
        .s_axis_tlast(piece_last),
        .s_axis_tuser(1'b0),
        .m_axis_tdata(queue_piece),
        .m_axis_tkeep(keep_unused),
        .m_axis_tvalid(queue_valid),
        .m_axis_tready(next),
        .m_axis_tlast(last),
        .m_axis_tuser(user_unused)
    );

    // the piece that is searched: its lowest bit goes every cycle, then the next piece comes
    reg [63:0] bits_reg = 0;
    reg [7:0]  some_reg = 0;  // bytes of it that have any
    reg        last_reg = 1'b0;
    reg [9:0]  number_reg = 0;

    wire        any = some_reg != 0;
    wire        found = busy_reg && any;
    wire [7:0]  lowest;  // the byte that has the lowest bit
    wire [63:0] rest;
    wire [7:0]  some_rest, some_queue;

    genvar b;
    generate
        for (b = 0; b < 8; b = b + 1) begin : g_byte
            wire [7:0] bits = bits_reg[8*b +: 8];
            wire [7:0] less = bits & (bits - 8'd1);
            assign lowest[b] = some_reg[b] && (some_reg & ~(8'hff << b)) == 0;
            assign rest[8*b +: 8] = lowest[b] ? less : bits;
            assign some_rest[b] = lowest[b] ? less != 0 : some_reg[b];
            assign some_queue[b] = queue_piece[8*b +: 8] != 0;
        end
    endgenerate

    assign next = busy_reg && !any && !last_reg;

    // the byte with the lowest bit, then the index of the bit
    reg       lowest_valid_reg = 1'b0;
    reg [7:0] lowest_reg = 0;
    reg [7:0] byte_reg = 0;
    reg [9:0] lowest_number_reg = 0;

    reg [7:0] byte_next;
    reg [5:0] place;
    integer   i;
    always @* begin
        byte_next = 8'd0;
        place = 6'd0;
        for (i = 7; i >= 0; i = i - 1) begin
            byte_next = byte_next | (lowest[i] ? bits_reg[8*i +: 8] : 8'd0);
            if (byte_reg[i])
                place[2:0] = i[2:0];
        end
        for (i = 0; i < 8; i = i + 1)
            if (lowest_reg[i])
                place[5:3] = place[5:3] | i[2:0];
    end

    reg               emit_reg = 1'b0;
    reg [15:0]        index_reg = 0;
    reg [COUNT_W-1:0] count_reg = 0;
    reg               excess_reg = 1'b0;
    reg               settle_reg = 1'b0;
    reg               done_reg = 1'b0;

    wire excess = emit_reg && count_reg == limit;

    always @(posedge clk) begin
        lowest_valid_reg <= found;
        lowest_reg <= lowest;
        byte_reg <= byte_next;
        lowest_number_reg <= number_reg;
        emit_reg <= lowest_valid_reg;
        index_reg <= {lowest_number_reg, place};
        if (emit_reg)
            count_reg <= count_reg + {{(COUNT_W-1){1'b0}}, 1'b1};
        if (piece_ready && piece_valid) begin
            left_reg <= left_reg - 11'd1;
            more_reg <= !final_reg;
            final_reg <= left_reg == 11'd2;
        end
        if (found) begin
            bits_reg <= rest;
            some_reg <= some_rest;
        end
        if (next && queue_valid) begin
            bits_reg <= queue_piece;
            some_reg <= some_queue;
            last_reg <= last;
            number_reg <= number_reg + 10'd1;
        end
        if (busy_reg && !any && last_reg) begin
            busy_reg <= 1'b0;
            settle_reg <= 1'b1;
        end
        if (settle_reg && !lowest_valid_reg && !emit_reg) begin
            settle_reg <= 1'b0;
            done_reg <= 1'b1;
        end
        if (excess) begin
            busy_reg <= 1'b0;
            done_reg <= 1'b1;
            excess_reg <= 1'b1;
        end
        if (start) begin
            busy_reg <= 1'b1;
            some_reg <= 8'd0;
            last_reg <= 1'b0;
            number_reg <= 10'h3ff;  // the first piece makes it 0
            left_reg <= pieces;
            more_reg <= 1'b1;
            final_reg <= pieces == 11'd1;
            count_reg <= 0;
            excess_reg <= 1'b0;
            done_reg <= 1'b0;
        end
        if (rst) begin
            busy_reg <= 1'b0;
            lowest_valid_reg <= 1'b0;
            emit_reg <= 1'b0;
            settle_reg <= 1'b0;
            done_reg <= 1'b0;
        end
    end

    assign done = done_reg;
    assign fits = !excess_reg;
    assign count = count_reg;

    // the chunk that is being filled is written again with every index
    (* no_rw_check *)
    reg [DATA_W-1:0] buffer [0:(1<<ADDR_W)-1];
    reg [DATA_W-1:0] chunk_reg = 0;
    reg [DATA_W-1:0] read_data_reg = 0;
    reg [ADDR_W-1:0] address_reg = 0;

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
        // one too many is written as well: nothing is read then
        if (emit_reg) begin
            chunk_reg <= chunk;
            buffer[count_reg[LANE_W +: ADDR_W]] <= chunk;
        end
        read_data_reg <= buffer[address_next];
        address_reg <= address_next;
    end

    // chunks are read ahead, past the last one as well; the memory is slow to answer, so its answer
    // goes straight into a register
    reg [DATA_W-1:0]    answer_reg = 0;
    reg                 answer_valid_reg = 1'b0;
    wire                queue_free;
    wire                read_ready = queue_free || !answer_valid_reg;
    wire [ADDR_W-1:0]   address_next = done_reg
        ? address_reg + {{(ADDR_W-1){1'b0}}, read_ready} : {ADDR_W{1'b0}};
    wire [DATA_W/8-1:0] chunk_keep_unused;
    wire                chunk_last_unused, chunk_user_unused;

    always @(posedge clk) begin
        if (read_ready) begin
            answer_reg <= read_data_reg;
            answer_valid_reg <= done_reg;
        end
        if (rst || start)
            answer_valid_reg <= 1'b0;
    end

    axis_skid #(
        .DATA_W(DATA_W),
        .USER_W(1)
    ) chunk_inst (
        .clk(clk),
        .rst(rst || start),
        .s_axis_tdata(answer_reg),
        .s_axis_tkeep({(DATA_W/8){1'b1}}),
        .s_axis_tvalid(answer_valid_reg),
        .s_axis_tready(queue_free),
        .s_axis_tlast(1'b1),
        .s_axis_tuser(1'b0),
        .m_axis_tdata(chunk_data),
        .m_axis_tkeep(chunk_keep_unused),
        .m_axis_tvalid(chunk_valid),
        .m_axis_tready(chunk_ready),
        .m_axis_tlast(chunk_last_unused),
        .m_axis_tuser(chunk_user_unused)
    );

endmodule

`resetall
