"""Pre-decoders as ONNX files, and the commands that make and measure them."""
