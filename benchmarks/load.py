"""wrk repeats one request over some connections and tells how fast the answers come."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.payloads import Request

SCRIPT = """
wrk.method, wrk.path = "POST", "{path}"
wrk.headers["Content-Type"] = "{content_type}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """n requests were answered, so many a second; p50 and p99 in milliseconds."""

    n: int
    rate: float
    p50: float
    p99: float


def put(port: int, request: Request, connections: int, seconds: int, core: int) -> Load:
    """Load a server for some seconds. Exits where an answer was not 200."""
    wrk = shutil.which("wrk") or sys.exit("make bench: wrk is not installed. Install it (on Debian: apt install wrk).")
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder, "body"), Path(folder, "load.lua")
        body.write_bytes(request.body)
        script.write_text(SCRIPT.format(path=request.path, content_type=request.content_type, body=body))
        options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        command = ["taskset", "--cpu-list", str(core), wrk, *options, "--timeout", "60s", "--script", str(script)]
        output = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True
        ).stdout
    found = json.loads(output.splitlines()[-1])
    if found["errors"]:
        sys.exit(f"make bench: {found['errors']} requests of {request.name} failed:\n{output}")
    return Load(found["requests"], found["requests"] / found["seconds"], found["p50"], found["p99"])
