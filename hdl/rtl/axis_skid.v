// SPDX-License-Identifier: Apache-2.0
//
// AXI-Stream register with a second place behind it, so that ready is registered as well: no
// combinational path joins the two sides, and a beat passes every cycle.
//
// Latency: a beat accepted in cycle n is offered in cycle n + 1.
// tvalid and tready are low in reset; tready rises in the cycle after it.
//
// Under FORMAL the module carries its own proof; python -m hdl.proof runs it.

`default_nettype none

module axis_skid #(
    parameter DATA_W = 64,
    parameter KEEP_W = DATA_W / 8,
    parameter USER_W = 1
) (
    input  wire              clk,
    input  wire              rst,

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
    endgenerate

    localparam BEAT_W = DATA_W + KEEP_W + 1 + USER_W;

    wire [BEAT_W-1:0] s_beat = {s_axis_tuser, s_axis_tlast, s_axis_tkeep, s_axis_tdata};

    reg [BEAT_W-1:0] out_beat_reg;
    reg [BEAT_W-1:0] temp_beat_reg;
    reg              ready_reg, ready_next;
    reg              out_valid_reg, out_valid_next;
    reg              temp_valid_reg, temp_valid_next;
    reg              store_out, store_temp;

    assign s_axis_tready = ready_reg;
    assign m_axis_tvalid = out_valid_reg;
    assign {m_axis_tuser, m_axis_tlast, m_axis_tkeep, m_axis_tdata} = out_beat_reg;

    // the output moves on when it is empty or taken
    wire advance = m_axis_tready || !out_valid_reg;
    wire accept = s_axis_tvalid && ready_reg;

    always @* begin
        out_valid_next = out_valid_reg;
        temp_valid_next = temp_valid_reg;
        store_out = 1'b0;
        store_temp = 1'b0;
        if (advance) begin
            out_valid_next = temp_valid_reg || accept;
            temp_valid_next = 1'b0;
            store_out = 1'b1;
        end else if (accept) begin
            temp_valid_next = 1'b1;
            store_temp = 1'b1;
        end
        // ready is low exactly while the second place is taken
        ready_next = !temp_valid_next;
    end

    always @(posedge clk) begin
        ready_reg <= ready_next;
        out_valid_reg <= out_valid_next;
        temp_valid_reg <= temp_valid_next;
        if (store_out)
            out_beat_reg <= temp_valid_reg ? temp_beat_reg : s_beat;
        if (store_temp)
            temp_beat_reg <= s_beat;
        if (rst) begin
            ready_reg <= 1'b0;
            out_valid_reg <= 1'b0;
            temp_valid_reg <= 1'b0;
        end
    end

`ifdef FORMAL
    // The first cycle is a reset; nothing else is assumed of the surroundings.
    reg f_past_valid = 1'b0, f_past2_valid = 1'b0;
    always @(posedge clk) {f_past2_valid, f_past_valid} <= {f_past_valid, 1'b1};
    always @* if (!f_past_valid) assume (rst);

    wire f_taken = m_axis_tvalid && m_axis_tready;

    // In reset nothing is offered or accepted; ready rises in the cycle after it.
    always @(posedge clk) begin
        if (f_past_valid && $past(rst)) assert (!m_axis_tvalid && !s_axis_tready);
        if (f_past2_valid && $past(rst, 2) && !$past(rst)) assert (s_axis_tready);
    end

    // An offered beat is held, unchanged, until it is taken.
    always @(posedge clk) if (f_past_valid && $past(!rst && m_axis_tvalid && !m_axis_tready)) begin
        assert (m_axis_tvalid);
        assert ($stable({m_axis_tuser, m_axis_tlast, m_axis_tkeep, m_axis_tdata}));
    end

    // Nothing is lost and nothing comes twice: in = out + held.
    reg [3:0] f_in, f_out;
    always @(posedge clk) begin
        if (accept) f_in <= f_in + 4'd1;
        if (f_taken) f_out <= f_out + 4'd1;
        if (rst) {f_in, f_out} <= 8'd0;
    end
    wire [3:0] f_held = {3'd0, out_valid_reg} + {3'd0, temp_valid_reg};
    always @* if (f_past_valid) begin
        assert (f_in == f_out + f_held);
        assert (!temp_valid_reg || out_valid_reg);
    end

    // Order and content: whichever beat is marked, it leaves in its turn as it came.
    (* anyconst *) reg [3:0] f_mark;
    reg [BEAT_W-1:0] f_beat;
    always @(posedge clk) if (accept && f_in == f_mark) f_beat <= s_beat;
    always @* if (f_past_valid) begin
        if (out_valid_reg && f_out == f_mark) assert (out_beat_reg == f_beat);
        if (temp_valid_reg && f_out + 4'd1 == f_mark) assert (temp_beat_reg == f_beat);
    end

    // Idle after the last beat; ready after a beat has left.
    always @(posedge clk) if (f_past_valid && $past(!rst)) begin
        if ($past(f_taken && f_held == 4'd1 && !accept)) assert (!m_axis_tvalid);
        if ($past(f_taken)) assert (s_axis_tready);
        assert (s_axis_tready == !temp_valid_reg);
    end

    // A tour: fill both places, empty them, idle, and fill them again.
    reg [1:0] f_tour = 2'd0;
    always @(posedge clk) begin
        if (f_held == 4'd2 && !f_tour[0]) f_tour <= f_tour + 2'd1;
        if (f_held == 4'd0 && f_tour == 2'd1 && f_out == 4'd2) f_tour <= 2'd2;
        if (rst) f_tour <= 2'd0;
        cover (f_tour == 2'd3 && f_taken && m_axis_tlast);
    end
`endif

endmodule

`resetall
