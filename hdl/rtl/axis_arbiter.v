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
        later[write_reg] <= s_come;  // a free place: what does not count is written over
        if (store)
            write_reg <= write_reg + 1'b1;
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

`ifdef FORMAL
    // Proved by induction for two ports. The first cycle is a reset, and no more than FRAMES frames
    // wait; nothing else is assumed of the surroundings. Counts go round at 16.
    reg f_past_valid = 1'b0;
    always @(posedge clk) f_past_valid <= 1'b1;
    always @* if (!f_past_valid) assume (rst);

    localparam BEAT_W = DATA_W + KEEP_W + 1 + USER_W;
    wire [BEAT_W-1:0] f_out_beat = {m_axis_tuser, m_axis_tlast, m_axis_tkeep, m_axis_tdata};
    wire [1:0]        f_accept = s_axis_tvalid & s_axis_tready;
    wire [1:0]        f_begin = s_len_tvalid & s_len_tready;
    wire [LEN_W-1:0]  f_length = f_begin[1] ? s_len_tdata[LEN_W +: LEN_W] : s_len_tdata[0 +: LEN_W];
    wire              f_taken = m_axis_tvalid && m_axis_tready;
    // what the register behind the turns holds in its second place
    (* hierconn *) wire              \skid_inst.temp_valid_reg ;
    (* hierconn *) wire [BEAT_W-1:0] \skid_inst.temp_beat_reg ;
    wire              f_temp_valid = \skid_inst.temp_valid_reg ;
    wire [BEAT_W-1:0] f_temp_beat = \skid_inst.temp_beat_reg ;
    wire              f_temp_last = f_temp_beat[DATA_W+KEEP_W];

    // An offered beat or length is held, unchanged, until it is taken.
    always @(posedge clk) if (f_past_valid && $past(!rst)) begin
        if ($past(m_axis_tvalid && !m_axis_tready)) assert (m_axis_tvalid && $stable(f_out_beat));
        if ($past(m_len_tvalid && !m_len_tready)) assert (m_len_tvalid && $stable(m_len_tdata));
    end

    // One frame passes at a time; its length is offered a cycle after it was taken, and each beat.
    always @* if (f_past_valid) begin
        assert (turn_reg != 2'b11 && (s_axis_tready & ~turn_reg) == 0);
        if (!rst) assert (f_begin != 2'b11);
    end
    always @(posedge clk) if (f_past_valid && $past(!rst)) begin
        if ($past(f_begin != 0)) begin
            assert (turn_reg == $past(f_begin));
            assert (m_len_tvalid && m_len_tdata == $past(f_length));
        end
        if ($past(f_accept != 0)) assert (m_axis_tvalid);
    end

    // The ports of the beats that are held, in the order in which they were accepted
    reg  f_out_port, f_temp_port;
    always @(posedge clk) begin
        if (f_taken || !m_axis_tvalid)
            f_out_port <= f_temp_valid ? f_temp_port : f_accept[1];
        if (f_accept != 0)
            f_temp_port <= f_accept[1];
    end

    // Nothing of a port is lost, comes twice or out of order: a beat, a frame, its tlast.
    (* anyconst *) reg [3:0] f_mark;
    reg  [7:0] f_come, f_begun;
    genvar f;
    generate
        for (f = 0; f < 2; f = f + 1) begin : g_proof
            wire              out = m_axis_tvalid && f_out_port == f;
            wire              temp = f_temp_valid && f_temp_port == f;
            reg  [3:0]        in_count, out_count, end_count;
            reg  [BEAT_W-1:0] beat;
            always @(posedge clk) begin
                in_count <= in_count + f_accept[f];
                out_count <= out_count + (out && m_axis_tready);
                end_count <= end_count + (out && m_axis_tready && m_axis_tlast);
                f_come[4*f +: 4] <= f_come[4*f +: 4] + s_come[f];
                f_begun[4*f +: 4] <= f_begun[4*f +: 4] + f_begin[f];
                // whichever beat is marked, it leaves in its turn as it came
                if (f_accept[f] && in_count == f_mark)
                    beat <= {
                        s_axis_tuser[f*USER_W +: USER_W], s_axis_tlast[f],
                        s_axis_tkeep[f*KEEP_W +: KEEP_W], s_axis_tdata[f*DATA_W +: DATA_W]
                    };
                if (rst)
                    {in_count, out_count, end_count, f_come[4*f +: 4], f_begun[4*f +: 4]} <= 0;
            end
            wire [3:0] ends = end_count + (out && m_axis_tlast) + (temp && f_temp_last);
            wire [3:0] temp_number = out_count + out;
            always @* if (f_past_valid) begin
                assert (in_count == temp_number + temp);
                assert (f_begun[4*f +: 4] == ends + turn_reg[f]);
                if (out && out_count == f_mark) assert (f_out_beat == beat);
                if (temp && temp_number == f_mark) assert (f_temp_beat == beat);
            end
        end
    endgenerate

    // No beat comes between those of a frame: who is in the middle of one, before each beat held.
    reg f_inside, f_inside_port, f_open;
    always @(posedge clk) begin
        if (f_taken) {f_inside, f_inside_port} <= {!m_axis_tlast, f_out_port};
        if (f_accept != 0) f_open <= (f_accept & s_axis_tlast) == 0;
        if (rst) {f_inside, f_open} <= 2'd0;
    end
    wire f_1_inside = m_axis_tvalid ? !m_axis_tlast : f_inside;
    wire f_1_port = m_axis_tvalid ? f_out_port : f_inside_port;
    wire f_2_inside = f_temp_valid ? !f_temp_last : f_1_inside;
    wire f_2_port = f_temp_valid ? f_temp_port : f_1_port;
    always @* if (f_past_valid) begin
        if (m_axis_tvalid && f_inside) assert (f_out_port == f_inside_port);
        if (f_temp_valid && f_1_inside) assert (f_temp_port == f_1_port);
        assert (f_open == f_2_inside);
        if (f_open) assert (turn_reg[f_2_port]);
    end

    // What waits, oldest cycle first
    wire [ADDR_W-1:0] f_used = write_reg - read_reg;
    reg  [2*FRAMES-1:0] f_slots;
    reg  [3:0] f_waiting_0, f_waiting_1;
    integer f_slot;
    always @* begin
        f_slots = {{2*FRAMES-2{1'b0}}, first_reg};
        for (f_slot = 1; f_slot < FRAMES; f_slot = f_slot + 1)
            if (f_slot <= f_used)
                f_slots[2*f_slot +: 2] = later[read_reg + f_slot[ADDR_W-1:0] - 1'b1];
        {f_waiting_0, f_waiting_1} = 8'd0;
        for (f_slot = 0; f_slot < FRAMES; f_slot = f_slot + 1) begin
            f_waiting_0 = f_waiting_0 + f_slots[2*f_slot];
            f_waiting_1 = f_waiting_1 + f_slots[2*f_slot+1];
            if (f_past_valid && (f_slot == 0 ? waits_reg : f_slot <= f_used))
                assert (f_slots[2*f_slot +: 2] != 0);
        end
        if (f_past_valid) begin
            assert (waits_reg || first_reg == 0 && f_used == 0);
            assert (f_come[3:0] == f_begun[3:0] + f_waiting_0);
            assert (f_come[7:4] == f_begun[7:4] + f_waiting_1);
            assert (f_waiting_0 + f_waiting_1 <= FRAMES);
        end
        if (!rst)
            assume (f_waiting_0 + f_waiting_1 + s_come[0] + s_come[1]
                <= FRAMES + (f_begin != 0));
    end

    // Order of arrival: when a marked frame begins, of the other port exactly those have begun that
    // came before it.
    (* anyconst *) reg f_port;
    (* anyconst *) reg [3:0] f_number;
    wire [3:0] f_other_come = f_port ? f_come[3:0] + s_come[0] : f_come[7:4];
    wire [3:0] f_other_begun = f_port ? f_begun[3:0] : f_begun[7:4];
    wire [3:0] f_own_come = f_port ? f_come[7:4] : f_come[3:0];
    wire [3:0] f_own_begun = f_port ? f_begun[7:4] : f_begun[3:0];
    wire       f_now = s_come[f_port] && f_own_come == f_number;
    reg  [3:0] f_before;
    always @(posedge clk) if (f_now) f_before <= f_other_come;
    always @* if (f_past_valid && !rst && f_begin[f_port] && f_own_begun == f_number)
        assert (f_other_begun == (f_own_begun == f_own_come ? f_other_come : f_before));
    reg  [3:0] f_own, f_other;
    integer    f_place;
    always @* begin
        f_own = f_own_begun;
        f_other = f_other_begun;
        for (f_place = 0; f_place < FRAMES; f_place = f_place + 1) begin
            if (f_past_valid && f_slots[2*f_place+f_port] && f_own == f_number)
                assert (f_before == f_other + (f_port && f_slots[2*f_place]));
            f_own = f_own + f_slots[2*f_place+f_port];
            f_other = f_other + f_slots[2*f_place+!f_port];
        end
    end

    // No cycle is lost: with all lengths offered, a frame that waits begins when the way is free.
    wire f_free = turn_reg == 0 || (f_accept & s_axis_tlast) != 0;
    always @* if (f_past_valid && !rst && f_free && s_len_tvalid == 2'b11
        && (!m_len_tvalid || m_len_tready) && (s_come != 0 || f_come != f_begun))
        assert (f_begin != 0);

    // A tour: the queue is full, empty, and full again, and a frame of several beats leaves.
    reg [1:0] f_tour = 2'd0;
    always @(posedge clk) begin
        if (!f_tour[0] && f_waiting_0 == FRAMES / 2 && f_waiting_1 == FRAMES / 2)
            f_tour <= f_tour + 2'd1;
        if (f_tour == 2'd1 && f_come == f_begun) f_tour <= 2'd2;
        if (rst) f_tour <= 2'd0;
        cover (f_tour == 2'd3 && f_taken && m_axis_tlast && f_inside);
    end
`endif

endmodule

`resetall
