"""Run `digit-predict` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch

from service.cli.arguments import parse_arguments
from service.cli.run import run as run_command
from tests.conftest import ROOT
from tests.images import SEVEN, encode, line_of
from tests.service.process.running_service import TIMEOUT

COMMAND = [sys.executable, "-m", "service.cli"]
PNG = encode(SEVEN)
NUMBER = encode(line_of("407"))


def start(*arguments: str | Path, cwd: Path = ROOT, **streams: Any) -> "subprocess.Popen[bytes]":
    """Start the command."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, env=environment(), **streams)


def run(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path = ROOT, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    finished = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**environment(), **(environ or {})},
        input=stdin,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    output, errors = finished.stdout.decode(), finished.stderr.decode()
    assert "Traceback" not in errors, errors
    return subprocess.CompletedProcess(finished.args, finished.returncode, output, errors)


def environment() -> dict[str, str]:
    """Return the environment in which the checkout's packages are imported from any folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_here(
    *arguments: str | Path, cwd: Path = ROOT, environ: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Run the command with --json in this process, which starts faster, and return its rows."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    output = TextIOWrapper(BytesIO())
    try:
        with chdir(cwd), redirect_stdout(output), redirect_stderr(StringIO()), patch.dict(os.environ, environ or {}):
            status = run_command(parse_arguments(["--json", *map(str, arguments)]))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    output.seek(0)
    found = [json.loads(line) for line in output]
    assert status == (1 if any(row["error"] for row in found) else 0)
    return found


def errors(*arguments: str | Path, **options: Any) -> dict[str, str | None]:
    """Run the command in this process, and return the error of each file."""
    return {row["file"]: row["error"] for row in run_here(*arguments, **options)}
