"""Read a digit with Python's standard library: python predict_urllib.py IMAGE [URL]."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ATTEMPTS = 4
TIMEOUT = 30.0
MAX_WAIT = 20.0


def predict(image: bytes, url: str = "http://localhost:8000") -> dict[str, Any]:
    """Send a PNG or JPEG file. Returns, for example, `{"digit": 6, "confidence": 0.9823}`.

    Retries 503 after the seconds in Retry-After. Raises RuntimeError with the service's sentence for any other error,
    and OSError if there is no response within TIMEOUT seconds.
    """
    headers = {"Content-Type": "application/octet-stream"}  # the service judges by the bytes
    if key := os.environ.get("API_KEY"):
        headers["X-API-Key"] = key
    request = urllib.request.Request(f"{url.rstrip('/')}/predict", image, headers)  # noqa: S310
    for attempt in range(1, ATTEMPTS + 1):
        status, body, retry_after = _send(request)
        if status == 200:
            return dict(json.loads(body))
        if status != 503 or attempt == ATTEMPTS:
            break
        time.sleep(_wait_seconds(retry_after))
    raise RuntimeError(f"{status} {_detail(body)}")


def _send(request: urllib.request.Request) -> tuple[int, bytes, str | None]:
    """Return status, body and Retry-After of the response."""
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        response = error  # it is the response, too
    with response:
        return response.status, response.read(), response.headers.get("Retry-After")


def _wait_seconds(retry_after: str | None) -> float:
    """Return the seconds to wait: one second if the header is missing or a date."""
    return min(float(retry_after), MAX_WAIT) if retry_after and retry_after.isdecimal() else 1.0


def _detail(body: bytes) -> str:
    """Return the sentence of an error, or the body itself if a proxy wrote it."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")


def main() -> None:
    """Print the prediction for the image that the command line names."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        print(json.dumps(predict(Path(sys.argv[1]).read_bytes(), *sys.argv[2:3])))
    except (OSError, RuntimeError) as error:
        sys.exit(f"predict_urllib.py: {error}")


if __name__ == "__main__":
    main()
