"""The service carries nothing that it does not need, and phones nobody."""

import os
import re
import subprocess
import sys

from tests.conftest import ROOT

ALL_ROOMS = "import service.__main__, sys; "


def run(program: str, **environ: str) -> str:
    """What a fresh interpreter prints."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


def test_serving_imports_no_torch_onnx_or_export() -> None:
    """The arrow from export to service never turns round."""
    loaded = run(ALL_ROOMS + "print(*sorted({name.partition('.')[0] for name in sys.modules}))").split()
    assert {"service", "onnxruntime", "starlette", "uvicorn", "PIL", "numpy"} <= set(loaded)
    assert not {"torch", "onnx", "export", "onnxscript", "tests", "examples"} & set(loaded)


def test_every_package_that_serving_installs_is_imported() -> None:
    """With the parser that uvicorn chooses when it starts."""
    loaded = set(run(ALL_ROOMS + "import uvicorn.protocols.http.auto; print(*sys.modules)").split())
    locked = re.findall(r"^([a-z-]+)==", (ROOT / "requirements-serve.txt").read_text(), re.MULTILINE)
    assert len(locked) == 9
    for package in locked:
        assert {"pillow": "PIL"}.get(package, package.replace("-", "_")) in loaded


SPY = """
import os, sys
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Spy())
"""


def test_telemetry_is_off_before_onnxruntime_is_imported() -> None:
    """Its first event is sent during the import, so a later call would come too late."""
    assert run(SPY + ALL_ROOMS) == "1"


def test_telemetry_cannot_be_turned_on_from_outside() -> None:
    """A container's environment may say otherwise."""
    assert run(SPY + ALL_ROOMS, ORT_DISABLE_TELEMETRY="0") == "1"


def test_the_errors_import_nothing_of_ours() -> None:
    """The bottom of the house."""
    assert run("import sys, service.errors; print(*[name for name in sys.modules if name.startswith('service.')])") == (
        "service.errors"
    )
