"""Findings 8, 13 and 17: photos in threads, crowds of large uploads, clients that vanish."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from benchmarks.uploads import all_uploads
from tests.hostile.findings.observation import Outcome, observed, quiet_service
from tests.images import SEVEN, encode
from tests.service.process.connection import Connection, post_head
from tests.service.process.running_service import TIMEOUT, Service
from tests.soak.processes import sample
from tests.soak.traffic import post

BUDGET = 54_000_000
"""Bytes that requests may hold: about what is left in a container of 96 MB."""

UPLOAD_BYTES, STALLED, MEGABYTE = 4_000_000, 64, 1e6
MAX_BEYOND_BUDGET = 16.0
"""Megabytes that preprocessing, connections and fragmentation may take in addition."""

RETURN_SECONDS, MAX_KEPT = 2.5, 10.0
"""Seconds after a crowd in which memory returns, and megabytes that may stay."""

PHOTOS = 16
VANISHED = 40
STOP_SECONDS = 5.0


def read_photos(folder: Path) -> Outcome:
    """Have four progressive photos decoded at once by four threads. Their memory must return."""
    photo = progressive_photo()
    with quiet_service(folder / "photos", THREADS="4") as service:
        service.predict()
        time.sleep(1)
        before = sample(service.process.pid, 0).memory
        statuses = send_at_once(service, [photo] * 4)
        time.sleep(RETURN_SECONDS)
        kept = (sample(service.process.pid, 0).memory - before) / MEGABYTE
    return Outcome(statuses == {200: 4} and kept <= MAX_KEPT, f"{kept:+.1f} MB stay after four progressive photos")


def crowd(folder: Path) -> Outcome:
    """Stall 64 uploads of 4 MB, then send 16 photos at once, within the memory of a small container."""
    with quiet_service(folder / "crowd", MEMORY_BUDGET=str(BUDGET), UPLOAD_TIMEOUT="2", QUEUE_TIMEOUT="2") as service:
        service.predict()
        with ExitStack() as stack, observed(service) as stalled:
            connections = [stack.enter_context(stalled_upload(service)) for _ in range(STALLED)]
            statuses = Counter(connection.receive().status for connection in connections)
        photos = [post(each.path, each.content_type, each.body) for each in islice(cycle(all_uploads()), PHOTOS)]
        with observed(service) as at_once:
            answered = send_at_once(service, photos)
        is_alive = service.process.poll() is None
    most = BUDGET / MEGABYTE + MAX_BEYOND_BUDGET
    fits = all(each.megabytes <= most and each.health_ms <= 250 for each in (stalled, at_once))
    holds = is_alive and fits and set(statuses) <= {408, 503} and set(answered) <= {200, 400}
    return Outcome(holds, f"stalled: {dict(statuses)}, {stalled}; photos: {dict(answered)}, {at_once}")


def vanish(folder: Path) -> Outcome:
    """Send photos and disconnect. The next client must not wait for them, nor the end."""
    photo = progressive_photo()
    with quiet_service(folder / "vanish", THREADS="1") as service:
        connections = [Connection(service.port) for _ in range(VANISHED)]
        for connection in connections:
            connection.send(photo)
            connection.socket.close()
        sent = time.monotonic()
        statuses = send_at_once(service, [photo])
        waited = time.monotonic() - sent
        sent = time.monotonic()
        service.process.terminate()
        status = service.process.wait(60)
        ended = time.monotonic() - sent
    holds = statuses == {200: 1} and status == 0 and waited < 2 and ended < STOP_SECONDS
    return Outcome(holds, f"the next photo is read after {waited:.1f} s, SIGTERM ends it after {ended:.1f} s")


def stalled_upload(service: Service) -> Connection:
    """Begin an upload, and send as much of it as the service takes at once."""
    connection = Connection(service.port)
    connection.socket.setblocking(False)
    connection.socket.send(post_head(UPLOAD_BYTES) + bytes(UPLOAD_BYTES - 1))
    connection.socket.settimeout(TIMEOUT)
    return connection


def progressive_photo() -> bytes:
    """Return a request with a progressive photo of 12 megapixels."""
    photo = SEVEN.resize((4_000, 3_000)).convert("RGB")
    return post("/predict", "image/jpeg", encode(photo, "JPEG", progressive=True))


def send_at_once(service: Service, requests: list[bytes]) -> Counter[int]:
    """Send requests at once, again after each 503. Returns the statuses in the end."""

    def send(request: bytes) -> int:
        while True:
            with Connection(service.port) as connection:
                status = connection.ask(request).status
            if status != 503:
                return status
            time.sleep(1)

    with ThreadPoolExecutor(len(requests)) as pool:
        return Counter(pool.map(send, requests))


OWN_SERVICE_CHECKS: dict[int, Callable[[Path], Outcome]] = {8: read_photos, 13: crowd, 17: vanish}
