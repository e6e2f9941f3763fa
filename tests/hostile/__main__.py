"""Measure every crafted upload: `python -m tests.hostile [--json]` prints its result, time and memory."""

import ctypes
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor
from service.settings import Settings
from service.web import form, json_image
from service.web.openinference_request import parse_request
from tests.hostile.documents import DOCUMENTS
from tests.hostile.forms import FORMS
from tests.hostile.inferences import INFERENCES
from tests.hostile.jpegs import JPEGS
from tests.hostile.pngs import PNGS, Generators
from tests.images import SEVEN, encode

Handler = Callable[[Buffer], object]

CHUNK_BYTES = 65_536
"""Longer bodies arrive in several pieces, and so in a bytearray."""

_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Measurement:
    """What one upload took. seconds: of processor time. megabytes: growth of the peak memory of the process."""

    kind: str
    name: str
    size: int
    seconds: float
    megabytes: float
    result: str


def main() -> None:
    """Print one line per upload, or all of them as JSON."""
    measurements = list(measure_all())
    if "--json" in sys.argv:
        print(json.dumps([asdict(measurement) for measurement in measurements]))
        return
    for m in measurements:
        print(f"{m.kind:9} {m.name:55} {m.size:9} B {m.seconds:7.3f} s {m.megabytes:6.1f} MB  {m.result[:80]}")


def measure_all() -> Iterator[Measurement]:
    """Measure each image, form, document and inference request with the real model."""
    settings = Settings()
    predictor = Predictor(
        Classifier(Contract.verify(settings.weights_dir / settings.model)), settings.max_decoded_bytes
    )
    kinds: dict[str, tuple[Generators, Handler]] = {
        "PNG": (PNGS, predictor.predict),
        "JPEG": (JPEGS, predictor.predict),
        "form": (FORMS, lambda body: form.find_image(b"b", body, "file")),
        "document": (DOCUMENTS, lambda body: json_image.decode(body, "image")),
        "inference": (INFERENCES, lambda body: parse_request(body, "", settings.max_batch)),
    }
    for file_format in ("PNG", "JPEG"):
        predictor.predict(encode(SEVEN, file_format))  # the first ones load code
    for kind, (generators, handle) in kinds.items():
        for name, generate in generators.items():
            yield measure(kind, name, generate(), handle)


def measure(kind: str, name: str, upload: bytes, handle: Handler) -> Measurement:
    """Measure one upload."""
    body = bytearray(upload) if len(upload) > CHUNK_BYTES else upload
    del upload
    _libc.malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    size, before, started = len(body), memory("VmRSS"), time.thread_time()
    try:
        result = type(handle(body)).__name__
    except RequestError as error:
        result = str(error)
    seconds, megabytes = time.thread_time() - started, (memory("VmHWM") - before) / 1e6
    return Measurement(kind, name, size, seconds, megabytes, result)


def memory(key: str) -> int:
    """Return a number of bytes from this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


if __name__ == "__main__":
    main()
