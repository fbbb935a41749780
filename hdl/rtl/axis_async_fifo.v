// SPDX-License-Identifier: Apache-2.0
//
// AXI-Stream FIFO between two clocks: DEPTH beats in a memory and one in the output register.
//
// Each side counts beats in Gray code, of which one bit changes at a time; the other side sees
// the count through two flip-flops, late but never wrong. So a side may think the FIFO fuller (or
// emptier) than it is, for a few cycles, and nothing is lost or sent twice.
//
// Latency: a beat accepted at an edge of s_clk is offered three to four edges of m_clk later; a
// place that is read is free again two to three edges of s_clk later. A beat every cycle of the
// slower clock, with DEPTH of 8 or more. tready is low in reset.
// Reset both sides together, for at least four cycles of the slower clock.
// Timing: constrain the paths into *_gray_1_reg to one period of the clock they come from.

`default_nettype none

module axis_async_fifo #(
    parameter DATA_W = 64,
    parameter KEEP_W = DATA_W / 8,
    parameter USER_W = 1,
    parameter DEPTH = 16  // power of two, at least 4
) (
    input  wire              s_clk,
    input  wire              s_rst,
    input  wire              m_clk,
    input  wire              m_rst,

    input  wire [DATA_W-1:0] s_axis_tdata,
    input  wire [KEEP_W-1:0] s_axis_tkeep,
    input  wire              s_axis_tvalid,
    output wire              s_axis_tready,
    input  wire              s_axis_tlast,
    input  wire [USER_W-1:0] s_axis_tuser,

    output wire [DATA_W-1:0] m_axis_tdata,
    output wire [KEEP_W-1:0] m_axis_tkeep,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire              m_axis_tlast,
    output wire [USER_W-1:0] m_axis_tuser
);

    generate
        if (DATA_W < 8 || DATA_W % 8 != 0) begin : g_bad_data_w
            bad_parameter_DATA_W instance_stops_elaboration();
        end
        if (KEEP_W != DATA_W / 8) begin : g_bad_keep_w
            bad_parameter_KEEP_W instance_stops_elaboration();
        end
        if (USER_W < 1) begin : g_bad_user_w
            bad_parameter_USER_W instance_stops_elaboration();
        end
        if (DEPTH < 4 || (DEPTH & (DEPTH - 1)) != 0) begin : g_bad_depth
            bad_parameter_DEPTH instance_stops_elaboration();
        end
    endgenerate

    localparam BEAT_W = DATA_W + KEEP_W + 1 + USER_W;
    localparam ADDR_W = $clog2(DEPTH);

    reg [BEAT_W-1:0] beats [0:DEPTH-1];

    // counts have one bit more than addresses: equal is empty, apart by DEPTH is full;
    // the Gray code of the next count is at hand before it is known whether it comes
    localparam [ADDR_W:0] ONE = 1;
    reg [ADDR_W:0] write_reg = 0;
    reg [ADDR_W:0] write_gray_reg = 0;
    reg [ADDR_W:0] write_gray_next_reg = ONE;
    reg            s_ready_reg = 1'b0;
    reg [ADDR_W:0] read_reg = 0;
    reg [ADDR_W:0] read_gray_reg = 0;
    reg [ADDR_W:0] read_gray_next_reg = ONE;

    (* async_reg = "true" *) reg [ADDR_W:0] read_gray_1_reg = 0;
    (* async_reg = "true" *) reg [ADDR_W:0] read_gray_2_reg = 0;
    (* async_reg = "true" *) reg [ADDR_W:0] write_gray_1_reg = 0;
    (* async_reg = "true" *) reg [ADDR_W:0] write_gray_2_reg = 0;

    // ---- writing side ----
    wire            accept = s_axis_tvalid && s_ready_reg;
    wire [ADDR_W:0] write_after = write_reg + 2 * ONE;
    // the Gray code of a count that is DEPTH less has its two upper bits inverted
    wire [ADDR_W:0] full_gray = {~read_gray_2_reg[ADDR_W -: 2], read_gray_2_reg[ADDR_W-2:0]};
    wire            full_next
        = accept && write_gray_next_reg == full_gray || !accept && write_gray_reg == full_gray;

    assign s_axis_tready = s_ready_reg;

    always @(posedge s_clk) begin
        // a beat that is not valid is written to a free place, and over again
        if (s_ready_reg)
            beats[write_reg[ADDR_W-1:0]]
                <= {s_axis_tuser, s_axis_tlast, s_axis_tkeep, s_axis_tdata};
        if (accept) begin
            write_reg <= write_reg + ONE;
            write_gray_reg <= write_gray_next_reg;
            write_gray_next_reg <= write_after ^ (write_after >> 1);
        end
        read_gray_1_reg <= read_gray_reg;
        read_gray_2_reg <= read_gray_1_reg;
        s_ready_reg <= !full_next;
        if (s_rst) begin
            write_reg <= 0;
            write_gray_reg <= 0;
            write_gray_next_reg <= ONE;
            read_gray_1_reg <= 0;
            read_gray_2_reg <= 0;
            s_ready_reg <= 1'b0;
        end
    end

    // ---- reading side ----
    reg [BEAT_W-1:0] out_beat_reg = 0;
    reg              out_valid_reg = 1'b0;

    wire            empty = read_gray_reg == write_gray_2_reg;
    wire            advance = m_axis_tready || !out_valid_reg;
    wire            take = advance && !empty;
    wire [ADDR_W:0] read_after = read_reg + 2 * ONE;

    assign m_axis_tvalid = out_valid_reg;
    assign {m_axis_tuser, m_axis_tlast, m_axis_tkeep, m_axis_tdata} = out_beat_reg;

    always @(posedge m_clk) begin
        if (take) begin
            read_reg <= read_reg + ONE;
            read_gray_reg <= read_gray_next_reg;
            read_gray_next_reg <= read_after ^ (read_after >> 1);
        end
        if (advance) begin
            out_valid_reg <= !empty;
            out_beat_reg <= beats[read_reg[ADDR_W-1:0]];
        end
        write_gray_1_reg <= write_gray_reg;
        write_gray_2_reg <= write_gray_1_reg;
        if (m_rst) begin
            read_reg <= 0;
            read_gray_reg <= 0;
            read_gray_next_reg <= ONE;
            write_gray_1_reg <= 0;
            write_gray_2_reg <= 0;
            out_valid_reg <= 1'b0;
        end
    end

endmodule

`resetall
