"""`python -m service`: settings from the environment, a verified model, a server."""

import os
import sys
from dataclasses import replace

import uvicorn

from service import limits, memory
from service.app import create_app
from service.classifier import Classifier
from service.contract import Contract
from service.errors import ServiceError
from service.lifecycle import Readiness, Server
from service.settings import Settings
from service.workers import Supervisor, listen


def main() -> None:
    """Serve until SIGTERM or SIGINT, or exit with one sentence on what is wrong."""
    try:
        settings = Settings.from_mapping(os.environ)
        classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
        serve(settings, classifier)
    except ServiceError as error:
        sys.exit(f"digit-service: {error}")


def serve(settings: Settings, classifier: Classifier) -> None:
    """Run the server: in this process, or in several where there are CPUs for them."""
    count = settings.workers or limits.workers()
    settings = replace(settings, threads=settings.threads or max(1, limits.cpus() // count))
    readiness = Readiness()
    server = Server(_config(settings, classifier, readiness), readiness, settings.drain_seconds)
    if count == 1:
        server.run()
    else:
        sockets = listen(settings.host, settings.port, count)
        host, port = sockets[0].getsockname()[:2]
        print(f"digit-service: {count} workers running on http://{host}:{port}", file=sys.stderr, flush=True)
        Supervisor(sockets, lambda listener: server.run([listener])).run()


def _config(settings: Settings, classifier: Classifier, readiness: Readiness) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings, classifier, readiness),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",  # a line a request costs more than its answer
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        callback_notify=memory.trim,
        timeout_notify=1,
    )


if __name__ == "__main__":
    main()
