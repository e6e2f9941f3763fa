"""The entry point of `python -m service` and `digit-service`: read settings, verify the model, serve."""

import os
import sys
from dataclasses import replace

from service.errors import ServiceError
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.process import limits
from service.process.server import Server
from service.process.workers import STOP_GRACE, Supervisor, listen
from service.settings import Settings


def main() -> None:
    """Serve until SIGTERM or SIGINT. Exits with one sentence if a setting or the model is invalid."""
    try:
        settings = Settings.from_mapping(os.environ)
        classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
        serve(settings, classifier)
    except ServiceError as error:
        sys.exit(f"digit-service: {error}")


def serve(settings: Settings, classifier: Classifier) -> None:
    """Run one server in this process, or one in each of several workers."""
    count = settings.workers or limits.worker_count()
    threads = settings.threads or max(1, limits.cpu_count() // count)
    server = Server(replace(settings, threads=threads), classifier)
    if count == 1:
        server.run()
        return
    sockets = listen(settings.host, settings.port, count)
    host, port = sockets[0].getsockname()[:2]
    print(f"digit-service: {count} workers running on http://{host}:{port}", file=sys.stderr, flush=True)
    stop_timeout = settings.drain_seconds + settings.upload_timeout + STOP_GRACE
    Supervisor(sockets, lambda listener: server.run([listener]), stop_timeout).run()


if __name__ == "__main__":
    main()
