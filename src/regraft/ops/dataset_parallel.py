"""Datasets whose functions run in several threads at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from regraft.base.dtypes import DType
from regraft.base.errors import CancelledError, OpError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef
from regraft.opkit.datasets import Dataset, Element, Mapped, Run, dataset_op, integer
from regraft.opkit.threads import at_a_time

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]

# Calls are timed one by one so many times; threads pay where one takes this long.
_TIMED = 4
_WORTH_SECONDS = 5e-4


class _ParallelMapped(Mapped):
    """The results of a pure function on each element, in order, made by threads once it shows that calls take long."""

    def __init__(self, input_dataset: Dataset, function: Any, threads: int, run: Run) -> None:
        super().__init__(input_dataset, function, run)
        self._run, self._threads = run, threads
        self._calls, self._seconds = 0, 0.0
        self._pool: ThreadPoolExecutor | None = None
        self._underway: deque[Future[list[Any]]] = deque()

    def some(self, most: int) -> list[Element]:
        if self._pool is None and (self._ready or not self._begins()):
            return super().some(most)
        try:
            return [tuple(self._following())]
        except (OutOfRangeError, StopIteration):
            return []

    def results(self, elements: Sequence[Element]) -> Sequence[Sequence[Any] | OpError]:
        started = time.perf_counter()
        results = super().results(elements)
        self._seconds = (time.perf_counter() - started) / len(elements)
        self._calls += len(elements)
        return results

    def _begins(self) -> bool:
        """Whether calls take long enough for threads; then there are some."""
        if self._calls < _TIMED or self._seconds < _WORTH_SECONDS:
            return False
        self._pool = ThreadPoolExecutor(self._threads, "regraft-map")
        self._run.on_close(self._close)
        return True

    def _following(self) -> list[Any]:
        pool = self._pool
        if pool is None or self._run.cancelled.is_set():
            raise CancelledError("the iterator was closed")
        while len(self._underway) < 2 * self._threads:
            element = next(self._input, None)
            if element is None:
                break
            self._underway.append(pool.submit(self._function, self._run.scope, *element))
        if not self._underway:
            pool.shutdown()
            self._run.forget(self._close)
            raise StopIteration
        return self._underway.popleft().result()

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@dataset_op("ParallelMapDataset", "ParallelMapDatasetV2")
def parallel_map_dataset(
    input_dataset: Any,
    other_arguments: tuple[Any, ...],
    num_parallel_calls: Any,
    *,
    f: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """f(*element, *other_arguments) for each element, in order.

    Up to `num_parallel_calls` threads, but no more than operations may run at a time, call a function without effects
    that draws no random numbers; another is called by one.
    """
    calls, most = integer(num_parallel_calls, "num_parallel_calls"), at_a_time()
    threads = most if calls < 1 else min(calls, most)
    function = functions.bind(f, other_arguments)

    def start(run: Run) -> Iterator[Element]:
        if function.pure and threads > 1:
            return _ParallelMapped(input_dataset, function, threads, run)
        return Mapped(input_dataset, function, run)

    return Dataset(start, output_types, output_shapes, input_dataset.size)
