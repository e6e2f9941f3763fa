"""One training run: its epochs, and the state from which it resumes."""

import platform
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from export.model_folder import RunFolder
from export.progress import Progress
from export.smoothing import eval_on_augmented
from export.training.checkpoint import save_state
from export.training.data import TrainingData
from export.training.device_dataset import DEVICE, shuffle
from export.training.losses import teach
from export.training.recipe import Recipe
from export.training.report import device_name, write_report
from export.training.resume import check_resumable, load_state
from export.training.schedule import learning_rate_factor
from export.training.update import FAST_BFLOAT16, Updater, mixed_precision, on_device
from export.training.validate import ACCURACY, validate


class Trainer:
    """The state of a training run: network, optimizer, schedule and history."""

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
        size = data.training.sample_size(recipe.epoch_size)
        self.batch_size = min(recipe.batch_size, size)
        self.num_batches = recipe.passes * (size // self.batch_size)
        self.updater = Updater(name, recipe, start)
        if start is not None and recipe.is_own_teacher:
            teachers = [*teachers, start]
        self.teachers = [eval_on_augmented(on_device(teacher)) for teacher in teachers]
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
        started = time.perf_counter()
        losses: list[Tensor] = []
        self.updater.network.train()
        for batch in self._batches():
            losses.append(self.updater.update(self._learning_rate(len(losses)), *batch))
            progress.update()
        train_loss = round(float(torch.stack(losses).mean()), 5)
        validation = validate(self.updater.average, self.data.validation)
        seconds = round(time.perf_counter() - started, 1)
        self.history.append({"epoch": self.epoch + 1, "train_loss": train_loss, **validation, "seconds": seconds})
        self._show_epoch(progress)

    def _batches(self) -> Iterator[Sequence[Tensor]]:
        """Augment a sample of the training data, ask the teachers, and yield its batches, in a new order in each pass.

        A pass leaves out the images that do not fill a batch, so that all batches have one shape.
        """
        generator, recipe = self._seed_epoch(), self.recipe
        sample: Sequence[Tensor] = self.data.training.sample(recipe.epoch_size, generator, recipe.augmentation)
        if self.teachers:
            with mixed_precision():
                sample = [*sample, teach(self.teachers, sample[0])]
        for _ in range(recipe.passes):
            sample = shuffle(sample, generator)
            yield from self._full_batches(sample)

    def _full_batches(self, sample: Sequence[Tensor]) -> Iterator[Sequence[Tensor]]:
        """Split a sample into batches of one size."""
        for batch in zip(*(part.split(self.batch_size) for part in sample), strict=True):
            if len(batch[0]) == self.batch_size:
                yield batch

    def _seed_epoch(self) -> torch.Generator:
        """Seed each epoch separately, so that a resumed run repeats an uninterrupted one."""
        seed = self.recipe.seed * 1_000_003 + self.epoch
        torch.manual_seed(seed)
        return torch.Generator(DEVICE).manual_seed(seed)

    def _learning_rate(self, batch: int) -> float:
        """Return the learning rate of a batch of this epoch."""
        return self.recipe.learning_rate * learning_rate_factor(
            self.epoch * self.num_batches + batch,
            warm_up=self.num_batches * min(self.recipe.warm_up, self.recipe.epochs / 2),
            total=self.num_batches * self.recipe.epochs,
            decay=self.recipe.decay,
        )

    def _show_epoch(self, progress: Progress) -> None:
        """Show the losses and accuracies of the last complete epoch on the progress bar."""
        last = self.history[-1]
        losses = {"train loss": f"{last['train_loss']:.4f}", "validation loss": f"{last['validation_loss']:.4f}"}
        accuracies = {key.removesuffix(ACCURACY): f"{last[key]:.2%}" for key in last if key.endswith(ACCURACY)}
        progress.set_postfix({**losses, **accuracies, "best": f"epoch {self.best['epoch']:.0f}"})

    def save(self, run: RunFolder) -> None:
        """Save the checkpoint if this epoch is the best, the report, and the state to resume from."""
        if self.best["epoch"] == self.epoch:
            save_state(self.updater.average.state_dict(), run.checkpoint)
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
            "model": self.updater.network,
            "average": self.updater.average,
            "optimizer": self.updater.optimizer,
        }

    def report(self) -> dict[str, Any]:
        """Describe the run: settings, parameters, hardware, versions, the best epoch, and every epoch."""
        return {
            "settings": self.identity,
            "parameters": sum(parameter.numel() for parameter in self.updater.network.parameters()),
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
