"""The packetiser and depacketiser in Verilog, with the tools that generate, run and check them."""
