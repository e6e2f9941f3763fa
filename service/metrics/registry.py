"""The registry: every metric of the service, declared beside the code that measures it."""

from collections.abc import Callable, Sequence

from service.metrics.exposition import render
from service.metrics.instruments import Counter, Gauge, Histogram, Info, Instrument, Labels
from service.metrics.shared_values import SharedValues


class Registry:
    """Creates metrics, and exposes them.

    Create it, and declare all metrics, before the workers are forked. prometheus_client is not used: see
    docs/performance.md.
    """

    def __init__(self, workers: int = 1) -> None:
        self._values = SharedValues(workers)
        self._instruments: list[Instrument] = []
        self._refreshers: list[Callable[[], None]] = []

    def counter(
        self, name: str, description: str, label_names: Labels = (), label_values: Sequence[Labels] = ((),)
    ) -> Counter:
        """Declare a counter. label_values: all combinations that can occur."""
        counter = Counter(self._values, name, description, label_names, label_values)
        self._instruments.append(counter)
        return counter

    def gauge(
        self,
        name: str,
        description: str,
        label_name: str = "",
        label_values: Sequence[str] = ("",),
        kind: str = "gauge",
    ) -> Gauge:
        """Declare a gauge, whose label `worker` is added."""
        gauge = Gauge(self._values, name, description, label_name, label_values, kind)
        self._instruments.append(gauge)
        return gauge

    def histogram(
        self,
        name: str,
        description: str,
        bounds: Sequence[float],
        label_name: str = "",
        label_values: Sequence[str] = ("",),
    ) -> Histogram:
        """Declare a histogram. bounds: inclusive upper bounds of its buckets, ascending."""
        histogram = Histogram(self._values, name, description, bounds, label_name, label_values)
        self._instruments.append(histogram)
        return histogram

    def info(self, name: str, description: str, labels: dict[str, str]) -> None:
        """Declare a constant description."""
        self._instruments.append(Info(name, description, labels))

    def on_refresh(self, refresher: Callable[[], None]) -> None:
        """Call `refresher`, which sets gauges, every second and before each exposition."""
        self._refreshers.append(refresher)

    def use_worker(self, worker: int) -> None:
        """Count as this worker from now on, 0 to workers - 1. Call it after the fork."""
        self._values.use_row(worker)

    def refresh(self) -> None:
        """Bring the gauges of this worker up to date."""
        for refresher in self._refreshers:
            refresher()

    def expose(self) -> str:
        """Return the metrics of all workers in Prometheus's text format."""
        self.refresh()
        return render(self._instruments)
