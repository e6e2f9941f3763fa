"""Generate load with wrk: repeat one request, or several bodies in turn, over several connections."""

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
local delay_ms = {delay_ms}
if delay_ms > 0 then delay = function() return delay_ms end end
local bodies, sent = {{}}, 0
for index = 1, {bodies} do
  local file = io.open("{folder}/" .. index, "rb")
  bodies[index] = file:read("*a")
  file:close()
end
wrk.body = bodies[1]
if #bodies > 1 then
  request = function()
    sent = sent + 1
    return wrk.format(nil, nil, nil, bodies[(sent - 1) % #bodies + 1])
  end
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """One load. n: requests answered. rate: requests per second. p50, p99: latency percentiles in milliseconds."""

    n: int
    rate: float
    p50: float
    p99: float


def require_wrk() -> str:
    """Return the path of wrk. Exits with an instruction if it is not installed."""
    return shutil.which("wrk") or sys.exit("make bench: wrk is not installed. Install it (on Debian: apt install wrk).")


def run_load(port: int, request: Request, connections: int, seconds: int, core: int, delay_ms: int = 0) -> Load:
    """Load a server for some seconds. Each connection waits `delay_ms` after a response. Exits if one is not 200."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "load.lua")
        script.write_text(_script(request, folder, delay_ms))
        options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        command = [
            "taskset",
            "--cpu-list",
            str(core),
            require_wrk(),
            *options,
            "--timeout",
            "60s",
            "--script",
            str(script),
        ]
        output = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True
        ).stdout
    result = json.loads(output.splitlines()[-1])
    if result["errors"]:
        sys.exit(f"make bench: {result['errors']} requests of {request.name} failed:\n{output}")
    return Load(result["requests"], result["requests"] / result["seconds"], result["p50"], result["p99"])


def _script(request: Request, folder: str, delay_ms: int) -> str:
    """Write the bodies into a folder, and return the script that sends them."""
    bodies = (request.body, *request.more_bodies)
    for index, body in enumerate(bodies, 1):
        Path(folder, str(index)).write_bytes(body)
    return SCRIPT.format(
        path=request.path, content_type=request.content_type, bodies=len(bodies), folder=folder, delay_ms=delay_ms
    )
