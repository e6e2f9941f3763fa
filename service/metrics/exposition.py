"""The text format of Prometheus, version 0.0.4."""

from collections.abc import Iterable, Iterator

from service.metrics.instruments import Instrument, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(instruments: Iterable[Instrument]) -> str:
    """Render the metrics of all workers."""
    return "".join(f"{line}\n" for instrument in instruments for line in _lines(instrument))


def _lines(instrument: Instrument) -> Iterator[str]:
    yield f"# HELP {instrument.name} {instrument.description}"
    yield f"# TYPE {instrument.name} {instrument.kind}"
    for sample in instrument.samples():
        yield f"{instrument.name}{sample.suffix}{_labels(sample)} {sample.value:.17g}"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    pairs = (f'{name}="{_escape(value)}"' for name, value in sample.labels.items())
    return f"{{{','.join(pairs)}}}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
