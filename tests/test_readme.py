"""README and docs state what is measured, configured and returned."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from benchmarks.report import table
from service.inference.stages import STAGES
from service.metrics.process_metrics import ProcessMetrics
from service.metrics.registry import Registry
from service.process.overload import Overload, declare_overload
from service.settings import Settings
from tests.conftest import ROOT, WEIGHTS

README = (ROOT / "README.md").read_text()
TRAINING = (ROOT / "docs" / "training.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
OPERATE = (ROOT / "docs" / "operate.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MODELS = ("cnn-transformer", "cnn")


def document(model: str, name: str) -> dict[str, Any]:
    return dict(json.loads((WEIGHTS / model / name).read_text()))


def source(model: str, name: str) -> dict[str, Any]:
    return dict(document(model, "evaluation.json")["sources"][name])


def mnist(model: str) -> dict[str, Any]:
    return source(model, "MNIST test")


def wild(model: str) -> dict[str, Any]:
    return source(model, "wild")


def file_entry(model: str, name: str) -> dict[str, Any]:
    return dict(document(model, "contract.json")["files"][name])


def with_errors(metrics: dict[str, Any]) -> str:
    return f"{metrics['accuracy']:.2%} ({metrics['images'] - metrics['correct']} errors)"


def megabytes(model: str, name: str) -> str:
    return f"{(WEIGHTS / model / name).stat().st_size / 1e6:.2f} MB"


def auroc(model: str, kinds: str) -> str:
    return f"{document(model, 'evaluation.json')['ood']['auroc'][kinds]:.4f}"


def logit_difference(model: str) -> str:
    return f"{file_entry(model, 'model.onnx')['parity']['worst_logit_difference']:.0e}"


def int8_agreement(model: str) -> str:
    return f"{file_entry(model, 'model.int8.onnx')['parity']['argmax_agreement']['mnist-test']:.2%}"


README_ROWS: dict[str, Callable[[str], str]] = {
    "MNIST test accuracy, n = 10,000": lambda m: f"{mnist(m)['accuracy']:.2%}",
    "accuracy on a development set of other people's images, n = 439, 45 writers": lambda m: (
        f"{wild(m)['accuracy']:.2%}"
    ),
    "calibration error (ECE): MNIST, other people's images": lambda m: f"{mnist(m)['ece']:.2%}, {wild(m)['ece']:.2%}",
    "OOD detection AUROC, without / with look-alikes (O, l, S …)": lambda m: (
        f"{auroc(m, 'all')} / {auroc(m, 'all and look-alikes')}"
    ),
    "largest logit difference, PyTorch to fp32 ONNX": logit_difference,
    "int8/fp32 prediction agreement, MNIST test": int8_agreement,
    "served model file (int8)": lambda m: megabytes(m, document(m, "contract.json")["serves"]),
}

TRAINING_ROWS: dict[str, Callable[[str], str]] = {
    "MNIST test accuracy, n = 10,000": lambda m: with_errors(mnist(m)),
    "wild accuracy, n = 439, 45 writers": lambda m: with_errors(wild(m)),
    "wild accuracy, mean over writers": lambda m: f"{wild(m)['writers_mean']:.2%}",
    "wild photos, n = 87": lambda m: f"{wild(m)['kinds']['photo']['accuracy']:.2%}",
    "ECE, MNIST test": lambda m: f"{mnist(m)['ece']:.2%}",
    "ECE, wild": lambda m: f"{wild(m)['ece']:.2%}",
    "OOD detection AUROC": lambda m: auroc(m, "all"),
    "OOD detection AUROC with look-alikes": lambda m: auroc(m, "all and look-alikes"),
    "largest logit difference, PyTorch to fp32 ONNX": logit_difference,
    "int8/fp32 prediction agreement, MNIST test": int8_agreement,
    "`model.onnx`": lambda m: megabytes(m, "model.onnx"),
    "`model.int8.onnx`": lambda m: megabytes(m, "model.int8.onnx"),
    "parameters": lambda m: f"{document(m, 'training.json')['parameters']:,}",
}


def cells(text: str, row: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.split("|")[2:4]]


@pytest.mark.parametrize("row", README_ROWS)
def test_the_results_in_the_readme_are_the_measured_ones(row: str) -> None:
    """Match the contracts and the evaluations of both models."""
    assert cells(README, row) == [README_ROWS[row](model) for model in MODELS]


@pytest.mark.parametrize("row", TRAINING_ROWS)
def test_the_results_in_the_training_document_are_the_measured_ones(row: str) -> None:
    """Match the contracts, training reports and evaluations of both models."""
    assert cells(TRAINING, row) == [TRAINING_ROWS[row](model) for model in MODELS]


@pytest.mark.parametrize("model", MODELS)
def test_the_reports_belong_to_the_committed_files(model: str) -> None:
    """Match the training report with the checkpoint, and the evaluation with the served file."""
    contract = document(model, "contract.json")
    assert document(model, "training.json")["checkpoint_sha256"] == contract["files"]["model_weights.pth"]["sha256"]
    assert document(model, "evaluation.json")["file_sha256"] == contract["files"][contract["serves"]]["sha256"]


def test_the_first_command_gives_the_response_that_the_readme_shows(client: TestClient) -> None:
    """Post the image of the first curl command; the last decimals may depend on the processor."""
    match = re.search(r"curl -F file=@(\S+) http://localhost:8000/predict\n```\n\n```json\n(.+)\n", README)
    assert match
    with (ROOT / match[1]).open("rb") as file:
        prediction = client.post("/predict", files={"file": file}).json()
    shown = json.loads(match[2])
    assert prediction["digit"] == shown["digit"]
    assert prediction["confidence"] == pytest.approx(shown["confidence"], abs=2e-3)


@pytest.mark.parametrize("document", [README, API], ids=["README.md", "api.md"])
def test_the_tables_of_routes_are_complete(document: str, client: TestClient) -> None:
    """List every route of the app with its method, and no other. The README leaves out those below /v2."""
    app = client.app
    assert isinstance(app, Starlette)
    routes = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route) and route.include_in_schema
        for method in (route.methods or set()) - {"HEAD"}
        if document == API or not route.path.startswith("/v2/")
    }
    assert set(re.findall(r"^\| `(GET|POST) (/[^` ]*)` \|", document, re.MULTILINE)) == routes


def test_the_shortened_response_of_model_is_that_of_the_committed_model(client: TestClient) -> None:
    """Match each value that docs/api.md shows of `/model`. A hash may be shortened to its start."""
    match = re.search(r"`GET /model`, shortened:\n\n```json\n(.+?)```", API, re.DOTALL)
    assert match
    assert_shown(json.loads(match[1]), client.get("/model").json())


def assert_shown(shown: dict[str, Any], whole: dict[str, Any]) -> None:
    """Match the part of a document that is shown."""
    for name, value in shown.items():
        if isinstance(value, dict):
            assert_shown(value, whole[name])
        elif isinstance(value, str):
            assert whole[name].startswith(value.removesuffix("…"))
        else:
            assert value == whole[name]


def test_the_benchmark_table_is_that_of_the_measurements() -> None:
    """Format `benchmarks/results.json` as `benchmarks/results.md` has it."""
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text())
    assert table(results) == (ROOT / "benchmarks" / "results.md").read_text()


@pytest.mark.parametrize("document", [API, OPERATE], ids=["api.md", "operate.md"])
def test_every_metric_that_a_document_names_exists(document: str, client: TestClient) -> None:
    """Find each name in `/metrics`, and each stage of an image in the API's table."""
    of_process = Registry()
    ProcessMetrics(of_process)
    declare_overload(of_process, Overload(1))
    metrics = client.get("/metrics").text + of_process.expose()
    names = set(re.findall(r"^(?:# TYPE )?(\w+)", metrics, re.MULTILINE))
    assert set(re.findall(r"\b(?:digit_service|process)_[a-z_]+\b", document)) <= names
    if document == API:
        (row,) = re.findall(r"^\| `digit_service_stage_seconds` .*$", document, re.MULTILINE)
        assert [stage for stage in STAGES if f"`{stage}`" not in row] == []


def test_the_shown_model_is_the_served_one(client: TestClient) -> None:
    """Show an excerpt of `GET /model`."""
    match = re.search(r"^## Model\n.*?```json\n(.*?)```", API, re.DOTALL | re.MULTILINE)
    assert match
    shown, model = json.loads(match[1]), client.get("/model").json()
    assert model["sha256"].startswith(shown.pop("sha256").rstrip("…"))
    agreement = shown["parity"].pop("argmax_agreement")
    assert agreement.items() <= model["parity"].pop("argmax_agreement").items()
    assert shown.pop("parity").items() <= model["parity"].items()
    assert shown.items() <= model.items()


def test_the_table_of_settings_is_complete() -> None:
    """List every setting with its default, and no other."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", CONFIGURATION, re.MULTILINE))
    defaults = Settings()
    assert set(rows) == {name.upper() for name in Settings.__dataclass_fields__}
    for name, shown in rows.items():
        value = getattr(defaults, name.lower())
        if name == "WEIGHTS_DIR":
            assert value == ROOT / shown
        elif isinstance(value, int | float):
            assert float(shown) == value
        else:
            assert shown == (",".join(value) or "none" if isinstance(value, tuple) else value)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(path: Path) -> None:
    """Resolve each relative link of a document."""
    links = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text())
    missing = [link for link in links if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_module_that_a_document_names_exists(path: Path) -> None:
    """Find each named Python file in the checkout, or in `service/` as docs/architecture.md shortens it."""
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", path.read_text())
    missing = [name for name in named if not (ROOT / name).exists() and not (ROOT / "service" / name).exists()]
    assert missing == []
