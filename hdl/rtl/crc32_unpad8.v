// SPDX-License-Identifier: Apache-2.0
// Written by python -m hdl.generate; change the generator, not this file.
//
// CRC-32 state before 8 zero bytes, given the state after them.
// Combinational.

`default_nettype none

module crc32_unpad8 (
    input  wire [31:0] state_in,
    output wire [31:0] state_out
);

    assign state_out[0] = (^(state_in & 32'hd33ca1fe));
    assign state_out[1] = (^(state_in & 32'ha67943fd));
    assign state_out[2] = (^(state_in & 32'h4cf287fb));
    assign state_out[3] = (^(state_in & 32'h99e50ff6));
    assign state_out[4] = (^(state_in & 32'h33ca1fec));
    assign state_out[5] = (^(state_in & 32'h67943fd9));
    assign state_out[6] = (^(state_in & 32'h1c14de4c));
    assign state_out[7] = (^(state_in & 32'h3829bc99));
    assign state_out[8] = (^(state_in & 32'h70537933));
    assign state_out[9] = (^(state_in & 32'h339a5399));
    assign state_out[10] = (^(state_in & 32'hb40806cd));
    assign state_out[11] = (^(state_in & 32'h68100d9b));
    assign state_out[12] = (^(state_in & 32'hd0201b37));
    assign state_out[13] = (^(state_in & 32'ha040366e));
    assign state_out[14] = (^(state_in & 32'h40806cdc));
    assign state_out[15] = (^(state_in & 32'h8100d9b8));
    assign state_out[16] = (^(state_in & 32'hd13d128f));
    assign state_out[17] = (^(state_in & 32'ha27a251f));
    assign state_out[18] = (^(state_in & 32'h44f44a3e));
    assign state_out[19] = (^(state_in & 32'h89e8947d));
    assign state_out[20] = (^(state_in & 32'hc0ed8904));
    assign state_out[21] = (^(state_in & 32'h52e7b3f7));
    assign state_out[22] = (^(state_in & 32'h76f3c611));
    assign state_out[23] = (^(state_in & 32'hede78c22));
    assign state_out[24] = (^(state_in & 32'h08f3b9ba));
    assign state_out[25] = (^(state_in & 32'hc2dbd28b));
    assign state_out[26] = (^(state_in & 32'h85b7a517));
    assign state_out[27] = (^(state_in & 32'hd853ebd0));
    assign state_out[28] = (^(state_in & 32'h639b765f));
    assign state_out[29] = (^(state_in & 32'hc736ecbf));
    assign state_out[30] = (^(state_in & 32'h5d517880));
    assign state_out[31] = (^(state_in & 32'h699e50ff));

endmodule

`resetall
