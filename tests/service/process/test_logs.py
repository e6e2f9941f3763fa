"""The log of a running service: one line per request, as text or JSON, from all workers."""

import http.client
import json
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.process.connection import Connection
from tests.service.process.running_service import PYTHON, TIMEOUT, Service, running_service, wait_until

REQUESTS = 40


def command(output: Path) -> list[str]:
    """Return a command that serves with its standard output in a file."""
    return ["sh", "-c", f"exec {PYTHON} -m service > {output}"]


def count_requests(service: Service) -> float:
    """Return the requests to /predict that all workers have counted, as any of them says."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)
    connection.request("GET", "/metrics")
    families = text_string_to_metric_families(connection.getresponse().read().decode())
    samples = [sample for family in families for sample in family.samples]
    connection.close()
    return sum(
        sample.value
        for sample in samples
        if sample.name == "digit_service_requests_total" and sample.labels["route"] == "/predict"
    )


@pytest.mark.slow
def test_workers_share_metrics_and_log(tmp_path: Path) -> None:
    """Count and log the requests of both workers once each, and log the last ones before the end."""
    output = tmp_path / "output"
    with running_service(tmp_path / "log", command(output), WORKERS="2", LOG_FORMAT="json") as service:
        for _ in range(REQUESTS):
            assert service.predict()[0] == 200
        wait_until(lambda: count_requests(service) == REQUESTS)
    entries = [json.loads(line) for line in output.read_text().splitlines()]
    predictions = [entry for entry in entries if entry["path"] == "/predict"]
    assert len(predictions) == REQUESTS
    identifiers = [entry["request_id"] for entry in predictions]
    assert len(set(identifiers)) == REQUESTS
    assert len({identifier.partition("-")[0] for identifier in identifiers}) == 2  # one prefix per worker
    messages = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert all({"time", "level", "message"} <= message.keys() for message in messages)
    assert any(message["message"] == "Application startup complete." for message in messages)
    assert any(message["message"].startswith("Running on http://") for message in messages)


def test_rejected_request_is_counted_and_logged(tmp_path: Path) -> None:
    """Log and count a request that is not valid HTTP, and give its response an identifier."""
    output = tmp_path / "output"
    with running_service(tmp_path / "log", command(output)) as service:
        with Connection(service.port) as connection:
            response = connection.ask(b"NONSENSE\r\n\r\n")
        assert (response.status, response.headers["x-content-type-options"]) == (400, "nosniff")
    assert f'127.0.0.1 "- -" 400 0.00 ms id={response.headers["x-request-id"]}' in output.read_text()


def test_log_level_warning_logs_no_request(tmp_path: Path) -> None:
    """Write nothing for requests if LOG_LEVEL is warning."""
    output = tmp_path / "output"
    with running_service(tmp_path / "log", command(output), LOG_LEVEL="warning", WORKERS="2") as service:
        assert service.predict()[0] == 200
    assert output.read_text() == ""
