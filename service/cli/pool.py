"""Read chunks in several processes, in order and in bounded memory. An image that ends a process is an error alone."""

import gc
import signal
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing.connection import wait

from service.cli.chunk_reader import Chunk
from service.cli.result import Result, Row, make_rows
from service.cli.worker import MAX_TASKS, ReadChunk, Task, Worker
from service.errors import ServiceError

MAX_AHEAD = 8
"""Chunks per process that are listed or read before the first of them is complete. It bounds the memory."""

POLL_SECONDS = 0.2
"""How often a stop is looked for while no results arrive."""


class Pool:
    """Processes that read chunks. A process that ends is replaced, and the image that ended it fails."""

    def __init__(self, read: ReadChunk, jobs: int, is_stopped: Callable[[], bool]) -> None:
        """Fork `jobs` processes, which give up once `is_stopped`. Raises ServiceError if they cannot be started."""
        gc.freeze()  # a collection in each process would copy the memory that they share
        self._read = read
        self._is_stopped = is_stopped
        self._workers: list[Worker] = []
        self._waiting: deque[Task] = deque()  # for a worker with room
        for _ in range(jobs):
            self._fork()

    def map(self, chunks: Iterator[Chunk]) -> Iterator[list[Row]]:
        """Yield the rows of each chunk, in order."""
        pending: deque[Task] = deque()
        limit = MAX_AHEAD * len(self._workers)
        while not self._is_stopped():
            listed = [Task(chunk) for chunk in islice(chunks, limit - len(pending))]
            pending += listed
            self._waiting += listed
            if not pending:
                return
            self._hand_out()
            self._collect()
            while pending and pending[0].is_done:
                task = pending.popleft()
                yield make_rows(task.chunk.sources, task.results)

    def close(self) -> None:
        """End all processes at once."""
        while self._workers:
            self._workers.pop().end()

    def _fork(self) -> None:
        try:
            self._workers.append(Worker(self._read, [worker.connection for worker in self._workers]))
        except OSError as error:
            self.close()
            raise ServiceError(f"a process cannot be started ({error.strerror}). Use fewer --jobs.") from error

    def _hand_out(self) -> None:
        """Give an idle worker a task before a busy one gets its next."""
        for held in range(MAX_TASKS):
            for worker in self._workers:
                if self._waiting and len(worker.tasks) == held:
                    worker.send(self._waiting.popleft())

    def _collect(self) -> None:
        """Receive the results that have arrived, and wait for some if there are none."""
        busy = [worker for worker in self._workers if worker.tasks]
        ready = wait([worker.connection for worker in busy], POLL_SECONDS)
        for worker in [worker for worker in busy if worker.connection in ready]:
            try:
                task = worker.receive()
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if not task.is_done:
                self._waiting.appendleft(task)

    def _replace(self, worker: Worker) -> None:
        """Replace a worker that has ended, and have its tasks read again: the first one image by image."""
        status = worker.end()
        self._workers.remove(worker)
        first = worker.tasks[0]
        if first.step == 1:
            first.results.append(Result(error=_describe_end(status)))
        first.step = 1
        self._waiting.extendleft(task for task in reversed(worker.tasks) if not task.is_done)
        self._fork()


def _describe_end(status: int) -> str:
    reason = signal.Signals(-status).name if status < 0 else f"status {status}"
    return f"the process that read it ended ({reason}). It may need more memory than there is."
