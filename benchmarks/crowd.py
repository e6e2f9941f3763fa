"""Send 64 large uploads at once to the service in a container, and compare with one after another.

`python -m benchmarks.crowd --help`. Needs Docker or Podman, and the image that `make image` builds.
"""

import argparse
import http.client
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle, islice

from benchmarks.container import Container, running_container
from benchmarks.probe import probing
from benchmarks.uploads import DIGIT, Upload, all_uploads

TIMEOUT = 300.0
MAX_ATTEMPTS = 100
MAX_FACTOR, MAX_HEALTH_MS, MAX_GROWTH_MB = 2.0, 250.0, 10.0
"""The bars: time relative to one after another, the worst latency of /health, memory two seconds later."""

CHUNK = 65_536


@dataclass
class Outcome:
    """The results of some uploads. seconds: until the last was answered. wrong: results that were not as expected."""

    seconds: float = 0.0
    answered: int = 0
    attempts: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Print one line per measurement, and exit with status 1 if a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--engine", default="podman" if shutil.which("podman") else "docker")
    parser.add_argument("--image", default="digit-service")
    parser.add_argument("--options", default="--memory 96m --cpus 1", help="options of `run`")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--count", type=int, default=64, help="uploads at once (64)")
    parser.add_argument("--rounds", type=int, default=3, help="crowds after the uploads one after another (3)")
    parser.add_argument("--addresses", type=int, default=1, help="loopback addresses that the clients come from (1)")
    parser.add_argument("--chunked", action="store_true", help="send no Content-Length")
    options = parser.parse_args()
    uploads = list(islice(cycle(all_uploads()), options.count))
    failed = []
    with running_container(options.engine, options.image, options.options, options.port) as container:
        send_all(container.port, uploads[:1], options, at_once=False)
        time.sleep(2.5)
        idle = container.memory()
        alone = send_all(container.port, uploads, options, at_once=False)
        print(f"one after another: {alone.seconds:.1f} s, {dict(alone.wrong)} wrong; idle {idle:.1f} MB", flush=True)
        for _ in range(options.rounds):
            failed += _crowd(container, uploads, options, idle, alone.seconds)
    sys.exit(f"not met: {', '.join(failed)}" if failed else 0)


def _crowd(
    container: Container, uploads: list[Upload], options: argparse.Namespace, idle: float, seconds: float
) -> list[str]:
    """Send a crowd, print the result, and return the bars that are not met."""
    peak = _Peak(container)
    with probing(container.port, "/health") as probes, peak:
        crowd = send_all(container.port, uploads, options, at_once=True)
    time.sleep(2)
    if not container.is_running():
        return ["killed"]
    after, kills = container.memory(), container.out_of_memory_kills()
    print(
        f"at once: {crowd.answered} answered in {crowd.seconds:.1f} s ({crowd.seconds / seconds:.2f} of one after"
        f" another), {crowd.attempts} attempts, wrong {dict(crowd.wrong)}; {probes[0]};"
        f" memory: at most {peak.megabytes:.1f} MB, 2 s later {after - idle:+.1f} MB; {kills} killed",
        flush=True,
    )
    bars = {
        "killed": kills == 0,
        "all answered": crowd.answered == len(uploads) and not crowd.wrong,
        "time": crowd.seconds <= MAX_FACTOR * seconds,
        "/health": probes[0].worst <= MAX_HEALTH_MS and not probes[0].failures,
        "memory": after - idle <= MAX_GROWTH_MB,
    }
    return [name for name, is_met in bars.items() if not is_met]


def send_all(port: int, uploads: list[Upload], options: argparse.Namespace, *, at_once: bool) -> Outcome:
    """Send uploads, all at once or one after another. A client sends again what was answered with 503."""
    outcome, lock = Outcome(), threading.Lock()

    def send(number: int, upload: Upload) -> None:
        address = f"127.0.0.{1 + number % options.addresses}"
        attempts, result = _send_until_answered(port, upload, address, options.chunked)
        with lock:
            outcome.attempts += attempts
            outcome.answered += not result
            outcome.wrong.update([f"{upload.name}: {result}"] if result else [])

    started = time.monotonic()
    threads = [threading.Thread(target=send, args=numbered) for numbered in enumerate(uploads)]
    for thread in threads:
        thread.start()
        if not at_once:
            thread.join()
    for thread in threads:
        thread.join()
    outcome.seconds = time.monotonic() - started
    return outcome


def _send_until_answered(port: int, upload: Upload, address: str, chunked: bool) -> tuple[int, str]:
    """Return the number of attempts, and what was wrong with the last: nothing if it was as expected."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            status, body, retry_after = _send(port, upload, address, chunked)
        except (OSError, http.client.HTTPException) as error:
            return attempt, repr(error)
        if status != 503:
            is_right = status == upload.status and (status != 200 or b'"digit":%d' % DIGIT in body)
            return attempt, "" if is_right else f"{status} {body[:200]!r}"
        time.sleep(float(retry_after))
    return MAX_ATTEMPTS, "503"


def _send(port: int, upload: Upload, address: str, chunked: bool) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT, source_address=(address, 0))
    body = (upload.body[start : start + CHUNK] for start in range(0, len(upload.body), CHUNK))
    try:
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.request(
            "POST",
            upload.path,
            body if chunked else upload.body,
            {"Content-Type": upload.content_type},
            encode_chunked=chunked,
        )
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Retry-After", "1")
    finally:
        connection.close()


class _Peak:
    """Reads the memory of a container every 20 ms within its block, and keeps the highest."""

    def __init__(self, container: Container) -> None:
        self.megabytes = 0.0
        self._container = container
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        read = self._container.memory_reader()
        while not self._is_over.wait(0.02):
            self.megabytes = max(self.megabytes, read())


if __name__ == "__main__":
    main()
