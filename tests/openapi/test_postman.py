"""The Postman collection calls every route, and its checks pass against a running service."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from postman.build import COLLECTION, main
from tests.conftest import ROOT
from tests.service.process.running_service import COMMAND, running_service

NEWMAN = shutil.which("newman")
needs_newman = pytest.mark.skipif(NEWMAN is None, reason="newman is not installed (npm install --global newman)")

SETTINGS: dict[str, dict[str, str]] = {
    "defaults": {},
    "keys": {"API_KEY": "key", "HEALTH_STATUS": "healthy", "MODEL": "cnn"},
}


def requests(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the requests of a collection, of its folders, too."""
    for item in items:
        yield from requests(item["item"]) if "item" in item else [item["request"]]


def test_the_committed_collection_is_up_to_date(tmp_path: Path) -> None:
    """Match what the program writes."""
    main(tmp_path / "collection.json")
    assert (tmp_path / "collection.json").read_text() == COLLECTION.read_text()


def test_every_route_is_called(client: TestClient) -> None:
    """Send at least one request to each operation of the description."""
    called = {
        (request["method"].lower(), request["url"].removeprefix("{{baseUrl}}").partition("?")[0])
        for request in requests(json.loads(COLLECTION.read_text())["item"])
    }
    called = {(method, path.replace("{{model}}", "{name}").replace("/1", "/{version}")) for method, path in called}
    paths = client.get("/openapi.json").json()["paths"]
    missing = {(method, path) for path, item in paths.items() for method in item} - called
    assert not missing, "add these routes to postman/build.py"


@pytest.mark.slow
@needs_newman
@pytest.mark.parametrize("name", SETTINGS)
def test_every_check_passes(tmp_path: Path, name: str) -> None:
    """Run the collection with newman against a service."""
    assert NEWMAN
    settings = SETTINGS[name]
    with running_service(tmp_path / "log", COMMAND, ROOT, None, **settings) as service:
        variables = {
            "baseUrl": f"http://127.0.0.1:{service.port}",
            "apiKey": settings.get("API_KEY", ""),
            "healthStatus": settings.get("HEALTH_STATUS", "ok"),
        }
        options = [option for key, value in variables.items() for option in ("--env-var", f"{key}={value}")]
        command = [NEWMAN, "run", str(COLLECTION), "--working-dir", str(ROOT), *options]
        finished = subprocess.run(
            [*command, "--reporters", "cli", "--color", "off"], capture_output=True, text=True, check=False
        )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    sent, failed = re.findall(r"requests │ +(\d+) │ +(\d+) ", finished.stdout)[0]
    assert (int(sent), int(failed)) == (len(list(requests(json.loads(COLLECTION.read_text())["item"]))), 0)
