"""The real process, over real sockets, in the environment that `make serve` builds."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.settings import WEIGHTS
from tests.conftest import ROOT
from tests.pictures import DIGIT, SEVEN, encode

PYTHON = os.environ.get("SERVE_PYTHON", sys.executable)
PNG = encode(SEVEN)
PATIENCE = 30.0


@dataclass
class Server:
    """A running service: its process, its port, and what it has said so far."""

    process: "subprocess.Popen[str]"
    port: int
    log: Path

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        status, content = answer.status, json.loads(answer.read())
        connection.close()
        return status, content

    def open_upload(self, length: int, sent: bytes) -> socket.socket:
        """A POST that has declared more than it has sent."""
        upload = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n\r\n"
        upload.sendall(head.encode() + sent)
        return upload


@contextmanager
def serving(log: Path, **environ: str) -> Iterator[Server]:
    """`python -m service` on a free port of the loopback, until the block ends."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            [PYTHON, "-m", "service"],
            cwd=ROOT,
            env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", "WORKERS": "1", **environ},
            stderr=stream,
            text=True,
        )
    try:
        yield Server(process, _port(process, log), log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _port(process: "subprocess.Popen[str]", log: Path) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.02)
    raise AssertionError(f"the service did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that is impatient and takes little, so that its limits can be met."""
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(log, UPLOAD_TIMEOUT="0.5", MAX_UPLOAD_BYTES="200000") as server:
        yield server


def test_it_answers_over_http(server: Server) -> None:
    """A picture in, a digit out."""
    status, answer = server.ask("POST", "/predict", PNG, Content_Type="image/png")
    assert (status, answer["digit"]) == (200, DIGIT)


def test_an_upload_that_stalls_is_answered_with_408(server: Server) -> None:
    """Uvicorn itself would wait for ever."""
    with server.open_upload(1_000, b"half") as upload:
        answer = http.client.HTTPResponse(upload)
        answer.begin()
        assert answer.status == 408
        assert json.loads(answer.read()) == {"detail": "The upload took longer than 0.5 s. Send it again, faster."}


def test_an_upload_that_is_too_large_is_answered_while_it_is_sent(server: Server) -> None:
    """The client gets its 413, not a broken connection."""
    status, answer = server.ask("POST", "/predict", bytes(700_000), Content_Type="image/png")
    assert (status, answer) == (413, {"detail": "The upload is larger than 200000 bytes. Send a smaller file."})


def test_a_client_that_hangs_up_leaves_no_traceback(server: Server) -> None:
    """Nobody is left to answer, and nothing is wrong."""
    server.open_upload(1_000, b"half").close()
    assert server.ask("GET", "/health") == (200, {"status": "ok"})
    time.sleep(0.2)
    assert "Traceback" not in server.log.read_text()


def test_health_answers_while_an_upload_is_open(server: Server) -> None:
    """However busy."""
    with server.open_upload(1_000, b"half"):
        assert server.ask("GET", "/health") == (200, {"status": "ok"})


def test_sigterm_turns_ready_red_before_the_server_stops(tmp_path: Path) -> None:
    """A load balancer has DRAIN_SECONDS to notice; an upload that was begun is finished in that time."""
    with serving(tmp_path / "log", DRAIN_SECONDS="1.5", HEALTH_STATUS="healthy") as server:
        assert server.ask("GET", "/ready") == (200, {"status": "ready"})
        with server.open_upload(len(PNG), PNG[:100]) as upload:
            time.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert server.ask("GET", "/ready") == (503, {"status": "draining"})
            assert server.ask("POST", "/predict", PNG)[0] == 503
            assert server.ask("GET", "/health") == (200, {"status": "healthy"})
            upload.sendall(PNG[100:])
            answer = http.client.HTTPResponse(upload)
            answer.begin()
            assert json.loads(answer.read())["digit"] == DIGIT
        assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.log.read_text()


def refusal(**environ: str) -> str:
    """What a service says that does not start."""
    finished = subprocess.run(
        [PYTHON, "-m", "service"],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert finished.returncode != 0
    assert "Traceback" not in finished.stderr
    return finished.stderr


def test_a_bad_setting_stops_it_with_one_sentence() -> None:
    """Key and value."""
    assert refusal(PORT="http") == "digit-service: PORT='http' is not int between 0 and 65535.\n"


def test_an_unknown_model_stops_it_with_one_sentence() -> None:
    """The path that was looked for."""
    assert re.fullmatch(r"digit-service: \S+/weights/none/contract.json cannot be read .*\n", refusal(MODEL="none"))


def test_a_damaged_model_stops_it_with_one_sentence(tmp_path: Path) -> None:
    """The file, and both hashes."""
    folder = Path(shutil.copytree(WEIGHTS / "cnn-transformer", tmp_path / "cnn-transformer"))
    with (folder / "model.int8.onnx").open("ab") as file:
        file.write(b"\0")
    said = refusal(WEIGHTS_DIR=str(tmp_path))
    assert re.fullmatch(
        r"digit-service: \S+/model.int8.onnx has SHA-256 \w{64}, and its contract says \w{64}\..*\n", said
    )


def test_a_port_in_use_stops_it(server: Server) -> None:
    """It does not look for another."""
    assert "address already in use" in refusal(PORT=str(server.port))


def test_the_serving_environment_holds_no_build_tools() -> None:
    """Neither torch nor onnx is installed where `make serve` serves."""
    if "SERVE_PYTHON" not in os.environ:
        pytest.skip("SERVE_PYTHON names no serving environment: run `make test`")
    for package in ("torch", "onnx", "onnxscript", "pytest"):
        found = subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True, text=True, check=False)
        assert "ModuleNotFoundError" in found.stderr
