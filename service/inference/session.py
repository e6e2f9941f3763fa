"""The onnxruntime session: standardized images to logits."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from service.errors import ModelError
from service.inference.contract import EXPECTED_TERMS

LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


class Session:
    """One ONNX file, run by onnxruntime on the calling thread. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        """Load the file. Raises ModelError if onnxruntime cannot, or if its input or output is not as expected."""
        self.path = path
        self._session = _load(path)
        self._check_signature()

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the model: float32 (N, 1, 28, 28), standardized, to float32 (N, 10)."""
        (logits,) = self._session.run(["logits"], {"image": images})
        return np.asarray(logits)

    def _check_signature(self) -> None:
        for kind, nodes in (("input", self._session.get_inputs()), ("output", self._session.get_outputs())):
            actual = [{"name": node.name, "dtype": _dtype(node.type), "shape": node.shape} for node in nodes]
            expected = [EXPECTED_TERMS[kind]]
            if actual != expected:
                raise ModelError(
                    f"{self.path}: its {kind} is {actual}, but this service requires {expected}. Run `make export`."
                )


def _load(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # fastest for a model this small when several callers share the cores
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena never shrinks below the largest batch it has run
    options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise ModelError(f"{path} cannot be loaded ({error}). Run `make export`.") from error


def _dtype(onnx_type: str) -> str:
    return {"tensor(float)": "float32"}.get(onnx_type, onnx_type)
