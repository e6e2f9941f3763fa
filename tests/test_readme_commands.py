"""Each command of the README is run by a test."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import readme
from tests.checkout import copy_checkout, link_environment
from tests.conftest import ROOT
from tests.service.process.running_service import PYTHON, Service, running_service

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed.")

HERE = "tests/test_readme_commands.py"
WHEEL = "tests/test_wheel.py::test_the_installed_console_script_predicts_in_another_folder"
IMAGE = "tests/deploy/test_container.py::test_a_docker_command_of_the_readme_serves"

SERVE = "make serve"
SERVE_CNN = "PORT=8301 MODEL=cnn make serve"
FILE = "examples/7-white-on-black-500x500.jpg"
CURL_FORM = f"curl -F file=@{FILE} http://localhost:8000/predict"
CURL_BODY = "curl -H 'Content-Type: image/png' --data-binary @FILE"
CLI = f".venv/serve/bin/python -m service.cli {FILE}"

RUN_BY = {
    SERVE: f"{HERE}::test_make_serve_serves_the_default_model",
    SERVE_CNN: f"{HERE}::test_make_serve_takes_port_and_model",
    CURL_FORM: f"{HERE}::test_the_first_request_gets_the_response_that_the_readme_shows",
    CURL_BODY: f"{HERE}::test_an_image_is_sent_as_the_body",
    CLI: f"{HERE}::test_the_command_line_reads_an_image",
    "make image": "tests/deploy/test_container.py::test_the_image_is_small",
    "docker run --read-only --cap-drop ALL --memory 128m -p 127.0.0.1:8000:8000 -e API_KEY=secret digit-service": IMAGE,
    "docker run -e MODEL=cnn -p 8301:8000 digit-service": IMAGE,
    "make wheel": WHEEL,
    "mkdir ../another-folder && cd ../another-folder": WHEEL,
    "python3 -m venv .venv": WHEEL,
    ".venv/bin/pip install --no-deps --require-hashes -r ../digit-service/requirements-serve.txt": WHEEL,
    ".venv/bin/pip install --no-deps ../digit-service/dist/*.whl": WHEEL,
    "PORT=8301 .venv/bin/digit-service": WHEEL,
    "digit-predict": "tests/test_wheel.py::test_the_installed_command_line_predicts_in_another_folder",
    "make train": f"{HERE}::test_what_takes_minutes_starts",
    "make train DATA=folder": "tests/test_make.py::test_the_folder_of_own_digits_reaches_the_command",
    "make export": f"{HERE}::test_what_takes_minutes_starts",
    "make card": f"{HERE}::test_what_takes_minutes_starts",
    "make help": "tests/test_make.py::test_the_help_lists_every_target_in_one_screen",
    "make test": ".ci/run",  # which runs this test, too
}
"""The test that runs each command, with other ports and folders where it must."""


def test_every_command_of_the_readme_is_run_by_a_test() -> None:
    """Name a test for each command. For a new one, write a test and add it to RUN_BY."""
    assert set(RUN_BY) == set(readme.commands())


@pytest.mark.parametrize("test", sorted(set(RUN_BY.values())))
def test_the_named_test_exists(test: str) -> None:
    """Find the function of each test that RUN_BY names."""
    path, _, name = test.partition("::")
    assert (f"def {name}(" if name else "make test") in (ROOT / path).read_text()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the commands read, and link the environments."""
    names = ("service", "export", "weights", "examples")
    folder = copy_checkout(tmp_path_factory.mktemp("readme") / "digit-service", *names)
    link_environment(folder, "serve", Path(PYTHON))
    link_environment(folder, "dev", Path(sys.executable))
    return folder


@contextmanager
def made_service(command: str, checkout: Path, log: Path) -> Iterator[Service]:
    """Run a command that serves on a free port."""
    words = shlex.split(command.replace("PORT=8301", "PORT=0"))
    with running_service(log, ["env", *words], checkout) as service:
        yield service


@pytest.fixture(scope="module")
def service(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with made_service(SERVE, checkout, tmp_path_factory.mktemp("serve") / "log") as service:
        yield service


def test_make_serve_serves_the_default_model(service: Service) -> None:
    """Serve the model that the README calls the default."""
    assert service.request("GET", "/model")[1]["model"] == "cnn-transformer"


def test_make_serve_takes_port_and_model(checkout: Path, tmp_path: Path) -> None:
    """Serve the smaller model."""
    with made_service(SERVE_CNN, checkout, tmp_path / "log") as service:
        assert service.request("GET", "/model")[1]["model"] == "cnn"


def run(command: str, checkout: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in the checkout."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    words, variables = shlex.split(command), {**variables, **environ}
    return subprocess.run(words, cwd=checkout, env=variables, capture_output=True, text=True, check=False)


@needs_curl
def test_the_first_request_gets_the_response_that_the_readme_shows(service: Service, checkout: Path) -> None:
    """Send the image with curl. The last decimals may depend on the processor."""
    printed = run(CURL_FORM.replace("localhost:8000", f"127.0.0.1:{service.port}"), checkout).stdout
    shown = json.loads(re.findall(r"^```json\n(.+)\n```", readme.TEXT, re.MULTILINE)[0])
    assert json.loads(printed) == {**shown, "confidence": pytest.approx(shown["confidence"], abs=2e-3)}


@needs_curl
def test_an_image_is_sent_as_the_body(service: Service, checkout: Path) -> None:
    """Send a PNG with the type that the README sets."""
    command = CURL_BODY.replace("FILE", "examples/6-black-on-white-28x28.png")
    assert json.loads(run(f"{command} http://127.0.0.1:{service.port}/predict", checkout).stdout)["digit"] == 6


def test_the_command_line_reads_an_image(checkout: Path) -> None:
    """Print file and digit without a server."""
    assert run(CLI, checkout).stdout.splitlines()[1].split()[:2] == [FILE, "7"]


@pytest.mark.parametrize(("command", "module"), [("train", "train"), ("export", "build"), ("card", "card")])
def test_what_takes_minutes_starts(command: str, module: str, checkout: Path, tmp_path: Path) -> None:
    """Look for MNIST, here in an empty folder, and name what is missing. Tests in tests/export run the rest."""
    finished = run(f"make {command}", checkout, MNIST_DIR=str(tmp_path))
    assert finished.returncode != 0
    assert f"export {module}: {tmp_path}/" in finished.stderr
