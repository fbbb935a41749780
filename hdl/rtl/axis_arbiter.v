// SPDX-License-Identifier: Apache-2.0
//
// Merges the frames of PORTS AXI-Streams into one, a whole frame at a time, taking turns.
//
// Port p has bits p*DATA_W and up of s_axis_tdata, and so on. A port asks for its turn by the
// length of its next frame on s_len, which leaves on m_len ahead of the frame; without lengths,
// tie s_len_tvalid to s_axis_tvalid and m_len_tready high. The turn goes to the next port in order
// that asks, and is over after tlast; then the port that had it comes last.
//
// Latency: m_len is offered one cycle after s_len; the first beat of a frame is accepted one cycle
// after its length or later, and every beat offered one cycle after that. One beat a cycle, and
// no cycle between frames whose length waits when the frame before ends.

`default_nettype none

module axis_arbiter #(
    parameter PORTS = 4,
    parameter DATA_W = 64,
    parameter KEEP_W = DATA_W / 8,
    parameter USER_W = 1,
    parameter LEN_W = 20
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire [PORTS*DATA_W-1:0] s_axis_tdata,
    input  wire [PORTS*KEEP_W-1:0] s_axis_tkeep,
    input  wire [PORTS-1:0]        s_axis_tvalid,
    output wire [PORTS-1:0]        s_axis_tready,
    input  wire [PORTS-1:0]        s_axis_tlast,
    input  wire [PORTS*USER_W-1:0] s_axis_tuser,

    input  wire [PORTS*LEN_W-1:0]  s_len_tdata,
    input  wire [PORTS-1:0]        s_len_tvalid,
    output wire [PORTS-1:0]        s_len_tready,

    output wire [DATA_W-1:0]       m_axis_tdata,
    output wire [KEEP_W-1:0]       m_axis_tkeep,
    output wire                    m_axis_tvalid,
    input  wire                    m_axis_tready,
    output wire                    m_axis_tlast,
    output wire [USER_W-1:0]       m_axis_tuser,

    output wire [LEN_W-1:0]        m_len_tdata,
    output wire                    m_len_tvalid,
    input  wire                    m_len_tready
);

    generate
        if (PORTS < 1) begin : g_bad_ports
            bad_parameter_PORTS instance_stops_elaboration();
        end
    endgenerate

    reg [PORTS-1:0] turn_reg = 0;  // one bit at most: whose frame passes
    reg [PORTS-1:0] after_reg = 0;  // ports that come before the others: those after the last turn
    reg [LEN_W-1:0] length_reg = 0;
    reg             length_valid_reg = 1'b0;

    // the first port that asks, among those after the last turn if any of them does
    wire [PORTS-1:0] asks = s_len_tvalid;
    wire [PORTS-1:0] ahead = asks & after_reg;
    wire [PORTS-1:0] among = ahead != 0 ? ahead : asks;
    wire [PORTS-1:0] first = among & (~among + {{(PORTS-1){1'b0}}, 1'b1});

    // what the port whose turn it is offers
    reg [DATA_W-1:0] tdata;
    reg [KEEP_W-1:0] tkeep;
    reg [USER_W-1:0] tuser;
    reg [LEN_W-1:0]  length;
    integer          p;
    always @* begin
        tdata = 0;
        tkeep = 0;
        tuser = 0;
        length = 0;
        for (p = 0; p < PORTS; p = p + 1) begin
            tdata = tdata | (s_axis_tdata[p*DATA_W +: DATA_W] & {DATA_W{turn_reg[p]}});
            tkeep = tkeep | (s_axis_tkeep[p*KEEP_W +: KEEP_W] & {KEEP_W{turn_reg[p]}});
            tuser = tuser | (s_axis_tuser[p*USER_W +: USER_W] & {USER_W{turn_reg[p]}});
            length = length | (s_len_tdata[p*LEN_W +: LEN_W] & {LEN_W{first[p]}});
        end
    end

    wire ready;
    wire tvalid = (s_axis_tvalid & turn_reg) != 0;
    wire tlast = (s_axis_tlast & turn_reg) != 0;
    wire over = turn_reg == 0 || (tvalid && tlast && ready);
    wire grant = over && asks != 0 && (!length_valid_reg || m_len_tready);

    assign s_axis_tready = turn_reg & {PORTS{ready}};
    assign s_len_tready = first & {PORTS{grant}};
    assign m_len_tdata = length_reg;
    assign m_len_tvalid = length_valid_reg;

    always @(posedge clk) begin
        if (m_len_tready)
            length_valid_reg <= 1'b0;
        if (over)
            turn_reg <= 0;
        if (grant) begin
            turn_reg <= first;
            // all above the port
            after_reg <= ~(first | (first - {{(PORTS-1){1'b0}}, 1'b1}));
            length_reg <= length;
            length_valid_reg <= 1'b1;
        end
        if (rst) begin
            turn_reg <= 0;
            after_reg <= 0;
            length_valid_reg <= 1'b0;
        end
    end

    axis_skid #(
        .DATA_W(DATA_W),
        .KEEP_W(KEEP_W),
        .USER_W(USER_W)
    ) skid_inst (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(tdata),
        .s_axis_tkeep(tkeep),
        .s_axis_tvalid(tvalid),
        .s_axis_tready(ready),
        .s_axis_tlast(tlast),
        .s_axis_tuser(tuser),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tkeep(m_axis_tkeep),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast),
        .m_axis_tuser(m_axis_tuser)
    );

endmodule

`resetall
