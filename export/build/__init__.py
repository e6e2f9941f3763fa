"""Build the served model: checkpoint -> ONNX -> int8 -> parity -> contract."""
