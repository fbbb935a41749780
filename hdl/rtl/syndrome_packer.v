// SPDX-License-Identifier: Apache-2.0
//
// Syndrome packer: rounds of syndrome bits of one patch in, RPC requests for its decoder out.
//
// A round is 1 to 4,096 bits, IN_W a beat, the first one in bit 0, tlast on its last beat; bits of
// that beat past the end of the round are ignored. s_axis_tuser, the same on all beats of a round:
//
//    bits 11:0   bits of the round less one
//    bit 12      it ends its message
//
// The bits of a message's rounds follow each other without a gap, least significant first (all
// numbers little-endian):
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
//        48     8  num_syndromes     bits of the message               (not with cfg_bytes)
//        56     n  syndromes         eight to a byte; cfg_bytes: from 24, one a byte; sparse:
//                                    16-bit indices of the bits that are 1, rising
//
// cfg_sparse takes the sparse form for a message whose indices take fewer bytes than its bits and
// number at most INDICES; messages of more than 65,536 bits stay dense.
// m_len gives the length of each message in bytes, one beat a message. Lanes that tkeep leaves
// out are zero.
//
// The input is never held up: tready is always high. Only whole messages leave. One reserves a
// place at its first beat and gives it back when it has left: as many of the DEPTH words of WORD_W
// bits (128 at DATA_W = 64, 512 at 512) as cfg_message_bits take. Without a place it is dropped
// with all its rounds. A round of a wrong length spoils its message, and so does one that makes it
// longer than cfg_message_bits: it is dropped at its end. `counter` counts messages of both kinds
// as well: a step of more than 1 is a gap.
// Every message that ends is sent, bad or dropped, and every round shares the lot of its message:
//
//    rounds in = those of messages sent (a stat_message_sent each)
//              + those of messages that were bad (a stat_message_bad each)
//              + stat_round_dropped + those of messages still inside
//
// stat_round_short and stat_round_long count in dropped messages too. A cfg_message_bits that
// cannot work (0, more than DEPTH words, more than 1,048,543) drops every round. cfg_* may change
// in reset, which must then last for four cycles.
//
// m_come is high for a cycle for every message that has come in whole and will leave, in the order
// in which they leave.
//
// Latency, last beat in to first beat of the message out: 6 cycles, both widths, all dense forms;
// m_len: 5; m_come: 3. With cfg_sparse, a message of up to 65,536 bits is searched first: 6 cycles
// more, one for each 64 bits and one for each 1 among them, one more if the last 64 bits or fewer
// have any. The first 1 that does not fit into the sparse form ends the search: that 1 and the 64
// bits around it are the last to count, and the one more does not; at 512 bit the first beat of
// the message, dense then, comes a cycle later still.
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
    input  wire [12:0]       s_axis_tuser,

    input  wire [31:0]       ptp_sec,
    input  wire [31:0]       ptp_nsec,

    output wire [DATA_W-1:0] m_axis_tdata,
    output wire [KEEP_W-1:0] m_axis_tkeep,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire              m_axis_tlast,

    output wire [19:0]       m_len_tdata,
    output wire              m_len_tvalid,
    input  wire              m_len_tready,

    output wire              m_come,

    input  wire [19:0]       cfg_message_bits,  // most bits of a message
    input  wire              cfg_bytes,
    input  wire              cfg_sparse,
    input  wire [63:0]       cfg_decoder_id,
    input  wire [63:0]       cfg_mapping_id,
    input  wire [31:0]       cfg_request_first,
    input  wire [31:0]       cfg_request_step,

    output wire              stat_round_dropped,  // no place for its message
    output wire              stat_round_short,  // tlast before the last bits
    output wire              stat_round_long,  // no tlast with the last bits
    output wire              stat_message_bad,  // too long, or spoilt by a short or long round
    output wire              stat_message_long,  // more than cfg_message_bits
    output wire              stat_message_sent
);

    localparam WORD_W = DATA_W == 64 ? 128 : 512;
    localparam WORD_LOG = $clog2(WORD_W);
    localparam DEPTH_LOG = $clog2(DEPTH);
    localparam SLOT_LOG = $clog2(MESSAGES);

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

    // ---- derived configuration, still after three cycles ----
    localparam [31:0] PLACES = DEPTH;
    localparam [31:0] LAST_SLOT = MESSAGES - 1;

    wire [20-WORD_LOG:0] words_up = {1'b0, cfg_message_bits[19:WORD_LOG]}
        + {{(20-WORD_LOG){1'b0}}, cfg_message_bits[WORD_LOG-1:0] != 0};
    reg                  valid_reg = 1'b0;
    reg [13:0]           words_reg = 0;
    reg [15:0]           words_less_reg = 0;  // as a negative number

    always @(posedge clk) begin
        valid_reg <= cfg_message_bits != 20'd0 && cfg_message_bits[19:5] != 15'h7fff;
        words_reg <= {{(WORD_LOG-7){1'b0}}, words_up};
        words_less_reg <= ~{2'b00, words_reg} + 16'd1;
    end

    // ---- front ----
    wire              admit, word_write, word_late, open, close, bad, too_long;
    wire [WORD_W-1:0] write_data;
    wire [63:0]       open_count, open_ptp;
    wire [19:0]       close_last_bit;
    reg               room_reg = 1'b0;

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
        .s_axis_tuser(s_axis_tuser),
        .ptp_sec(ptp_sec),
        .ptp_nsec(ptp_nsec),
        .room(room_reg),
        .admit(admit),
        .word_valid(word_write),
        .word_late(word_late),
        .word_data(write_data),
        .open(open),
        .open_count(open_count),
        .open_ptp(open_ptp),
        .close(close),
        .close_last_bit(close_last_bit),
        .bad(bad),
        .too_long(too_long),
        .cfg_message_bits(cfg_message_bits),
        .stat_round_dropped(stat_round_dropped),
        .stat_round_short(stat_round_short),
        .stat_round_long(stat_round_long)
    );

    // ---- messages: words without gaps in a ring; addresses count on past DEPTH ----
    // a word is not read in the cycle in which it is written
    (* no_rw_check *)
    reg [WORD_W-1:0]  words [0:DEPTH-1];
    reg [127:0]       slots [0:MESSAGES-1];  // from the first beat of each message
    reg [19:0]        sizes [0:MESSAGES-1];  // from its last beat: its bits less one
    reg [13:0]        write_reg = 0;  // next word
    reg [13:0]        whole_reg = 0;  // words before it are of whole messages
    reg [13:0]        read_reg = 0;  // word that the memory offers
    reg               ahead_reg = 1'b0;  // it is of a whole message
    reg [13:0]        pop_reg = 0;  // word that the queue offers
    reg [13:0]        start_reg = 0;  // first word of the message that leaves
    reg [WORD_W-1:0]  memory_reg = 0;
    reg               finish_reg = 1'b0;
    reg               undo_reg = 1'b0;
    reg               come_reg = 1'b0;
    reg [SLOT_LOG:0]  slot_in_reg = 0;
    reg [SLOT_LOG:0]  slot_out_reg = 0;
    reg               long_stat_reg = 1'b0;

    // places: words and slots that would be free after one more message (negative: none for it);
    // what messages have given back is added a cycle later
    reg [15:0]        spare_reg = 0;
    reg [15:0]        back_reg = 0;
    reg [15:0]        back_less_reg = 0;  // less those of a message that takes its place
    reg [SLOT_LOG:0]  slots_reg = 0;
    reg [SLOT_LOG:0]  slots_back_reg = 0;
    reg [SLOT_LOG:0]  slots_back_less_reg = 0;

    wire               start, enter, finish, word_pop, word_rewind;
    wire [15:0]        step = {2'b00, words_reg};
    wire               keep = close && !bad;
    wire               undo = close && bad;
    // whether a word is written is known late: chosen behind the sum
    wire [13:0]        write_more = word_write ? write_reg + 14'd1 : write_reg;
    wire [13:0]        whole_next = (keep || word_late) ? write_more : whole_reg;

    // words are read ahead into a queue of two
    wire               read_ready;
    wire               reads = ahead_reg && read_ready;
    wire [13:0]        read_more = read_reg + 14'd1;
    wire [13:0]        read_next = word_rewind ? start_reg : reads ? read_more : read_reg;

    wire              one = finish_reg || undo_reg;
    wire              both = finish_reg && undo_reg;
    wire [15:0]       spare = spare_reg + back_reg;
    wire [15:0]       spare_less = spare_reg + back_less_reg;
    wire [SLOT_LOG:0] free = slots_reg + slots_back_reg;
    wire [SLOT_LOG:0] free_less = slots_reg + slots_back_less_reg;

    always @(posedge clk) begin
        if (word_write)
            words[write_reg[DEPTH_LOG-1:0]] <= write_data;
        memory_reg <= words[read_next[DEPTH_LOG-1:0]];
        if (open)
            slots[slot_in_reg[SLOT_LOG-1:0]] <= {open_ptp, open_count};
        if (keep)
            sizes[slot_in_reg[SLOT_LOG-1:0]] <= close_last_bit;

        back_reg <= both ? {step[14:0], 1'b0} : one ? step : 16'd0;
        back_less_reg <= both ? step : one ? 16'd0 : words_less_reg;
        slots_back_reg <= {{(SLOT_LOG-1){1'b0}}, both, one && !both};
        slots_back_less_reg <= {{SLOT_LOG{!one}}, both || !one};
        spare_reg <= admit ? spare_less : spare;
        slots_reg <= admit ? free_less : free;
        room_reg <= valid_reg && !(admit ? spare_less[15] || free_less[SLOT_LOG]
            : spare[15] || free[SLOT_LOG]);

        write_reg <= undo ? whole_next : write_more;
        whole_reg <= whole_next;
        read_reg <= read_next;
        // words of whole_reg can be read from the next cycle on; a message has one at least
        ahead_reg <= word_rewind || (reads ? read_more != whole_reg : read_reg != whole_reg);
        if (word_rewind)
            pop_reg <= start_reg;
        else if (word_pop)
            pop_reg <= pop_reg + 14'd1;
        if (start)
            start_reg <= pop_reg;
        if (keep)
            slot_in_reg <= slot_in_reg + 1'b1;
        if (enter)
            slot_out_reg <= slot_out_reg + 1'b1;
        finish_reg <= finish;
        undo_reg <= undo;
        come_reg <= keep;
        long_stat_reg <= close && too_long;

        if (rst) begin
            write_reg <= 0;
            whole_reg <= 0;
            read_reg <= 0;
            ahead_reg <= 1'b0;
            pop_reg <= 0;
            finish_reg <= 1'b0;
            undo_reg <= 1'b0;
            come_reg <= 1'b0;
            slot_in_reg <= 0;
            slot_out_reg <= 0;
            long_stat_reg <= 1'b0;
            spare_reg <= PLACES[15:0] - step;
            back_reg <= 0;
            back_less_reg <= words_less_reg;
            slots_reg <= LAST_SLOT[SLOT_LOG:0];
            slots_back_reg <= 0;
            slots_back_less_reg <= {(SLOT_LOG+1){1'b1}};
        end
    end

    assign m_come = come_reg;
    assign stat_message_bad = undo_reg;
    assign stat_message_long = long_stat_reg;
    assign stat_message_sent = finish_reg;

    // the memory is slow to answer: at 64 bit, where words have time while the header leaves, its
    // answer goes straight into a register
    wire [WORD_W-1:0]   queue_data, word;
    wire                queue_valid, queue_ready, word_valid;
    wire [WORD_W/8-1:0] keep_unused;
    wire                last_unused, user_unused;

    generate
        if (DATA_W == 64) begin : g_answer
            reg [WORD_W-1:0] answer_reg = 0;
            reg              answer_valid_reg = 1'b0;

            assign read_ready = queue_ready || !answer_valid_reg;
            assign queue_data = answer_reg;
            assign queue_valid = answer_valid_reg;

            always @(posedge clk) begin
                if (read_ready) begin
                    answer_reg <= memory_reg;
                    answer_valid_reg <= ahead_reg;
                end
                if (rst || word_rewind)
                    answer_valid_reg <= 1'b0;
            end
        end else begin : g_no_answer
            assign read_ready = queue_ready;
            assign queue_data = memory_reg;
            assign queue_valid = ahead_reg;
        end
    endgenerate

    axis_skid #(
        .DATA_W(WORD_W),
        .USER_W(1)
    ) queue_inst (
        .clk(clk),
        .rst(rst || word_rewind),
        .s_axis_tdata(queue_data),
        .s_axis_tkeep({(WORD_W/8){1'b1}}),
        .s_axis_tvalid(queue_valid),
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
        .closed(slot_in_reg != slot_out_reg),
        .last_bit(sizes[slot_out_reg[SLOT_LOG-1:0]]),
        .count(slots[slot_out_reg[SLOT_LOG-1:0]][63:0]),
        .ptp(slots[slot_out_reg[SLOT_LOG-1:0]][127:64]),
        .start(start),
        .enter(enter),
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
        .m_len_tdata(m_len_tdata),
        .m_len_tvalid(m_len_tvalid),
        .m_len_tready(m_len_tready),
        .cfg_bytes(cfg_bytes),
        .cfg_sparse(cfg_sparse),
        .cfg_decoder_id(cfg_decoder_id),
        .cfg_mapping_id(cfg_mapping_id),
        .cfg_request_first(cfg_request_first),
        .cfg_request_step(cfg_request_step)
    );

endmodule

`resetall
