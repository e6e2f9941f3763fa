"""What a model's folder promises about the files in it, and whether the files keep the promise."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import ModelError
from service.preprocess import MEAN, STD

CONTRACT = "contract.json"

EXPECTED: dict[str, Any] = {
    "input": {"name": "image", "dtype": "float32", "shape": ["N", 1, 28, 28]},
    "output": {"name": "logits", "dtype": "float32", "shape": ["N", 10]},
    "mean": MEAN,
    "std": STD,
    "labels": list(range(10)),
}
"""What this version of the service feeds a model and reads from it."""


@dataclass(frozen=True)
class Contract:
    """A verified `contract.json`: the folder it stands in, and its content."""

    folder: Path
    content: dict[str, Any]

    @classmethod
    def verify(cls, folder: Path) -> "Contract":
        """Read a model's contract and check every file beside it.

        Raises ModelError, naming the file and the difference.
        """
        contract = cls(folder, _read(folder / CONTRACT))
        contract._check_terms()
        contract._check_files()
        return contract

    @property
    def model_file(self) -> Path:
        """The ONNX file that is served."""
        return self.folder / str(self.content["serves"])

    @property
    def served(self) -> dict[str, Any]:
        """What the contract says of the file that is served: hash, precision, accuracy, parity."""
        return dict(self.content["files"][self.content["serves"]])

    @property
    def self_test(self) -> list[float]:
        """The ten logits that the served file gave for the self-test input when it was verified."""
        return list(self.served["self_test"])

    def summary(self) -> dict[str, Any]:
        """What GET /model answers: the model, the file that is served, and all that was verified of it."""
        about = ("model", "opset", "versions", "input", "output", "labels")
        files = {name: facts["sha256"] for name, facts in self.content["files"].items()}
        served = {key: value for key, value in self.served.items() if key != "self_test"}
        return {**{key: self.content[key] for key in about}, "serves": self.content["serves"], **served, "files": files}

    def _check_terms(self) -> None:
        for term, expected in EXPECTED.items():
            if self.content.get(term) != expected:
                raise ModelError(
                    f"{self.folder / CONTRACT}: {term} is {self.content.get(term)!r}, and this service needs"
                    f" {expected!r}. Export the model again with `make export`."
                )
        if self.content.get("serves") not in self.content.get("files", {}):
            raise ModelError(f"{self.folder / CONTRACT}: it names no file to serve. Run `make export`.")

    def _check_files(self) -> None:
        for name, facts in self.content["files"].items():
            path = self.folder / name
            if path.exists() or path == self.model_file:  # a lean image may leave the checkpoint out
                _check_hash(path, facts["sha256"])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}). Set MODEL to a folder of weights/.") from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON ({error}). Run `make export`.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not a JSON object. Run `make export`.")
    return content


def _check_hash(path: Path, expected: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}). Run `make export`.") from error
    if found != expected:
        raise ModelError(
            f"{path} has SHA-256 {found}, and its contract says {expected}. Restore the file, or run `make export`."
        )
