"""Kill one of two replicas behind HAProxy under load, then roll both to another model."""

import contextlib
import json
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.failover.load import AFTER, ANSWERED, FAILED, KILL, KINDS, MENDED, PHASES, RESULTS, ROLL, Load
from tests.failover.proxy import running_haproxy
from tests.failover.replicas import Replica

OLD_MODEL, NEW_MODEL = "cnn-transformer", "cnn"
"""The roll replaces one by the other, so that /model tells the versions apart."""

MIN_PHASE_SECONDS = 2.0
"""Longer than a slow upload, so that each phase has some."""


@dataclass(frozen=True)
class Failover:
    """What the clients saw, the statuses of the stopped replicas, and the models that are served at the end."""

    load: Load
    statuses: list[int]
    models: list[str]

    @property
    def holds(self) -> bool:
        """Whether no client saw an error, but for the kill, where one retry mended each."""
        totals = {phase: self.load.total(phase) for phase in PHASES}
        unexpected = sum(total[FAILED] for total in totals.values())
        unexpected += sum(totals[phase][MENDED] for phase in PHASES if phase != KILL)
        is_rolled = self.statuses == [0, 0] and self.models == [NEW_MODEL, NEW_MODEL]
        return not unexpected and is_rolled and all(total[ANSWERED] for total in totals.values())


def failover(folder: Path, replicas: tuple[Replica, Replica], clients: int) -> Failover:
    """Run all phases with so many clients of each kind."""
    first, second = replicas
    with contextlib.ExitStack() as stack:
        for replica in replicas:
            stack.callback(replica.close)
            replica.start(OLD_MODEL)
        port = stack.enter_context(running_haproxy(folder / "haproxy.log", (first.port, second.port)))
        load = stack.enter_context(Load(port, clients))
        time.sleep(MIN_PHASE_SECONDS)
        load.phase = KILL
        first.kill()
        time.sleep(MIN_PHASE_SECONDS)
        first.start(OLD_MODEL)
        load.phase = ROLL
        statuses = [roll(replica) for replica in (second, first)]
        load.phase = AFTER
        time.sleep(MIN_PHASE_SECONDS)
        return Failover(load, statuses, [served_model(replica.port) for replica in replicas])


def roll(replica: Replica) -> int:
    """Stop a replica, start it with the new model, and return the status with which it ended."""
    status = replica.stop()
    replica.start(NEW_MODEL)
    return status


def served_model(port: int) -> str:
    """Return the name of the model that a replica serves."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/model", timeout=10) as response:
        return str(json.load(response)["model"])


def summary(result: Failover) -> str:
    """Return a table of requests by phase, kind of client and result, and the errors."""
    head = f"{'phase':<8} {'clients':<18}" + "".join(f"{name:>20}" for name in RESULTS)
    rows = [
        f"{phase:<8} {kind.name:<18}" + "".join(f"{result.load.counts[phase, kind.name][name]:>20}" for name in RESULTS)
        for phase in PHASES
        for kind in KINDS
    ]
    errors = [f"{count} x {error}" for error, count in Counter(result.load.errors).most_common(10)]
    return "\n".join([head, *rows, f"statuses {result.statuses}, models {result.models}", *errors])
