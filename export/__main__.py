"""The command line: `python -m export {train,build,evaluate,card}`.

Each command imports its own package, so that only `train` and `build` need PyTorch.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from export.data.mnist import mnist_folder
from export.data.wild import wild_folder
from export.errors import ExportError
from export.model_folder import ModelFolder, RunFolder
from export.training.recipe import Recipe
from service.errors import ServiceError

MNIST_DIR = "  MNIST_DIR  folder of MNIST's four IDX files (default: downloaded into a cache)"
WILD_DIR = "  WILD_DIR   folder of wild images with a labels.csv (default: none, they are left out)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. If it fails, exit with a sentence that says why."""
    options = parse_arguments(arguments)
    try:
        options.run(options)
    except (ExportError, ServiceError) as error:
        sys.exit(f"export {options.command}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"export {options.command}: interrupted.{_advice(options)}")


def train(options: argparse.Namespace) -> None:
    """Train a model and publish its checkpoint."""
    from export.training.train import train_model

    recipe = Recipe(
        epochs=options.epochs,
        seed=options.seed,
        learning_rate=options.learning_rate,
    )
    run, weights = RunFolder(options.runs / options.model), ModelFolder(options.weights / options.model)
    train_model(options.model, recipe, mnist_folder(os.environ), run, weights, options.start, options.teachers)
    print(
        f"Trained {weights.checkpoint}. Run `make export MODEL={options.model}` to build the served files from it:"
        " until then the service refuses this model."
    )


def build(options: argparse.Namespace) -> None:
    """Build the served files of a model from its checkpoint."""
    from export.build.build import build_model
    from export.build.report import format_summary

    run, weights = RunFolder(options.runs / options.model), ModelFolder(options.weights / options.model)
    mnist, wild = mnist_folder(os.environ), wild_folder(os.environ)
    result = build_model(options.model, options.checkpoint, mnist, wild, weights, run)
    print(format_summary(result.contract, result.measurements.latency, run))


def evaluate(options: argparse.Namespace) -> None:
    """Evaluate a model: into runs/MODEL, or as its model card into weights/MODEL."""
    from export.evaluation.evaluate import evaluate_model

    weights = ModelFolder(options.weights / options.model)
    output = weights if options.command == "card" else RunFolder(options.runs / options.model)
    evaluate_model(weights, mnist_folder(os.environ), wild_folder(os.environ), output)
    print(output.card.read_text())
    print(f"Written to {output.path}.")


def _advice(options: argparse.Namespace) -> str:
    """Say how an interrupted command continues."""
    if options.command != "train":
        return ""
    if RunFolder(options.runs / options.model).last_state.exists():
        return " Run it again to continue after the last complete epoch."
    return " No epoch was complete, so the next run starts at the beginning."


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line. Exits with the usage if it is invalid."""
    parser = argparse.ArgumentParser(prog="python -m export", description="Train, export and evaluate the models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{train,build,evaluate,card}")

    def add_command(name: str, description: str, *environment: str) -> argparse.ArgumentParser:
        epilog = "\n".join(["environment:", *environment])
        command = commands.add_parser(
            name, help=description, description=description, epilog=epilog, formatter_class=_HelpFormatter
        )
        command.add_argument("--model", default="cnn-transformer", help="name of the model: cnn-transformer or cnn")
        command.add_argument("--weights", type=Path, default=Path("weights"), help="folder of the models' folders")
        return command

    _add_train_options(add_command("train", "Train a model. An interrupted run continues.", MNIST_DIR))
    _add_build_options(add_command("build", "Export a checkpoint: ONNX, int8, parity, contract.", MNIST_DIR, WILD_DIR))
    evaluation = "Measure accuracy, calibration and OOD detection of a model; write a model card into"
    _add_evaluate_options(add_command("evaluate", f"{evaluation} RUNS/MODEL.", MNIST_DIR, WILD_DIR))
    add_command("card", f"{evaluation} WEIGHTS/MODEL.", MNIST_DIR, WILD_DIR).set_defaults(run=evaluate)
    return parser.parse_args(arguments)


def _add_train_options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=train)
    epochs = f"number of epochs of {sum(Recipe.epoch_size):,} images, 1 or more"
    command.add_argument("--epochs", type=_positive_int, default=Recipe.epochs, help=epochs)
    command.add_argument("--seed", type=_seed, default=Recipe.seed, help="seed of all random numbers, 0 or more")
    command.add_argument(
        "--learning-rate",
        type=_positive_float,
        default=Recipe.learning_rate,
        help="peak learning rate of AdamW per step, above 0",
    )
    command.add_argument("--start", type=Path, help="checkpoint to start from (default: random weights)")
    teachers = "checkpoints of the model wide-cnn to learn from besides the labels (default: none)"
    command.add_argument("--teachers", type=Path, nargs="*", default=[], help=teachers)
    command.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the state of unfinished runs")


def _add_build_options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=build)
    command.add_argument("--checkpoint", type=Path, help="checkpoint to export (default: the one in WEIGHTS/MODEL)")
    command.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder for the report of the latencies, as ratios int8/fp32"
    )


def _add_evaluate_options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=evaluate)
    command.add_argument("--runs", type=Path, default=Path("runs"), help="folder for metrics, plots and card")


def _positive_int(text: str) -> int:
    return _at_least(int(text), 1)


def _seed(text: str) -> int:
    return _at_least(int(text), 0)


def _at_least(value: int, minimum: int) -> int:
    if value < minimum:
        raise argparse.ArgumentTypeError(f"{value} is less than {minimum}")
    return value


def _positive_float(text: str) -> float:
    if not 0 < (value := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows the default of every option that has one, and keeps the line breaks of the epilog."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


if __name__ == "__main__":
    main()
