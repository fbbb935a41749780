"""Benches that cocotb loads inside the simulator; each module is run by a test of tests/hdl."""
