// SPDX-License-Identifier: Apache-2.0
// Written by python -m hdl.generate; change the generator, not this file.
//
// CRC-32 of Ethernet over 64 data bits, byte lane 0 first: reflected, as zlib,
// but without the inversion at both ends. Combinational.

`default_nettype none

module crc32_w64 (
    input  wire [31:0] state_in,
    input  wire [63:0] data_in,
    output wire [31:0] state_out
);

    assign state_out[0] = (^(state_in & 32'h481b4e5a))
        ^ (^(data_in & 64'h04d101df481b4e5a));
    assign state_out[1] = (^(state_in & 32'h90369cb5))
        ^ (^(data_in & 64'h09a203be90369cb5));
    assign state_out[2] = (^(state_in & 32'h206d396b))
        ^ (^(data_in & 64'h1344077d206d396b));
    assign state_out[3] = (^(state_in & 32'h40da72d7))
        ^ (^(data_in & 64'h26880efa40da72d7));
    assign state_out[4] = (^(state_in & 32'h81b4e5af))
        ^ (^(data_in & 64'h4d101df481b4e5af));
    assign state_out[5] = (^(state_in & 32'h0369cb5e))
        ^ (^(data_in & 64'h9a203be90369cb5e));
    assign state_out[6] = (^(state_in & 32'h4ec8d8e6))
        ^ (^(data_in & 64'h3091760d4ec8d8e6));
    assign state_out[7] = (^(state_in & 32'h9d91b1cd))
        ^ (^(data_in & 64'h6122ec1a9d91b1cd));
    assign state_out[8] = (^(state_in & 32'h3b23639a))
        ^ (^(data_in & 64'hc245d8353b23639a));
    assign state_out[9] = (^(state_in & 32'h3e5d896e))
        ^ (^(data_in & 64'h805ab1b53e5d896e));
    assign state_out[10] = (^(state_in & 32'h34a05c86))
        ^ (^(data_in & 64'h046462b534a05c86));
    assign state_out[11] = (^(state_in & 32'h6940b90c))
        ^ (^(data_in & 64'h08c8c56a6940b90c));
    assign state_out[12] = (^(state_in & 32'hd2817218))
        ^ (^(data_in & 64'h11918ad4d2817218));
    assign state_out[13] = (^(state_in & 32'ha502e430))
        ^ (^(data_in & 64'h232315a9a502e430));
    assign state_out[14] = (^(state_in & 32'h4a05c860))
        ^ (^(data_in & 64'h46462b534a05c860));
    assign state_out[15] = (^(state_in & 32'h940b90c0))
        ^ (^(data_in & 64'h8c8c56a6940b90c0));
    assign state_out[16] = (^(state_in & 32'h600c6fda))
        ^ (^(data_in & 64'h1dc9ac92600c6fda));
    assign state_out[17] = (^(state_in & 32'hc018dfb5))
        ^ (^(data_in & 64'h3b935924c018dfb5));
    assign state_out[18] = (^(state_in & 32'h8031bf6a))
        ^ (^(data_in & 64'h7726b2498031bf6a));
    assign state_out[19] = (^(state_in & 32'h00637ed5))
        ^ (^(data_in & 64'hee4d649300637ed5));
    assign state_out[20] = (^(state_in & 32'h48ddb3f0))
        ^ (^(data_in & 64'hd84bc8f948ddb3f0));
    assign state_out[21] = (^(state_in & 32'hd9a029bb))
        ^ (^(data_in & 64'hb446902dd9a029bb));
    assign state_out[22] = (^(state_in & 32'hfb5b1d2c))
        ^ (^(data_in & 64'h6c5c2184fb5b1d2c));
    assign state_out[23] = (^(state_in & 32'hf6b63a59))
        ^ (^(data_in & 64'hd8b84309f6b63a59));
    assign state_out[24] = (^(state_in & 32'ha5773ae8))
        ^ (^(data_in & 64'hb5a187cca5773ae8));
    assign state_out[25] = (^(state_in & 32'h02f53b8a))
        ^ (^(data_in & 64'h6f920e4602f53b8a));
    assign state_out[26] = (^(state_in & 32'h05ea7715))
        ^ (^(data_in & 64'hdf241c8c05ea7715));
    assign state_out[27] = (^(state_in & 32'h43cfa071))
        ^ (^(data_in & 64'hba9938c743cfa071));
    assign state_out[28] = (^(state_in & 32'hcf840eb8))
        ^ (^(data_in & 64'h71e37051cf840eb8));
    assign state_out[29] = (^(state_in & 32'h9f081d70))
        ^ (^(data_in & 64'he3c6e0a39f081d70));
    assign state_out[30] = (^(state_in & 32'h760b74bb))
        ^ (^(data_in & 64'hc35cc098760b74bb));
    assign state_out[31] = (^(state_in & 32'ha40da72d))
        ^ (^(data_in & 64'h826880efa40da72d));

endmodule

`resetall
