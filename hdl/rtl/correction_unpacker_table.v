// SPDX-License-Identifier: Apache-2.0
//
// Table of the requests that wait for their response: finds the request of a response, and tells
// when one was answered, when its deadline passed, and when its place was taken by another.
//
// A request is entered in the cycle after req_valid, at the place that the low TABLE_W bits of its
// id choose. A response is judged by what was entered before its verdict.
//
// Latency: response_id in cycle n, response_whole in cycle n + 1 -> the verdict (response_known,
// _first, _open, _patch) in cycle n + 2; a response every cycle. stat_missing comes cfg_deadline
// cycles after req_valid, at least 5.

`default_nettype none

module correction_unpacker_table #(
    parameter PATCH_W = 8,
    parameter TABLE_W = 4,
    parameter TIME_W = 32  // even
) (
    input  wire               clk,
    input  wire               rst,

    // requests as they are sent
    input  wire               req_valid,
    input  wire [31:0]        req_id,
    input  wire [PATCH_W-1:0] req_patch,

    // one that is not whole is not known, and answers nothing
    input  wire [31:0]        response_id,
    input  wire               response_whole,
    output wire               response_known,
    output wire               response_first,
    output wire               response_open,
    output wire [PATCH_W-1:0] response_patch,

    input  wire [TIME_W-1:0]  cfg_deadline,

    // one pulse a request
    output reg                stat_missing,
    output reg                stat_displaced
);

    localparam PLACES = 1 << TABLE_W;
    localparam HALF_W = TIME_W / 2;

    // ---------------------------------------------------------------------------------------------
    // requests: registered, with their place one bit of many

    reg               req_valid_reg;
    reg [31:0]        req_id_reg;
    reg [PATCH_W-1:0] req_patch_reg;
    reg [PLACES-1:0]  requests_reg, requests_next;

    // read within a cycle: a block memory is too slow
    (* ram_style = "distributed" *) reg [31:0] id_mem [0:PLACES-1];
    (* ram_style = "distributed" *) reg [PATCH_W-1:0] patch_mem [0:PLACES-1];

    wire [TABLE_W-1:0] req_place = req_id_reg[TABLE_W-1:0];

    always @* begin
        requests_next = {PLACES{1'b0}};
        requests_next[req_id[TABLE_W-1:0]] = req_valid;
    end

    always @(posedge clk) begin
        req_valid_reg <= req_valid;
        req_id_reg <= req_id;
        req_patch_reg <= req_patch;
        requests_reg <= requests_next;
        if (req_valid_reg) begin
            id_mem[req_place] <= req_id_reg;
            patch_mem[req_place] <= req_patch_reg;
        end
        if (rst) begin
            req_valid_reg <= 1'b0;
            requests_reg <= {PLACES{1'b0}};
        end
    end

    // ---------------------------------------------------------------------------------------------
    // first cycle of a response: in which digits its id is not that at its place; a request of this
    // very cycle counts

    reg  [PLACES-1:0]  known_reg;

    wire [TABLE_W-1:0] place = response_id[TABLE_W-1:0];
    wire               enters = req_valid_reg && req_place == place;
    wire [31:0]        held_difference = id_mem[place] ^ response_id;
    wire [31:0]        entered_difference = req_id_reg ^ response_id;

    reg                entry_known_reg;
    reg  [7:0]         entry_differs_reg, entry_differs_next;
    reg  [TABLE_W-1:0] sought_place_reg;
    // the request that comes next takes the same place, and has the same id
    reg                replaces_reg;
    reg                replaces_same_reg;
    integer            digit;

    always @*
        for (digit = 0; digit < 8; digit = digit + 1)
            entry_differs_next[digit] = enters ? |entered_difference[4*digit +: 4]
                                               : |held_difference[4*digit +: 4];

    always @(posedge clk) begin
        entry_known_reg <= enters || known_reg[place];
        entry_differs_reg <= entry_differs_next;
        sought_place_reg <= place;
        replaces_reg <= req_valid && req_id[TABLE_W-1:0] == place;
        replaces_same_reg <= req_id == response_id;
        if (rst)
            replaces_reg <= 1'b0;
    end

    // ---------------------------------------------------------------------------------------------
    // second cycle: whether that is its request; again, a request of this very cycle counts

    wire same = replaces_reg ? replaces_same_reg : entry_known_reg && entry_differs_reg == 8'd0;

    reg               found_reg;
    reg [PATCH_W-1:0] found_patch_reg;
    reg [PLACES-1:0]  found_place_reg, found_place_next;

    always @* begin
        found_place_next = {PLACES{1'b0}};
        found_place_next[sought_place_reg] = 1'b1;
    end

    always @(posedge clk) begin
        found_reg <= response_whole && same;
        found_patch_reg <= replaces_reg ? req_patch_reg : patch_mem[sought_place_reg];
        found_place_reg <= found_place_next;
        if (rst)
            found_reg <= 1'b0;
    end

    // ---------------------------------------------------------------------------------------------
    // third cycle: the verdict, on the state of the entry now

    reg  [TIME_W-1:0] now_reg;
    reg  [TIME_W-1:0] ahead_reg;
    reg  [TIME_W-1:0] expiry_reg;
    reg  [PLACES-1:0] open_reg;
    reg  [PLACES-1:0] answered_reg;

    // the deadline passes in this cycle, whether the entry is open or not
    wire [PLACES-1:0] due;
    // an entry that is open was not answered
    wire [PLACES-1:0] answers = found_place_reg & {PLACES{found_reg}};
    wire [PLACES-1:0] missing = open_reg & due & ~answers;

    genvar g;
    generate
        for (g = 0; g < PLACES; g = g + 1) begin : g_place
            reg [TIME_W-1:0] entry_expiry_reg;
            reg              low_differs_reg;
            reg              high_differs_reg;
            reg              due_reg;
            assign due[g] = due_reg;
            always @(posedge clk) begin
                if (requests_reg[g])
                    entry_expiry_reg <= expiry_reg;
                low_differs_reg <= entry_expiry_reg[0 +: HALF_W] != now_reg[0 +: HALF_W];
                high_differs_reg <= requests_reg[g]
                    || entry_expiry_reg[HALF_W +: HALF_W] != now_reg[HALF_W +: HALF_W];
                due_reg <= !requests_reg[g] && !low_differs_reg && !high_differs_reg;
            end
        end
    endgenerate

    always @(posedge clk) begin
        now_reg <= now_reg + 1'b1;
        // the pulse comes three cycles after the comparison
        ahead_reg <= cfg_deadline - {{TIME_W-2{1'b0}}, 2'd3};
        expiry_reg <= now_reg + ahead_reg;
        known_reg <= known_reg | requests_reg;
        open_reg <= open_reg & ~answers & ~due | requests_reg;
        answered_reg <= (answered_reg | answers) & ~requests_reg;
        stat_missing <= |missing;
        stat_displaced <= |(requests_reg & open_reg & ~answers & ~due);
        if (rst) begin
            now_reg <= {TIME_W{1'b0}};
            known_reg <= {PLACES{1'b0}};
            open_reg <= {PLACES{1'b0}};
            answered_reg <= {PLACES{1'b0}};
            stat_missing <= 1'b0;
            stat_displaced <= 1'b0;
        end
    end

    assign response_known = found_reg;
    assign response_first = found_reg && !(|(found_place_reg & answered_reg));
    assign response_open = found_reg && |(found_place_reg & open_reg);
    assign response_patch = found_patch_reg;

endmodule

`resetall
