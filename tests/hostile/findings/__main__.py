"""Repeat the findings: `python -m tests.hostile.findings [NUMBER ...]` prints one line for each."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.hostile.findings import crafted, crowds, edge, stops
from tests.hostile.findings.observation import FEW_MEGABYTES, QUICK_SECONDS, Outcome, quiet_service
from tests.service.process.running_service import Service

BEFORE = {
    1: "a picture that Pillow cannot convert: 500, also for others of its batch",
    2: "170 bytes of JPEG in several scans: 679 MB, loop 1.8 s",
    3: "progressive JPEG of hundreds of scans: loop 62 s",
    4: "tall comb of 1 KB: loop 95 s",
    5: "pipelined requests: 10 MB took 1.2 GB",
    6: "1,100 silent sockets at 1,024 descriptors: /health dead, 500 MB of log",
    7: "h2c offers of Java and curl: 400, the body is empty",
    8: "four progressive photos: 74 MB stayed",
    9: "one row or one column: 507 MB, 2.4 s",
    10: "63 iTXt chunks of emoji: 318 MB",
    11: "10 MB of JSON: 373 MB, loop 1.8 s",
    12: "100 MB of headers: 9.7 s; 20 MB: 459 MB",
    13: "64 uploads of 4 to 10 MB, stalled or at once: 748 MB",
    14: "SIGTERM before the forks of two workers: never ends",
    15: "orphan of process 1: the service ends",
    16: "kept connections at the stop of two workers: 3 of 28 never end",
    17: "photos of vanished clients: the next waits 21 s",
    18: "declared length of 10^12: 413 after 42 MB",
    19: "10 MB of segments or chunks: 6 s, 316 MB",
    20: "SIGTERM to process 1 in its first 0.4 s: ignored",
    21: "supervisor killed: the workers live on",
    22: "file name that ends in a backslash: 400",
    23: "malformed HTTP: plain text, a line of log each",
    24: "SIGTERM under load: 17 connections reset in 8 runs, 52 with two workers",
}
"""What each did to commit a0c1052."""

SHARED: dict[int, Callable[[Service], Outcome]] = {**crafted.CHECKS, **edge.CHECKS}
OWN: dict[int, Callable[[Path], Outcome]] = {
    **edge.OWN_SERVICE_CHECKS,
    **crowds.OWN_SERVICE_CHECKS,
    **stops.OWN_SERVICE_CHECKS,
}


def main() -> None:
    """Repeat all findings or those that the arguments name. Exits with 1 if one is not mended."""
    numbers = [int(argument) for argument in sys.argv[1:]] or sorted(BEFORE)
    with tempfile.TemporaryDirectory() as name, quiet_service(Path(name, "log")) as service:
        service.predict()
        failed = [number for number in numbers if not _repeat(number, service, Path(name))]
        log = service.log.read_text()
    few = sum(observation.is_quick for observation in crafted.observations)
    print(
        f"{few} of {len(crafted.observations)} crafted uploads took at most {QUICK_SECONDS:g} s and {FEW_MEGABYTES:g}"
        f" MB. {log.count('Traceback')} tracebacks, {log.count('Unexpected')} unexpected errors in the log."
    )
    sys.exit(f"not mended: {failed}" if failed else 0)


def _repeat(number: int, service: Service, folder: Path) -> bool:
    outcome = SHARED[number](service) if number in SHARED else OWN[number](folder)
    print(f"{number:2} {'holds' if outcome.holds else 'FAILS'}  {BEFORE[number]} | now: {outcome.now}", flush=True)
    return outcome.holds


if __name__ == "__main__":
    main()
