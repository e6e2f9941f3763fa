"""The entry point of `python -m service` and `digit-service`: read settings, verify the model, serve."""

import os
import signal


def exit_quietly(_number: int, _frame: object) -> None:
    """End the process with status 0, for a stop that comes while it starts, or after it has drained.

    It ends at once. An exception could be lost in the middle of an import, and exiting would wait for threads.
    """
    os._exit(0)


# Before the imports, which take a fifth of a second: process 1 of a container ignores signals without a handler.
# The image blocks them until here, because Python itself takes time to start.
signal.signal(signal.SIGINT, exit_quietly)
signal.signal(signal.SIGTERM, exit_quietly)
signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))

import socket  # noqa: E402
import sys  # noqa: E402
from dataclasses import replace  # noqa: E402

from service import __version__  # noqa: E402
from service.errors import ServiceError  # noqa: E402
from service.inference.classifier import Classifier  # noqa: E402
from service.inference.contract import Contract  # noqa: E402
from service.metrics.registry import Registry  # noqa: E402
from service.process import limits, memory  # noqa: E402
from service.process.heartbeat import Heartbeat  # noqa: E402
from service.process.listeners import listen  # noqa: E402
from service.process.log_config import format_message  # noqa: E402
from service.process.server import Server  # noqa: E402
from service.process.workers import SIGNALS, STOP_GRACE, Supervisor  # noqa: E402
from service.settings import Settings, describe_settings, misspelled_settings  # noqa: E402
from service.web.admission import DEFAULT_BUDGET  # noqa: E402


def main() -> None:
    """Serve until SIGTERM or SIGINT. Exits with one sentence if a setting or the model is invalid."""
    if sys.argv[1:]:
        parse_arguments(sys.argv[1:])
    memory.bound_heap()
    for name, setting in misspelled_settings(os.environ).items():
        say("warning", f"{name} is not a setting. Did you mean {setting}?")
    try:
        settings = Settings.from_mapping(os.environ)
        classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
        serve(settings, classifier)
    except ServiceError as error:
        say("error", str(error))
        sys.exit(1)


def say(level: str, message: str) -> None:
    """Write a message to standard error as LOG_FORMAT says. The settings may be invalid."""
    print(format_message(os.environ.get("LOG_FORMAT", ""), level, message), file=sys.stderr, flush=True)


def parse_arguments(arguments: list[str]) -> None:
    """Print help or the version, or reject the arguments: settings come from the environment."""
    import argparse  # not needed to serve

    parser = argparse.ArgumentParser(
        prog="digit-service",
        description="Read handwritten digits over HTTP. Settings are environment variables: PORT=8001 digit-service.",
        epilog=f"settings, with defaults:\n{describe_settings()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.parse_args(arguments)


def describe_start(settings: Settings, contract: Contract, workers: int) -> str:
    """Return one sentence on what is served and with which limits, for the reader of a log. settings: as in effect."""
    megabytes = (settings.memory_budget or DEFAULT_BUDGET) / 1e6
    return (
        f"Version {__version__} serves {contract.model_file}. Workers: {workers}."
        f" Threads per worker: {settings.threads}. Memory for requests per worker: {megabytes:.0f} MB."
        f" API key: {'required' if settings.api_key else 'none'}."
    )


def serve(settings: Settings, classifier: Classifier) -> None:
    """Run one server in this process, or one in each of several workers."""
    count = settings.workers or limits.worker_count()
    threads = settings.threads or max(1, limits.cpu_count() // count)
    memory.release_free_heap()  # what loading the model took does not count
    budget = settings.memory_budget or limits.memory_budget(count)
    if not budget:
        memory.keep_freed_heap()
    settings = replace(settings, threads=threads, memory_budget=budget)
    if settings.log_level in ("info", "debug"):
        say("info", describe_start(settings, classifier.contract, count))
    registry = Registry(count)
    server = Server(settings, classifier, registry)
    memory.freeze_objects()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # from the first connection on, a stop is a drain
    sockets = listen(settings.host, settings.port, count)
    host, port = sockets[0].getsockname()[:2]
    say("info", f"Running on http://{f'[{host}]' if ':' in host else host}:{port}")
    if count == 1:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # process 1 of a container inherits orphans: nothing to wait for
        server.run(sockets)
    else:
        serve_workers(server, sockets, registry, settings)


def serve_workers(server: Server, sockets: list[socket.socket], registry: Registry, settings: Settings) -> None:
    """Run the server in one worker process per socket, and end this process after them."""

    def serve_worker(listener: socket.socket, heartbeat: Heartbeat) -> None:
        registry.use_worker(sockets.index(listener))
        server.on_alive = heartbeat.beat
        server.run([listener])

    Supervisor(sockets, serve_worker, settings.shutdown_delay + settings.drain_seconds + STOP_GRACE).run()
    os._exit(0)  # tearing down the libraries would take half a second


if __name__ == "__main__":
    main()
