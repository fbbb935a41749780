// SPDX-License-Identifier: Apache-2.0
//
// Merges the frames of PORTS AXI-Streams into one, a whole frame at a time, in the order in which
// they came.
//
// Port p has bits p*DATA_W and up of s_axis_tdata, and so on. A frame comes by a pulse of its port
// on s_come, in the cycle in which its length is offered on s_len at the latest; pulses of one
// cycle count in the order of the ports, lowest first. The turn goes to the port of the oldest
// pulse, waits for its length, which leaves on m_len ahead of the frame, and is over after tlast.
// Without lengths, tie s_len_tvalid to s_axis_tvalid and m_len_tready high.
//
// FRAMES bounds the frames that have come and whose length is not taken yet, in all. A pulse beyond
// that is a use error, as is a frame without a pulse: turns are no longer right, until a reset.
// Pulses in reset do not count.
//
// Latency: m_len is offered one cycle after s_len; the first beat of a frame is accepted one cycle
// after its length or later, and every beat offered one cycle after that. One beat a cycle, and
// no cycle between frames whose length waits when the frame before ends.
//
// Under FORMAL the module carries its own proof; python -m hdl.proof runs it.

`default_nettype none

module axis_arbiter #(
    parameter PORTS = 4,
    parameter DATA_W = 64,
    parameter KEEP_W = DATA_W / 8,
    parameter USER_W = 1,
    parameter LEN_W = 20,
    parameter FRAMES = 16  // power of two, at least 2
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire [PORTS-1:0]        s_come,

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
        if (FRAMES < 2 || (FRAMES & (FRAMES - 1)) != 0) begin : g_bad_frames
            bad_parameter_FRAMES instance_stops_elaboration();
        end
    endgenerate

    localparam ADDR_W = $clog2(FRAMES);

    reg [PORTS-1:0] turn_reg = 0;  // one bit at most: whose frame passes
    reg [LEN_W-1:0] length_reg = 0;
    reg             length_valid_reg = 1'b0;

    // ---------------------------------------------------------------------------------------------
    // order: the oldest cycle with pulses that wait, and a mask for each later one

    reg [PORTS-1:0]  first_reg = 0, first_next;
    reg              waits_reg = 1'b0, waits_next;
    reg [PORTS-1:0]  later [0:FRAMES-1];
    reg [ADDR_W-1:0] write_reg = 0;
    reg [ADDR_W-1:0] read_reg = 0;

    // with none that waits, the turn goes to a pulse in its own cycle
    wire [PORTS-1:0] first = waits_reg ? first_reg : s_come;
    wire [PORTS-1:0] oldest = first & (~first + {{(PORTS-1){1'b0}}, 1'b1});
    wire [PORTS-1:0] beside = first & ~oldest;
    wire             grant;
    // every mask has a pulse that waits, and first_reg has one: later is never full
    wire             later_waits = write_reg != read_reg;
    wire             come = s_come != 0;
    wire             load = grant && beside == 0;
    wire             store = come && waits_reg && (later_waits || !load);

    always @* begin
        first_next = grant ? beside : first;
        waits_next = waits_reg || come;
        if (load) begin
            first_next = later_waits ? later[read_reg] : s_come & {PORTS{waits_reg}};
            waits_next = later_waits || come && waits_reg;
        end
    end

    always @(posedge clk) begin
        first_reg <= first_next;
        waits_reg <= waits_next;
        if (store) begin
            later[write_reg] <= s_come;
            write_reg <= write_reg + 1'b1;
        end
        if (load && later_waits)
            read_reg <= read_reg + 1'b1;
        if (rst) begin
            first_reg <= 0;
            waits_reg <= 1'b0;
            write_reg <= 0;
            read_reg <= 0;
        end
    end

    // ---------------------------------------------------------------------------------------------
    // turns

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
            length = length | (s_len_tdata[p*LEN_W +: LEN_W] & {LEN_W{oldest[p]}});
        end
    end

    wire ready;
    wire tvalid = (s_axis_tvalid & turn_reg) != 0;
    wire tlast = (s_axis_tlast & turn_reg) != 0;
    wire over = turn_reg == 0 || (tvalid && tlast && ready);

    assign grant = over && (s_len_tvalid & oldest) != 0 && (!length_valid_reg || m_len_tready);

    assign s_axis_tready = turn_reg & {PORTS{ready}};
    assign s_len_tready = oldest & {PORTS{grant}};
    assign m_len_tdata = length_reg;
    assign m_len_tvalid = length_valid_reg;

    always @(posedge clk) begin
        if (m_len_tready)
            length_valid_reg <= 1'b0;
        if (over)
            turn_reg <= 0;
        if (grant) begin
            turn_reg <= oldest;
            length_reg <= length;
            length_valid_reg <= 1'b1;
        end
        if (rst) begin
            turn_reg <= 0;
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
