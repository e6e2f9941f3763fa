"""Builds the model: MNIST -> train -> checkpoint -> ONNX -> parity -> contract."""
