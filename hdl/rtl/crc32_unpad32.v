// SPDX-License-Identifier: Apache-2.0
// Written by python -m hdl.generate; change the generator, not this file.
//
// CRC-32 state before 32 zero bytes, given the state after them.
// Combinational.

`default_nettype none

module crc32_unpad32 (
    input  wire [31:0] state_in,
    output wire [31:0] state_out
);

    assign state_out[0] = (^(state_in & 32'hbe88e8cc));
    assign state_out[1] = (^(state_in & 32'h7d11d199));
    assign state_out[2] = (^(state_in & 32'hfa23a332));
    assign state_out[3] = (^(state_in & 32'hf4474665));
    assign state_out[4] = (^(state_in & 32'he88e8cca));
    assign state_out[5] = (^(state_in & 32'hd11d1995));
    assign state_out[6] = (^(state_in & 32'h1cb2dbe6));
    assign state_out[7] = (^(state_in & 32'h3965b7cd));
    assign state_out[8] = (^(state_in & 32'h72cb6f9b));
    assign state_out[9] = (^(state_in & 32'h5b1e37fa));
    assign state_out[10] = (^(state_in & 32'h08b48738));
    assign state_out[11] = (^(state_in & 32'h11690e70));
    assign state_out[12] = (^(state_in & 32'h22d21ce1));
    assign state_out[13] = (^(state_in & 32'h45a439c2));
    assign state_out[14] = (^(state_in & 32'h8b487384));
    assign state_out[15] = (^(state_in & 32'h1690e708));
    assign state_out[16] = (^(state_in & 32'h93a926dc));
    assign state_out[17] = (^(state_in & 32'h27524db8));
    assign state_out[18] = (^(state_in & 32'h4ea49b70));
    assign state_out[19] = (^(state_in & 32'h9d4936e1));
    assign state_out[20] = (^(state_in & 32'h841a850f));
    assign state_out[21] = (^(state_in & 32'hb6bde2d2));
    assign state_out[22] = (^(state_in & 32'hd3f32d69));
    assign state_out[23] = (^(state_in & 32'ha7e65ad2));
    assign state_out[24] = (^(state_in & 32'hf1445d69));
    assign state_out[25] = (^(state_in & 32'h5c00521e));
    assign state_out[26] = (^(state_in & 32'hb800a43c));
    assign state_out[27] = (^(state_in & 32'hce89a0b5));
    assign state_out[28] = (^(state_in & 32'h239ba9a6));
    assign state_out[29] = (^(state_in & 32'h4737534c));
    assign state_out[30] = (^(state_in & 32'h30e64e55));
    assign state_out[31] = (^(state_in & 32'hdf447466));

endmodule

`resetall
