"""deploy/kubernetes is valid, and repeats the values of the service."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from service import __version__
from service.process.limits import BYTES_PER_WORKER, worker_count
from service.process.workers import STOP_GRACE
from service.settings import Settings
from service.web.api_key import OPEN_PATHS
from service.web.recorder import ROUTES
from tests.conftest import ROOT
from tests.deploy.custom_resources import KSERVE_FIELDS, SCHEMAS
from tests.deploy.manifests import KUBERNETES, base, container, environment, pod, predictor, quantity, read

RESOURCES = sorted(path for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml")
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
"""1.30 is the first that has the preStop action `sleep` by default."""

PODS = pytest.mark.parametrize("specification", [pod(), predictor()], ids=["Deployment", "InferenceService"])
LABELS = {"app.kubernetes.io/name": "digit-service"}


def validate(resource: dict[str, Any], version: str) -> None:
    """Raise an exception if a resource breaks its schema, or has a field that its schema lacks."""
    if resource["kind"] == "InferenceService":
        fields = resource["spec"]["predictor"]
        of_pod = {name: value for name, value in fields.items() if name not in KSERVE_FIELDS}
        validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "predictor"}, "spec": of_pod}, version)
        own = {name: value for name, value in fields.items() if name in KSERVE_FIELDS}
        resource = {**resource, "spec": {"predictor": own}}
    if schema := SCHEMAS.get(resource["kind"]):
        jsonschema.validate(resource, schema)
    else:
        kubernetes_validate.validate(resource, version, strict=True)


# Validity


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", RESOURCES, ids=lambda path: path.stem)
def test_resource_is_valid(path: Path, version: str) -> None:
    """Match the schema of its kind, without unknown fields."""
    validate(read(path), version)


def test_unknown_field_is_found() -> None:
    """Reject a Deployment and an InferenceService in which the name of a field is misspelled."""
    misspelled = {**pod(), "terminationGracePeriod": 45}
    deployment = base("deployment")
    template = {**deployment["spec"]["template"], "spec": misspelled}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate({**deployment, "spec": {**deployment["spec"], "template": template}}, VERSIONS[0])
    service = read(KUBERNETES / "kserve" / "inference-service.yaml")
    with pytest.raises(kubernetes_validate.ValidationError):
        validate({**service, "spec": {"predictor": {**predictor(), "minReplica": 2}}}, VERSIONS[0])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("", {"Deployment", "Service", "HorizontalPodAutoscaler"}),
        ("kserve", {"InferenceService"}),
    ],
)
def test_kustomization_builds(folder: str, kinds: set[str]) -> None:
    """Build the base and the overlay with kustomize into valid resources of the expected kinds."""
    command = ["kubectl", "kustomize", str(KUBERNETES / folder)]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    resources = list(yaml.safe_load_all(built))
    for resource in resources:
        validate(resource, VERSIONS[-1])
    assert {resource["kind"] for resource in resources} == kinds | {
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ServiceMonitor",
    }


def test_every_resource_is_in_a_kustomization() -> None:
    """List each file beside a kustomization in it."""
    for path in KUBERNETES.rglob("kustomization.yaml"):
        listed = [name for name in read(path)["resources"] if name.endswith(".yaml")]
        assert sorted(listed) == sorted(other.name for other in path.parent.glob("*.yaml") if other != path)


# Values of the service


@PODS
def test_environment_has_only_settings(specification: dict[str, Any]) -> None:
    """Name only settings, besides KServe's PROTOCOL, with values that the service accepts."""
    names = {item["name"] for item in container(specification)["env"]} - {"PROTOCOL"}
    assert names <= {name.upper() for name in Settings.__dataclass_fields__}
    Settings.from_mapping(environment(specification))


@PODS
def test_ports_are_that_of_the_service(specification: dict[str, Any]) -> None:
    """Reach the default PORT from probes, Service, ServiceMonitor and NetworkPolicy."""
    (port,) = container(specification)["ports"]
    assert port["containerPort"] == Settings().port
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(specification)[name]["httpGet"]["port"] == port["name"]
    (rule,) = base("network-policy")["spec"]["ingress"]
    assert [opened["port"] for opened in rule["ports"]] == [Settings().port]


def test_the_service_and_its_monitor_name_the_port() -> None:
    """Lead to the port of the container, by its name; in the overlay by the name that KServe gives its Service."""
    (port,) = base("service")["spec"]["ports"]
    (endpoint,) = base("service-monitor")["spec"]["endpoints"]
    assert port["targetPort"] == port["name"] == endpoint["port"] == container(pod())["ports"][0]["name"]
    (patch,) = [each for each in read(KUBERNETES / "kserve" / "kustomization.yaml")["patches"] if "target" in each]
    (operation,) = yaml.safe_load(patch["patch"])
    assert operation["value"] == container(predictor())["ports"][0]["name"]


@PODS
def test_probes_read_routes_that_need_no_key(specification: dict[str, Any]) -> None:
    """Take a busy or draining pod out of the Service, and restart only one that no longer responds."""
    probes = container(specification)
    paths = {name: probes[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/health", "readiness": "/ready", "liveness": "/health"}
    assert set(paths.values()) <= set(OPEN_PATHS)
    (endpoint,) = base("service-monitor")["spec"]["endpoints"]
    assert endpoint["path"] in ROUTES


@PODS
def test_grace_covers_the_stop(specification: dict[str, Any]) -> None:
    """Kill a pod only after preStop and the stop of the service, which finishes the slowest upload."""
    settings = Settings.from_mapping(environment(specification))
    stop = settings.shutdown_delay + settings.drain_seconds
    pre_stop = container(specification)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert specification["terminationGracePeriodSeconds"] >= pre_stop + stop + STOP_GRACE
    assert stop >= settings.upload_timeout


@PODS
def test_memory_keeps_every_default_limit(specification: dict[str, Any], tmp_path: Path) -> None:
    """Give each worker that the service starts in this container the memory that it needs, and each CPU a worker."""
    resources = container(specification)["resources"]
    cpus, memory = quantity(resources["limits"]["cpu"]), int(quantity(resources["limits"]["memory"]))
    (tmp_path / "cpu.max").write_text(f"{int(cpus * 100_000)} 100000")
    (tmp_path / "memory.max").write_text(str(memory))
    assert worker_count(tmp_path) == cpus
    assert memory >= cpus * BYTES_PER_WORKER
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert quantity(resources["requests"]["cpu"]) <= cpus


@PODS
def test_image_has_the_version_of_the_service(specification: dict[str, Any]) -> None:
    """Deploy this version."""
    assert container(specification)["image"] == f"digit-service:{__version__}"


# Security and availability


@PODS
def test_pod_meets_the_restricted_standard(specification: dict[str, Any]) -> None:
    """Run read-only, without privileges and without a token, as the user of the image."""
    user = re.search(r"(?:--uid|^USER) (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    of_pod, of_container = specification["securityContext"], container(specification)["securityContext"]
    assert of_pod["runAsNonRoot"]
    assert of_pod["runAsUser"] == int(user[1])
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert specification["automountServiceAccountToken"] is False
    assert base("network-policy")["spec"]["egress"] == []


def test_everything_selects_the_pods() -> None:
    """Select the label that the pods of the Deployment and of the InferenceService have."""
    labels = base("deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels == predictor()["labels"] == LABELS
    assert base("service")["spec"]["selector"] == LABELS
    assert base("network-policy")["spec"]["podSelector"]["matchLabels"] == LABELS
    for name in ("deployment", "pod-disruption-budget", "service-monitor"):
        assert base(name)["spec"]["selector"]["matchLabels"] == LABELS
    assert base("service")["metadata"]["labels"] == LABELS
    for specification in (pod(), predictor()):
        (spread,) = specification["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == LABELS


def test_a_roll_and_a_drained_node_leave_a_pod() -> None:
    """Keep two pods, replace them one by one, and evict one at a time."""
    deployment, autoscaler = base("deployment")["spec"], base("horizontal-pod-autoscaler")["spec"]
    assert "replicas" not in deployment  # `kubectl apply` would set back what the autoscaler has chosen
    assert autoscaler["minReplicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert autoscaler["scaleTargetRef"]["name"] == base("deployment")["metadata"]["name"]
    assert base("pod-disruption-budget")["spec"]["maxUnavailable"] == 1


def test_the_predictor_of_kserve_is_the_pod_of_the_deployment() -> None:
    """Repeat the pod, its container, its scale and its roll, except for the names that KServe reads."""
    of_pod = {name: value for name, value in predictor().items() if name not in KSERVE_FIELDS | {"containers"}}
    assert of_pod == {name: value for name, value in pod().items() if name != "containers"}
    text = yaml.safe_dump(container(predictor()) | {"name": "digit-service"}).replace("http1", "http")
    expected = container(pod())
    assert yaml.safe_load(text) == expected | {"env": [{"name": "PROTOCOL", "value": "v2"}, *expected["env"]]}
    assert container(predictor())["name"] == "kserve-container"
    assert predictor()["deploymentStrategy"] == base("deployment")["spec"]["strategy"]
    autoscaler = base("horizontal-pod-autoscaler")["spec"]
    (metric,) = autoscaler["metrics"]
    assert predictor()["scaleMetric"] == metric["resource"]["name"]
    assert predictor()["scaleTarget"] == metric["resource"]["target"]["averageUtilization"]
    assert [predictor()[name] for name in ("minReplicas", "maxReplicas")] == [
        autoscaler[name] for name in ("minReplicas", "maxReplicas")
    ]
