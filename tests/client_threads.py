"""Clients in threads, which send requests as long as a block runs."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, Self, TypeVar

from tests.service.process.running_service import TIMEOUT

Kind = TypeVar("Kind")

END_SECONDS = 2 * TIMEOUT
"""A client may be sending a request, and then repeat it once."""


class ClientThreads(ABC, Generic[Kind]):
    """Clients of some kinds, one thread each, from the start of the block to its end."""

    def __init__(self, kinds: Iterable[Kind], clients: int) -> None:
        """Prepare so many clients of each kind."""
        self.is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self.run_client, args=(kind,)) for kind in kinds for _ in range(clients)
        ]

    @abstractmethod
    def run_client(self, kind: Kind) -> None:
        """Send requests, one after the other, until `is_over` is set."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self._threads:
            thread.join(END_SECONDS)
