"""Stop the service at many moments of its start: `python -m tests.stop_sweep --help`.

The moments count from the first instruction of the service, which is the first that could handle a signal.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.service.process.running_service import PYTHON, TIMEOUT, children, stop, wait_until

SIGNALS = {
    "SIGTERM": (signal.SIGTERM,),
    "SIGTERM twice": (signal.SIGTERM, signal.SIGTERM),
    "SIGINT": (signal.SIGINT,),
    "SIGINT twice": (signal.SIGINT, signal.SIGINT),
    "SIGINT, SIGTERM": (signal.SIGINT, signal.SIGTERM),
}

WORKERS = ("1", "2")

UNSHARE = ("unshare", "--pid", "--fork", "--mount-proc")
"""Runs a command as process 1 of a new namespace."""


@dataclass(frozen=True)
class Stop:
    """One stop: when its signals come, and what became of the service. seconds: from the first signal to the end."""

    workers: str
    signals: str
    delay: float
    status: int
    seconds: float
    log: str

    @property
    def is_clean(self) -> bool:
        """Whether the service ended with 0 and without a traceback."""
        return self.status == 0 and "Traceback" not in self.log

    @property
    def has_drained(self) -> bool:
        """Whether a server had started, so that it drained."""
        return "Shutting down" in self.log


def image_command() -> list[str]:
    """Return the command of the container image, with the interpreter of the tests."""
    (words,) = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [PYTHON if word == "python3" else word for word in json.loads(words)]


@contextlib.contextmanager
def started_service(log: Path, command: Sequence[str], **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the service and yield its process at once, not when it listens."""
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environ}
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=stream, text=True, start_new_session=True)
    try:
        yield process
    finally:
        stop(process)


@contextlib.contextmanager
def service_as_process_1(log: Path, **environ: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Run the image's command as process 1. Yield its number outside, and the process that ends with its status."""
    with started_service(log, [*UNSHARE, *image_command()], **environ) as parent:
        wait_until(lambda: bool(children(parent.pid)))
        (pid,) = children(parent.pid)
        try:
            yield pid, parent
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def wait_until_caught(pid: int) -> None:
    """Wait until a process runs its own program, and has a handler for SIGTERM or blocks it to receive it later."""
    wait_until(lambda: _name(pid) != UNSHARE[0] and _catches(pid, signal.SIGTERM))  # Python catches SIGINT earlier


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _catches(pid: int, number: signal.Signals) -> bool:
    masks = re.findall(r"^Sig(?:Cgt|Blk):\s+(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def stop_once(log: Path, workers: str, signals: str, delay: float, is_process_1: bool) -> Stop:
    """Start the service, and send it signals `delay` seconds after its first instruction."""
    with contextlib.ExitStack() as stack:
        if is_process_1:
            pid, process = stack.enter_context(service_as_process_1(log, WORKERS=workers))
        else:
            command = [PYTHON, "-m", "service"]
            process = stack.enter_context(started_service(log, command, WORKERS=workers))
            pid = process.pid
        wait_until_caught(pid)
        time.sleep(delay)
        sent = time.monotonic()
        for number in SIGNALS[signals]:
            with contextlib.suppress(ProcessLookupError):  # it may have ended after the first
                os.kill(pid, number)
        status = process.wait(TIMEOUT)
        return Stop(workers, signals, delay, status, time.monotonic() - sent, log.read_text())


def sweep(folder: Path, starts: int, seconds: float, is_process_1: bool = False, at_once: int = 2) -> list[Stop]:
    """Stop so many services, at moments spread evenly, with all combinations of workers and signals in turn."""
    combinations = [(workers, signals) for workers in WORKERS for signals in SIGNALS]

    def stop_number(index: int) -> Stop:
        workers, signals = combinations[index % len(combinations)]
        return stop_once(folder / f"log{index}", workers, signals, index / starts * seconds, is_process_1)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(stop_number, range(starts)))


def main() -> None:
    """Print one line for each combination of workers and signals: the statuses and the slowest end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=250)
    parser.add_argument("--seconds", type=float, default=1.0, help="sweep so much after the first instruction")
    parser.add_argument("--process-1", action="store_true", help="as process 1 of a namespace (needs unshare)")
    parser.add_argument("--at-once", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stops = sweep(Path(folder), arguments.starts, arguments.seconds, arguments.process_1, arguments.at_once)
    for workers in WORKERS:
        for signals in SIGNALS:
            group = [each for each in stops if (each.workers, each.signals) == (workers, signals)]
            statuses, slowest = dict(Counter(each.status for each in group)), max(each.seconds for each in group)
            drained = sum(each.has_drained for each in group)
            print(f"{workers} workers, {signals}: {len(group)} starts, {drained} of them drained,", end=" ")
            print(f"statuses {statuses}, slowest end {slowest:.2f} s")
    for unclean in (each for each in stops if not each.is_clean):
        print(unclean)


if __name__ == "__main__":
    main()
