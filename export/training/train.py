"""Train a model on MNIST: data -> loop -> checkpoint -> publish. A new start continues an interrupted run."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from export.data.corrupted import corrupt_dataset, corrupted_outliers
from export.data.dataset import OUTLIER_LABEL
from export.data.mnist import load_train
from export.data.numbers import number_outliers
from export.data.outliers import train_outliers
from export.data.scenes import draw_dataset, normalize_dataset, photograph_dataset
from export.errors import ExportError
from export.model import find_architecture
from export.model_folder import ModelFolder, RunFolder
from export.training.calibrate import calibrate, predict_logits
from export.training.checkpoint import Checkpoint, load_checkpoint, sha256
from export.training.device_dataset import DEVICE, DeviceDataset
from export.training.grow import load_start
from export.training.recipe import Recipe

FAST_BFLOAT16 = DEVICE.type == "cuda" or bool(torch.cpu.get_capabilities().get("amx_bf16", False))
"""Whether the device multiplies bfloat16 matrices in hardware. Elsewhere float32 is faster."""

RENDERED_DIGITS, CORRUPTED_DIGITS = 20_000, 30_000
"""The number of training digits that are also rendered as drawings and photos, and the number that are corrupted."""

CORRUPTED = "corrupted"
"""The validation images that select the checkpoint but fit no temperature: clients send few images like them."""


@dataclass(frozen=True)
class TrainingData:
    """The training images, and the validation images by name. The validation split selects the checkpoint."""

    training: DeviceDataset
    validation: Mapping[str, DeviceDataset]


def train_model(
    name: str, recipe: Recipe, mnist: Path | None, run: RunFolder, weights: ModelFolder, start_path: Path | None = None
) -> None:
    """Train the model `name` on MNIST in the folder `mnist`, and publish it in `weights`.

    start_path: a checkpoint to start from instead of random weights. Raises ExportError if the name is unknown, a file
    cannot be used, or `run` holds an interrupted run of another recipe; that is before the data is loaded.
    """
    find_architecture(name)
    start_checkpoint = load_start(name, start_path) if start_path else None
    recipe = replace(recipe, start_sha256=sha256(start_path) if start_path else "")
    check_resumable(recipe.settings(name), run)
    data = load_data(mnist, recipe.seed)
    run_epochs(name, recipe, data, run, start_checkpoint)
    publish(name, run, weights, data, start_checkpoint, recipe.start_share)


def load_data(mnist: Path | None, seed: int) -> TrainingData:
    """Load MNIST and render the synthetic images, about four minutes on two cores.

    Raises DataError if MNIST cannot be loaded.
    """
    digits, validation = load_train(mnist)
    training = DeviceDataset(
        normalize_dataset(digits),
        photograph_dataset(digits.take(np.arange(RENDERED_DIGITS)), seed),
        draw_dataset(seed),
        train_outliers(seed),
        corrupt_dataset(digits.take(np.arange(CORRUPTED_DIGITS)), seed),
        number_outliers(digits, seed),
        corrupted_outliers(seed),
    )
    return TrainingData(
        training,
        {
            "mnist": DeviceDataset(normalize_dataset(validation)),
            "photographed": DeviceDataset(photograph_dataset(validation, seed + 1)),
            CORRUPTED: DeviceDataset(corrupt_dataset(validation, seed + 1)),
        },
    )


def run_epochs(
    name: str, recipe: Recipe, data: TrainingData, run: RunFolder, start_checkpoint: Checkpoint | None = None
) -> None:
    """Train the model `name`, or continue the interrupted run in `run`. Leaves its best checkpoint and report there.

    Raises ExportError if `run` holds an interrupted run of another recipe.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(name, recipe, data, start_checkpoint)
    trainer.resume(run)
    batches_done, batches_total = (epochs * trainer.num_batches for epochs in (trainer.epoch, recipe.epochs))
    with tqdm(total=batches_total, initial=batches_done, unit="batch") as progress:
        while trainer.epoch < recipe.epochs:
            trainer.train_epoch(progress)
            trainer.save(run)


class Trainer:
    """The state of a training run: network, moving average, optimizer, schedule and history."""

    def __init__(
        self, name: str, recipe: Recipe, data: TrainingData, start_checkpoint: Checkpoint | None = None
    ) -> None:
        """Initialize the network from `start_checkpoint`, or with random weights."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.data = recipe, data
        self.identity = {**recipe.settings(name), "examples": data.training.sizes}
        self.num_batches = data.training.num_batches(recipe.epoch_size, recipe.batch_size)
        self.network = find_architecture(name)().to(DEVICE)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types
        if start_checkpoint is not None:
            self.network.load_state_dict(start_checkpoint.network.state_dict())
        average = get_ema_multi_avg_fn(recipe.ema_decay)
        self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        groups = parameter_groups(self.network, recipe.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
        self.schedule = LambdaLR(
            self.optimizer,
            partial(
                learning_rate_factor,
                warm_up=self.num_batches * min(recipe.warm_up, recipe.epochs / 2),
                total=self.num_batches * recipe.epochs,
                decay=recipe.decay,
            ),
        )
        self.history: list[dict[str, float]] = []

    @property
    def epoch(self) -> int:
        """The number of complete epochs."""
        return len(self.history)

    @property
    def best(self) -> dict[str, float]:
        """The epoch with the lowest validation loss. Accuracy on 5,000 images is too coarse to select by."""
        return min(self.history, key=lambda epoch: epoch["validation_loss"])

    def train_epoch(self, progress: "tqdm[Any]") -> None:
        """Train on one sample of the training data, validate, and append the results to the history."""
        progress.set_description(f"epoch {self.epoch + 1}/{self.recipe.epochs}")
        started, losses = time.perf_counter(), []
        generator = self._seed_epoch()
        self.network.train()
        for images, labels in self.data.training.batches(self.recipe.epoch_size, self.recipe.batch_size, generator):
            losses.append(self._train_batch(images, labels))
            progress.update()
        train_loss = round(float(torch.stack(losses).mean()), 5)
        validation = self._validate()
        seconds = round(time.perf_counter() - started, 1)
        self.history.append({"epoch": self.epoch + 1, "train_loss": train_loss, **validation, "seconds": seconds})
        self._show_epoch(progress)

    def _seed_epoch(self) -> torch.Generator:
        """Seed each epoch separately, so that a resumed run repeats an uninterrupted one."""
        seed = self.recipe.seed * 1_000_003 + self.epoch
        torch.manual_seed(seed)
        return torch.Generator(DEVICE).manual_seed(seed)

    def _train_batch(self, images: Tensor, labels: Tensor) -> Tensor:
        """Update the weights once: float32 (B, 1, 28, 28) and int64 (B,). Returns the loss."""
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=FAST_BFLOAT16):
            logits = self.network(images.to(DEVICE, memory_format=torch.channels_last))
        targets = soft_targets(labels, logits.shape[1], self.recipe.label_smoothing)
        loss = F.cross_entropy(logits.float(), targets)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        return loss.detach()

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        """Measure the averaged weights in float32: the mean loss, and the accuracy on each validation set."""
        losses, accuracies = [], {}
        for name, dataset in self.data.validation.items():
            logits = predict_logits(self.average, dataset)
            losses.append(float(F.cross_entropy(logits, dataset.labels, label_smoothing=self.recipe.label_smoothing)))
            accuracies[f"{name}_accuracy"] = float((logits.argmax(dim=1) == dataset.labels).double().mean())
        measured = {"validation_loss": sum(losses) / len(losses), **accuracies}
        return {key: round(value, 5) for key, value in measured.items()}

    def _show_epoch(self, progress: "tqdm[Any]") -> None:
        """Show the losses and accuracies of the last complete epoch on the progress bar."""
        last = self.history[-1]
        losses = {"train loss": f"{last['train_loss']:.4f}", "validation loss": f"{last['validation_loss']:.4f}"}
        accuracies = {key.removesuffix("_accuracy"): f"{last[key]:.2%}" for key in last if key.endswith("_accuracy")}
        progress.set_postfix({**losses, **accuracies, "best": f"epoch {self.best['epoch']:.0f}"})

    def save(self, run: RunFolder) -> None:
        """Save the checkpoint if this epoch is the best, the report, and the state to resume from."""
        if self.best["epoch"] == self.epoch:
            _save_atomically(self.average.module.state_dict(), run.checkpoint)
        write_report(self.report(), run)
        parts = {key: part.state_dict() for key, part in self._stateful_parts().items()}
        _save_atomically({"identity": self.identity, "history": self.history, **parts}, run.last_state)

    def resume(self, run: RunFolder) -> None:
        """Restore the state that `save` left in `run`, if any. Raises ExportError if its recipe is another."""
        check_resumable(self.identity, run)
        if not run.last_state.exists():
            return
        state = torch.load(run.last_state, map_location=DEVICE, weights_only=True)
        for key, part in self._stateful_parts().items():
            part.load_state_dict(state[key])
        self.history = state["history"]
        print(f"Resuming {run.path} after epoch {self.epoch} of {self.recipe.epochs}.")

    def _stateful_parts(self) -> dict[str, Any]:
        return {
            "model": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
        }

    def report(self) -> dict[str, Any]:
        """Describe the run: settings, parameters, hardware, versions, the best epoch, and every epoch."""
        return {
            "settings": self.identity,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "device": device_name(),
            "precision": "bfloat16 autocast" if FAST_BFLOAT16 else "float32",
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
            "best": self.best,
            "history": self.history,
        }


def check_resumable(identity: Mapping[str, Any], run: RunFolder) -> None:
    """Raise ExportError, naming the differences, if `run` holds an interrupted run that differs from `identity`."""
    if not run.last_state.exists():
        return
    saved = torch.load(run.last_state, map_location="cpu", weights_only=True)["identity"]
    differences = [
        f"{key} {saved.get(key)!r} instead of {value!r}" for key, value in identity.items() if saved.get(key) != value
    ]
    if differences:
        raise ExportError(
            f"{run.last_state} holds an interrupted run with {', '.join(differences)}."
            " Repeat its settings to finish it, or delete the file to start a new run."
        )


def publish(
    name: str,
    run: RunFolder,
    weights: ModelFolder,
    data: TrainingData,
    start_checkpoint: Checkpoint | None = None,
    start_share: float = 0.0,
) -> None:
    """Calibrate the best checkpoint of a finished run of the model `name`, and write it with its report to `weights`.

    start_share: how much of `start_checkpoint` the weights keep. The report of the run that trained it, if it lies
    beside it, is kept within the new report.
    """
    network = load_checkpoint(name, run.checkpoint).network.to(DEVICE)
    if start_checkpoint is not None and start_share:
        calibrate(network, calibration_data(data))  # gives the head the scale of the start's, which is calibrated
        keep_start(network, start_checkpoint.network, start_share)
    report = json.loads(run.training_report.read_text())
    report["temperature"] = calibrate(network, calibration_data(data))
    previous = ModelFolder(start_checkpoint.path.parent).training_report if start_checkpoint else None
    if previous is not None and previous.exists():
        report["before"] = json.loads(previous.read_text())
    weights.path.mkdir(parents=True, exist_ok=True)
    _save_atomically(network.cpu().state_dict(), weights.checkpoint)
    write_report({**report, "checkpoint_sha256": sha256(weights.checkpoint)}, weights)
    run.last_state.unlink()


def calibration_data(data: TrainingData) -> list[DeviceDataset]:
    """Return the validation images that fit the temperature: all but the corrupted ones."""
    return [dataset for name, dataset in data.validation.items() if name != CORRUPTED]


@torch.no_grad()
def keep_start(network: nn.Module, start: nn.Module, share: float) -> None:
    """Move the weights of `network` back toward those of `start` by a share, 0 to 1.

    The mean of both keeps what only one of them reads (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
    """
    for value, old in zip(network.state_dict().values(), start.state_dict().values(), strict=True):
        if value.is_floating_point():
            value.lerp_(old.to(value.device), share)


def write_report(report: Mapping[str, Any], folder: ModelFolder) -> None:
    """Write the training report as JSON."""
    folder.training_report.write_text(json.dumps(report, indent=2) + "\n")


def soft_targets(labels: Tensor, num_classes: int, smoothing: float) -> Tensor:
    """Convert labels, int64 (B,), to target probabilities, float32 (B, C): smoothed labels; uniform for outliers.

    The uniform target is that of outlier exposure (Hendrycks et al. 2019, "Deep anomaly detection with outlier
    exposure").
    """
    smoothed = F.one_hot(labels.clamp(min=0), num_classes) * (1 - smoothing) + smoothing / num_classes
    return torch.where((labels == OUTLIER_LABEL)[:, None], 1 / num_classes, smoothed)


def learning_rate_factor(step: int, warm_up: float, total: int, decay: float) -> float:
    """Return the share of the peak learning rate at a step: it rises, stays, and falls in the last `decay` of `total`.

    Until it falls, it does not depend on `total` (Hägele et al. 2024).
    """
    return min((step + 1) / warm_up, 1.0, (total - step) / (decay * total))


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Group the parameters for the optimizer. Weight decay applies to matrices and kernels, not to biases and norms."""
    decayed = [parameter for parameter in network.parameters() if parameter.squeeze().ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.squeeze().ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def device_name() -> str:
    """Return the name of the GPU, or of the processor with the number of threads."""
    if DEVICE.type == "cuda":
        return torch.cuda.get_device_name(DEVICE)
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor())
    threads = torch.get_num_threads()
    return f"{name}, {threads} thread{'s' * (threads > 1)}"


def _save_atomically(state: Mapping[str, Any], path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
