"""Kill one of two replicas behind HAProxy under load, then roll both: `python -m tests.failover --help`.

HAProxy runs with deploy/haproxy.cfg. The replicas stop with the settings of deploy/compose.yaml. They are containers
where a container engine can run the image, and processes elsewhere. Clients send one request after the other: small
ones on new and on kept connections, large ones, and large ones slowly. A request that fails is sent once more. The
status is 1 if a client saw an error on the roll, or one that the retry did not mend.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy.manifests import compose
from tests.failover.proxy import HAPROXY
from tests.failover.replicas import ContainerReplica, ProcessReplica, Replica, StopTimes
from tests.failover.run import failover, summary


def find_engine(image: str, options: str) -> str | None:
    """Return the first container engine that can run the image, None if there is none."""
    for engine in ("docker", "podman"):
        command = [engine, "run", "--rm", "--pull", "never", "--network", "host", *shlex.split(options), image, "true"]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return engine
    return None


def main() -> int:
    """Run the failover, print the table, and return 1 if it does not hold."""
    environment = compose()["services"]["replica-a"]["environment"]
    parser = argparse.ArgumentParser(
        prog="python -m tests.failover", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", default="digit-service")
    parser.add_argument("--options", default="--memory 128m", help="of the container engine's run")
    parser.add_argument("--clients", type=int, default=2, help="of each kind")
    parser.add_argument("--shutdown-delay", type=float, default=float(environment["SHUTDOWN_DELAY"]))
    parser.add_argument("--drain-seconds", type=float, default=float(environment["DRAIN_SECONDS"]))
    arguments = parser.parse_args()
    if HAPROXY is None:
        sys.exit("make failover: haproxy is not installed. Install it (on Debian and Ubuntu: apt install haproxy).")
    times = StopTimes(arguments.shutdown_delay, arguments.drain_seconds)
    engine = find_engine(arguments.image, arguments.options)
    print(f"two containers of {arguments.image} ({engine})" if engine else "two processes: no container engine can run")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replicas: list[Replica] = [
            ContainerReplica(engine, arguments.image, arguments.options, times)
            if engine
            else ProcessReplica(folder / f"{letter}.log", times)
            for letter in "ab"
        ]
        result = failover(folder, (replicas[0], replicas[1]), arguments.clients)
    print(summary(result))
    return 0 if result.holds else 1


if __name__ == "__main__":
    sys.exit(main())
