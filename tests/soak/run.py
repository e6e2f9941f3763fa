"""Run a soak: load and lulls in turn, signals at the start of each load, and a level at the end of each lull."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.service.process.running_service import Service, running_service
from tests.soak.clients import Client
from tests.soak.processes import disturb, kill_worker, middle, sample
from tests.soak.record import Record, Sample
from tests.soak.traffic import Exchange, bad, documents, photos, small
from tests.soak.verdict import MAX_GROWTH, Check, checks

Behavior = Callable[[Client], Awaitable[None]]

SETTINGS = {
    "WORKERS": "2",
    "MEMORY_BUDGET": "80000000",  # photos must wait for it
    "UPLOAD_TIMEOUT": "5",
    "HEADER_TIMEOUT": "2",
}

WARM_UP_SHARE = 0.2
"""Share of the time after which memory must stay level: the first two of ten minutes."""

MAX_LOAD_SECONDS = 15.0
LOADS = 15
"""Number of loads in a short soak, at least."""

SETTLE_SECONDS = 2.5
"""Seconds between the last response of a load and the level of memory. The service promises two."""

CROWD = 8
"""More clients of two kinds during the warm-up. Long documents start every thread that may exist, and bad requests run
every path of the code in each worker: a worker copies a page that it shares when it first uses an object on it."""

LEVEL_SAMPLES = 5
SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Soak:
    """A soak that has ended. warm_up: its seconds that do not count."""

    record: Record
    warm_up: float
    checks: list[Check]

    @property
    def holds(self) -> bool:
        """Whether every condition of the verdict holds."""
        return all(check.holds for check in self.checks)


def soak(seconds: float, max_growth: float = MAX_GROWTH) -> Soak:
    """Start a service, load it, stop it and judge. max_growth: of memory, in megabytes."""
    traffic, environ = Traffic(small(), photos(), documents(), bad()), dict[str, Any](SETTINGS)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with running_service(log, **environ) as service:
            record = asyncio.run(_load(service, traffic, seconds))
        warm_up = WARM_UP_SHARE * seconds
        status, text = service.process.returncode, log.read_text()
        return Soak(record, warm_up, checks(record, warm_up, status, text, max_growth))


@dataclass(frozen=True)
class Traffic:
    """The requests of each kind."""

    small: list[Exchange]
    photos: list[Exchange]
    documents: list[Exchange]
    bad: list[Exchange]


async def _load(service: Service, traffic: Traffic, seconds: float) -> Record:
    record, seeds = Record(), count()
    sampler = asyncio.create_task(_sample_forever(service.process.pid, record))
    while record.now < seconds:
        until = min(record.now + min(MAX_LOAD_SECONDS, seconds / LOADS), seconds)
        async with asyncio.TaskGroup() as group:
            crowd = CROWD if record.now < WARM_UP_SHARE * seconds else 0
            for behavior, exchanges in _clients(traffic, crowd):
                client = Client(service.port, record, exchanges, next(seeds))
                group.create_task(client.run(behavior, until))
            group.create_task(_disturb(service.process.pid, record, WARM_UP_SHARE * seconds / 2))
        await asyncio.sleep(SETTLE_SECONDS)
        record.levels.append(await _level(service.process.pid, record))
    sampler.cancel()
    with suppress(asyncio.CancelledError):
        await sampler
    return record


def _clients(traffic: Traffic, crowd: int) -> Iterator[tuple[Behavior, list[Exchange]]]:
    """Yield the behavior and the requests of each client. crowd: how many more of two kinds."""
    yield from [(Client.ask, traffic.documents), (Client.ask, traffic.bad)] * crowd
    yield from [(Client.ask, traffic.small)] * 4
    yield from [(Client.ask, traffic.photos)] * 3
    yield from [(Client.ask, traffic.bad)] * 2
    yield Client.ask_slowly, traffic.small
    yield Client.ask_slowly, traffic.photos
    yield from [(Client.vanish, traffic.small), (Client.vanish, traffic.photos)]
    yield from [(behavior, []) for behavior in (Client.look, Client.send_nothing, Client.send_no_headers)]
    yield Client.send_no_body, []


async def _disturb(pid: int, record: Record, kill_after: float) -> None:
    """Send signals, and kill a worker once: in the warm-up, so that the processes stay the same after it."""
    await disturb(pid, record)
    if record.now > kill_after and not any(event == "kill" for _, event in record.events):
        kill_worker(pid, record)


async def _sample_forever(pid: int, record: Record) -> None:
    while True:
        record.samples.append(sample(pid, record.now))
        await asyncio.sleep(SAMPLE_SECONDS)


async def _level(pid: int, record: Record) -> Sample:
    samples = []
    for _ in range(LEVEL_SAMPLES):
        samples.append(sample(pid, record.now))
        await asyncio.sleep(0.1)
    return middle(samples)
