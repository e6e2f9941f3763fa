"""The onnxruntime session: canvases to logits to probabilities."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from service.contract import EXPECTED, Contract
from service.errors import ModelError
from service.preprocess import SIDE, standardise

Floats = NDArray[np.float32]

SELF_TEST_TOLERANCE = {"fp32": 1e-2, "int8": 0.5}
"""Logits. Processors round differently, by about 1e-5 in fp32 and by some steps of a hundredth in int8; a wrong file
or a broken build is off by far more."""


LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True)
class Prediction:
    """digit: 0 to 9, the most probable; probabilities: one for each digit, they sum to 1."""

    digit: int
    probabilities: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """The probability of the digit."""
        return self.probabilities[self.digit]


class Session:
    """One ONNX file in onnxruntime, on one thread. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        """Load the file. Raises ModelError where onnxruntime cannot, or where its input or output is another."""
        self.path = path
        self._session = _open(path)
        self._check_signature()

    def logits(self, batch: Floats) -> Floats:
        """float32 (N, 1, 28, 28), standardised, to float32 (N, 10)."""
        (logits,) = self._session.run(["logits"], {"image": batch})
        return np.asarray(logits)

    def _check_signature(self) -> None:
        for kind, nodes in (("input", self._session.get_inputs()), ("output", self._session.get_outputs())):
            found = [{"name": node.name, "dtype": _dtype(node.type), "shape": node.shape} for node in nodes]
            if found != [EXPECTED[kind]]:
                raise ModelError(
                    f"{self.path}: its {kind} is {found}, and this service needs {[EXPECTED[kind]]}. Run `make export`."
                )


class Classifier:
    """The served model of a verified contract."""

    def __init__(self, contract: Contract) -> None:
        """Load the model and try it. Raises ModelError where it is not what the contract describes."""
        self.contract = contract
        self._session = Session(contract.model_file)
        self._check_answer()

    def classify(self, batch: Floats) -> list[Prediction]:
        """float32 (N, 1, 28, 28), standardised, to N predictions."""
        return [_prediction(softmax(logits)) for logits in self._session.logits(batch).tolist()]

    def _check_answer(self) -> None:
        logits = self._session.logits(self_test_input())[0]
        off = float(np.abs(logits - np.asarray(self.contract.self_test)).max())
        tolerance = SELF_TEST_TOLERANCE[self.contract.served["precision"]]
        if not off <= tolerance:  # written so that NaN fails too
            raise ModelError(
                f"{self.contract.model_file}: the self-test's logits are off by {off:.3g} (at most"
                f" {tolerance:g}). onnxruntime {ort.__version__} does not run this model rightly here."
            )


def _prediction(probabilities: list[float]) -> Prediction:
    return Prediction(probabilities.index(max(probabilities)), tuple(probabilities))


def softmax(logits: list[float]) -> list[float]:
    """Ten logits to ten probabilities, in [0, 1] with sum 1. For so few, numpy takes longer than Python."""
    most = max(logits)
    exponentials = [math.exp(logit - most) for logit in logits]
    total = sum(exponentials)
    return [exponential / total for exponential in exponentials]


def self_test_input() -> Floats:
    """A fixed canvas of smooth waves, float32 (1, 1, 28, 28): every pixel, and so every weight, has a say."""
    y, x = np.mgrid[:SIDE, :SIDE]
    canvas = 0.5 + 0.25 * np.sin(x / 3) + 0.25 * np.cos(y / 2)
    return standardise(canvas.astype(np.float32))[np.newaxis]


def _open(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # the fastest for a model this small when several callers share the cores
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena never shrinks below the largest batch it has seen
    options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise ModelError(f"{path} cannot be loaded ({error}). Run `make export`.") from error


def _dtype(onnx_type: str) -> str:
    return {"tensor(float)": "float32"}.get(onnx_type, onnx_type)
