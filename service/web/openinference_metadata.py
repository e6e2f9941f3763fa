"""Names of the server, its model and the tensors of the model in the Open Inference Protocol."""

from typing import Any

from service import __version__
from service.inference.contract import Contract

MODEL_VERSION = "1"
"""A folder in WEIGHTS_DIR holds one version of a model. Clients of the protocol expect a number."""

INPUT = "image"
LOGITS, PROBABILITIES = "logits", "probabilities"
OUTPUTS = (LOGITS, PROBABILITIES)
CLASSES = 10
IMAGE_SHAPE = [1, 28, 28]

SERVER = {"name": "digit-service", "version": __version__, "extensions": ["binary_tensor_data"]}


def model_metadata(contract: Contract) -> dict[str, Any]:
    """Describe the served model. `parameters` tells what the tensors alone do not."""
    content = contract.content
    return {
        "name": content["model"],
        "versions": [MODEL_VERSION],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": INPUT, "datatype": "FP32", "shape": [-1, *IMAGE_SHAPE]}],
        "outputs": [{"name": name, "datatype": "FP32", "shape": [-1, CLASSES]} for name in OUTPUTS],
        "parameters": {
            "FP32": "standardized images: (ink - mean) / std, where ink is from 0 (background) to 1 (stroke)",
            "BYTES": "or PNG and JPEG files, with shape [-1]; in JSON in base64",
            "mean": content["mean"],
            "std": content["std"],
            "precision": contract.served["precision"],
            "sha256": contract.served["sha256"],
            "service_version": __version__,
        },
    }
