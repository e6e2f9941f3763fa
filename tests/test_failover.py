"""Two replicas behind HAProxy survive the death of one, and a roll, without an error that a retry does not mend."""

from pathlib import Path

import pytest

from tests.failover.load import FAILED, KILL, MENDED, PHASES
from tests.failover.proxy import HAPROXY
from tests.failover.replicas import ProcessReplica, StopTimes
from tests.failover.run import NEW_MODEL, failover, summary

TIMES = StopTimes(shutdown_delay=3.0, drain_seconds=0.0)


@pytest.mark.slow
@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
def test_failover_behind_haproxy(tmp_path: Path) -> None:
    """Answer every request, of new and kept connections, large and slow, through a kill (with one retry) and a roll."""
    replicas = ProcessReplica(tmp_path / "a.log", TIMES), ProcessReplica(tmp_path / "b.log", TIMES)
    result = failover(tmp_path, replicas, clients=1)
    totals = {phase: result.load.total(phase) for phase in PHASES}
    assert [total[FAILED] for total in totals.values()] == [0, 0, 0, 0], summary(result)
    assert [totals[phase][MENDED] for phase in PHASES if phase != KILL] == [0, 0, 0], summary(result)
    assert (result.statuses, result.models) == ([0, 0], [NEW_MODEL, NEW_MODEL])
    assert result.holds
    assert not any("Traceback" in (tmp_path / f"{name}.log").read_text() for name in "ab")
