// SPDX-License-Identifier: Apache-2.0
//
// Back of the syndrome packer: puts the header in front of the words of a message.
//
// The words arrive as bits, WORD_W at a time, and leave as chunks of DATA_W: as they are, or a
// byte for every bit, or as indices. At 64 bit the header is whole beats of its own; at 512 bit
// its last beat is filled with the start of the payload, and every later beat joins the rest of
// one chunk to the start of the next.
//
// Latency: the first beat is offered two cycles after `closed` (or `early`) rises, m_len one cycle
// before it; in sparse form after the search (syndrome_packer_sparse), and three cycles more.
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
    input  wire               closed,  // it has arrived whole
    input  wire               early,  // it has not, but may leave
    input  wire               abort,  // it left early and will never be whole
    input  wire [63:0]        count,
    input  wire [63:0]        ptp,
    output wire               start,  // in the cycle before its first beat
    output wire               finish,  // with its last beat

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
    output wire               m_axis_tuser,

    output wire [19:0]        m_len_tdata,
    output wire               m_len_tvalid,
    input  wire               m_len_tready,

    input  wire               cfg_bytes,
    input  wire               cfg_sparse,
    input  wire [63:0]        cfg_decoder_id,
    input  wire [63:0]        cfg_mapping_id,
    input  wire [31:0]        cfg_request_first,
    input  wire [31:0]        cfg_request_step,
    input  wire [19:0]        cfg_bits,  // of the message
    input  wire [19:0]        cfg_payload,  // bytes after the header
    input  wire [19:0]        cfg_length,  // bytes of the message
    input  wire [10:0]        cfg_pieces,  // of 64 bits to search
    input  wire [COUNT_W-1:0] cfg_limit  // indices up to which the sparse form is shorter
);

    `include "roundtrip_fields.vh"

    // FNV-1a of "enqueue_syndromes_sparse"
    localparam [31:0] FUNCTION_ENQUEUE_SYNDROMES_SPARSE = 32'h4e74226b;

    localparam HEADER_W = 8 * (REQUEST_HEADER_SIZE + ENQUEUE_BODY_SIZE);
    localparam SHORT_W = 8 * REQUEST_HEADER_SIZE;
    localparam [19:0] HEADER_SIZE = REQUEST_HEADER_SIZE + ENQUEUE_BODY_SIZE;
    localparam [31:0] RPC_SIZE = REQUEST_HEADER_SIZE;
    localparam KEEP_LOG = $clog2(KEEP_W);
    localparam ADDR_W = $clog2(INDICES * 16 / DATA_W);

    localparam [1:0]
        STATE_IDLE = 2'd0,
        STATE_SEARCH = 2'd1,  // wait for the indices
        STATE_DECIDE = 2'd2,
        STATE_SEND = 2'd3;

    reg [1:0] state_reg = STATE_IDLE, state_next;

    reg [31:0]           request_reg = 0;
    reg                  sparse_reg = 1'b0;
    reg [19-KEEP_LOG:0]  beats_reg = 0;  // beats left but the last one
    reg [19-KEEP_LOG:0]  chunks_reg = 0;  // chunks left
    reg [KEEP_LOG-1:0]   tail_reg = 0;  // bytes of the last beat less one
    reg [HEADER_W-1:0]   carry_reg = 0;  // header, or what is left of the last chunk
    reg [3:0]            sub_reg = 0;  // part of the word
    reg [ADDR_W-1:0]     address_reg = 0;  // chunk of indices
    reg [19:0]           length_reg = 0;
    reg                  length_valid_reg = 1'b0;

    wire               search_done, search_fits, piece_ready;
    wire [COUNT_W-1:0] indices;
    wire [DATA_W-1:0]  index_chunk;

    // ---- what the message will look like ----
    wire        send_sparse = state_reg == STATE_DECIDE && search_fits;
    wire [19:0] index_bytes = {{(19-COUNT_W){1'b0}}, indices, 1'b0};
    wire [19:0] length = send_sparse ? HEADER_SIZE + index_bytes : cfg_length;
    wire [19:0] payload = send_sparse ? index_bytes : cfg_payload;
    wire [19:0] length_less_one = length - 20'd1;
    wire [19-KEEP_LOG:0] chunks = payload[19:KEEP_LOG]
        + {{(19-KEEP_LOG){1'b0}}, payload[KEEP_LOG-1:0] != 0};

    wire [31:0] function_id = cfg_bytes ? FUNCTION_PREDECODE
        : send_sparse ? FUNCTION_ENQUEUE_SYNDROMES_SPARSE : FUNCTION_ENQUEUE_SYNDROMES;

    wire [HEADER_W-1:0] header;
    assign header[8*REQUEST_HEADER_MAGIC_OFFSET +: REQUEST_HEADER_MAGIC_W]
        = REQUEST_HEADER_MAGIC_DEFAULT;
    assign header[8*REQUEST_HEADER_FUNCTION_ID_OFFSET +: REQUEST_HEADER_FUNCTION_ID_W]
        = function_id;
    assign header[8*REQUEST_HEADER_ARG_LEN_OFFSET +: REQUEST_HEADER_ARG_LEN_W]
        = {12'd0, length} - RPC_SIZE;
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
        = {44'd0, cfg_bits};

    // ---- chunks ----
    wire [63:0]         piece;
    wire [DATA_W-1:0]   dense_chunk;
    wire [DATA_W/8-1:0] byte_bits;
    wire [DATA_W-1:0]   byte_chunk;
    wire [3:0]          last_piece, last_dense, last_bytes;
    wire                in_header;
    wire [DATA_W-1:0]   beat_data;
    wire [HEADER_W-1:0] carry_after;

    wire              wanted = !in_header && chunks_reg != 0;
    wire [DATA_W-1:0] chunk = (!wanted || abort) ? {DATA_W{1'b0}}
        : sparse_reg ? index_chunk : cfg_bytes ? byte_chunk : dense_chunk;

    wire last = beats_reg == 0;
    wire ready;
    // the end of a message that left early waits until it is known to be whole
    wire offer = state_reg == STATE_SEND && (!last || closed)
        && (!wanted || sparse_reg || abort || word_valid);
    wire passes = offer && ready;
    wire taken = passes && wanted;

    wire       piece_taken = state_reg == STATE_SEARCH && piece_ready && word_valid;
    wire       part_taken = piece_taken || (taken && !sparse_reg);
    wire [3:0] last_part = state_reg == STATE_SEARCH ? last_piece
        : cfg_bytes ? last_bytes : last_dense;

    wire length_free = !length_valid_reg || m_len_tready;
    wire go = state_reg == STATE_IDLE && length_free && (closed || early);
    wire enter = (go && !cfg_sparse) || state_reg == STATE_DECIDE;

    assign start = go;
    assign finish = passes && last;
    assign word_pop = part_taken && sub_reg == last_part;
    assign word_rewind = state_reg == STATE_SEARCH && search_done;
    assign m_len_tdata = length_reg;
    assign m_len_tvalid = length_valid_reg;

    wire [ADDR_W-1:0] address_next = enter ? {ADDR_W{1'b0}}
        : address_reg + {{(ADDR_W-1){1'b0}}, taken};

    always @* begin
        state_next = state_reg;
        case (state_reg)
            STATE_IDLE:
                if (go)
                    state_next = cfg_sparse ? STATE_SEARCH : STATE_SEND;
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
        address_reg <= address_next;
        if (part_taken)
            sub_reg <= word_pop ? 4'd0 : sub_reg + 4'd1;
        if (finish || word_rewind)
            sub_reg <= 4'd0;
        if (length_free)
            length_valid_reg <= 1'b0;
        if (enter) begin
            sparse_reg <= send_sparse;
            beats_reg <= length_less_one[19:KEEP_LOG];
            tail_reg <= length_less_one[KEEP_LOG-1:0];
            chunks_reg <= chunks;
            carry_reg <= header;
            length_reg <= length;
            length_valid_reg <= 1'b1;
        end
        if (passes) begin
            beats_reg <= beats_reg - {{(19-KEEP_LOG){1'b0}}, 1'b1};
            carry_reg <= carry_after;
        end
        if (taken)
            chunks_reg <= chunks_reg - {{(19-KEEP_LOG){1'b0}}, 1'b1};
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

            assign piece = word_data[64*sub_reg[0] +: 64];
            assign dense_chunk = piece;
            assign byte_bits = word_data[8*sub_reg +: 8];
            assign last_piece = 4'd1;
            assign last_dense = 4'd1;
            assign last_bytes = 4'd15;
            assign in_header = header_reg != 3'd0;
            assign beat_data = in_header ? carry_reg[63:0] : chunk;
            assign carry_after = carry_reg >> 64;

            always @(posedge clk) begin
                if (enter)
                    header_reg <= cfg_bytes ? SHORT_BEATS : HEADER_BEATS;
                else if (passes && in_header)
                    header_reg <= header_reg - 3'd1;
            end
        end else begin : g_wide
            assign piece = word_data[64*sub_reg[2:0] +: 64];
            assign dense_chunk = word_data;
            assign byte_bits = piece;
            assign last_piece = 4'd7;
            assign last_dense = 4'd0;
            assign last_bytes = 4'd7;
            assign in_header = 1'b0;
            assign beat_data = cfg_bytes ? {chunk[DATA_W-SHORT_W-1:0], carry_reg[SHORT_W-1:0]}
                : {chunk[DATA_W-HEADER_W-1:0], carry_reg};
            assign carry_after = cfg_bytes
                ? {{(HEADER_W-SHORT_W){1'b0}}, chunk[DATA_W-1:DATA_W-SHORT_W]}
                : chunk[DATA_W-1:DATA_W-HEADER_W];
        end
    endgenerate

    wire [KEEP_W-1:0] tail_keep = {KEEP_W{1'b1}} >> ~tail_reg;

    syndrome_packer_sparse #(
        .DATA_W(DATA_W),
        .INDICES(INDICES)
    ) sparse_inst (
        .clk(clk),
        .rst(rst),
        .start(go && cfg_sparse),
        .piece(piece),
        .piece_valid(state_reg == STATE_SEARCH && word_valid),
        .piece_ready(piece_ready),
        .done(search_done),
        .fits(search_fits),
        .count(indices),
        .rd_next(address_next),
        .rd_data(index_chunk),
        .cfg_pieces(cfg_pieces),
        .cfg_limit(cfg_limit)
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
        .s_axis_tuser(last && abort),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast),
        .m_axis_tuser(m_axis_tuser)
    );

endmodule

`resetall
