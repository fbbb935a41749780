"""The discrete-event model of the FPGA-host-FPGA loop, in integer picoseconds."""
