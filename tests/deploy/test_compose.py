"""deploy/compose.yaml and deploy/haproxy.cfg are valid, and repeat the values of the service."""

import re
import subprocess
import sys
from typing import Any

import pytest

from service.process.limits import BYTES_PER_WORKER
from service.process.workers import STOP_GRACE
from service.settings import Settings
from service.web.recorder import ROUTES
from tests.conftest import ROOT
from tests.deploy.manifests import DEPLOY, compose, haproxy, quantity, seconds
from tests.failover.proxy import HAPROXY

HAPROXY_TEXT = (DEPLOY / "haproxy.cfg").read_text()
REPLICAS = ("replica-a", "replica-b")


def replica() -> dict[str, Any]:
    """Return the service of a replica."""
    return dict(compose()["services"]["replica-a"])


def settings() -> Settings:
    """Read the settings of a replica, with the defaults of variables."""
    environment = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in replica()["environment"].items()}
    assert set(environment) <= {name.upper() for name in Settings.__dataclass_fields__}
    return Settings.from_mapping(environment)


def proxy_seconds(timeout: str) -> float:
    """Return a timeout of HAProxy."""
    return seconds(haproxy(f"timeout {timeout}"))


def check(name: str) -> str:
    """Return an option of HAProxy's servers."""
    words = haproxy("default-server").split()
    return words[words.index(name) + 1]


def test_compose_file_is_valid() -> None:
    """Match the schema of the Compose specification."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, DEPLOY / "compose.yaml"], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
def test_configuration_of_haproxy_is_valid() -> None:
    """Load the configuration without a warning, with addresses of replicas that exist."""
    environment = {"REPLICA_A": "127.0.0.1:1", "REPLICA_B": "127.0.0.1:2"}
    command = [str(HAPROXY), "-c", "-dW", "-f", str(DEPLOY / "haproxy.cfg")]
    checked = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_replicas_are_equal_and_known_to_the_proxy() -> None:
    """Run one definition twice, and let HAProxy reach both on the service's port."""
    services = compose()["services"]
    assert set(services) == {*REPLICAS, "proxy"}
    assert services["replica-a"] == services["replica-b"]
    servers = re.findall(r'^ *server \w+ "\$\{\w+-([\w-]+):(\d+)\}"', HAPROXY_TEXT, re.MULTILINE)
    assert servers == [(name, str(Settings().port)) for name in REPLICAS]
    assert {"replicas"} == set(replica()["networks"]) <= set(services["proxy"]["networks"])


def test_stop_of_a_replica_loses_nothing() -> None:
    """Kill a replica only after its stop, which outlasts the slowest upload and begins when HAProxy has noticed it."""
    stop = settings().shutdown_delay + settings().drain_seconds
    assert seconds(replica()["stop_grace_period"]) >= stop + STOP_GRACE
    assert stop >= settings().upload_timeout
    assert settings().shutdown_delay >= int(check("fall")) * (seconds(check("inter")) + proxy_seconds("check"))


def test_limits_of_a_replica_are_those_of_a_worker() -> None:
    """Give each CPU a worker, and each worker the memory for every default limit."""
    limits = replica()["deploy"]["resources"]["limits"]
    assert quantity(limits["memory"]) >= float(limits["cpus"]) * BYTES_PER_WORKER
    assert replica()["read_only"]
    assert replica()["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", [*REPLICAS, "proxy"])
def test_every_container_is_checked_and_restarted(name: str) -> None:
    """Restart what crashes, and show what is unhealthy. The check of a replica is that of its image."""
    service = compose()["services"][name]
    assert service["restart"] == "unless-stopped"
    assert ("test" in service["healthcheck"]) == (name == "proxy")
    assert re.search(r"^HEALTHCHECK ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_limits_of_the_proxy_fit_those_of_the_service() -> None:
    """Let the service decide what takes too long, and keep what it would reject waiting in the proxy."""
    assert proxy_seconds("http-request") == settings().upload_timeout
    assert proxy_seconds("queue") == settings().queue_timeout
    assert proxy_seconds("server") > settings().request_timeout
    assert int(check("maxconn")) < settings().max_in_flight
    assert int(haproxy("maxconn")) <= settings().max_connections
    method, path = haproxy("option httpchk").split()
    assert (method, path) == ("GET", "/ready")
    assert path in ROUTES


def test_errors_of_the_proxy_have_the_shape_of_the_service() -> None:
    """Describe each error that HAProxy generates in JSON."""
    errors = re.findall(r"http-error status (\d+) content-type application/json string '(.*?)'", HAPROXY_TEXT)
    assert [status for status, _ in errors] == ["400", "408", "500", "502", "503", "504"]
    assert all(re.fullmatch(r'\{"detail":"[^"]+\."\}', body) for _, body in errors)
