"""Metrics are exposed as Prometheus reads them, and summed over workers. Its own parser is the oracle."""

import os
import threading
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.metrics.registry import Registry
from service.metrics.shared_values import ROW_SLOTS, SharedValues


def samples(registry: Registry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Parse the exposition: name and sorted labels to value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(registry.expose())
        for sample in family.samples
    }


def in_child(work: Callable[[], None]) -> None:
    """Do work in a forked process, and wait for its end."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_counter_counts_each_combination_of_labels() -> None:
    """Expose the combinations with events, and none without."""
    registry = Registry()
    counter = registry.counter("x_total", "Events.", ("route", "status"), [("/a", "200"), ("/a", "400"), ("/b", "200")])
    counter.increment("/a", "200")
    counter.increment("/a", "200")
    counter.increment("/b", "200")
    assert samples(registry) == {
        ("x_total", (("route", "/a"), ("status", "200"))): 2,
        ("x_total", (("route", "/b"), ("status", "200"))): 1,
    }


def test_counter_without_labels_starts_at_zero() -> None:
    """Expose a counter without events, so that its rate is known from the start."""
    registry = Registry()
    registry.counter("x_total", "Events.")
    assert samples(registry) == {("x_total", ()): 0}


def test_undeclared_label_is_an_error() -> None:
    """Raise KeyError for label values that were not declared."""
    counter = Registry().counter("x_total", "Events.", ("route",), [("/a",)])
    with pytest.raises(KeyError):
        counter.increment("/b")


@pytest.mark.parametrize(
    ("value", "buckets"),
    [(0.5, [1, 1, 1]), (1.0, [1, 1, 1]), (1.1, [0, 1, 1]), (2.0, [0, 1, 1]), (2.1, [0, 0, 1])],
)
def test_histogram_buckets_are_cumulative_with_inclusive_bounds(value: float, buckets: list[int]) -> None:
    """Count a value in every bucket whose bound is at least the value."""
    registry = Registry()
    registry.histogram("x", "Values.", (1, 2)).observe(value)
    exposed = samples(registry)
    assert [exposed["x_bucket", (("le", bound),)] for bound in ("1", "2", "+Inf")] == buckets
    assert (exposed["x_sum", ()], exposed["x_count", ()]) == (value, 1)


def test_histogram_counts_several_observations_at_once() -> None:
    """Count one value for each image of a batch, under its label only."""
    registry = Registry()
    registry.histogram("x", "Values.", (1,), "stage", ("a", "b")).observe(0.25, "a", count=4)
    exposed = samples(registry)
    assert (exposed["x_sum", (("stage", "a"),)], exposed["x_count", (("stage", "a"),)]) == (1.0, 4)
    assert exposed["x_count", (("stage", "b"),)] == 0


def test_workers_are_summed_in_counters_and_kept_apart_in_gauges() -> None:
    """Expose from one worker what all of them count, also after a worker is replaced."""
    registry = Registry(workers=2)
    counter, gauge = registry.counter("x_total", "Events."), registry.gauge("g", "Level.")

    def work() -> None:
        registry.use_worker(1)
        counter.increment()
        gauge.set(7)

    counter.increment()
    gauge.set(5)
    in_child(work)
    in_child(work)
    assert samples(registry) == {("x_total", ()): 3, ("g", (("worker", "0"),)): 5, ("g", (("worker", "1"),)): 7}


def test_gauges_are_refreshed_before_they_are_exposed() -> None:
    """Call each refresher before an exposition."""
    registry = Registry()
    gauge = registry.gauge("g", "Level.", "pool", ("a", "b"))
    registry.on_refresh(lambda: gauge.set(3, "b"))
    assert samples(registry)["g", (("pool", "b"), ("worker", "0"))] == 3


def test_label_values_are_escaped() -> None:
    """Expose quotes, backslashes and line ends so that Prometheus reads them back."""
    registry = Registry()
    registry.info("x_info", "Text.", {"name": 'a"b\\c\nd'})
    assert samples(registry) == {("x_info", (("name", 'a"b\\c\nd'),)): 1}


def test_threads_lose_no_event() -> None:
    """Count every event of four threads."""
    registry = Registry()
    counter = registry.counter("x_total", "Events.")

    def count() -> None:
        for _ in range(20_000):
            counter.increment()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.total() == 80_000


def test_row_cannot_overflow() -> None:
    """Raise ValueError if more slots are declared than a row has."""
    values = SharedValues()
    assert values.allocate(ROW_SLOTS) == 0
    with pytest.raises(ValueError, match="Raise ROW_SLOTS"):
        values.allocate(1)
