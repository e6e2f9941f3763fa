"""The file names of a model's folders. Imports no PyTorch."""

from dataclasses import dataclass
from pathlib import Path

from service.inference.contract import CONTRACT_FILE


@dataclass(frozen=True)
class ModelFolder:
    """The folder weights/NAME: a checkpoint, the files that are made from it, and what was measured."""

    path: Path

    @property
    def name(self) -> str:
        """The model's name."""
        return self.path.name

    @property
    def checkpoint(self) -> Path:
        """The trained parameters, a PyTorch state dict."""
        return self.path / "model_weights.pth"

    @property
    def fp32(self) -> Path:
        """The exported model in fp32."""
        return self.path / "model.onnx"

    @property
    def int8(self) -> Path:
        """The exported model, quantized."""
        return self.path / "model.int8.onnx"

    @property
    def contract(self) -> Path:
        """The contract that the service verifies."""
        return self.path / CONTRACT_FILE

    @property
    def training_report(self) -> Path:
        """The report of the run that trained the checkpoint."""
        return self.path / "training.json"

    @property
    def evaluation(self) -> Path:
        """The metrics of the evaluation."""
        return self.path / "evaluation.json"

    @property
    def card(self) -> Path:
        """The model card."""
        return self.path / "README.md"

    @property
    def training_plot(self) -> Path:
        """The plot of losses and error rates by epoch."""
        return self.path / "training.png"

    @property
    def reliability_plot(self) -> Path:
        """The plot of accuracy by confidence."""
        return self.path / "reliability.png"

    @property
    def confusion_plot(self) -> Path:
        """The plot of the confusion matrices."""
        return self.path / "confusion.png"

    @property
    def misread_plot(self) -> Path:
        """The contact sheet of all misread and rejected images."""
        return self.path / "misread.png"


@dataclass(frozen=True)
class RunFolder(ModelFolder):
    """The folder runs/NAME, ignored by git: the best checkpoint of a run, its evaluation, and two files more."""

    @property
    def last_state(self) -> Path:
        """The state of an interrupted training run after its last complete epoch."""
        return self.path / "last.pth"

    @property
    def export_report(self) -> Path:
        """The latencies that the export measured."""
        return self.path / "export.json"
