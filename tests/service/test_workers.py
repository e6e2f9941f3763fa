"""Several processes behind one port: they share the load and the memory, and one that dies is replaced."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.server import pss, ticks
from service import limits
from service.errors import SettingError
from service.workers import listen
from tests.pictures import DIGIT
from tests.service.test_server import PATIENCE, PNG, Server, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Two workers and their supervisor."""
    with serving(tmp_path / "log", WORKERS="2") as server:
        wait_for(lambda: len(workers(server)) == 2)
        yield server


def workers(server: Server) -> set[int]:
    """The processes that the supervisor has forked."""
    return {
        int(pid) for pid in Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    }


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_both_workers_answer(server: Server) -> None:
    """The kernel spreads connections over them: of forty, each gets some."""
    before = {pid: ticks(pid) for pid in workers(server)}
    end = time.monotonic() + PATIENCE
    while any(ticks(pid) - then < 2 for pid, then in before.items()):
        assert time.monotonic() < end
        for _ in range(40):
            assert server.ask("POST", "/predict", PNG, Content_Type="image/png")[1]["digit"] == DIGIT


def test_a_worker_that_dies_is_replaced(server: Server) -> None:
    """As the kernel kills one that takes too much memory; the service goes on and says so."""
    victim = min(workers(server))
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(workers(server)) == 2 and victim not in workers(server))
    for _ in range(20):
        assert server.ask("POST", "/predict", PNG, Content_Type="image/png")[0] == 200
    assert f"Worker {victim} ended (-9) and is replaced." in server.log.read_text()


def test_sigterm_ends_all_of_them(server: Server) -> None:
    """And nobody is replaced then."""
    family = workers(server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in family)
    assert "is replaced" not in server.log.read_text()


def test_the_model_is_in_memory_once(server: Server) -> None:
    """A second worker costs less than half of what one alone takes."""
    assert server.ask("POST", "/predict", PNG, Content_Type="image/png")[0] == 200
    family = [server.process.pid, *workers(server)]
    assert len(family) == 3
    assert sum(map(pss, family)) < 1.6 * max(map(_resident, family))


def test_a_port_in_use_is_refused() -> None:
    """Also one whose owner would share it."""
    taken = listen("127.0.0.1", 0, 2)
    port = taken[0].getsockname()[1]
    assert [listener.getsockname()[1] for listener in taken] == [port, port]
    with pytest.raises(SettingError, match=f"PORT={port}: address already in use"):
        listen("127.0.0.1", port, 2)
    for listener in taken:
        listener.close()


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024


HOST = len(os.sched_getaffinity(0))

CGROUPS = {
    "no cgroup": ({}, HOST, HOST),
    "no limit": ({"cpu.max": "max 100000", "memory.max": "max"}, HOST, HOST),
    "one CPU": ({"cpu.max": "100000 100000"}, 1, 1),
    "half a CPU": ({"cpu.max": "50000 100000"}, 1, 1),
    "more CPUs than there are": ({"cpu.max": "99900000 100000"}, HOST, HOST),
    "little memory": ({"cpu.max": "max 100000", "memory.max": "134217728"}, HOST, 1),
    "hardly any memory": ({"memory.max": "10000000"}, HOST, 1),
    "version 1": ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1, 1),
    "version 1, no limit": ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, HOST, HOST),
}


@pytest.mark.parametrize("name", CGROUPS)
def test_workers_follow_what_the_container_allows(name: str, tmp_path: Path) -> None:
    """CPUs of the cgroup, not of the host; and no more workers than its memory holds."""
    files, cpus, count = CGROUPS[name]
    for file, content in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content + "\n")
    assert limits.cpus(tmp_path) == cpus
    assert limits.workers(tmp_path) == count
