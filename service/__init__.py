"""Reads handwritten digits: bytes -> decode -> preprocess -> classifier -> JSON."""

import os

# onnxruntime sends its first telemetry event while it is imported, so the switch has to stand in the
# environment before any module of this package imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# numpy's threads are worth nothing on matrices this small, and processes side by side wait for each other's.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
