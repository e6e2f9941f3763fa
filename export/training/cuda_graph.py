"""Replay a step of training as a CUDA graph: a network this small computes faster than Python launches its kernels."""

import gc
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from export.training.device_dataset import DEVICE

WARM_UP = 3
"""Steps before the capture, in which PyTorch and its libraries allocate what they keep."""

Step = Callable[..., Tensor]
"""Takes the tensors of a batch, and returns the loss."""


class CudaGraph:
    """Runs a step. On a GPU, the fourth call captures it as a graph, and later calls replay the graph.

    All batches must have one shape. Only tensors may change between calls: a number, such as a learning rate, would
    keep the value of the capture.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch: list[Tensor] = []
        self._loss = torch.empty(0)

    def __call__(self, *batch: Tensor) -> Tensor:
        """Run the step on a batch. Returns the loss."""
        if DEVICE.type != "cuda":
            return self._step(*batch)
        self._calls += 1
        if self._calls <= WARM_UP:
            return self._run_beside(batch)
        if self._graph is None:
            self._graph = self._capture(batch)
        for place, tensor in zip(self._batch, batch, strict=True):
            place.copy_(tensor)
        self._graph.replay()
        return self._loss.clone()

    def _run_beside(self, batch: Sequence[Tensor]) -> Tensor:
        """Run the step on a stream of its own, as the capture will."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            loss = self._step(*batch)
        torch.cuda.current_stream().wait_stream(stream)
        return loss

    def _capture(self, batch: Sequence[Tensor]) -> torch.cuda.CUDAGraph:
        """Record the step without running it."""
        gc.collect()  # a graph of an earlier run that is freed during the capture would end it with an error
        self._batch = [tensor.clone() for tensor in batch]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._loss = self._step(*self._batch)
        return graph
