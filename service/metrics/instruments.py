"""Counters, gauges and histograms in shared memory, and their samples."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from service.metrics.shared_values import SharedValues

Labels = tuple[str, ...]

TIME_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of histograms of time, in seconds."""


class Sample(NamedTuple):
    """One line of the exposition. suffix: appended to the metric's name. labels: names and values."""

    suffix: str
    labels: dict[str, str]
    value: float


class Counter:
    """Counts events of all workers, for each of a fixed set of label values. Combinations without events are left out.

    name, description: as exposed. label_names: may be empty. label_values: all combinations that can occur.
    """

    kind = "counter"

    def __init__(
        self,
        values: SharedValues,
        name: str,
        description: str,
        label_names: Labels = (),
        label_values: Sequence[Labels] = ((),),
    ) -> None:
        self.name = name
        self.description = description
        self._values = values
        self._label_names = label_names
        first = values.allocate(len(label_values))
        self._slots = {labels: first + index for index, labels in enumerate(label_values)}

    def increment(self, *labels: str) -> None:
        """Count one event. Raises KeyError if the label values were not declared."""
        self._values.add(self._slots[labels], 1)

    def total(self, *labels: str) -> float:
        """Return the count over all workers."""
        return self._values.total(self._slots[labels])

    def samples(self) -> Iterator[Sample]:
        """Yield one sample per combination of labels with events; without labels, always one."""
        for labels in self._slots:
            total = self.total(*labels)
            if total or not labels:
                yield Sample("", dict(zip(self._label_names, labels, strict=True)), total)


class Gauge:
    """Holds one value per worker, exposed with the label `worker`. A second label is optional; its values are fixed.

    kind: the Prometheus type, gauge or counter.
    """

    def __init__(
        self,
        values: SharedValues,
        name: str,
        description: str,
        label_name: str = "",
        label_values: Sequence[str] = ("",),
        kind: str = "gauge",
    ) -> None:
        self.name = name
        self.description = description
        self.kind = kind
        self._values = values
        self._label_name = label_name
        self._slots = {label: values.allocate(1) for label in label_values}

    def set(self, value: float, label: str = "") -> None:
        """Set the value of this worker."""
        self._values.set(self._slots[label], value)

    def samples(self) -> Iterator[Sample]:
        """Yield one sample per worker and value of the label."""
        for label, slot in self._slots.items():
            labels = {self._label_name: label} if self._label_name else {}
            for worker, value in enumerate(self._values.of_each_worker(slot)):
                yield Sample("", {**labels, "worker": str(worker)}, value)


class Histogram:
    """The distribution of a value over all workers, for each of a fixed set of values of one label, or without one.

    bounds: inclusive upper bounds of the buckets, ascending; a last bucket without a bound follows.
    """

    kind = "histogram"

    def __init__(
        self,
        values: SharedValues,
        name: str,
        description: str,
        bounds: Sequence[float],
        label_name: str = "",
        label_values: Sequence[str] = ("",),
    ) -> None:
        self.name = name
        self.description = description
        self._values = values
        self._bounds = list(bounds)
        self._label_name = label_name
        size = len(bounds) + 2  # buckets, one without a bound, and the sum
        self._first = {label: values.allocate(size) for label in label_values}

    def observe(self, value: float, label: str = "", count: int = 1) -> None:
        """Count `count` observations of a value."""
        first = self._first[label]
        bucket = first + bisect_left(self._bounds, value)
        self._values.add_pair(bucket, count, first + len(self._bounds) + 1, value * count)

    def samples(self) -> Iterator[Sample]:
        """Yield cumulative buckets, sum and count for each value of the label."""
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        for label, first in self._first.items():
            labels = {self._label_name: label} if self._label_name else {}
            totals = list(accumulate(self._values.total(first + index) for index in range(len(bounds))))
            for bound, total in zip(bounds, totals, strict=True):
                yield Sample("_bucket", {**labels, "le": bound}, total)
            yield Sample("_sum", labels, self._values.total(first + len(bounds)))
            yield Sample("_count", labels, totals[-1])


class Info:
    """A constant description, with the value 1, as Prometheus knows no text."""

    kind = "gauge"

    def __init__(self, name: str, description: str, labels: dict[str, str]) -> None:
        self.name = name
        self.description = description
        self._labels = labels

    def samples(self) -> Iterator[Sample]:
        """Yield one sample."""
        yield Sample("", self._labels, 1.0)


Instrument = Counter | Gauge | Histogram | Info
