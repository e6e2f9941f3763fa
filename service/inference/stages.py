"""The time that requests spend in each stage of a prediction."""

import time

from service.metrics.instruments import TIME_BOUNDS, Histogram
from service.metrics.registry import Registry

STAGES = ("memory", "queue", "decode", "preprocess", "inference", "alternatives")
"""memory: waiting for memory. queue: waiting for a batch or a thread. alternatives: of a doubtful first reading."""

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


class StageMetrics:
    """Metrics of predictions. An image of a batch spends the time of the whole batch in each stage."""

    def __init__(self, registry: Registry | None = None) -> None:
        """Declare the metrics. Without a registry they are not exposed."""
        registry = registry or Registry()
        self._seconds = registry.histogram(
            "digit_service_stage_seconds", "Time that an image spends in a stage.", TIME_BOUNDS, "stage", STAGES
        )
        self._batch_sizes = registry.histogram("digit_service_batch_size", "Images per run of the model.", BATCH_SIZES)

    def observe(self, stage: str, seconds: float, images: int = 1) -> None:
        """Count the time that these images spent in a stage."""
        self._seconds.observe(seconds, stage, images)

    def observe_batch(self, images: int) -> None:
        """Count one run of the model."""
        self._batch_sizes.observe(images)

    def start(self, images: int) -> "Laps":
        """Start to time consecutive stages of some images."""
        return Laps(self._seconds, images)


class Laps:
    """Times consecutive stages."""

    def __init__(self, seconds: Histogram, images: int) -> None:
        self._seconds = seconds
        self._images = images
        self._last = time.perf_counter()

    def end(self, stage: str) -> None:
        """Count the time since the last stage ended."""
        now = time.perf_counter()
        self._seconds.observe(now - self._last, stage, self._images)
        self._last = now
