"""The entry point of `digit-predict` and `python -m service.cli`."""

import signal
import sys

from service.cli.arguments import parse_arguments


def main() -> None:
    """Predict what the arguments name. Exits with 0, with 1 if a file failed, with 2 if it could not start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports prints no traceback
    arguments = parse_arguments(sys.argv[1:])
    from service.cli.run import run  # imports onnxruntime, which --help need not wait for

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
