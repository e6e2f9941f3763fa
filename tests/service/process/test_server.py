"""The real process over real sockets: uploads, disconnects and draining."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import DIGIT
from tests.service.process.running_service import (
    PNG,
    TIMEOUT,
    Service,
    read_response,
    running_service,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a short upload timeout and a low size limit."""
    log = tmp_path_factory.mktemp("service") / "log"
    with running_service(log, UPLOAD_TIMEOUT="0.5", MAX_UPLOAD_BYTES="200000") as service:
        yield service


def test_image_is_predicted_over_http(service: Service) -> None:
    """Respond to an image with its digit."""
    status, content = service.predict()
    assert (status, content["digit"]) == (200, DIGIT)


def test_stalled_upload_gets_408(service: Service) -> None:
    """Respond with 408 to an upload that stalls. uvicorn itself would wait forever."""
    with service.open_upload(1_000, b"half") as upload:
        detail = "The upload took longer than 0.5 s. Send it again, faster."
        assert read_response(upload) == (408, {"detail": detail})


@pytest.mark.parametrize(
    ("size", "content_type", "status", "detail"),
    [
        (700_000, "image/png", 413, "The upload is larger than 200000 bytes. Send a smaller file, or fewer files."),
        (200_000, "image/gif", 400, "Invalid file type: image/gif. Only JPEG and PNG are supported."),
    ],
)
def test_client_that_still_sends_gets_the_response(
    service: Service, size: int, content_type: str, status: int, detail: str
) -> None:
    """Respond with 413 or 400 to an upload, instead of breaking the connection while the client sends."""
    response = service.request("POST", "/predict", bytes(size), Content_Type=content_type)
    assert response == (status, {"detail": detail})


def test_wrong_type_gets_400_before_the_body_arrives(service: Service) -> None:
    """Respond to a wrong type after the headers, although the body never arrives."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=TIMEOUT) as upload:
        upload.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 100\r\n\r\n")
        assert read_response(upload)[0] == 400


def test_disconnected_client_leaves_no_traceback(service: Service) -> None:
    """Log no traceback if a client disconnects during its upload."""
    service.open_upload(1_000, b"half").close()
    assert service.request("GET", "/health") == (200, {"status": "ok"})
    time.sleep(0.2)
    assert "Traceback" not in service.log.read_text()


def test_health_responds_during_an_upload(service: Service) -> None:
    """Respond to /health while an upload is incomplete."""
    with service.open_upload(1_000, b"half"):
        assert service.request("GET", "/health") == (200, {"status": "ok"})


def test_sigterm_turns_ready_red_before_the_server_stops(tmp_path: Path) -> None:
    """Respond with 503 to /ready and to new images for DRAIN_SECONDS, and finish an upload that has begun."""
    with running_service(tmp_path / "log", DRAIN_SECONDS="1.5", HEALTH_STATUS="healthy") as service:
        assert service.request("GET", "/ready") == (200, {"status": "ready"})
        with service.open_upload(len(PNG), PNG[:100]) as upload:
            time.sleep(0.2)
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert service.request("GET", "/ready") == (503, {"status": "draining"})
            assert service.predict()[0] == 503
            assert service.request("GET", "/health") == (200, {"status": "healthy"})
            upload.sendall(PNG[100:])
            assert read_response(upload)[1]["digit"] == DIGIT
        assert service.process.wait(TIMEOUT) == 0
        assert "Traceback" not in service.log.read_text()
