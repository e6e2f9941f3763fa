"""Read handwritten digits over HTTP: image bytes -> decode -> preprocess -> classify -> JSON.

The same predictor without a server: `from service import Predictor; Predictor.load().predict(image_bytes)`.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.inference.predictor import Predictor

__all__ = ["Predictor", "__version__"]

__version__ = "0.2.0"
"""The one version of the package, the wheel, the image and GET /model."""

# onnxruntime sends its first telemetry event during its import, so this must be set before any submodule imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Threads do not speed up matrices this small, and the threads of several workers block each other.
os.environ["OPENBLAS_NUM_THREADS"] = "1"


def __getattr__(name: str) -> Any:
    """Import the predictor when it is first used: importing onnxruntime takes a tenth of a second."""
    if name == "Predictor":
        return import_module("service.inference.predictor").Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
