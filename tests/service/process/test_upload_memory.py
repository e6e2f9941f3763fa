"""Large uploads at once stay within the memory budget, and their memory returns to the system."""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.hostile.findings.crowds import progressive_photo, send_at_once, stalled_upload
from tests.service.process.running_service import running_service, wait_until
from tests.soak.processes import sample

BUDGET = 20_000_000
UPLOADS = 32
MAX_BEYOND_BUDGET = 10_000_000
"""Bytes that connections and fragmentation may take in addition."""

MAX_KEPT = 10_000_000
"""Bytes that may stay after photos."""


def test_stalled_uploads_stay_within_the_budget(tmp_path: Path) -> None:
    """Read no more of 128 MB of uploads than the budget holds, and respond to each of them, and to others meanwhile."""
    running = running_service(tmp_path / "log", MEMORY_BUDGET=str(BUDGET), UPLOAD_TIMEOUT="1", QUEUE_TIMEOUT="1")
    with running as service, ExitStack() as stack:
        assert service.predict()[0] == 200
        before = sample(service.process.pid, 0).memory
        connections = [stack.enter_context(stalled_upload(service)) for _ in range(UPLOADS)]
        time.sleep(0.5)
        assert service.predict()[0] == 200
        assert sample(service.process.pid, 0).memory - before < BUDGET + MAX_BEYOND_BUDGET
        assert set(Counter(connection.receive().status for connection in connections)) == {408, 503}


def test_memory_returns_after_photos_in_threads(tmp_path: Path) -> None:
    """Keep at most 10 MB after four progressive photos, decoded at once by four threads."""
    with running_service(tmp_path / "log", THREADS="4") as service:
        assert service.predict()[0] == 200
        before = sample(service.process.pid, 0).memory
        assert send_at_once(service, [progressive_photo()] * 4) == {200: 4}
        wait_until(lambda: sample(service.process.pid, 0).memory - before < MAX_KEPT)
