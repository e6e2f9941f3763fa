"""The image serves from one tiny container: 96 MB, one CPU, read-only, without capabilities."""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import cycle, islice
from pathlib import Path

import pytest

from benchmarks.container import Container
from benchmarks.crowd import send_all
from benchmarks.server import free_port
from benchmarks.uploads import all_uploads
from service import __version__
from tests import readme
from tests.conftest import ROOT
from tests.deploy.containers import build_image, cpu_seconds, find_base, inspect, podman, running_container, start_time
from tests.service.process.connection import post_head
from tests.service.process.running_service import PNG, TIMEOUT

pytestmark = pytest.mark.slow

IMAGE = "localhost/digit-service-under-test"
MAX_START_SECONDS = 2.0
STARTS = 3
MAX_IMAGE_BYTES = 90_000_000
MAX_CONTEXT_BYTES = 6_000_000
REQUESTS, CONNECTIONS = 1_000, 16
UPLOADS = 12
ONE_ADDRESS = argparse.Namespace(addresses=1, chunked=False)
"""Options of benchmarks.crowd."""


@pytest.fixture(scope="module")
def base() -> str:
    return find_base()


@pytest.fixture(scope="module")
def image(base: str) -> Iterator[str]:
    """Run `make image`, or take the image that TEST_IMAGE names."""
    if built := os.environ.get("TEST_IMAGE"):
        yield built
        return
    build_image(base, IMAGE)
    yield IMAGE
    podman("rmi", "--force", IMAGE)


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[Container]:
    """Run one container for the tests of this module, in their order."""
    with running_container(image, "digit-service-under-load", free_port()) as container:
        wait_until_healthy(container.port)
        yield container


def wait_until_healthy(port: int) -> float:
    """Poll /health, and return the time of its first response in seconds since the epoch."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        with suppress(OSError), closing(connection):
            connection.request("GET", "/health")
            assert connection.getresponse().status == 200
            return time.time()
        time.sleep(0.01)
    raise AssertionError("the container did not become healthy")


def predict(port: int, content: bytes, content_type: str) -> bytes:
    """Post an image, and return the body of the response, which must be a prediction."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request("POST", "/predict", content, {"Content-Type": content_type})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, body
    return body


def test_the_image_is_small(image: str, base: str) -> None:
    """Add at most 90 MB to the base. Prints how many."""
    megabytes = (inspect(image)["Size"] - inspect(base)["Size"]) / 1e6
    print(f"the image is {megabytes:.1f} MB larger than its base")
    assert megabytes * 1e6 <= MAX_IMAGE_BYTES


def test_the_labels_say_which_image_it_is(image: str, base: str) -> None:
    """Name version, commit, model and base."""
    labels = inspect(image)["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert len(labels["org.opencontainers.image.revision"].removesuffix("-dirty")) in (40, len("unknown"))
    assert len(labels["digit-service.model.sha256"]) == 64
    assert labels["org.opencontainers.image.base.name"] == base


def test_the_container_is_healthy_at_once(image: str) -> None:
    """Respond to /health within 2 s of the start of the process. Skip if others take the CPU meanwhile."""
    starts: list[tuple[float, float]] = []
    while len(starts) < STARTS and not (starts and min(starts)[0] < MAX_START_SECONDS):
        starts.append(measure_start(image, f"digit-service-start-{len(starts)}"))
    print(f"healthy after {', '.join(f'{seconds:.2f} s ({cpu:.2f} s of CPU)' for seconds, cpu in starts)}")
    seconds, cpu = min(starts)
    assert cpu < MAX_START_SECONDS
    if seconds >= MAX_START_SECONDS:
        pytest.skip(f"this machine is busy: healthy after {seconds:.1f} s, with {cpu:.1f} s of CPU")


def measure_start(image: str, name: str) -> tuple[float, float]:
    """Return the seconds from the start of a container's process to its first response, and its CPU seconds then."""
    port = free_port()
    with ThreadPoolExecutor() as pool:
        first_response = pool.submit(wait_until_healthy, port)
        with running_container(image, name, port):
            return first_response.result() - start_time(name), cpu_seconds(name)


def test_the_health_check_succeeds(container: Container) -> None:
    """Run the image's own HEALTHCHECK in the container."""
    _, *command = inspect(container.name)["Config"]["Healthcheck"]["Test"]
    podman("exec", container.name, *command)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.[pj][np]g")), ids=lambda path: path.name)
def test_an_example_is_recognized(container: Container, path: Path) -> None:
    """Return the digit in its name."""
    content_type = "image/png" if path.suffix == ".png" else "image/jpeg"
    assert b'"digit":%d' % int(path.name[0]) in predict(container.port, path.read_bytes(), content_type)


def test_a_thousand_requests_at_16_connections_succeed(container: Container) -> None:
    """Answer each with 200, on connections that stay open."""
    statuses: Counter[int] = Counter()

    def send(count: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", container.port, timeout=TIMEOUT)
        for _ in range(count):
            connection.request("POST", "/predict", PNG, {"Content-Type": "image/png"})
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
        connection.close()

    shares = [len(range(start, REQUESTS, CONNECTIONS)) for start in range(CONNECTIONS)]
    threads = [threading.Thread(target=send, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {200: REQUESTS}


def test_photos_and_a_crowd_of_large_uploads_are_answered(container: Container) -> None:
    """Recognize photos of 12 megapixels, alone and in a crowd of uploads of 4 to 10 MB; no process is killed."""
    uploads = all_uploads()
    alone = send_all(container.port, uploads[:2], ONE_ADDRESS, at_once=False)
    crowd = send_all(container.port, list(islice(cycle(uploads), UPLOADS)), ONE_ADDRESS, at_once=True)
    assert (alone.answered, crowd.answered) == (2, UPLOADS), (alone.wrong, crowd.wrong)
    assert container.is_running()
    assert container.out_of_memory_kills() == 0


@pytest.mark.parametrize("command", [command for command in readme.commands() if command.startswith("docker run")])
def test_a_docker_command_of_the_readme_serves(image: str, command: str) -> None:
    """Serve the model and ask for the key that it sets. Instead of a published port it gets one of this host."""
    *options, name = re.sub(" -p [^ ]+", "", command).split()[2:]
    settings = dict(re.findall("-e ([A-Z_]+)=([^ ]+)", command))
    headers = {"X-API-Key": key} if (key := settings.get("API_KEY")) else {}
    with running_container(image, f"{name}-of-the-readme", port := free_port(), options):
        wait_until_healthy(port)
        assert not key or get_model(port, {}) == (401, None)
        assert get_model(port, headers) == (200, settings.get("MODEL", "cnn-transformer"))


def get_model(port: int, headers: dict[str, str]) -> tuple[int, str | None]:
    """Return the status of the response of /model, and the name in it."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
        connection.request("GET", "/model", headers=headers)
        response = connection.getresponse()
        return response.status, json.load(response).get("model")


def test_stop_drains_and_exits_with_0(image: str) -> None:
    """Answer the upload that is in flight at `podman stop`."""
    with running_container(image, name := "digit-service-stop", port := free_port()):
        wait_until_healthy(port)
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as upload:
            upload.sendall(post_head(len(PNG)) + PNG[:-1])
            stop = subprocess.Popen(["podman", "stop", "--time", "30", name], stdout=subprocess.DEVNULL)
            time.sleep(0.5)  # the signal comes within this time or later, in both cases the upload must be answered
            upload.sendall(PNG[-1:])
            assert upload.recv(1_000).startswith(b"HTTP/1.1 200 ")
        assert stop.wait(TIMEOUT) == 0
        assert inspect(name)["State"]["ExitCode"] == 0


@pytest.mark.usefixtures("base")
def test_the_build_context_is_small(tmp_path: Path) -> None:
    """Send at most 6 MB to the builder."""
    recipe = tmp_path / "Dockerfile"
    recipe.write_text("FROM scratch\nCOPY . /\n")
    tag = f"localhost/digit-service-context-{os.getpid()}"
    isolation = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
    subprocess.run(["buildah", "build", "--file", recipe, "--tag", tag, "."], cwd=ROOT, env=isolation, check=True)
    size = inspect(tag)["Size"]
    podman("rmi", tag)
    print(f"the build context has {size / 1e6:.1f} MB")
    assert size <= MAX_CONTEXT_BYTES
