"""One training run: its epochs, and the state from which it resumes."""

import platform
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from export.model import find_architecture
from export.model_folder import RunFolder
from export.progress import Progress
from export.training.checkpoint import save_state
from export.training.data import TrainingData
from export.training.device_dataset import DEVICE
from export.training.losses import teach, training_loss
from export.training.recipe import Recipe
from export.training.report import device_name, write_report
from export.training.resume import check_resumable, load_state
from export.training.schedule import learning_rate_factor, parameter_groups
from export.training.validate import ACCURACY, validate

FAST_BFLOAT16 = DEVICE.type == "cuda" or bool(torch.cpu.get_capabilities().get("amx_bf16", False))
"""Whether the device multiplies bfloat16 matrices in hardware. Elsewhere float32 is faster."""


torch.backends.cudnn.benchmark = True  # all batches but the last of an epoch have one shape


class Trainer:
    """The state of a training run: network, moving average, optimizer, schedule and history."""

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        data: TrainingData,
        start: nn.Module | None = None,
        teachers: Sequence[nn.Module] = (),
    ) -> None:
        """Initialize the network `name` with the weights of `start`, or with random ones."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.data = recipe, data
        self.identity = {**recipe.settings(name), "examples": data.training.sizes}
        self.num_batches = data.training.num_batches(recipe.epoch_size, recipe.batch_size)
        self.network = _on_device(find_architecture(name)())
        if start is not None:
            self.network.load_state_dict(start.state_dict())
            teachers = [*teachers, start] if recipe.is_own_teacher else teachers
        self.teachers = [_on_device(teacher).eval() for teacher in teachers]
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
        """Return the number of complete epochs."""
        return len(self.history)

    @property
    def best(self) -> dict[str, float]:
        """Return the epoch with the lowest validation loss. Accuracy on 5,000 images is too coarse to select by."""
        return min(self.history, key=lambda epoch: epoch["validation_loss"])

    def train_epoch(self, progress: Progress) -> None:
        """Train on one sample of the training data, validate, and append the results to the history."""
        progress.set_description_str(f"epoch {self.epoch + 1}/{self.recipe.epochs}", refresh=False)
        started, losses = time.perf_counter(), []
        generator = self._seed_epoch()
        self.network.train()
        for images, labels in self.data.training.batches(self.recipe.epoch_size, self.recipe.batch_size, generator):
            losses.append(self._train_batch(images, labels))
            progress.update()
        train_loss = round(float(torch.stack(losses).mean()), 5)
        validation = validate(self.average, self.data.validation)
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
        loss = self._loss(images.to(DEVICE, memory_format=torch.channels_last), labels)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        return loss.detach()

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of a batch, float32 (B, 1, 28, 28) and int64 (B,): a scalar."""
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=FAST_BFLOAT16):
            logits = self.network(images).float()
            taught = teach(self.teachers, images) if self.teachers else None
        return training_loss(logits, labels, self.recipe.label_smoothing, taught, if_right=self.recipe.is_own_teacher)

    def _show_epoch(self, progress: Progress) -> None:
        """Show the losses and accuracies of the last complete epoch on the progress bar."""
        last = self.history[-1]
        losses = {"train loss": f"{last['train_loss']:.4f}", "validation loss": f"{last['validation_loss']:.4f}"}
        accuracies = {key.removesuffix(ACCURACY): f"{last[key]:.2%}" for key in last if key.endswith(ACCURACY)}
        progress.set_postfix({**losses, **accuracies, "best": f"epoch {self.best['epoch']:.0f}"})

    def save(self, run: RunFolder) -> None:
        """Save the checkpoint if this epoch is the best, the report, and the state to resume from."""
        if self.best["epoch"] == self.epoch:
            save_state(self.average.module.state_dict(), run.checkpoint)
        write_report(self.report(), run)
        parts = {key: part.state_dict() for key, part in self._stateful_parts().items()}
        save_state({"identity": self.identity, "history": self.history, **parts}, run.last_state)

    def resume(self, run: RunFolder) -> None:
        """Restore the state that `save` left in `run`, if any. Raises ExportError if its recipe is another."""
        check_resumable(self.identity, run)
        if not run.last_state.exists():
            return
        state = load_state(run)
        for key, part in self._stateful_parts().items():
            part.load_state_dict(state[key])
        self.history = state["history"]
        print(f"Resuming {run.path} after epoch {self.epoch} of {self.recipe.epochs}.")

    def _stateful_parts(self) -> dict[str, Any]:
        """Return the objects whose state `save` keeps, by its key."""
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


def run_epochs(
    name: str,
    recipe: Recipe,
    data: TrainingData,
    run: RunFolder,
    start: nn.Module | None = None,
    teachers: Sequence[nn.Module] = (),
) -> None:
    """Train the model `name`, or continue the interrupted run in `run`. Leaves its best checkpoint and report there.

    Raises ExportError if `run` holds an interrupted run of another recipe.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(name, recipe, data, start, teachers)
    trainer.resume(run)
    batches_done, batches_total = (epochs * trainer.num_batches for epochs in (trainer.epoch, recipe.epochs))
    with Progress(None, f"Training {name}", batches_total, batches_done, "batches", leave=True) as progress:
        while trainer.epoch < recipe.epochs:
            trainer.train_epoch(progress)
            trainer.save(run)


def _on_device(network: nn.Module) -> nn.Module:
    """Move a network to DEVICE, in the memory format that is fast there."""
    network.to(DEVICE)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types
