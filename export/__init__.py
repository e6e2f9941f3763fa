"""Train, export and evaluate the models: MNIST -> checkpoint -> ONNX -> int8 -> contract -> model card."""
