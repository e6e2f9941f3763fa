"""Clients under constant load, each of one kind, and what became of their requests."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.client_threads import ClientThreads
from tests.images import DIGIT, SEVEN, encode
from tests.service.process.running_service import PNG, TIMEOUT

THINK_SECONDS = 0.01
"""Pause between two requests of a client."""

LARGE_PNG = encode(SEVEN.resize((600, 600)), compress_level=0)
"""360 KB: more than HAProxy buffers, so it cannot repeat the request."""

BEFORE, KILL, ROLL, AFTER = PHASES = ("before", "kill", "roll", "after")
ANSWERED, MENDED, FAILED = RESULTS = ("answered", "mended by one retry", "failed")


@dataclass(frozen=True)
class Kind:
    """A kind of client. seconds: that sending the body takes, in ten pieces."""

    name: str
    body: bytes
    keeps_connection: bool
    seconds: float = 0.0

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, slowly if it takes time."""
        size = -(-len(self.body) // 10) if self.seconds else len(self.body)
        for start in range(0, len(self.body), size):
            time.sleep(self.seconds / 10)
            yield self.body[start : start + size]


KINDS = (
    Kind("new connections", PNG, keeps_connection=False),
    Kind("kept connections", PNG, keeps_connection=True),
    Kind("large bodies", LARGE_PNG, keeps_connection=True),
    Kind("slow uploads", LARGE_PNG, keeps_connection=False, seconds=1.0),
)


class WrongResponseError(Exception):
    """The response is not the right digit with status 200."""


class Client:
    """Sends one request at a time, and the next after an error on a new connection."""

    def __init__(self, port: int, kind: Kind) -> None:
        self.errors: list[str] = []
        self._kind = kind
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def send(self) -> bool:
        """Send a request and return whether it was answered. If not, note the error."""
        try:
            self._exchange()
        except (OSError, http.client.HTTPException, WrongResponseError) as error:
            self.errors.append(f"{self._kind.name}: {error!r}")
            self._connection.close()
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _exchange(self) -> None:
        headers = {"Content-Type": "image/png", "Content-Length": str(len(self._kind.body))}
        self._connection.request("POST", "/predict", self._kind.pieces(), headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200 or json.loads(content)["digit"] != DIGIT:
            raise WrongResponseError(f"{response.status} {content[:100]!r}")
        if not self._kind.keeps_connection:
            self._connection.close()


class Load(ClientThreads[Kind]):
    """Clients of every kind. `counts`: for each phase and kind, requests by result."""

    def __init__(self, port: int, clients: int) -> None:
        super().__init__(KINDS, clients)
        self.phase = BEFORE
        self.counts = {(phase, kind.name): Counter[str]() for phase in PHASES for kind in KINDS}
        self.errors: list[str] = []
        self._port = port
        self._lock = threading.Lock()

    def total(self, phase: str) -> Counter[str]:
        """Return the results of all kinds in a phase."""
        return sum((self.counts[phase, kind.name] for kind in KINDS), Counter[str]())

    def run_client(self, kind: Kind) -> None:
        """Send requests, and each that fails once more. Count them by phase and result."""
        client = Client(self._port, kind)
        while not self.is_over.wait(THINK_SECONDS):
            is_answered = client.send()
            phase = self.phase  # in which it was answered or failed
            result = ANSWERED if is_answered else MENDED if client.send() else FAILED
            with self._lock:
                self.counts[phase, kind.name][result] += 1
        client.close()
        with self._lock:
            self.errors += client.errors
