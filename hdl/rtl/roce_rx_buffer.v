// SPDX-License-Identifier: Apache-2.0
//
// Slots in which payloads wait for the verdict on their frame; good ones leave in order, bad ones
// are dropped by giving the slot back. Beats of DATA_W bits are gathered into words of OUT_W.
//
// A frame owns a slot from its last accepted beat until its payload has left or was dropped.
// frame_ready is registered and falls only between frames. Slots are enough for frames that follow
// each other without a gap while the output is not stalled.
//
// Latency: verdict in cycle n -> first word out in cycle n + 1, a word a cycle; dropping takes one.

`default_nettype none

module roce_rx_buffer #(
    parameter DATA_W = 512,
    parameter OUT_W = DATA_W,
    parameter OUT_KEEP_W = OUT_W / 8,
    parameter MAX_PAYLOAD = 256
) (
    input  wire                  clk,
    input  wire                  rst,

    // pulses when the last beat of a frame is accepted
    input  wire                  frame_taken,
    output wire                  frame_ready,

    // payload_end pulses once a frame, with its last beat of payload if there is one
    input  wire [DATA_W-1:0]     payload_data,
    input  wire                  payload_valid,
    input  wire                  payload_end,
    // with payload_end, bytes of the payload less one; need not be right for a bad frame
    input  wire [15:0]           payload_last_byte,

    // once a frame, after its payload_end
    input  wire                  verdict_valid,
    input  wire                  verdict_good,

    output wire [OUT_W-1:0]      m_axis_tdata,
    output wire [OUT_KEEP_W-1:0] m_axis_tkeep,
    output wire                  m_axis_tvalid,
    input  wire                  m_axis_tready,
    output wire                  m_axis_tlast
);

    // a narrow bus takes longer for a frame than the verdict does: fewer slots will do
    localparam SLOT_W = DATA_W < 512 ? 2 : 3;
    localparam SLOTS = 1 << SLOT_W;
    localparam LANES = OUT_W / DATA_W;
    localparam LANE_W = $clog2(LANES);
    localparam BYTE_W = $clog2(OUT_KEEP_W);
    localparam BEATS = (8 * MAX_PAYLOAD + DATA_W - 1) / DATA_W;
    localparam WORDS = (8 * MAX_PAYLOAD + OUT_W - 1) / OUT_W;
    localparam WORD_W = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam BEAT_W = WORD_W + LANE_W;
    localparam LAST_W = WORD_W + BYTE_W;
    localparam [31:0] LAST_BEAT = BEATS - 1;
    localparam [LANES-1:0] FIRST_LANE = 1;

    reg [LAST_W-1:0]     last_byte_mem [0:SLOTS-1];
    reg [SLOTS-1:0]      good_reg;

    // slots run round; the bit above tells all taken from none taken
    reg [SLOT_W:0]       taken_slot_reg, taken_slot_next;
    reg [SLOT_W:0]       write_slot_reg;
    reg [SLOT_W:0]       verdict_slot_reg;
    reg [SLOT_W:0]       read_slot_reg, read_slot_next;
    reg [BEAT_W-1:0]     write_beat_reg;
    reg [LANES-1:0]      write_lane_reg;  // one bit: the beat's place in its word
    reg [WORD_W-1:0]     read_word_reg, read_word_next;
    reg                  ready_reg;

    reg [OUT_W-1:0]      out_data_reg;
    reg [OUT_KEEP_W-1:0] out_keep_reg;
    reg                  out_last_reg;
    reg                  out_valid_reg, out_valid_next;

    assign frame_ready = ready_reg;
    assign m_axis_tdata = out_data_reg;
    assign m_axis_tkeep = out_keep_reg;
    assign m_axis_tlast = out_last_reg;
    assign m_axis_tvalid = out_valid_reg;

    // ---------------------------------------------------------------------------------------------
    // write: a frame longer than its slot is bad, so its further beats have no place

    always @(posedge clk) begin
        if (payload_valid) begin
            write_beat_reg <= write_beat_reg + 1'b1;
            write_lane_reg <= write_beat_reg == LAST_BEAT[BEAT_W-1:0] ? {LANES{1'b0}}
                : write_lane_reg << 1 | write_lane_reg >> (LANES - 1);
        end
        if (payload_end) begin
            last_byte_mem[write_slot_reg[SLOT_W-1:0]] <= payload_last_byte[LAST_W-1:0];
            write_slot_reg <= write_slot_reg + 1'b1;
            write_beat_reg <= {BEAT_W{1'b0}};
            write_lane_reg <= FIRST_LANE;
        end
        if (verdict_valid) begin
            good_reg[verdict_slot_reg[SLOT_W-1:0]] <= verdict_good;
            verdict_slot_reg <= verdict_slot_reg + 1'b1;
        end
        if (rst) begin
            write_slot_reg <= {SLOT_W+1{1'b0}};
            write_beat_reg <= {BEAT_W{1'b0}};
            write_lane_reg <= FIRST_LANE;
            verdict_slot_reg <= {SLOT_W+1{1'b0}};
        end
    end

    // a memory for each beat of a word
    wire [SLOT_W+WORD_W-1:0] write_address =
        {write_slot_reg[SLOT_W-1:0], write_beat_reg[BEAT_W-1:LANE_W]};
    wire [SLOT_W+WORD_W-1:0] read_address = {read_slot_reg[SLOT_W-1:0], read_word_reg};
    wire [OUT_W-1:0]         read_data;

    genvar m;
    generate
        for (m = 0; m < LANES; m = m + 1) begin : g_lane
            reg [DATA_W-1:0] payload_mem [0:(1<<(SLOT_W+WORD_W))-1];
            always @(posedge clk)
                if (payload_valid && write_lane_reg[m])
                    payload_mem[write_address] <= payload_data;
            assign read_data[m*DATA_W +: DATA_W] = payload_mem[read_address];
        end
    endgenerate

    // ---------------------------------------------------------------------------------------------
    // read: a verdict that concerns the next slot to leave is used in the cycle it arrives

    wire              is_new = read_slot_reg == verdict_slot_reg;
    wire              head_valid = !is_new || verdict_valid;
    wire              head_good = is_new ? verdict_good : good_reg[read_slot_reg[SLOT_W-1:0]];
    wire [LAST_W-1:0] head_last_byte = last_byte_mem[read_slot_reg[SLOT_W-1:0]];

    wire is_last = read_word_reg == head_last_byte[LAST_W-1:BYTE_W];
    wire free = m_axis_tready || !out_valid_reg;
    wire load = head_valid && head_good && free;

    always @* begin
        read_slot_next = read_slot_reg;
        read_word_next = read_word_reg;
        out_valid_next = out_valid_reg && !m_axis_tready;
        if (load) begin
            out_valid_next = 1'b1;
            read_word_next = is_last ? {WORD_W{1'b0}} : read_word_reg + 1'b1;
        end
        if (head_valid && !head_good || load && is_last)
            read_slot_next = read_slot_reg + 1'b1;
        taken_slot_next = taken_slot_reg + {{SLOT_W{1'b0}}, frame_taken};
    end

    integer octet;

    always @(posedge clk) begin
        taken_slot_reg <= taken_slot_next;
        read_slot_reg <= read_slot_next;
        read_word_reg <= read_word_next;
        out_valid_reg <= out_valid_next;
        ready_reg <= taken_slot_next != {!read_slot_reg[SLOT_W], read_slot_reg[SLOT_W-1:0]};
        // loaded without asking for the verdict, which out_valid_reg alone has to wait for
        if (free) begin
            out_data_reg <= read_data;
            out_last_reg <= is_last;
            for (octet = 0; octet < OUT_KEEP_W; octet = octet + 1)
                out_keep_reg[octet] <= !is_last || octet[BYTE_W-1:0] <= head_last_byte[BYTE_W-1:0];
        end
        if (rst) begin
            taken_slot_reg <= {SLOT_W+1{1'b0}};
            read_slot_reg <= {SLOT_W+1{1'b0}};
            read_word_reg <= {WORD_W{1'b0}};
            out_valid_reg <= 1'b0;
            ready_reg <= 1'b0;
        end
    end

    wire unused = &{1'b0, payload_last_byte};

endmodule

`resetall
