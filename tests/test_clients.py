"""Each example client runs as it is: it predicts, retries 503, and prints a sentence if that fails."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.images import DIGIT, SEVEN, encode
from tests.service.process.running_service import TIMEOUT, Service, running_service, wait_until

FOLDER = ROOT / "examples" / "clients"
COMMANDS = {
    "predict.sh": ["sh"],
    "predict_urllib.py": [sys.executable],
    "predict_httpx.py": [sys.executable],
    "predict.mjs": ["node"],
}
PROGRAMS = {"predict.sh": "curl", "predict.mjs": "node"}
IS_INSTALLED = {name: shutil.which(program) is not None for name, program in PROGRAMS.items()}
IS_INSTALLED["predict_httpx.py"] = find_spec("httpx") is not None

CLIENTS = [
    pytest.param(
        [*command, str(FOLDER / name)],
        id=name,
        marks=pytest.mark.skipif(not IS_INSTALLED.get(name, True), reason=f"{PROGRAMS.get(name, 'httpx')} is missing."),
    )
    for name, command in COMMANDS.items()
]

LITTLE_MEMORY: Any = {
    "MAX_UPLOAD_BYTES": "100000",
    "MAX_DECODED_BYTES": "2000000",
    "MEMORY_BUDGET": "2000000",
    "QUEUE_TIMEOUT": "0.1",
}
"""One body of more than 64 KB at a time: while it is being sent, others get 503."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("clients")
    with running_service(folder / "log", folder=ROOT, **LITTLE_MEMORY) as service:
        yield service


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an image of a seven, of 80 KB, with a name that needs quoting in a shell and in a form."""
    path = tmp_path_factory.mktemp("images") / 'a; "seven".png'
    noise = np.random.default_rng(0).integers(0, 8, (300, 300))
    pixels = np.asarray(SEVEN.resize((300, 300)), int) - noise
    path.write_bytes(encode(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), compress_level=0))
    assert 65_536 < path.stat().st_size < 95_000
    return path


def start(client: list[str], image: Path, url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([*client, str(image), url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def url_of(service: Service) -> str:
    return f"http://127.0.0.1:{service.port}"


def count_503(service: Service) -> int:
    """Return how many predictions got 503 so far."""
    with urllib.request.urlopen(f"{url_of(service)}/metrics", timeout=TIMEOUT) as response:
        lines = response.read().decode().splitlines()
    prefix = 'digit_service_requests_total{route="/predict",status="503"} '
    return sum(int(float(line.removeprefix(prefix))) for line in lines if line.startswith(prefix))


def test_every_client_is_tested() -> None:
    """Test each file of the folder."""
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {*COMMANDS, "predict.html"}


@pytest.mark.parametrize("client", CLIENTS)
def test_client_prints_the_prediction(client: list[str], service: Service, image: Path) -> None:
    """Print the JSON of the response, also if the URL ends with a slash."""
    process = start(client, image, f"{url_of(service)}/")
    output, errors = process.communicate(timeout=TIMEOUT)
    assert errors == ""
    assert json.loads(output)["digit"] == DIGIT
    assert process.returncode == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_client_prints_the_error(client: list[str], service: Service) -> None:
    """Print the service's sentence, and exit with 1."""
    process = start(client, ROOT / "README.md", url_of(service))
    output, errors = process.communicate(timeout=TIMEOUT)
    assert output == ""
    assert "400 " in errors
    assert "Invalid file type: application/octet-stream. Only JPEG and PNG are supported." in errors
    assert process.returncode == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_client_sends_the_api_key(
    client: list[str], image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Send the key of the environment to a service that requires one."""
    monkeypatch.setenv("API_KEY", 'a"b$c')
    with running_service(tmp_path / "log", folder=ROOT) as service:
        output, errors = start(client, image, url_of(service)).communicate(timeout=TIMEOUT)
    assert errors == ""
    assert json.loads(output)["digit"] == DIGIT


@pytest.mark.parametrize("client", CLIENTS)
def test_client_says_what_is_missing(client: list[str], image: Path) -> None:
    """Print one or two lines without a traceback if there is no service, no image, or no argument."""
    for arguments in ([str(image), "http://127.0.0.1:9"], ["none.png"], []):
        finished = subprocess.run([*client, *arguments], capture_output=True, text=True, check=False, timeout=TIMEOUT)
        assert finished.returncode != 0
        assert 1 <= len(finished.stderr.splitlines()) <= 2
        assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("client", CLIENTS)
def test_client_retries_503(client: list[str], service: Service, image: Path) -> None:
    """Wait for Retry-After and send the image again until the service has room."""
    before = count_503(service)
    with service.open_upload(length=90_000, sent=b""):
        process = start(client, image, url_of(service))
        wait_until(lambda: count_503(service) > before)
    output, errors = process.communicate(timeout=TIMEOUT)
    assert errors == ""
    assert json.loads(output)["digit"] == DIGIT


def test_clients_give_up_after_four_attempts(service: Service, image: Path) -> None:
    """Print the service's sentence after the last attempt."""
    clients = [[*COMMANDS[name], str(FOLDER / name)] for name in COMMANDS if IS_INSTALLED.get(name, True)]
    before = count_503(service)
    with service.open_upload(length=90_000, sent=b""):
        processes = [start(client, image, url_of(service)) for client in clients]
        errors = [process.communicate(timeout=TIMEOUT)[1] for process in processes]
    assert all("503" in error and "The service is busy" in error for error in errors), errors
    assert [process.returncode for process in processes] == [1] * len(clients)
    assert count_503(service) - before == 4 * len(clients)
