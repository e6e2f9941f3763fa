"""Several processes give the rows of one, in order, whatever happens to a process."""

import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from service.cli.chunk_reader import Chunk, make_chunks
from service.cli.pool import MAX_AHEAD, Pool
from service.cli.result import Result
from service.cli.source import FailedSource, Source
from service.inference.chunks import CHUNK_SIZE
from tests.images import DIGIT
from tests.service.cli.command import PNG, run, start
from tests.service.process.running_service import TIMEOUT, children, wait_until

EXIT, KILL = "exit", "kill"


def read(chunk: Chunk) -> Iterator[list[Result]]:
    """Return the name of each source as its result. Two names end the process."""
    for source in chunk.sources:
        if source.name == EXIT:
            os._exit(3)
        if source.name == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        yield [Result(error=source.name)]


def read_names(names: list[str], jobs: int) -> list[str]:
    pool = Pool(read, jobs, lambda: False)
    try:
        chunks = make_chunks(iter([FailedSource(name, "") for name in names]))
        return [row.result.error for batch in pool.map(chunks) for row in batch]
    finally:
        pool.close()


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("number", [0, 1, CHUNK_SIZE, CHUNK_SIZE + 1, 1_000])
def test_results_are_in_order(jobs: int, number: int) -> None:
    """Return one result per source, in the order of the sources."""
    names = [str(index) for index in range(number)]
    assert read_names(names, jobs) == names


@pytest.mark.parametrize("jobs", [1, 2])
def test_source_that_ends_a_process_fails_alone(jobs: int) -> None:
    """Replace the process, read the other sources of its chunks again, and give its end as the error."""
    names = [str(index) for index in range(200)]
    names[40], names[41], names[150] = EXIT, KILL, EXIT
    results = read_names(names, jobs)
    assert "ended (status 3)" in results[40]
    assert "ended (SIGKILL)" in results[41]
    assert "ended (status 3)" in results[150]
    assert [result for result in results if "ended" not in result] == [name for name in names if name.isdecimal()]


def test_sources_are_listed_only_as_far_as_needed() -> None:
    """List a bounded number of sources before the first result is taken: memory does not grow with their number."""
    listed = 0

    def endless() -> Iterator[Source]:
        nonlocal listed
        for index in count():
            listed += 1
            yield FailedSource(str(index), "")

    pool = Pool(read, 2, lambda: False)
    batches = pool.map(make_chunks(endless()))
    for _ in range(20):
        next(batches)
    pool.close()
    assert listed <= (20 + 2 * MAX_AHEAD) * CHUNK_SIZE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a folder of 300 images."""
    folder = tmp_path_factory.mktemp("scans")
    for index in range(300):
        (folder / f"{index:03}.png").write_bytes(PNG)
    return folder


def test_two_processes_print_the_rows_of_one(folder: Path) -> None:
    """Print the same with --jobs 2."""
    assert run("--csv", "--jobs", "2", folder).stdout == run("--csv", folder).stdout


def test_killed_process_loses_no_row(folder: Path) -> None:
    """Read everything although a process is killed, for example for memory."""
    process = start("--csv", "--jobs", "2", folder, folder, stdout=subprocess.PIPE)
    wait_until(lambda: len(children(process.pid)) == 2)
    os.kill(min(children(process.pid)), signal.SIGKILL)
    output, _ = process.communicate(timeout=TIMEOUT)
    assert output.decode().count(f".png,{DIGIT},") == 600
    assert process.returncode == 0


def test_processes_end_with_their_parent(folder: Path) -> None:
    """Leave no process behind if the command is killed."""
    process = start("--jobs", "3", *[folder] * 5, stdout=subprocess.DEVNULL)
    wait_until(lambda: len(children(process.pid)) == 3)
    workers = children(process.pid)
    process.kill()
    process.wait()
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
