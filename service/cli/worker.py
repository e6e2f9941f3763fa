"""A process that reads chunks, forked after the model is loaded, so that it shares its memory."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from service.cli.chunk_reader import Chunk
from service.cli.result import Result

MAX_TASKS = 2
"""Tasks that a worker holds: one that it reads, and one that waits, so that it never idles.

The names of two chunks fit into the buffer of a pipe, so the parent never waits in `send`, and receives results.
"""

ReadChunk = Callable[[Chunk], Iterator[list[Result]]]


@dataclass(eq=False)
class Task:
    """A chunk and its results so far. step: how many of its sources are read next."""

    chunk: Chunk
    results: list[Result] = field(default_factory=list)
    step: int = 0

    def __post_init__(self) -> None:
        self.step = len(self.chunk.sources)

    @property
    def is_done(self) -> bool:
        """Return whether every source has its result."""
        return len(self.results) == len(self.chunk.sources)

    def next_chunk(self) -> Chunk:
        """Return the sources that are read next."""
        start = len(self.results)
        return Chunk(self.chunk.sources[start : start + self.step], self.chunk.is_shown)


class Worker:
    """The parent's side of one process."""

    def __init__(self, read: ReadChunk, inherited: Iterable[Connection]) -> None:
        """Fork. inherited: connections to other workers, which the new one must not keep open."""
        self.tasks: deque[Task] = deque()
        self.connection, theirs = Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for connection in (self.connection, *inherited):
                connection.close()
            _serve(theirs, read)
        theirs.close()

    def send(self, task: Task) -> None:
        """Have the next sources of a task read. A worker that has ended is noticed when its results are received."""
        self.tasks.append(task)
        try:
            self.connection.send(task.next_chunk())
        except OSError:
            return

    def receive(self) -> Task:
        """Add the results that it has sent to their task. Raises EOFError or OSError if it has ended."""
        results = self.connection.recv()
        task = self.tasks.popleft()
        task.results += results
        return task

    def end(self) -> int:
        """End the process at once. Returns its exit status, negative for a signal."""
        self.connection.close()
        os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _serve(connection: Connection, read: ReadChunk) -> None:
    """Read chunks until the parent closes the connection or ends. Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        while True:
            chunk = connection.recv()
            connection.send([result for batch in read(chunk) for result in batch])
    except (EOFError, OSError):
        os._exit(0)
    finally:
        os._exit(1)
