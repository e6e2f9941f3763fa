"""schemathesis, which generates requests from the description, finds nothing wrong with the responses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.service.process.running_service import COMMAND, running_service

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
MAX_EXAMPLES = 10
"""Random requests per route, beside those at the limits of its schema. By default schemathesis sends 100."""

SEED = 1
"""The same requests in every run. By default schemathesis sends others each time."""

KEYS = """
[auth.openapi.bearer]
bearer = "key"

[auth.openapi.apiKey]
api_key = "key"
"""


def run_schemathesis(folder: Path, config: str, options: list[str], settings: dict[str, str]) -> None:
    """Run it against a service, and expect that it finds nothing."""
    path = folder / "schemathesis.toml"
    path.write_text((ROOT / "schemathesis.toml").read_text() + config)
    with running_service(folder / "log", COMMAND, ROOT, None, **settings) as service:
        url = f"http://127.0.0.1:{service.port}/openapi.json"
        command = [str(SCHEMATHESIS), "--config-file", str(path), "run", url, "--seed", str(SEED), "--no-color"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}  # it leaves files in its working directory
        finished = subprocess.run(
            [*command, *options], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "No issues found" in finished.stdout


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Pass all of its checks: statuses, schemas, types and headers of responses; valid data in, invalid data out."""
    run_schemathesis(tmp_path, "", ["--max-examples", str(MAX_EXAMPLES)], {})


@pytest.mark.slow
def test_schemathesis_finds_nothing_with_other_settings(tmp_path: Path) -> None:
    """Pass its checks at the limits of each schema, where a key is needed and limits are low."""
    settings = {"API_KEY": "key", "HEALTH_STATUS": "healthy", "MAX_BATCH": "2", "MAX_UPLOAD_BYTES": "20000"}
    run_schemathesis(tmp_path, KEYS, ["--phases", "examples,coverage"], settings)
