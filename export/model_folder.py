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
        """Return the model's name."""
        return self.path.name

    @property
    def checkpoint(self) -> Path:
        """Return the path of the trained parameters, a PyTorch state dict."""
        return self.path / "model_weights.pth"

    @property
    def fp32(self) -> Path:
        """Return the path of the exported model in fp32."""
        return self.path / "model.onnx"

    @property
    def int8(self) -> Path:
        """Return the path of the exported model, quantized."""
        return self.path / "model.int8.onnx"

    @property
    def contract(self) -> Path:
        """Return the path of the contract that the service verifies."""
        return self.path / CONTRACT_FILE

    @property
    def training_report(self) -> Path:
        """Return the path of the report of the run that trained the checkpoint."""
        return self.path / "training.json"

    @property
    def evaluation(self) -> Path:
        """Return the path of the metrics of the evaluation."""
        return self.path / "evaluation.json"

    @property
    def card(self) -> Path:
        """Return the path of the model card."""
        return self.path / "README.md"

    @property
    def training_plot(self) -> Path:
        """Return the path of the plot of losses and error rates by epoch."""
        return self.path / "training.png"

    @property
    def reliability_plot(self) -> Path:
        """Return the path of the plot of accuracy by confidence."""
        return self.path / "reliability.png"

    @property
    def confusion_plot(self) -> Path:
        """Return the path of the plot of the confusion matrices."""
        return self.path / "confusion.png"

    @property
    def misread_plot(self) -> Path:
        """Return the path of the contact sheet of all misread and rejected images."""
        return self.path / "misread.png"


@dataclass(frozen=True)
class RunFolder(ModelFolder):
    """The folder runs/NAME, ignored by git: the best checkpoint of a run, its evaluation, and two files more."""

    @property
    def last_state(self) -> Path:
        """Return the path of the state of an interrupted training run after its last complete epoch."""
        return self.path / "last.pth"

    @property
    def export_report(self) -> Path:
        """Return the path of the latencies that the export measured."""
        return self.path / "export.json"
