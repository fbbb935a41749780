// SPDX-License-Identifier: Apache-2.0
//
// Back of the syndrome packer: puts the header in front of the words of a message.
//
// The words arrive as bits, WORD_W at a time, and leave as chunks of DATA_W: as they are, or a
// byte for every bit, or as indices. At 64 bit the header is whole beats of its own; at 512 bit
// its last beat is filled with the start of the payload, and every later beat joins the rest of
// one chunk to the start of the next.
//
// What a message will look like is known while the one before it leaves, so it costs no time then.
//
// Latency: the first beat is offered three cycles after `closed` rises, m_len one cycle before it;
// in sparse form three cycles after the search (syndrome_packer_sparse), which starts one cycle
// after `closed` rises.
// One beat a cycle; one cycle between messages.

`default_nettype none

module syndrome_packer_out #(
    parameter DATA_W = 64,
    parameter KEEP_W = DATA_W / 8,
    parameter WORD_W = DATA_W == 64 ? 128 : 512,
    parameter INDICES = 512,
    parameter COUNT_W = $clog2(INDICES) + 1
) (
    input  wire               clk,
    input  wire               rst,

    // head of the queue of messages
    input  wire               closed,  // there is one
    input  wire [19:0]        last_bit,  // its bits less one
    input  wire [63:0]        count,
    input  wire [63:0]        ptp,
    output wire               start,  // its words come next
    output wire               enter,  // the next message may be shown
    output wire               finish,  // the message that was shown last has left

    // its words; word_data is current while word_valid is high
    input  wire [WORD_W-1:0]  word_data,
    input  wire               word_valid,
    output wire               word_pop,
    output wire               word_rewind,  // back to the first one

    output wire [DATA_W-1:0]  m_axis_tdata,
    output wire [KEEP_W-1:0]  m_axis_tkeep,
    output wire               m_axis_tvalid,
    input  wire               m_axis_tready,
    output wire               m_axis_tlast,

    output wire [19:0]        m_len_tdata,
    output wire               m_len_tvalid,
    input  wire               m_len_tready,

    input  wire               cfg_bytes,
    input  wire               cfg_sparse,
    input  wire [63:0]        cfg_decoder_id,
    input  wire [63:0]        cfg_mapping_id,
    input  wire [31:0]        cfg_request_first,
    input  wire [31:0]        cfg_request_step
);

    `include "roundtrip_fields.vh"

    // FNV-1a of "enqueue_syndromes_sparse"
    localparam [31:0] FUNCTION_ENQUEUE_SYNDROMES_SPARSE = 32'h4e74226b;

    localparam HEADER_W = 8 * (REQUEST_HEADER_SIZE + ENQUEUE_BODY_SIZE);
    localparam SHORT_W = 8 * REQUEST_HEADER_SIZE;
    localparam [19:0] HEADER_SIZE = REQUEST_HEADER_SIZE + ENQUEUE_BODY_SIZE;
    localparam [19:0] RPC_SIZE = REQUEST_HEADER_SIZE;
    localparam [19:0] BODY_SIZE = ENQUEUE_BODY_SIZE;
    localparam [19:0] MOST_INDICES = INDICES;
    localparam KEEP_LOG = $clog2(KEEP_W);

    localparam [1:0]
        STATE_IDLE = 2'd0,
        STATE_SEARCH = 2'd1,  // wait for the indices
        STATE_DECIDE = 2'd2,  // the size is known
        STATE_SEND = 2'd3;

    reg [1:0] state_reg = STATE_IDLE, state_next;

    reg [31:0]           request_reg = 0;
    reg                  sparse_reg = 1'b0;
    reg [19-KEEP_LOG:0]  beats_reg = 0;  // beats after this one
    reg [19-KEEP_LOG:0]  chunks_reg = 0;  // chunks after this one
    reg [KEEP_LOG-1:0]   tail_reg = 0;  // bytes of the last beat less one
    reg                  last_reg = 1'b0;  // this is the last beat
    reg                  wanted_reg = 1'b0;  // this beat needs a chunk
    reg                  chunk_last_reg = 1'b0;  // this is the last chunk
    reg [HEADER_W-1:0]   carry_reg = 0;  // header, or what is left of the last chunk
    reg [3:0]            sub_reg = 0;  // part of the word
    reg [3:0]            parts_reg = 0;  // parts of a word less one
    reg                  part_end_reg = 1'b0;  // this part is the last one, or has the last chunk
    reg [19:0]           length_reg = 0;
    reg                  length_valid_reg = 1'b0;

    wire               search_done, search_fits, piece_ready, piece_last;
    wire [COUNT_W-1:0] indices;
    wire [DATA_W-1:0]  index_chunk;
    wire               index_valid;

    // ---- what the message at the head will look like: each value one addition from its bits ----
    wire        found = state_reg == STATE_SEARCH && search_done && search_fits;
    wire [19:0] index_bytes = {{(19-COUNT_W){1'b0}}, indices, 1'b0};
    wire [19:0] payload_last = cfg_bytes ? last_bit : {3'd0, last_bit[19:3]};  // bytes less one
    wire [19:0] part = found ? index_bytes : payload_last;
    wire [19:0] most = {4'd0, last_bit[19:4]};  // indices that take fewer bytes than the bits

    reg                  head_reg = 1'b0;  // there is one; like all of these, current when idle
    reg                  search_reg = 1'b0;  // it may be sparse
    reg                  found_reg = 1'b0;  // it is
    reg [31:0]           function_reg = 0;
    reg [19:0]           bits_reg = 0;
    reg [19:0]           size_reg = 0;
    reg [19:0]           size_last_reg = 0;  // less one
    reg [19:0]           arg_len_reg = 0;
    reg [19-KEEP_LOG:0]  all_chunks_reg = 0;  // less one
    reg                  no_chunk_reg = 1'b0;
    reg [10:0]           pieces_reg = 0;  // of 64 bits to search
    reg [COUNT_W-1:0]    limit_reg = 0;  // indices up to which it is sparse

    always @(posedge clk) begin
        head_reg <= closed;
        search_reg <= cfg_sparse && !cfg_bytes && last_bit[19:16] == 4'd0;
        found_reg <= found;
        function_reg <= cfg_bytes ? FUNCTION_PREDECODE
            : found ? FUNCTION_ENQUEUE_SYNDROMES_SPARSE : FUNCTION_ENQUEUE_SYNDROMES;
        bits_reg <= last_bit + 20'd1;
        size_reg <= part + (found ? HEADER_SIZE
            : cfg_bytes ? RPC_SIZE + 20'd1 : HEADER_SIZE + 20'd1);
        size_last_reg <= part + (found ? HEADER_SIZE - 20'd1 : cfg_bytes ? RPC_SIZE : HEADER_SIZE);
        arg_len_reg <= part + (found ? BODY_SIZE : cfg_bytes ? 20'd1 : BODY_SIZE + 20'd1);
        all_chunks_reg <= found
            ? index_bytes[19:KEEP_LOG] - {{(19-KEEP_LOG){1'b0}}, index_bytes[KEEP_LOG-1:0] == 0}
            : payload_last[19:KEEP_LOG];
        no_chunk_reg <= found && indices == 0;
        pieces_reg <= {1'b0, last_bit[15:6]} + 11'd1;
        limit_reg <= most > MOST_INDICES ? MOST_INDICES[COUNT_W-1:0] : most[COUNT_W-1:0];
    end

    wire [HEADER_W-1:0] header;
    assign header[8*REQUEST_HEADER_MAGIC_OFFSET +: REQUEST_HEADER_MAGIC_W]
        = REQUEST_HEADER_MAGIC_DEFAULT;
    assign header[8*REQUEST_HEADER_FUNCTION_ID_OFFSET +: REQUEST_HEADER_FUNCTION_ID_W]
        = function_reg;
    assign header[8*REQUEST_HEADER_ARG_LEN_OFFSET +: REQUEST_HEADER_ARG_LEN_W]
        = {12'd0, arg_len_reg};
    assign header[8*REQUEST_HEADER_REQUEST_ID_OFFSET +: REQUEST_HEADER_REQUEST_ID_W]
        = request_reg;
    assign header[8*REQUEST_HEADER_PTP_TIMESTAMP_OFFSET +: REQUEST_HEADER_PTP_TIMESTAMP_W]
        = ptp;
    assign header[SHORT_W + 8*ENQUEUE_BODY_DECODER_ID_OFFSET +: ENQUEUE_BODY_DECODER_ID_W]
        = cfg_decoder_id;
    assign header[SHORT_W + 8*ENQUEUE_BODY_COUNTER_OFFSET +: ENQUEUE_BODY_COUNTER_W]
        = count;
    assign header[SHORT_W + 8*ENQUEUE_BODY_SYNDROME_MAPPING_ID_OFFSET
            +: ENQUEUE_BODY_SYNDROME_MAPPING_ID_W]
        = cfg_mapping_id;
    assign header[SHORT_W + 8*ENQUEUE_BODY_NUM_SYNDROMES_OFFSET +: ENQUEUE_BODY_NUM_SYNDROMES_W]
        = {44'd0, bits_reg};

    // ---- chunks ----
    wire [63:0]         piece;
    wire [DATA_W-1:0]   dense_chunk;
    wire [DATA_W/8-1:0] byte_bits;
    wire [DATA_W-1:0]   byte_chunk;
    wire [3:0]          last_piece, last_dense, last_bytes;
    wire                wanted_next;
    wire                carry_moves;
    wire [DATA_W-1:0]   beat_data;
    wire [HEADER_W-1:0] carry_after;

    wire              wanted = wanted_reg;
    wire [DATA_W-1:0] chunk = !wanted ? {DATA_W{1'b0}}
        : sparse_reg ? index_chunk : cfg_bytes ? byte_chunk : dense_chunk;

    wire last = last_reg;
    wire ready;
    wire offer = state_reg == STATE_SEND && (!wanted || (sparse_reg ? index_valid : word_valid));
    wire passes = offer && ready;
    wire taken = passes && wanted;

    wire       piece_taken = state_reg == STATE_SEARCH && piece_ready && word_valid;
    // as `taken` without indices, said flatly: it reaches back to the queue of words
    wire       part_taken = piece_taken || (state_reg == STATE_SEND && ready && wanted
        && !sparse_reg && word_valid);
    wire [3:0] send_parts = cfg_bytes ? last_bytes : last_dense;

    wire length_free = !length_valid_reg || m_len_tready;
    wire go = state_reg == STATE_IDLE && length_free && head_reg;

    // over again until it goes: whether it goes is known late
    assign start = state_reg == STATE_IDLE;
    assign enter = (go && !search_reg) || state_reg == STATE_DECIDE;
    assign finish = passes && last;
    wire       to_search = state_reg == STATE_IDLE && search_reg;
    wire       part_end = part_end_reg || (state_reg == STATE_SEARCH && piece_last);

    assign word_pop = part_taken && part_end;
    assign word_rewind = state_reg == STATE_SEARCH && search_done && !search_fits;
    assign m_len_tdata = length_reg;
    assign m_len_tvalid = length_valid_reg;

    always @* begin
        state_next = state_reg;
        case (state_reg)
            STATE_IDLE:
                if (go)
                    state_next = search_reg ? STATE_SEARCH : STATE_SEND;
            STATE_SEARCH:
                if (search_done)
                    state_next = STATE_DECIDE;
            STATE_DECIDE:
                state_next = STATE_SEND;
            default:
                if (finish)
                    state_next = STATE_IDLE;
        endcase
    end

    always @(posedge clk) begin
        state_reg <= state_next;
        if (part_taken) begin
            sub_reg <= part_end ? 4'd0 : sub_reg + 4'd1;
            part_end_reg <= (part_end ? parts_reg == 4'd0 : sub_reg + 4'd1 == parts_reg)
                || (state_reg == STATE_SEND && chunks_reg == 1);
        end
        if (state_reg == STATE_IDLE || state_reg == STATE_DECIDE) begin
            sub_reg <= 4'd0;
            parts_reg <= to_search ? last_piece : send_parts;
            part_end_reg <= !to_search && (send_parts == 4'd0 || all_chunks_reg == 0);
        end
        if (length_free)
            length_valid_reg <= 1'b0;
        if (enter) begin
            length_reg <= size_reg;
            length_valid_reg <= 1'b1;
        end
        wanted_reg <= wanted_next;
        if (passes) begin
            beats_reg <= beats_reg - {{(19-KEEP_LOG){1'b0}}, 1'b1};
            last_reg <= beats_reg == 1;
        end
        if (carry_moves)
            carry_reg <= carry_after;
        if (taken) begin
            chunks_reg <= chunks_reg - {{(19-KEEP_LOG){1'b0}}, 1'b1};
            chunk_last_reg <= chunks_reg == 1;
        end
        // the head, whether it enters or not: nothing is shown yet
        if (state_reg != STATE_SEND) begin
            sparse_reg <= found_reg;
            beats_reg <= size_last_reg[19:KEEP_LOG];
            last_reg <= size_last_reg[19:KEEP_LOG] == 0;
            tail_reg <= size_last_reg[KEEP_LOG-1:0];
            chunks_reg <= all_chunks_reg;
            chunk_last_reg <= all_chunks_reg == 0;
            carry_reg <= header;
        end
        if (finish)
            request_reg <= request_reg + cfg_request_step;
        if (rst) begin
            state_reg <= STATE_IDLE;
            sub_reg <= 4'd0;
            length_valid_reg <= 1'b0;
            request_reg <= cfg_request_first;
        end
    end

    genvar g;
    generate
        for (g = 0; g < DATA_W / 8; g = g + 1) begin : g_byte
            assign byte_chunk[8*g +: 8] = {7'd0, byte_bits[g]};
        end

        if (DATA_W == 64) begin : g_narrow
            localparam [2:0] HEADER_BEATS = 3'd7;
            localparam [2:0] SHORT_BEATS = 3'd3;

            reg [2:0] header_reg = 3'd0;  // beats of the header left
            reg       in_header_reg = 1'b0;
            reg       some_reg = 1'b0;  // there is a payload

            assign piece = word_data[64*sub_reg[0] +: 64];
            assign dense_chunk = piece;
            assign byte_bits = word_data[8*sub_reg +: 8];
            assign last_piece = 4'd1;
            assign last_dense = 4'd1;
            assign last_bytes = 4'd15;
            assign wanted_next = state_reg != STATE_SEND ? 1'b0
                : passes && in_header_reg ? header_reg == 3'd1 && some_reg
                : taken ? !chunk_last_reg : wanted_reg;
            assign beat_data = in_header_reg ? carry_reg[63:0] : chunk;
            assign carry_after = carry_reg >> 64;
            assign carry_moves = ready;  // no beat waits for a chunk before the header is out

            always @(posedge clk) begin
                if (state_reg != STATE_SEND) begin
                    header_reg <= cfg_bytes ? SHORT_BEATS : HEADER_BEATS;
                    in_header_reg <= 1'b1;
                    some_reg <= !no_chunk_reg;
                end else if (passes) begin
                    header_reg <= header_reg - 3'd1;
                    if (header_reg == 3'd1)
                        in_header_reg <= 1'b0;
                end
            end
        end else begin : g_wide
            assign piece = word_data[64*sub_reg[2:0] +: 64];
            assign dense_chunk = word_data;
            assign byte_bits = piece;
            assign last_piece = 4'd7;
            assign last_dense = 4'd0;
            assign last_bytes = 4'd7;
            assign wanted_next = state_reg != STATE_SEND ? !no_chunk_reg
                : taken ? !chunk_last_reg : wanted_reg;
            assign carry_moves = passes;
            assign beat_data = cfg_bytes ? {chunk[DATA_W-SHORT_W-1:0], carry_reg[SHORT_W-1:0]}
                : {chunk[DATA_W-HEADER_W-1:0], carry_reg};
            assign carry_after = cfg_bytes
                ? {{(HEADER_W-SHORT_W){1'b0}}, chunk[DATA_W-1:DATA_W-SHORT_W]}
                : chunk[DATA_W-1:DATA_W-HEADER_W];
        end
    endgenerate

    wire              user_unused;
    wire [KEEP_W-1:0] tail_keep = {KEEP_W{1'b1}} >> ~tail_reg;

    syndrome_packer_sparse #(
        .DATA_W(DATA_W),
        .INDICES(INDICES)
    ) sparse_inst (
        .clk(clk),
        .rst(rst),
        .start(start),
        .piece(piece),
        .piece_valid(state_reg == STATE_SEARCH && word_valid),
        .piece_ready(piece_ready),
        .piece_last(piece_last),
        .done(search_done),
        .fits(search_fits),
        .count(indices),
        .chunk_data(index_chunk),
        .chunk_valid(index_valid),
        .chunk_ready(taken && sparse_reg),
        .pieces(pieces_reg),
        .limit(limit_reg)
    );

    axis_skid #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .USER_W(1)
    ) skid_inst (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(beat_data),
        .s_axis_tkeep(last ? tail_keep : {KEEP_W{1'b1}}),
        .s_axis_tvalid(offer),
        .s_axis_tready(ready),
        .s_axis_tlast(last),
        .s_axis_tuser(1'b0),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast),
        .m_axis_tuser(user_unused)
    );

endmodule

`resetall
