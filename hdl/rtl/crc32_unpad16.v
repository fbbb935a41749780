// SPDX-License-Identifier: Apache-2.0
// Written by python -m hdl.generate; change the generator, not this file.
//
// CRC-32 state before 16 zero bytes, given the state after them.
// Combinational.

`default_nettype none

module crc32_unpad16 (
    input  wire [31:0] state_in,
    output wire [31:0] state_out
);

    assign state_out[0] = (^(state_in & 32'h9074ce54));
    assign state_out[1] = (^(state_in & 32'h20e99ca9));
    assign state_out[2] = (^(state_in & 32'h41d33952));
    assign state_out[3] = (^(state_in & 32'h83a672a5));
    assign state_out[4] = (^(state_in & 32'h074ce54a));
    assign state_out[5] = (^(state_in & 32'h0e99ca95));
    assign state_out[6] = (^(state_in & 32'h8d475b7f));
    assign state_out[7] = (^(state_in & 32'h1a8eb6ff));
    assign state_out[8] = (^(state_in & 32'h351d6dfe));
    assign state_out[9] = (^(state_in & 32'hfa4e15a9));
    assign state_out[10] = (^(state_in & 32'h64e8e507));
    assign state_out[11] = (^(state_in & 32'hc9d1ca0e));
    assign state_out[12] = (^(state_in & 32'h93a3941c));
    assign state_out[13] = (^(state_in & 32'h27472839));
    assign state_out[14] = (^(state_in & 32'h4e8e5072));
    assign state_out[15] = (^(state_in & 32'h9d1ca0e4));
    assign state_out[16] = (^(state_in & 32'haa4d8f9c));
    assign state_out[17] = (^(state_in & 32'h549b1f39));
    assign state_out[18] = (^(state_in & 32'ha9363e72));
    assign state_out[19] = (^(state_in & 32'h526c7ce4));
    assign state_out[20] = (^(state_in & 32'h34ac379c));
    assign state_out[21] = (^(state_in & 32'hf92ca16d));
    assign state_out[22] = (^(state_in & 32'h622d8c8e));
    assign state_out[23] = (^(state_in & 32'hc45b191d));
    assign state_out[24] = (^(state_in & 32'h18c2fc6e));
    assign state_out[25] = (^(state_in & 32'ha1f13688));
    assign state_out[26] = (^(state_in & 32'h43e26d11));
    assign state_out[27] = (^(state_in & 32'h17b01477));
    assign state_out[28] = (^(state_in & 32'hbf14e6ba));
    assign state_out[29] = (^(state_in & 32'h7e29cd75));
    assign state_out[30] = (^(state_in & 32'h6c2754bf));
    assign state_out[31] = (^(state_in & 32'h483a672a));

endmodule

`resetall
