"""Findings 1 to 4, 9 to 11, 19 and 22: crafted images, documents and forms."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

from tests.hostile.documents import DOCUMENTS
from tests.hostile.findings.observation import Observation, Outcome, observed, worst
from tests.hostile.forms import CONTENT_TYPE, FORMS
from tests.hostile.jpegs import JPEGS
from tests.hostile.pngs import PNGS, Generators
from tests.images import DIGIT
from tests.service.process.connection import POST, Connection
from tests.service.process.running_service import PNG, Service
from tests.soak.traffic import form, post

ATTEMPTS = 3
"""The best one counts: other programs may take the processor during one."""

NEIGHBORS = 15
"""Good requests that arrive together with a crafted one, and images in one batch with it."""

NO_PLTE = tuple(f"{depth}-bit palette without PLTE" for depth in (1, 2, 4, 8))
BAD_COLORS = (
    *("tRNS on 8-bit gray", "tRNS on RGB", "tRNS on 1-bit gray", "tRNS on 16-bit gray"),
    *NO_PLTE,
    "palette index beyond its end",
)
SCANS = tuple(f"{kind} in three scans, 9400 x 9400" for kind in ("sequential", "baseline", "arithmetic", "lossless"))
MANY_SCANS = ("progressive, 400 scans, cheap", "progressive, 8,000 scans")
COMBS = tuple(f"mask: comb, {shape}" for shape in ("tall", "very tall", "wide", "full", "cheap"))
ROWS = ("one row", "one column", "one row of noise", "one column of noise", "twenty columns of noise")
MANY_ROWS = ("one row of 9.7 million", "one column of 9.7 million")
TEXTS = ("63 iTXt chunks of emoji", "iTXt chunks that inflate")
LONG_DOCUMENTS = ("empty lists", "empty objects", "keys", "image keys", "UTF-16", "UTF-32")
SEGMENTS = ("APP1", "empty APP1", "fill bytes", "ICC profile", "COM", "empty COM")

BOTH = ("/predict", "/predict-number")

observations: list[Observation] = []
"""One per crafted upload of this run."""


def images(files: Generators, names: Iterable[str], *paths: str) -> dict[str, bytes]:
    """Write requests with each of these files to each path."""
    contents = {name: files[name]() for name in names}
    return {f"{name} to {path}": post(path, "", file) for path in paths for name, file in contents.items()}


def answer_each(service: Service, requests: Mapping[str, bytes], statuses: tuple[int, ...] = (200, 400)) -> Outcome:
    """Send each request alone: it must get one of these statuses, within the bars."""
    results = {name: _measure(service, request) for name, request in requests.items()}
    observations.extend(observation for _, observation in results.values())
    bad = [
        f"{name}: {status} after {observation}"
        for name, (status, observation) in results.items()
        if status not in statuses or not observation.holds
    ]
    counts = Counter(status for status, _ in results.values())
    summary = ", ".join(f"{count} x {status}" for status, count in sorted(counts.items()))
    most = worst(observation for _, observation in results.values())
    return Outcome(not bad, "; ".join([f"{summary}, at most {most}", *bad]))


def _measure(service: Service, request: bytes) -> tuple[int, Observation]:
    """Return the status of the response, and the observation."""
    for _ in range(ATTEMPTS):
        with Connection(service.port) as connection, observed(service) as observation:
            status = connection.ask(request).status
        if observation.holds:
            break
    return status, observation


def spare_neighbors(service: Service) -> Outcome:
    """Send each crafted picture beside good ones: in one iteration of the event loop, and in one batch."""
    alone = answer_each(service, images(PNGS, BAD_COLORS, *BOTH))
    wrong = sum(_wrong_neighbors(service, PNGS[name]()) for name in BAD_COLORS)
    total = 2 * NEIGHBORS * len(BAD_COLORS)
    return Outcome(alone.holds and not wrong, f"{alone.now}; {wrong} of {total} good images beside them failed")


def _wrong_neighbors(service: Service, file: bytes) -> int:
    """Return how many good images were not read beside a crafted one."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(service.port)) for _ in range(NEIGHBORS + 1)]
        for index, connection in enumerate(connections):
            connection.send(POST if index else post("/predict", "", file))
        together = [connection.receive().content.get("digit") for connection in connections][1:]
        batch = post("/predict-batch", CONTENT_TYPE, form("files", file, *[PNG] * NEIGHBORS))
        results = connections[0].ask(batch).content["predictions"][1:]
    digits = [*together, *(result.get("digit") for result in results)]
    return 2 * NEIGHBORS - digits.count(DIGIT)


def read_every_file_name(service: Service) -> Outcome:
    """Send forms whose file names end in or consist of backslashes: the digit must be read."""
    names = [name for name in FORMS if "backslash" in name and name.startswith("file name")]
    return answer_each(service, {name: post("/predict", CONTENT_TYPE, FORMS[name]()) for name in names}, (200,))


def _documents() -> dict[str, bytes]:
    names = [*(f"{kind} of 9.9 MB" for kind in LONG_DOCUMENTS), "base64 with blanks", "base64 with line breaks"]
    return {name: post("/predict-base64", "application/json", DOCUMENTS[name]()) for name in names}


def _segments() -> dict[str, bytes]:
    chunks = ("empty chunks of 9.9 MB", "private chunks of 9.9 MB", "1,000 iCCP chunks", "iCCP that inflates")
    jpegs = images(JPEGS, [f"{kind} of 9.9 MB" for kind in SEGMENTS], "/predict")
    return {**jpegs, **images(PNGS, chunks, "/predict")}


CHECKS: dict[int, Callable[[Service], Outcome]] = {
    1: spare_neighbors,
    2: lambda service: answer_each(service, images(JPEGS, SCANS, *BOTH)),
    3: lambda service: answer_each(service, images(JPEGS, MANY_SCANS, *BOTH)),
    4: lambda service: answer_each(service, images(PNGS, COMBS, *BOTH)),
    9: lambda service: answer_each(service, images(PNGS, (*ROWS, *MANY_ROWS), *BOTH)),
    10: lambda service: answer_each(service, images(PNGS, TEXTS, *BOTH)),
    11: lambda service: answer_each(service, _documents()),
    19: lambda service: answer_each(service, _segments()),
    22: read_every_file_name,
}
