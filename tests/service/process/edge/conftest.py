"""The service that the tests of the HTTP edge connect to."""

from collections.abc import Iterator

import pytest

from tests.service.process.connection import Connection
from tests.service.process.edge.requests import MAX_UPLOAD_BYTES
from tests.service.process.running_service import Service, running_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a short header time-out and a low size limit."""
    log = tmp_path_factory.mktemp("service") / "log"
    with running_service(log, HEADER_TIMEOUT="0.5", MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES)) as service:
        yield service
        assert service.request("GET", "/health")[0] == 200
    assert "Traceback" not in log.read_text()


@pytest.fixture
def connection(service: Service) -> Iterator[Connection]:
    """Open a connection to the service."""
    with Connection(service.port) as connection:
        yield connection
