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
from export.training.options import SHIPPED_WEIGHTS, add_train_options, choose_recipe, choose_start
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
    from export.training.report import format_accuracies
    from export.training.train import train_model

    run, weights = RunFolder(options.runs / options.model), ModelFolder(options.weights / options.model)
    start = choose_start(options)
    recipe, mnist = choose_recipe(options, start), mnist_folder(os.environ)
    report = train_model(options.model, recipe, mnist, run, weights, start, options.teachers or (), options.data)
    print(format_accuracies(report))
    folder = "" if options.weights == SHIPPED_WEIGHTS else f" WEIGHTS_DIR={options.weights}"
    print(
        f"Trained {weights.checkpoint}. Run `make export MODEL={options.model}{folder}` to build the served files from"
        " it: until then the service refuses this model."
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
    mnist, wild = mnist_folder(os.environ), wild_folder(os.environ)
    evaluate_model(weights, mnist, wild, output, own_folder=options.data)
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
        """Add a command with the options that all of them have."""
        epilog = "\n".join(["environment:", *environment])
        command = commands.add_parser(
            name, help=description, description=description, epilog=epilog, formatter_class=_HelpFormatter
        )
        command.add_argument("--model", default="cnn-transformer", help="name of the model: cnn-transformer or cnn")
        command.add_argument("--weights", type=Path, default=SHIPPED_WEIGHTS, help="folder of the models' folders")
        return command

    training = add_command("train", "Train a model. An interrupted run continues.", MNIST_DIR)
    training.set_defaults(run=train)
    add_train_options(training)
    _add_build_options(add_command("build", "Export a checkpoint: ONNX, int8, parity, contract.", MNIST_DIR, WILD_DIR))
    evaluation = "Measure accuracy, calibration and OOD detection of a model; write a model card into"
    evaluating = add_command("evaluate", f"{evaluation} RUNS/MODEL.", MNIST_DIR, WILD_DIR)
    evaluating.add_argument("--runs", type=Path, default=Path("runs"), help="folder for metrics, plots and card")
    for command in (evaluating, add_command("card", f"{evaluation} WEIGHTS/MODEL.", MNIST_DIR, WILD_DIR)):
        command.set_defaults(run=evaluate)
        command.add_argument("--data", type=Path, help="folder of own digits, as for train; the held-out ones are read")
    return parser.parse_args(arguments)


def _add_build_options(command: argparse.ArgumentParser) -> None:
    """Add the options of build."""
    command.set_defaults(run=build)
    command.add_argument("--checkpoint", type=Path, help="checkpoint to export (default: the one in WEIGHTS/MODEL)")
    command.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder for the report of the latencies, as ratios int8/fp32"
    )


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows the default of every option that has one, and keeps the line breaks of the epilog."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        """Return the help of an option, with its default."""
        return action.help if action.default is None else super()._get_help_string(action)


if __name__ == "__main__":
    main()
