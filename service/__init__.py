"""Read handwritten digits over HTTP: image bytes -> decode -> preprocess -> classify -> JSON."""

import os

__version__ = "0.2.0"
"""The one version of the package, the wheel, the image and GET /model."""

# onnxruntime sends its first telemetry event during its import, so this must be set before any submodule imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Threads do not speed up matrices this small, and the threads of several workers block each other.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
