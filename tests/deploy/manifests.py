"""Read what deploy/ contains."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SUFFIXES = {"": 1, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "M": 1e6, "G": 1e9}


@cache
def read(path: Path) -> dict[str, Any]:
    """Return the only document of a YAML file."""
    return dict(yaml.safe_load(path.read_text()))


def base(name: str) -> dict[str, Any]:
    """Return a resource of the kustomize base."""
    return read(KUBERNETES / "base" / f"{name}.yaml")


def pod() -> dict[str, Any]:
    """Return the specification of the Deployment's pod."""
    return dict(base("deployment")["spec"]["template"]["spec"])


def predictor() -> dict[str, Any]:
    """Return the predictor of the KServe overlay."""
    return dict(read(KUBERNETES / "kserve" / "inference-service.yaml")["spec"]["predictor"])


def compose() -> dict[str, Any]:
    """Return the Compose file."""
    return read(DEPLOY / "compose.yaml")


def container(specification: dict[str, Any]) -> dict[str, Any]:
    """Return the only container of a pod."""
    (only,) = specification["containers"]
    return dict(only)


def environment(specification: dict[str, Any]) -> dict[str, str]:
    """Return the variables of a container that have a value."""
    return {item["name"]: item["value"] for item in container(specification)["env"] if "value" in item}


def quantity(text: str) -> float:
    """Return a quantity of Kubernetes in CPUs or bytes."""
    match = re.fullmatch(r"([\d.]+)(\w*)", text)
    assert match
    return float(match[1]) * SUFFIXES[match[2]]


def seconds(text: str) -> float:
    """Return a time of Compose or HAProxy in seconds."""
    match = re.fullmatch(r"(\d+)(ms|s)", text)
    assert match
    return int(match[1]) * {"ms": 1e-3, "s": 1.0}[match[2]]


def haproxy(directive: str) -> str:
    """Return the arguments of a directive that occurs once in the configuration of HAProxy, without a comment."""
    text = (DEPLOY / "haproxy.cfg").read_text()
    (arguments,) = re.findall(rf"^ *{re.escape(directive)} +([^#\n]*)", text, re.MULTILINE)
    return str(arguments).strip()
