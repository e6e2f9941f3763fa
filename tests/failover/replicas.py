"""Replicas of the service that can be killed, stopped and started again: processes, or containers."""

import contextlib
import math
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.container import Container, running_container
from benchmarks.server import free_port
from tests.service.process.running_service import TIMEOUT, Service, running_service

STOP_SECONDS = 5
"""The service ends within these after SHUTDOWN_DELAY and DRAIN_SECONDS."""


@dataclass(frozen=True)
class StopTimes:
    """The settings of the service that say how it stops, in seconds."""

    shutdown_delay: float
    drain_seconds: float

    @property
    def grace(self) -> int:
        """The seconds that an orchestrator must give the service."""
        return math.ceil(self.shutdown_delay + self.drain_seconds) + STOP_SECONDS


class Replica(Protocol):
    """One instance of the service on a port of its own."""

    port: int

    def start(self, model: str) -> None:
        """Start the service with this model and wait until it is ready."""

    def kill(self) -> None:
        """End it at once."""

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, and return the status."""

    def close(self) -> None:
        """Leave nothing behind."""


class ProcessReplica:
    """A replica that is a process."""

    def __init__(self, log: Path, times: StopTimes) -> None:
        """Write the log to a file."""
        self.port = free_port()
        self._log = log
        self._times = times
        self._stack = contextlib.ExitStack()
        self._service: Service | None = None

    def start(self, model: str) -> None:
        """Start the service with this model and wait until it is ready."""
        self._stack.close()
        service = running_service(
            self._log,
            stdout=subprocess.DEVNULL,
            PORT=str(self.port),
            MODEL=model,
            SHUTDOWN_DELAY=str(self._times.shutdown_delay),
            DRAIN_SECONDS=str(self._times.drain_seconds),
        )
        self._service = self._stack.enter_context(service)

    def kill(self) -> None:
        """End it at once."""
        if self._service is not None:
            os.killpg(self._service.process.pid, signal.SIGKILL)
            self._service.process.wait(TIMEOUT)

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, and return the status."""
        if self._service is None:
            return 0
        self._service.process.terminate()
        return self._service.process.wait(self._times.grace)

    def close(self) -> None:
        """End the process."""
        self._stack.close()


class ContainerReplica:
    """A replica that is a container, read-only and without capabilities."""

    def __init__(self, engine: str, image: str, options: str, times: StopTimes) -> None:
        """Run an image with docker or podman and these options."""
        self.port = free_port()
        self._engine = engine
        self._image = image
        self._times = times
        environment = f"--env SHUTDOWN_DELAY={times.shutdown_delay} --env DRAIN_SECONDS={times.drain_seconds}"
        self._options = f"--cap-drop ALL {options} {environment}"
        self._stack = contextlib.ExitStack()
        self._container: Container | None = None

    def start(self, model: str) -> None:
        """Start the service with this model and wait until it is ready."""
        self._stack.close()
        container = running_container(self._engine, self._image, f"{self._options} --env MODEL={model}", self.port)
        self._container = self._stack.enter_context(container)

    def kill(self) -> None:
        """End it at once."""
        if self._container is not None:
            self._container.kill()

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, and return the status."""
        return 0 if self._container is None else self._container.stop(self._times.grace)

    def close(self) -> None:
        """Remove the container."""
        self._stack.close()
