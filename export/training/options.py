"""The options of `train`, and the recipe that they choose. Imports no PyTorch."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from export.model_folder import ModelFolder
from export.training.recipe import FINE_TUNING, Recipe

SHIPPED_WEIGHTS = Path("weights")
RANDOM = Path("random")
"""The value of --start for random weights."""


def add_train_options(command: argparse.ArgumentParser) -> None:
    """Add the options of train. Where a default depends on other options, the help describes it."""
    command.add_argument(
        "--data", type=Path, help="folder of own digits to add: a labels.csv (file, digit) and PNG or JPEG files"
    )
    start = "checkpoint to start from, or random (default: random; with --data the one in WEIGHTS/MODEL or weights/)"
    command.add_argument("--start", type=Path, help=start)
    for name, (parse, description) in SETTINGS.items():
        command.add_argument(f"--{name.replace('_', '-')}", type=parse, help=f"{description} {_defaults(name)}")
    command.add_argument("--seed", type=_seed, default=Recipe.seed, help="seed of all random numbers, 0 or more")
    teachers = "checkpoints MODEL/model_weights.pth to learn from besides the labels (default: none)"
    command.add_argument("--teachers", type=Path, nargs="*", help=teachers)
    command.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the state of unfinished runs")


def _defaults(setting: str) -> str:
    """Describe the default of a setting, without and with own digits."""
    full, own = (f"{getattr(recipe, setting):g}" for recipe in (Recipe, FINE_TUNING))
    return f"(default: {full})" if own == full else f"(default: {full}; with --data and a checkpoint: {own})"


def choose_start(options: argparse.Namespace) -> Path | None:
    """Return the checkpoint to start from, or None for random weights.

    Own digits start from the checkpoint of the model, unless the options say otherwise.
    """
    if options.start or not options.data:
        return None if options.start == RANDOM else options.start
    folders = (weights / options.model for weights in (options.weights, SHIPPED_WEIGHTS))
    checkpoints = [ModelFolder(folder).checkpoint for folder in folders]
    return next((path for path in checkpoints if path.is_file()), checkpoints[-1])


def choose_recipe(options: argparse.Namespace, start: Path | None) -> Recipe:
    """Return the recipe: that of own digits and a checkpoint, or the full one, with what the options say instead."""
    recipe = FINE_TUNING if options.data and start else Recipe()
    given = {name: value for name in SETTINGS if (value := getattr(options, name)) is not None}
    share = given.pop("share", None)
    changed = replace(recipe, seed=options.seed, **given)
    return changed if share is None else changed.scaled(share)


def _positive_int(text: str) -> int:
    """Parse an integer of at least 1."""
    return _at_least(int(text), 1)


def _seed(text: str) -> int:
    """Parse an integer of at least 0."""
    return _at_least(int(text), 0)


def _at_least(value: int, minimum: int) -> int:
    """Return the value. Raises ArgumentTypeError if it is less than the minimum."""
    if value < minimum:
        raise argparse.ArgumentTypeError(f"{value} is less than {minimum}")
    return value


def _share(text: str) -> float:
    """Parse a number above 0 and at most 1."""
    if (value := _positive_float(text)) > 1:
        raise argparse.ArgumentTypeError(f"{text} is more than 1")
    return value


def _below_one(text: str) -> float:
    """Parse a number of at least 0 and less than 1."""
    if not 0 <= (value := float(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 0 and less than 1")
    return value


def _positive_float(text: str) -> float:
    """Parse a finite number above 0."""
    if not 0 < (value := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


SETTINGS: dict[str, tuple[Callable[[str], float], str]] = {
    "epochs": (_positive_int, f"number of epochs of {sum(Recipe.epoch_size):,} images, 1 or more"),
    "share": (_share, "share of the images that is used, above 0, at most 1; an epoch shrinks, too"),
    "learning_rate": (_positive_float, "peak learning rate of AdamW per step, above 0"),
    "batch_size": (_positive_int, "images per step, 1 or more"),
    "passes": (_positive_int, "times that an epoch goes over its augmented images, 1 or more"),
    "label_smoothing": (_below_one, "label smoothing, at least 0, less than 1"),
    "augmentation": (_share, "strength of the random changes of shape, above 0, at most 1"),
    "ema_decay": (_below_one, "decay of the moving average of the weights per step, at least 0, less than 1"),
}
"""The settings of a recipe that are options: how each is parsed, and its meaning with unit and range."""
