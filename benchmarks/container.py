"""Run the service's image under a memory limit, and read what the container takes."""

import http.client
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT = 60.0
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Container:
    """A running container of the service, which listens on a port of this host."""

    engine: str
    name: str
    port: int

    def memory(self) -> float:
        """Return the megabytes that the kernel cannot drop: of processes, page tables and socket buffers."""
        return self.memory_reader()()

    def memory_reader(self) -> Callable[[], float]:
        """Return a function that reads the memory, without a command of the engine each time."""
        folder = self._cgroup()
        usage, files = ("memory.usage_in_bytes", "total_cache") if _is_v1(folder) else ("memory.current", "file")

        def read() -> float:
            numbers = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            return (int((folder / usage).read_text()) - int(numbers[files])) / 1e6

        return read

    def is_running(self) -> bool:
        """Return whether it has not been killed."""
        return self._inspect("{{.State.Running}}") == "true"

    def kill(self) -> None:
        """End it at once."""
        _output(self.engine, "kill", self.name)

    def stop(self, seconds: int) -> int:
        """Send SIGTERM, wait for the end, kill it after so many seconds, and return its status."""
        _output(self.engine, "stop", "--time", str(seconds), self.name)
        return int(self._inspect("{{.State.ExitCode}}"))

    def out_of_memory_kills(self) -> int:
        """Return how many of its processes the kernel has killed for memory."""
        folder = self._cgroup()
        lines = (folder / ("memory.oom_control" if _is_v1(folder) else "memory.events")).read_text().splitlines()
        return int(dict(line.split() for line in lines).get("oom_kill", 0))

    def _cgroup(self) -> Path:
        lines = Path(f"/proc/{self._inspect('{{.State.Pid}}')}/cgroup").read_text().splitlines()
        paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
        if "memory" in paths:
            return CGROUPS / "memory" / paths["memory"].lstrip("/")
        return CGROUPS / paths[""].lstrip("/")

    def _inspect(self, form: str) -> str:
        return _output(self.engine, "inspect", "--format", form, self.name)


@contextmanager
def running_container(engine: str, image: str, options: str, port: int) -> Iterator[Container]:
    """Run an image, read-only, on a port of the host's network. Stops it on exit."""
    command = [engine, "run", "--detach", "--read-only", "--network", "host", *shlex.split(options)]
    name = _output(*command, "--env", f"PORT={port}", image)
    try:
        _wait_until_ready(port)
        yield Container(engine, name, port)
    finally:
        _output(engine, "rm", "--force", name)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"The container did not become ready within {START_TIMEOUT:g} s.")


def _is_v1(folder: Path) -> bool:
    return (folder / "memory.usage_in_bytes").exists()


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
