// SPDX-License-Identifier: Apache-2.0
//
// Syndrome packer: rounds of syndrome bits of one patch in, RPC requests for its decoder out.
//
// A round is cfg_bits bits, IN_W a beat, the first one in bit 0, tlast on its last beat; bits of
// that beat past the end of the round are ignored. cfg_rounds rounds make a message, whose bits
// follow each other without a gap, least significant first (all numbers little-endian):
//
//    offset  size  field             value
//         0     4  magic             0x43555152
//         4     4  function_id       FNV-1a of enqueue_syndromes, enqueue_syndromes_sparse or
//                                    predecode
//         8     4  arg_len           bytes from 24 on
//        12     4  request_id        cfg_request_first, then cfg_request_step more each time
//        16     8  ptp_timestamp     of the beat with the first bit: seconds, then nanoseconds
//        24     8  decoder_id        cfg_decoder_id                    (not with cfg_bytes)
//        32     8  counter           messages since reset, see below   (not with cfg_bytes)
//        40     8  mapping_id        cfg_mapping_id                    (not with cfg_bytes)
//        48     8  num_syndromes     cfg_bits * cfg_rounds             (not with cfg_bytes)
//        56     n  syndromes         eight to a byte; cfg_bytes: from 24, one a byte; sparse:
//                                    16-bit indices of the bits that are 1, rising
//
// cfg_sparse takes the sparse form for a message whose indices take fewer bytes than its bits and
// number at most INDICES; messages of more than 65,536 bits stay dense.
// m_len gives the length of each message in bytes, one beat a message. Lanes that tkeep leaves
// out are zero.
//
// The input is never held up: tready is always high. A message is kept until it has left; its
// place, DEPTH words of WORD_W bits for all, is taken at its first beat, or it is dropped with all
// its rounds. So a message that leaves is whole, and `counter` counts the dropped ones as well:
// message c begins with round c * cfg_rounds since reset, and a step of more than 1 is a gap.
// A round of a wrong length spoils its message: it is dropped, or, if it has begun to leave,
// its missing words are zero and tuser is high on its last beat.
// Rounds in = cfg_rounds * (stat_message_sent + stat_message_bad) + stat_round_dropped + those of
// messages still inside. A configuration that cannot work (no bits, more than 4,096, no rounds, a
// message of more than DEPTH words) drops every round.
//
// cfg_start is the number of words of a message that let it leave before its end has arrived
// (sparse messages never do): 0 as soon as its first beat is in, all ones only when it is whole.
// Words are 128 bits at DATA_W = 64 and 512 bits at 512. With too low a number tvalid pauses
// inside a message. cfg_* may change in reset, which must then last for four cycles.
//
// Latency, beat in to first beat of the message out: 4 cycles, both widths, all dense forms,
// counted from the last beat of the message (m_len: 3). With cfg_start = 0 from its first one, but
// at 512 bit the first beat, which ends with payload, waits for a whole word.
// Sparse: 8 cycles and one for each 64-bit piece of the message, or for each bit set where a
// piece has several; one more when the last piece has any.
// Throughput: a beat a cycle, one cycle between messages.

`default_nettype none

module syndrome_packer #(
    parameter DATA_W = 64,  // 64 or 512
    parameter KEEP_W = DATA_W / 8,
    parameter IN_W = 32,  // power of two, 8 to 64 (DATA_W = 64) or to 256 (DATA_W = 512)
    parameter DEPTH = 256,  // words, power of two
    parameter MESSAGES = 16,  // messages that can wait, power of two
    parameter INDICES = 512  // of one sparse message at most, power of two
) (
    input  wire              clk,
    input  wire              rst,

    input  wire [IN_W-1:0]   s_axis_tdata,
    input  wire              s_axis_tvalid,
    output wire              s_axis_tready,
    input  wire              s_axis_tlast,

    input  wire [31:0]       ptp_sec,
    input  wire [31:0]       ptp_nsec,

    output wire [DATA_W-1:0] m_axis_tdata,
    output wire [KEEP_W-1:0] m_axis_tkeep,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire              m_axis_tlast,
    output wire              m_axis_tuser,  // on the last beat: the message is not whole

    output wire [19:0]       m_len_tdata,
    output wire              m_len_tvalid,
    input  wire              m_len_tready,

    input  wire [12:0]       cfg_bits,
    input  wire [7:0]        cfg_rounds,
    input  wire              cfg_bytes,
    input  wire              cfg_sparse,
    input  wire [15:0]       cfg_start,
    input  wire [63:0]       cfg_decoder_id,
    input  wire [63:0]       cfg_mapping_id,
    input  wire [31:0]       cfg_request_first,
    input  wire [31:0]       cfg_request_step,

    output wire              stat_round_dropped,  // no place for its message
    output wire              stat_round_short,  // tlast before the last bits
    output wire              stat_round_long,  // no tlast with the last bits
    output wire              stat_message_bad,  // spoilt by a short or long round
    output wire              stat_message_sent
);

    localparam WORD_W = DATA_W == 64 ? 128 : 512;
    localparam WORD_LOG = $clog2(WORD_W);
    localparam DEPTH_LOG = $clog2(DEPTH);
    localparam SLOT_LOG = $clog2(MESSAGES);
    localparam COUNT_W = $clog2(INDICES) + 1;

    generate
        if (DATA_W != 64 && DATA_W != 512) begin : g_bad_data_w
            bad_parameter_DATA_W instance_stops_elaboration();
        end
        if (KEEP_W != DATA_W / 8) begin : g_bad_keep_w
            bad_parameter_KEEP_W instance_stops_elaboration();
        end
        if (IN_W < 8 || IN_W > WORD_W / 2 || (IN_W & (IN_W - 1)) != 0) begin : g_bad_in_w
            bad_parameter_IN_W instance_stops_elaboration();
        end
        if (DEPTH < 2 || DEPTH > 8192 || (DEPTH & (DEPTH - 1)) != 0) begin : g_bad_depth
            bad_parameter_DEPTH instance_stops_elaboration();
        end
        if (MESSAGES < 2 || (MESSAGES & (MESSAGES - 1)) != 0) begin : g_bad_messages
            bad_parameter_MESSAGES instance_stops_elaboration();
        end
        if (INDICES < 64 || INDICES > 4096 || (INDICES & (INDICES - 1)) != 0) begin : g_bad_indices
            bad_parameter_INDICES instance_stops_elaboration();
        end
    endgenerate

    // ---- derived configuration, still after four cycles ----
    localparam [19:0]        HEADER_SIZE = 20'd56;
    localparam [19:0]        RPC_SIZE = 20'd24;
    localparam [COUNT_W-1:0] MOST_INDICES = INDICES;
    localparam [18:0]        PLENTY = {{(19-COUNT_W){1'b0}}, MOST_INDICES};
    localparam [31:0]        PLACES = DEPTH;

    wire [12:0] last_bit = cfg_bits - 13'd1;
    reg         valid_reg = 1'b0;
    reg [19:0]  bits_reg = 0;
    reg [19:0]  payload_reg = 0;
    reg [19:0]  length_reg = 0;
    reg [12:0]  words_reg = 0;
    reg [10:0]  pieces_reg = 0;
    reg         sparse_reg = 1'b0;
    reg [COUNT_W-1:0] limit_reg = 0;

    wire [19-WORD_LOG:0] words_up = bits_reg[19:WORD_LOG]
        + {{(19-WORD_LOG){1'b0}}, bits_reg[WORD_LOG-1:0] != 0};
    reg [19:0]  packed_reg = 0;
    reg [18:0]  most_reg = 0;  // indices that take fewer bytes than the bits

    wire [19:0] packed_bytes = {3'd0, bits_reg[19:3]} + {19'd0, bits_reg[2:0] != 3'd0};

    always @(posedge clk) begin
        valid_reg <= cfg_bits != 0 && cfg_rounds != 0 && !last_bit[12];
        bits_reg <= {7'd0, cfg_bits} * {12'd0, cfg_rounds};
        packed_reg <= packed_bytes;
        most_reg <= packed_reg[19:1] - {18'd0, !packed_reg[0]};
        payload_reg <= cfg_bytes ? bits_reg : packed_reg;
        length_reg <= payload_reg + (cfg_bytes ? RPC_SIZE : HEADER_SIZE);
        words_reg <= {{(WORD_LOG-7){1'b0}}, words_up};
        pieces_reg <= bits_reg[16:6] + {10'd0, bits_reg[5:0] != 6'd0};
        sparse_reg <= cfg_sparse && !cfg_bytes && bits_reg <= 20'd65536;
        limit_reg <= most_reg > PLENTY ? MOST_INDICES : most_reg[COUNT_W-1:0];
    end

    // ---- front ----
    wire              admit, word_write, open, close, bad;
    wire [WORD_W-1:0] write_data;
    wire [63:0]       open_count, open_ptp;
    reg               room_reg = 1'b0;
    wire              finish;

    assign s_axis_tready = 1'b1;

    syndrome_packer_in #(
        .IN_W(IN_W),
        .WORD_W(WORD_W)
    ) in_inst (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tlast(s_axis_tlast),
        .ptp_sec(ptp_sec),
        .ptp_nsec(ptp_nsec),
        .room(room_reg),
        .admit(admit),
        .word_valid(word_write),
        .word_data(write_data),
        .open(open),
        .open_count(open_count),
        .open_ptp(open_ptp),
        .close(close),
        .bad(bad),
        .cfg_last_bit(last_bit[11:0]),
        .cfg_last_round(cfg_rounds - 8'd1),
        .stat_round_dropped(stat_round_dropped),
        .stat_round_short(stat_round_short),
        .stat_round_long(stat_round_long)
    );

    // ---- messages: places of a fixed size in a ring, in order; addresses count on past DEPTH ----
    // a word is not read in the cycle in which it is written
    (* no_rw_check *)
    reg [WORD_W-1:0]  words [0:DEPTH-1];
    reg [127:0]       slots [0:MESSAGES-1];
    reg [13:0]        write_reg = 0;  // next word
    reg [13:0]        base_reg = 0;  // first word of the message that arrives
    reg [13:0]        read_reg = 0;  // word that the memory offers
    reg [13:0]        read_base_reg = 0;  // first word of the message that leaves
    reg [13:0]        written_reg = 0;  // write_reg a cycle ago: these words can be read
    reg [13:0]        arrived_reg = 0;  // words of the message that arrives
    reg               enough_reg = 1'b0;  // they let it leave
    reg [WORD_W-1:0]  memory_reg = 0;
    reg               cut_reg = 1'b0;  // a message has left without all its words
    reg               finish_reg = 1'b0;
    reg               undo_reg = 1'b0;
    reg [SLOT_LOG:0]  slot_in_reg = 0;
    reg [SLOT_LOG:0]  slot_out_reg = 0;
    reg               open_reg = 1'b0;  // a message arrives
    reg               left_reg = 1'b0;  // and has begun to leave
    reg               abort_reg = 1'b0;  // it has closed, and is not whole
    reg               bad_stat_reg = 1'b0;
    reg               sent_stat_reg = 1'b0;

    // places: words that would be free after one more message (negative: bit 15), messages inside
    reg [15:0]        spare_reg = 0;
    reg [15:0]        returned_reg = 0;  // words that messages have given back
    reg [SLOT_LOG:0]  inside_reg = 0;

    wire [13:0]        step = {1'b0, words_reg};
    wire [15:0]        step_wide = {3'b000, words_reg};
    wire               closed = slot_in_reg != slot_out_reg;
    wire               start, word_pop, word_rewind;
    wire [13:0]        arrived_next = open ? 14'd0 : arrived_reg + {13'd0, word_write};
    wire               early = open_reg && !closed && !sparse_reg && enough_reg;
    wire               left = left_reg || (start && !closed);
    wire               keep = close && (!bad || left);
    wire               undo = close && !keep;

    // Words are read ahead into a queue of two, but not those of a message that may still be undone
    // behind one that is being sent. A word passes the memory by when all before it have left it.
    wire               back = word_rewind || cut_reg || (undo && !closed);
    wire               allowed = !closed || read_reg != base_reg;
    wire               past = word_write && write_reg == read_reg && allowed;
    wire               ahead = (read_reg != written_reg && allowed) || past;
    wire               queue_ready;
    wire [13:0]        read_next = back ? read_base_reg
        : ahead && queue_ready ? read_reg + 14'd1 : read_reg;

    wire [15:0]       spare = spare_reg + returned_reg;
    wire [15:0]       spare_less = spare - step_wide;
    wire [SLOT_LOG:0] inside = inside_reg - {{SLOT_LOG{1'b0}}, finish_reg}
        - {{SLOT_LOG{1'b0}}, undo_reg};
    wire [SLOT_LOG:0] inside_more = inside + {{SLOT_LOG{1'b0}}, 1'b1};

    always @(posedge clk) begin
        if (word_write)
            words[write_reg[DEPTH_LOG-1:0]] <= write_data;
        memory_reg <= words[read_next[DEPTH_LOG-1:0]];
        if (open)
            slots[slot_in_reg[SLOT_LOG-1:0]] <= {open_ptp, open_count};

        returned_reg <= (finish_reg ? step_wide : 16'd0) + (undo_reg ? step_wide : 16'd0);
        spare_reg <= admit ? spare_less : spare;
        inside_reg <= admit ? inside_more : inside;
        room_reg <= valid_reg && !(admit ? spare_less[15] : spare[15])
            && !(admit ? inside_more[SLOT_LOG] : inside[SLOT_LOG]);

        written_reg <= undo ? base_reg : past && queue_ready ? write_reg + 14'd1 : write_reg;
        arrived_reg <= arrived_next;
        enough_reg <= {2'b00, arrived_next} >= cfg_start;
        read_reg <= read_next;
        if (word_write)
            write_reg <= write_reg + 1'b1;
        if (open)
            open_reg <= 1'b1;
        if (start && !closed)
            left_reg <= 1'b1;
        if (close) begin
            open_reg <= 1'b0;
            left_reg <= 1'b0;
            if (keep) begin
                base_reg <= base_reg + step;
                slot_in_reg <= slot_in_reg + 1'b1;
            end
            if (bad) begin
                write_reg <= keep ? base_reg + step : base_reg;
                abort_reg <= keep;
            end
        end
        if (finish) begin
            slot_out_reg <= slot_out_reg + 1'b1;
            read_base_reg <= read_base_reg + step;
            abort_reg <= 1'b0;
        end
        cut_reg <= finish && abort_reg;
        finish_reg <= finish;
        undo_reg <= undo;
        bad_stat_reg <= close && bad;
        sent_stat_reg <= finish && !abort_reg;

        if (rst) begin
            write_reg <= 0;
            base_reg <= 0;
            read_reg <= 0;
            read_base_reg <= 0;
            written_reg <= 0;
            cut_reg <= 1'b0;
            finish_reg <= 1'b0;
            undo_reg <= 1'b0;
            slot_in_reg <= 0;
            slot_out_reg <= 0;
            open_reg <= 1'b0;
            left_reg <= 1'b0;
            abort_reg <= 1'b0;
            bad_stat_reg <= 1'b0;
            sent_stat_reg <= 1'b0;
            spare_reg <= PLACES[15:0] - step_wide;
            returned_reg <= 0;
            inside_reg <= 0;
        end
    end

    assign stat_message_bad = bad_stat_reg;
    assign stat_message_sent = sent_stat_reg;

    wire [WORD_W-1:0]   word;
    wire                word_valid;
    wire [WORD_W/8-1:0] keep_unused;
    wire                last_unused, user_unused;

    axis_skid #(
        .DATA_W(WORD_W),
        .USER_W(1)
    ) queue_inst (
        .clk(clk),
        .rst(rst || back),
        .s_axis_tdata(past ? write_data : memory_reg),
        .s_axis_tkeep({(WORD_W/8){1'b1}}),
        .s_axis_tvalid(ahead),
        .s_axis_tready(queue_ready),
        .s_axis_tlast(1'b1),
        .s_axis_tuser(1'b0),
        .m_axis_tdata(word),
        .m_axis_tkeep(keep_unused),
        .m_axis_tvalid(word_valid),
        .m_axis_tready(word_pop),
        .m_axis_tlast(last_unused),
        .m_axis_tuser(user_unused)
    );

    // ---- back ----
    syndrome_packer_out #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .WORD_W(WORD_W),
        .INDICES(INDICES)
    ) out_inst (
        .clk(clk),
        .rst(rst),
        .closed(closed),
        .early(early),
        .abort(abort_reg),
        .count(slots[slot_out_reg[SLOT_LOG-1:0]][63:0]),
        .ptp(slots[slot_out_reg[SLOT_LOG-1:0]][127:64]),
        .start(start),
        .finish(finish),
        .word_data(word),
        .word_valid(word_valid),
        .word_pop(word_pop),
        .word_rewind(word_rewind),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast),
        .m_axis_tuser(m_axis_tuser),
        .m_len_tdata(m_len_tdata),
        .m_len_tvalid(m_len_tvalid),
        .m_len_tready(m_len_tready),
        .cfg_bytes(cfg_bytes),
        .cfg_sparse(sparse_reg),
        .cfg_decoder_id(cfg_decoder_id),
        .cfg_mapping_id(cfg_mapping_id),
        .cfg_request_first(cfg_request_first),
        .cfg_request_step(cfg_request_step),
        .cfg_bits(bits_reg),
        .cfg_payload(payload_reg),
        .cfg_length(length_reg),
        .cfg_pieces(pieces_reg),
        .cfg_limit(limit_reg)
    );

endmodule

`resetall
