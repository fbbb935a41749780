// SPDX-License-Identifier: Apache-2.0
//
// AXI-Stream register with a second place behind it, so that ready is registered as well: no
// combinational path joins the two sides, and a beat passes every cycle.
//
// Latency: a beat accepted in cycle n is offered in cycle n + 1.
// tvalid and tready are low in reset; tready rises in the cycle after it.
//
// Under FORMAL the module carries its own proof; hdl/formal runs it.

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

endmodule

`resetall
