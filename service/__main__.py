"""`python -m service`: settings from the environment, a verified model, a server."""

import os
import sys

import uvicorn

from service.app import create_app
from service.classifier import Classifier
from service.contract import Contract
from service.errors import ServiceError
from service.lifecycle import Readiness, Server
from service.settings import Settings


def main() -> None:
    """Serve until SIGTERM or SIGINT, or exit with one sentence on what is wrong."""
    try:
        settings = Settings.from_mapping(os.environ)
        classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
    except ServiceError as error:
        sys.exit(f"digit-service: {error}")
    serve(settings, classifier)


def serve(settings: Settings, classifier: Classifier) -> None:
    """Run the server in this process."""
    readiness = Readiness()
    config = uvicorn.Config(
        create_app(settings, classifier, readiness),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",  # a line a request costs more than its answer
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
    )
    Server(config, readiness, settings.drain_seconds).run()


if __name__ == "__main__":
    main()
