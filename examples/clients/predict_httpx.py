"""Read a digit with httpx (pip install httpx): python predict_httpx.py IMAGE [URL]."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ATTEMPTS = 4
TIMEOUT = 30.0
MAX_WAIT = 20.0


def predict(client: httpx.Client, image: bytes) -> dict[str, Any]:
    """Send a PNG or JPEG file over the client's connection. Returns, for example, `{"digit": 6, "confidence": 0.9823}`.

    Retries 503 after the seconds in Retry-After. Raises RuntimeError with the service's sentence for any other error,
    and httpx.HTTPError if there is no response.
    """
    for attempt in range(1, ATTEMPTS + 1):
        response = client.post("/predict", files={"file": image})
        if response.status_code == 200:
            return dict(response.json())
        if response.status_code != 503 or attempt == ATTEMPTS:
            break
        time.sleep(_wait_seconds(response.headers.get("Retry-After")))
    raise RuntimeError(f"{response.status_code} {_detail(response)}")


def _wait_seconds(retry_after: str | None) -> float:
    """Return the seconds to wait: one second if the header is missing or a date."""
    return min(float(retry_after), MAX_WAIT) if retry_after and retry_after.isdecimal() else 1.0


def _detail(response: httpx.Response) -> str:
    """Return the sentence of an error, or the body itself if a proxy wrote it."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text


def main() -> None:
    """Print the prediction for the image that the command line names."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    url = sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8000"
    key = os.environ.get("API_KEY")
    headers = {"X-API-Key": key} if key else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT) as client:
            print(json.dumps(predict(client, Path(sys.argv[1]).read_bytes())))
    except (OSError, RuntimeError, httpx.HTTPError) as error:
        sys.exit(f"predict_httpx.py: {error}")


if __name__ == "__main__":
    main()
