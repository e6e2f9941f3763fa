"""Train, export and evaluate the models: MNIST -> checkpoint -> ONNX -> int8 -> contract -> model card."""

import service  # noqa: F401 - sets the number of OpenBLAS threads before numpy is imported: two processes block each other
