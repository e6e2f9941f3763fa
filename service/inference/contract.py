"""The contract of a model: what its folder promises about the files in it, verified at start-up."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import ModelError
from service.imaging.normalize import MEAN, STD

CONTRACT_FILE = "contract.json"

EXPECTED_TERMS: dict[str, Any] = {
    "input": {"name": "image", "dtype": "float32", "shape": ["N", 1, 28, 28]},
    "output": {"name": "logits", "dtype": "float32", "shape": ["N", 10]},
    "mean": MEAN,
    "std": STD,
    "labels": list(range(10)),
}
"""What this version of the service feeds a model, and what it reads from it."""

PRECISIONS = ("fp32", "int8")

SUMMARY_TERMS = ("model", "opset", "versions", "input", "output", "labels")
"""Terms of the model that its summary shows."""


@dataclass(frozen=True)
class Contract:
    """A verified `contract.json`: its folder, and its content."""

    folder: Path
    content: dict[str, Any]

    @classmethod
    def verify(cls, folder: Path) -> "Contract":
        """Read a model's contract and verify every file that it lists.

        Raises ModelError, naming the file and the difference.
        """
        contract = cls(folder, _read(folder / CONTRACT_FILE))
        contract._check_terms()
        contract._check_complete()
        contract._check_files()
        return contract

    @property
    def model_file(self) -> Path:
        """The ONNX file that is served."""
        return self.folder / str(self.content["serves"])

    @property
    def served(self) -> dict[str, Any]:
        """The contract's entry for the served file: hash, precision, accuracy, parity."""
        return dict(self.content["files"][self.content["serves"]])

    @property
    def self_test(self) -> list[float]:
        """The ten logits that the served file gave for the self-test input when it was exported."""
        return list(self.served["self_test"])

    def summary(self) -> dict[str, Any]:
        """Summarize the model and its served file as a JSON object."""
        hashes = {name: entry["sha256"] for name, entry in self.content["files"].items()}
        served = {key: value for key, value in self.served.items() if key != "self_test"}
        model = {term: self.content[term] for term in SUMMARY_TERMS}
        return {**model, "serves": self.content["serves"], **served, "files": hashes}

    def _check_terms(self) -> None:
        for term, expected in EXPECTED_TERMS.items():
            if self.content.get(term) != expected:
                raise ModelError(
                    f"{self.folder / CONTRACT_FILE}: {term} is {self.content.get(term)!r}, but this service requires"
                    f" {expected!r}. Export the model again with `make export`."
                )

    def _check_complete(self) -> None:
        """Check that the contract has everything that the service reads from it later."""
        path, files, serves = self.folder / CONTRACT_FILE, self.content.get("files"), self.content.get("serves")
        if not isinstance(files, dict) or not isinstance(serves, str) or serves not in files:
            raise ModelError(f"{path}: it names no file to serve. Run `make export`.")
        required = dict.fromkeys(files, ("sha256",)) | {serves: ("sha256", "precision", "self_test")}
        missing = [term for term in SUMMARY_TERMS if term not in self.content]
        missing += [f"{key} of {name}" for name, keys in required.items() for key in keys if not _has(files[name], key)]
        if missing:
            raise ModelError(f"{path} is incomplete (without {', '.join(missing)}). Run `make export`.")
        if self.served["precision"] not in PRECISIONS:
            raise ModelError(
                f"{path}: precision is {self.served['precision']!r}, but this service requires one of"
                f" {', '.join(PRECISIONS)}. Run `make export`."
            )
        if not _are_logits(self.served["self_test"]):
            raise ModelError(f"{path}: self_test is not a list of ten numbers. Run `make export`.")

    def _check_files(self) -> None:
        for name, entry in self.content["files"].items():
            path = self.folder / name
            if path.exists() or path == self.model_file:  # an image or wheel may leave other files out
                _check_hash(path, entry["sha256"])


def _has(entry: object, key: str) -> bool:
    return isinstance(entry, dict) and key in entry


def _are_logits(value: object) -> bool:
    return isinstance(value, list) and len(value) == 10 and all(isinstance(item, int | float) for item in value)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}). Set MODEL to the name of a readable folder in WEIGHTS_DIR."
        ) from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON ({error}). Run `make export`.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not a JSON object. Run `make export`.")
    return content


def _check_hash(path: Path, expected: str) -> None:
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}). Run `make export`.") from error
    if actual != expected:
        raise ModelError(
            f"{path} has SHA-256 {actual}, but its contract says {expected}. Restore the file, or run"
            f" `make export MODEL={path.parent.name}`."
        )
