// SPDX-License-Identifier: Apache-2.0
// Written by python -m hdl.generate; change the generator, not this file.
//
// CRC-32 state before 4 zero bytes, given the state after them.
// Combinational.

`default_nettype none

module crc32_unpad4 (
    input  wire [31:0] state_in,
    output wire [31:0] state_out
);

    assign state_out[0] = (^(state_in & 32'hc8851aab));
    assign state_out[1] = (^(state_in & 32'h910a3556));
    assign state_out[2] = (^(state_in & 32'h22146aac));
    assign state_out[3] = (^(state_in & 32'h4428d558));
    assign state_out[4] = (^(state_in & 32'h8851aab0));
    assign state_out[5] = (^(state_in & 32'h10a35560));
    assign state_out[6] = (^(state_in & 32'he9c3b06b));
    assign state_out[7] = (^(state_in & 32'hd38760d6));
    assign state_out[8] = (^(state_in & 32'ha70ec1ac));
    assign state_out[9] = (^(state_in & 32'h869899f3));
    assign state_out[10] = (^(state_in & 32'hc5b4294d));
    assign state_out[11] = (^(state_in & 32'h8b68529a));
    assign state_out[12] = (^(state_in & 32'h16d0a534));
    assign state_out[13] = (^(state_in & 32'h2da14a68));
    assign state_out[14] = (^(state_in & 32'h5b4294d0));
    assign state_out[15] = (^(state_in & 32'hb68529a0));
    assign state_out[16] = (^(state_in & 32'ha58f49eb));
    assign state_out[17] = (^(state_in & 32'h4b1e93d6));
    assign state_out[18] = (^(state_in & 32'h963d27ac));
    assign state_out[19] = (^(state_in & 32'h2c7a4f58));
    assign state_out[20] = (^(state_in & 32'h9071841b));
    assign state_out[21] = (^(state_in & 32'he866129d));
    assign state_out[22] = (^(state_in & 32'h18493f91));
    assign state_out[23] = (^(state_in & 32'h30927f22));
    assign state_out[24] = (^(state_in & 32'ha9a1e4ef));
    assign state_out[25] = (^(state_in & 32'h9bc6d375));
    assign state_out[26] = (^(state_in & 32'h378da6ea));
    assign state_out[27] = (^(state_in & 32'ha79e577f));
    assign state_out[28] = (^(state_in & 32'h87b9b455));
    assign state_out[29] = (^(state_in & 32'h0f7368aa));
    assign state_out[30] = (^(state_in & 32'hd663cbff));
    assign state_out[31] = (^(state_in & 32'h64428d55));

endmodule

`resetall
