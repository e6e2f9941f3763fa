"""One training run: its recipe, its state, one epoch of it, and how it is kept and taken up again."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from export.batches import DEVICE, Examples, targets
from export.calibrate import logits
from export.checkpoint import CHECKPOINT
from export.errors import ExportError
from export.model import ARCHITECTURES

REPORT = "training.json"
LAST = "last.pth"

FAST_BFLOAT16 = DEVICE.type == "cuda" or bool(torch.cpu.get_capabilities().get("amx_bf16", False))
"""Whether the device multiplies bfloat16 matrices in hardware; elsewhere float32 is faster."""


@dataclass(frozen=True)
class Recipe:
    """All that a run depends on, beside the data and the architecture."""

    epochs: int = 120
    epoch_size: tuple[int, ...] = (55_000, 25_000, 8_000, 7_000)  # of each part, drawn anew for each epoch
    batch_size: int = 256
    learning_rate: float = 2e-3
    warm_up: float = 0.1  # share of the run in which the learning rate rises; it then falls as a cosine
    weight_decay: float = 0.05
    label_smoothing: float = 0.02
    ema_decay: float = 0.999  # of the running average of the weights, which is what is validated and kept
    seed: int = 0
    start: str = ""  # SHA-256 of the checkpoint that it starts from, or nothing: from random weights


class Run:
    """The state of one training run: what it learns, how far it is, and what it has measured."""

    def __init__(self, model: str, recipe: Recipe, learn: Examples) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.identity = {"model": model, "examples": learn.sizes, **asdict(recipe)}
        self.steps = learn.steps(recipe.epoch_size, recipe.batch_size)
        self.model = ARCHITECTURES[model]().to(DEVICE)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True)
        self.optimizer = torch.optim.AdamW(
            _groups(self.model, recipe.weight_decay), lr=recipe.learning_rate, fused=True
        )
        self.schedule = OneCycleLR(
            self.optimizer,
            max_lr=recipe.learning_rate,
            total_steps=recipe.epochs * self.steps,
            pct_start=recipe.warm_up,
            cycle_momentum=False,
        )
        self.history: list[dict[str, float]] = []

    @property
    def epoch(self) -> int:
        """How many epochs are behind us."""
        return len(self.history)

    @property
    def best(self) -> dict[str, float]:
        """The epoch with the lowest validation loss: a finer ruler than counting errors among 5,000."""
        return min(self.history, key=lambda epoch: epoch["validation_loss"])

    def one_epoch(self, learn: Examples, validate: Mapping[str, Examples], bar: "tqdm[Any]") -> None:
        """One pass over the training data, then a look at the validation data."""
        started, losses = time.perf_counter(), []
        generator = self._seed_epoch()
        self.model.train()
        for images, labels in learn.shuffled(self.recipe.epoch_size, self.recipe.batch_size, generator):
            losses.append(self._step(images, labels))
            bar.update()
        seen = {name: evaluate(self.average, examples, self.recipe) for name, examples in validate.items()}
        self.history.append(
            {
                "epoch": self.epoch + 1,
                "train_loss": round(float(torch.stack(losses).mean()), 5),
                "validation_loss": round(sum(loss for loss, _ in seen.values()) / len(seen), 5),
                **{f"{name}_accuracy": round(accuracy, 5) for name, (_, accuracy) in seen.items()},
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
        bar.set_description(f"epoch {self.epoch}/{self.recipe.epochs}")
        shown = {name: f"{accuracy:.2%}" for name, (_, accuracy) in seen.items()}
        bar.set_postfix({"loss": f"{losses[-1]:.4f}", **shown, "best": f"epoch {self.best['epoch']:.0f}"})

    def resume(self, folder: Path) -> None:
        """Take up the run that was interrupted in `folder`, if there is one."""
        last = folder / LAST
        if not last.exists():
            return
        state = torch.load(last, map_location=DEVICE, weights_only=True)
        if state["identity"] != self.identity:
            raise ExportError(
                f"{last} holds an interrupted run of {state['identity']}, not of {self.identity}."
                " Finish it with its own settings, or delete it to start anew."
            )
        for part in ("model", "average", "optimizer", "schedule"):
            getattr(self, part).load_state_dict(state[part])
        self.history = state["history"]

    def save(self, folder: Path) -> None:
        """Keep the best checkpoint with its report, then all that is needed to go on."""
        if self.best["epoch"] == self.epoch:
            _save(self.average.module.state_dict(), folder / CHECKPOINT)
        (folder / REPORT).write_text(json.dumps(self.report(), indent=2) + "\n")
        parts = {part: getattr(self, part).state_dict() for part in ("model", "average", "optimizer", "schedule")}
        _save({"identity": self.identity, "history": self.history, **parts}, folder / LAST)

    def report(self) -> dict[str, Any]:
        """What was trained, how, on what, and how it went."""
        return {
            "settings": self.identity,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "device": _device_name(),
            "precision": "bfloat16 autocast" if FAST_BFLOAT16 else "float32",
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
            "best": self.best,
            "history": self.history,
        }

    def _seed_epoch(self) -> torch.Generator:
        """Every epoch draws from its own seed, so that a resumed run repeats an unbroken one."""
        seed = self.recipe.seed * 1_000_003 + self.epoch
        torch.manual_seed(seed)
        return torch.Generator(DEVICE).manual_seed(seed)

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=FAST_BFLOAT16):
            scores = self.model(images.to(DEVICE, memory_format=torch.channels_last))
        loss = F.cross_entropy(scores.float(), targets(labels, self.recipe.label_smoothing))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.model)
        return loss.detach()


@torch.inference_mode()
def evaluate(model: nn.Module, examples: Examples, recipe: Recipe) -> tuple[float, float]:
    """The loss that is trained, and the accuracy, in float32, without augmentation."""
    scores = logits(model, examples)
    loss = F.cross_entropy(scores, examples.labels, label_smoothing=recipe.label_smoothing)
    return float(loss), float((scores.argmax(dim=1) == examples.labels).double().mean())


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels only, not for biases and norms."""
    decayed = [parameter for parameter in model.parameters() if parameter.squeeze().ndim > 1]
    rest = [parameter for parameter in model.parameters() if parameter.squeeze().ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


def _device_name() -> str:
    if DEVICE.type == "cuda":
        return torch.cuda.get_device_name(DEVICE)
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor())
    return f"{name}, {torch.get_num_threads()} threads"


def _save(state: dict[str, Any], path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
