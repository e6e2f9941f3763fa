"""JSON schemas of the custom resources in deploy/kubernetes, as strict as their definitions, of the fields in use.

The published schemas of Kubernetes do not contain custom resources. These were written by hand after the API references
of the Prometheus operator (ServiceMonitor, v1) and of KServe (InferenceService, v1beta1). The fields of a pod in
`spec.predictor` are left out: a test validates them as a Pod.
"""

from typing import Any


def strict(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object that has no other properties."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


STRING = {"type": "string", "minLength": 1}
LABELS = {"type": "object", "additionalProperties": STRING, "minProperties": 1}
COUNT = {"type": "integer", "minimum": 1}
METADATA = strict({"name": STRING}, {"labels": LABELS, "annotations": LABELS, "namespace": STRING})

ENDPOINT = strict(
    {"port": STRING},
    {
        "path": {"type": "string", "pattern": "^/"},
        "interval": {"type": "string", "pattern": r"^\d+(s|m)$"},
        "scrapeTimeout": {"type": "string", "pattern": r"^\d+(s|m)$"},
        "authorization": {"type": "object"},
    },
)
SERVICE_MONITOR = strict(
    {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "kind": {"const": "ServiceMonitor"},
        "metadata": METADATA,
        "spec": strict(
            {
                "selector": strict({"matchLabels": LABELS}),
                "endpoints": {"type": "array", "items": ENDPOINT, "minItems": 1},
            }
        ),
    }
)

PREDICTOR = strict(
    {"minReplicas": COUNT, "maxReplicas": COUNT},
    {
        "labels": LABELS,
        "scaleMetric": {"enum": ["cpu", "memory", "concurrency", "rps"]},
        "scaleTarget": {"type": "integer", "minimum": 1, "maximum": 100},
        "deploymentStrategy": {"type": "object"},
    },
)
"""KServe's own fields. scaleTarget: percent, because scaleMetric is cpu."""

INFERENCE_SERVICE = strict(
    {
        "apiVersion": {"const": "serving.kserve.io/v1beta1"},
        "kind": {"const": "InferenceService"},
        "metadata": METADATA,
        "spec": strict({"predictor": PREDICTOR}),
    }
)

KSERVE_FIELDS = set(PREDICTOR["properties"])
"""Fields of a predictor that a pod does not have."""

SCHEMAS = {"ServiceMonitor": SERVICE_MONITOR, "InferenceService": INFERENCE_SERVICE}
