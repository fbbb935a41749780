// SPDX-License-Identifier: Apache-2.0
// Written by python -m hdl.generate; change the generator, not this file.
//
// CRC-32 of Ethernet over 512 data bits, byte lane 0 first: reflected, as zlib,
// but without the inversion at both ends. Combinational.

`default_nettype none

module crc32_w512 (
    input  wire [31:0] state_in,
    input  wire [511:0] data_in,
    output wire [31:0] state_out
);

    assign state_out[0] = (^(state_in & 32'he5fe1c77))
        ^ (^(data_in[127:0] & 128'h77971b956500d811d04d951be5fe1c77))
        ^ (^(data_in[255:128] & 128'ha998da2757f68d2fc30eedb88e659548))
        ^ (^(data_in[383:256] & 128'h17830a34c6f00657cee3d50174482112))
        ^ (^(data_in[511:384] & 128'h04d101df481b4e5af182fa07eb46de2f));
    assign state_out[1] = (^(state_in & 32'hcbfc38ee))
        ^ (^(data_in[127:0] & 128'hef2e372aca01b023a09b2a37cbfc38ee))
        ^ (^(data_in[255:128] & 128'h5331b44eafed1a5f861ddb711ccb2a90))
        ^ (^(data_in[383:256] & 128'h2f0614698de00caf9dc7aa02e8904225))
        ^ (^(data_in[511:384] & 128'h09a203be90369cb5e305f40fd68dbc5e));
    assign state_out[2] = (^(state_in & 32'h97f871dd))
        ^ (^(data_in[127:0] & 128'hde5c6e55940360474136546f97f871dd))
        ^ (^(data_in[255:128] & 128'ha663689d5fda34bf0c3bb6e239965521))
        ^ (^(data_in[383:256] & 128'h5e0c28d31bc0195f3b8f5405d120844a))
        ^ (^(data_in[511:384] & 128'h1344077d206d396bc60be81fad1b78bc));
    assign state_out[3] = (^(state_in & 32'h2ff0e3ba))
        ^ (^(data_in[127:0] & 128'hbcb8dcab2806c08e826ca8df2ff0e3ba))
        ^ (^(data_in[255:128] & 128'h4cc6d13abfb4697e18776dc4732caa43))
        ^ (^(data_in[383:256] & 128'hbc1851a6378032be771ea80ba2410895))
        ^ (^(data_in[511:384] & 128'h26880efa40da72d78c17d03f5a36f178));
    assign state_out[4] = (^(state_in & 32'h5fe1c775))
        ^ (^(data_in[127:0] & 128'h7971b956500d811d04d951be5fe1c775))
        ^ (^(data_in[255:128] & 128'h998da2757f68d2fc30eedb88e6595487))
        ^ (^(data_in[383:256] & 128'h7830a34c6f00657cee3d50174482112a))
        ^ (^(data_in[511:384] & 128'h4d101df481b4e5af182fa07eb46de2f1));
    assign state_out[5] = (^(state_in & 32'hbfc38eea))
        ^ (^(data_in[127:0] & 128'hf2e372aca01b023a09b2a37cbfc38eea))
        ^ (^(data_in[255:128] & 128'h331b44eafed1a5f861ddb711ccb2a90e))
        ^ (^(data_in[383:256] & 128'hf0614698de00caf9dc7aa02e89042255))
        ^ (^(data_in[511:384] & 128'h9a203be90369cb5e305f40fd68dbc5e2));
    assign state_out[6] = (^(state_in & 32'h9a7901a2))
        ^ (^(data_in[127:0] & 128'h9251fecc2536dc65c328d3e29a7901a2))
        ^ (^(data_in[255:128] & 128'hcfae53f2aa55c6df00b5839b1700c755))
        ^ (^(data_in[383:256] & 128'hf74187057af193a47616955c664065b8))
        ^ (^(data_in[511:384] & 128'h3091760d4ec8d8e6913c7bfd3af155ea));
    assign state_out[7] = (^(state_in & 32'h34f20345))
        ^ (^(data_in[127:0] & 128'h24a3fd984a6db8cb8651a7c534f20345))
        ^ (^(data_in[255:128] & 128'h9f5ca7e554ab8dbe016b07362e018eab))
        ^ (^(data_in[383:256] & 128'hee830e0af5e32748ec2d2ab8cc80cb71))
        ^ (^(data_in[511:384] & 128'h6122ec1a9d91b1cd2278f7fa75e2abd5));
    assign state_out[8] = (^(state_in & 32'h69e4068b))
        ^ (^(data_in[127:0] & 128'h4947fb3094db71970ca34f8a69e4068b))
        ^ (^(data_in[255:128] & 128'h3eb94fcaa9571b7c02d60e6c5c031d56))
        ^ (^(data_in[383:256] & 128'hdd061c15ebc64e91d85a5571990196e3))
        ^ (^(data_in[511:384] & 128'hc245d8353b23639a44f1eff4ebc557ab));
    assign state_out[9] = (^(state_in & 32'h36361160))
        ^ (^(data_in[127:0] & 128'he518edf44cb63b3fc90b0a0f36361160))
        ^ (^(data_in[255:128] & 128'hd4ea45b20558bbd7c6a2f1603663afe4))
        ^ (^(data_in[383:256] & 128'had8f321f117c9b747e577fe2464b0cd4))
        ^ (^(data_in[511:384] & 128'h805ab1b53e5d896e786125ee3ccc7178));
    assign state_out[10] = (^(state_in & 32'h89923eb7))
        ^ (^(data_in[127:0] & 128'hbda6c07dfc6cae6e425b810589923eb7))
        ^ (^(data_in[255:128] & 128'h004c51435d47fa804e4b0f78e2a2ca81))
        ^ (^(data_in[383:256] & 128'h4c9d6e0ae40930bf324d2ac5f8de38bb))
        ^ (^(data_in[511:384] & 128'h046462b534a05c860140b1db92de3cde));
    assign state_out[11] = (^(state_in & 32'h13247d6f))
        ^ (^(data_in[127:0] & 128'h7b4d80fbf8d95cdc84b7020b13247d6f))
        ^ (^(data_in[255:128] & 128'h0098a286ba8ff5009c961ef1c5459503))
        ^ (^(data_in[383:256] & 128'h993adc15c812617e649a558bf1bc7176))
        ^ (^(data_in[511:384] & 128'h08c8c56a6940b90c028163b725bc79bc));
    assign state_out[12] = (^(state_in & 32'h2648fade))
        ^ (^(data_in[127:0] & 128'hf69b01f7f1b2b9b9096e04162648fade))
        ^ (^(data_in[255:128] & 128'h0131450d751fea01392c3de38a8b2a06))
        ^ (^(data_in[383:256] & 128'h3275b82b9024c2fcc934ab17e378e2ec))
        ^ (^(data_in[511:384] & 128'h11918ad4d28172180502c76e4b78f379));
    assign state_out[13] = (^(state_in & 32'h4c91f5bd))
        ^ (^(data_in[127:0] & 128'hed3603efe365737212dc082c4c91f5bd))
        ^ (^(data_in[255:128] & 128'h02628a1aea3fd40272587bc71516540d))
        ^ (^(data_in[383:256] & 128'h64eb7057204985f99269562fc6f1c5d8))
        ^ (^(data_in[511:384] & 128'h232315a9a502e4300a058edc96f1e6f2));
    assign state_out[14] = (^(state_in & 32'h9923eb7a))
        ^ (^(data_in[127:0] & 128'hda6c07dfc6cae6e425b810589923eb7a))
        ^ (^(data_in[255:128] & 128'h04c51435d47fa804e4b0f78e2a2ca81b))
        ^ (^(data_in[383:256] & 128'hc9d6e0ae40930bf324d2ac5f8de38bb0))
        ^ (^(data_in[511:384] & 128'h46462b534a05c860140b1db92de3cde4));
    assign state_out[15] = (^(state_in & 32'h3247d6f4))
        ^ (^(data_in[127:0] & 128'hb4d80fbf8d95cdc84b7020b13247d6f4))
        ^ (^(data_in[255:128] & 128'h098a286ba8ff5009c961ef1c54595037))
        ^ (^(data_in[383:256] & 128'h93adc15c812617e649a558bf1bc71760))
        ^ (^(data_in[511:384] & 128'h8c8c56a6940b90c028163b725bc79bc9));
    assign state_out[16] = (^(state_in & 32'h8171b19f))
        ^ (^(data_in[127:0] & 128'h1e2704ea7e2b438146add4798171b19f))
        ^ (^(data_in[255:128] & 128'hba8c8af006082d3c51cd338026d73527))
        ^ (^(data_in[383:256] & 128'h30d8888dc4bc299b5da9647f43c60fd2))
        ^ (^(data_in[511:384] & 128'h1dc9ac92600c6fdaa1ae8ce35cc9e9bc));
    assign state_out[17] = (^(state_in & 32'h02e3633e))
        ^ (^(data_in[127:0] & 128'h3c4e09d4fc5687028d5ba8f302e3633e))
        ^ (^(data_in[255:128] & 128'h751915e00c105a78a39a67004dae6a4e))
        ^ (^(data_in[383:256] & 128'h61b1111b89785336bb52c8fe878c1fa5))
        ^ (^(data_in[511:384] & 128'h3b935924c018dfb5435d19c6b993d378));
    assign state_out[18] = (^(state_in & 32'h05c6c67d))
        ^ (^(data_in[127:0] & 128'h789c13a9f8ad0e051ab751e605c6c67d))
        ^ (^(data_in[255:128] & 128'hea322bc01820b4f14734ce009b5cd49c))
        ^ (^(data_in[383:256] & 128'hc362223712f0a66d76a591fd0f183f4a))
        ^ (^(data_in[511:384] & 128'h7726b2498031bf6a86ba338d7327a6f0));
    assign state_out[19] = (^(state_in & 32'h0b8d8cfa))
        ^ (^(data_in[127:0] & 128'hf1382753f15a1c0a356ea3cc0b8d8cfa))
        ^ (^(data_in[255:128] & 128'hd4645780304169e28e699c0136b9a938))
        ^ (^(data_in[383:256] & 128'h86c4446e25e14cdaed4b23fa1e307e95))
        ^ (^(data_in[511:384] & 128'hee4d649300637ed50d74671ae64f4de1));
    assign state_out[20] = (^(state_in & 32'hf2e50583))
        ^ (^(data_in[127:0] & 128'h95e7553287b4e005ba90d283f2e50583))
        ^ (^(data_in[255:128] & 128'h0150752737745eeadfddd5bae316c739))
        ^ (^(data_in[383:256] & 128'h1a0b82e88d329fe2147592f54828dc39))
        ^ (^(data_in[511:384] & 128'hd84bc8f948ddb3f0eb6a343227d845ec));
    assign state_out[21] = (^(state_in & 32'h00341771))
        ^ (^(data_in[127:0] & 128'h5c59b1f06a69181aa56c301c00341771))
        ^ (^(data_in[255:128] & 128'hab383069391e30fa7cb546cd48481b3b))
        ^ (^(data_in[383:256] & 128'h23940fe5dc953993e608f0ebe4199960))
        ^ (^(data_in[511:384] & 128'hb446902dd9a029bb27569263a4f655f7));
    assign state_out[22] = (^(state_in & 32'he5963294))
        ^ (^(data_in[127:0] & 128'hcf247875b1d2e8249a95f523e5963294))
        ^ (^(data_in[255:128] & 128'hffe8baf525caecdb3a6460221ef5a33e))
        ^ (^(data_in[383:256] & 128'h50ab15ff7fda757002f234d6bc7b13d3))
        ^ (^(data_in[511:384] & 128'h6c5c2184fb5b1d2cbf2fdec0a2aa75c1));
    assign state_out[23] = (^(state_in & 32'hcb2c6528))
        ^ (^(data_in[127:0] & 128'h9e48f0eb63a5d049352bea47cb2c6528))
        ^ (^(data_in[255:128] & 128'hffd175ea4b95d9b674c8c0443deb467d))
        ^ (^(data_in[383:256] & 128'ha1562bfeffb4eae005e469ad78f627a7))
        ^ (^(data_in[511:384] & 128'hd8b84309f6b63a597e5fbd814554eb82));
    assign state_out[24] = (^(state_in & 32'h73a6d627))
        ^ (^(data_in[127:0] & 128'h4b06fa43a24b7883ba1a419473a6d627))
        ^ (^(data_in[255:128] & 128'h563a31f3c0dd3e432a9f6d30f5b319b3))
        ^ (^(data_in[383:256] & 128'h552f5dc93999d397c52b065b85a46e5d))
        ^ (^(data_in[511:384] & 128'hb5a187cca5773ae80d3d810561ef092a));
    assign state_out[25] = (^(state_in & 32'h02b3b039))
        ^ (^(data_in[127:0] & 128'he19aef1221962916a479163302b3b039))
        ^ (^(data_in[255:128] & 128'h05ecb9c0d64cf1a9963037d96503a62e))
        ^ (^(data_in[383:256] & 128'hbdddb1a6b5c3a17844b5d9b67f00fda8))
        ^ (^(data_in[511:384] & 128'h6f920e4602f53b8aebf9f80d2898cc7b));
    assign state_out[26] = (^(state_in & 32'h05676073))
        ^ (^(data_in[127:0] & 128'hc335de24432c522d48f22c6605676073))
        ^ (^(data_in[255:128] & 128'h0bd97381ac99e3532c606fb2ca074c5d))
        ^ (^(data_in[383:256] & 128'h7bbb634d6b8742f0896bb36cfe01fb50))
        ^ (^(data_in[511:384] & 128'hdf241c8c05ea7715d7f3f01a513198f7));
    assign state_out[27] = (^(state_in & 32'hef30dc91))
        ^ (^(data_in[127:0] & 128'hf1fca7dde3587c4b41a9cdd7ef30dc91))
        ^ (^(data_in[255:128] & 128'hbe2a3d240ec54b899bce32dd1a6b0df3))
        ^ (^(data_in[383:256] & 128'he0f5ccae11fe83b6dc34b3d8884bd7b2))
        ^ (^(data_in[511:384] & 128'hba9938c743cfa0715e651a334925efc1));
    assign state_out[28] = (^(state_in & 32'h3b9fa554))
        ^ (^(data_in[127:0] & 128'h946e542ea3b02087531e0eb43b9fa554))
        ^ (^(data_in[255:128] & 128'hd5cca06f4a7c1a3cf4928802bab38eaf))
        ^ (^(data_in[383:256] & 128'hd6689368e50d013a768ab2b064df8e77))
        ^ (^(data_in[511:384] & 128'h71e37051cf840eb84d48ce61790d01ac));
    assign state_out[29] = (^(state_in & 32'h773f4aa8))
        ^ (^(data_in[127:0] & 128'h28dca85d4760410ea63c1d68773f4aa8))
        ^ (^(data_in[255:128] & 128'hab9940de94f83479e925100575671d5f))
        ^ (^(data_in[383:256] & 128'hacd126d1ca1a0274ed156560c9bf1cef))
        ^ (^(data_in[511:384] & 128'he3c6e0a39f081d709a919cc2f21a0359));
    assign state_out[30] = (^(state_in & 32'h0b808926))
        ^ (^(data_in[127:0] & 128'h262e4b2febc05a0c9c35afcb0b808926))
        ^ (^(data_in[255:128] & 128'hfeaa5b9a7e06e5dc1144cdb264abaff6))
        ^ (^(data_in[383:256] & 128'h4e21479752c402be14c91fc0e73618cd))
        ^ (^(data_in[511:384] & 128'hc35cc098760b74bbc4a1c3820f72d89c));
    assign state_out[31] = (^(state_in & 32'hf2ff0e3b))
        ^ (^(data_in[127:0] & 128'h3bcb8dcab2806c08e826ca8df2ff0e3b))
        ^ (^(data_in[255:128] & 128'h54cc6d13abfb4697e18776dc4732caa4))
        ^ (^(data_in[383:256] & 128'h8bc1851a6378032be771ea80ba241089))
        ^ (^(data_in[511:384] & 128'h826880efa40da72d78c17d03f5a36f17));

endmodule

`resetall
