"""Accumulators of gradients between threads, as the ops of `ops/accumulators.py` keep them in a session.

Whoever wants the average waits until enough gradients came. Gradients that were computed before the last average was
taken are stale, and dropped.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import CancelledError, InvalidArgumentError, OpError
from regraft.base.shapes import TensorShape
from regraft.opkit.waiting import Attempt

KIND = "accumulator"


class _Take(Attempt):
    """Takes the average of at least `count` gradients."""

    __slots__ = ("count",)

    def __init__(self, withdrawn: Any, count: int) -> None:
        super().__init__(withdrawn)
        self.count = count


class Accumulator:
    """Sums dense gradients.

    shape    of a gradient, as far as it is known
    average  give the mean, not the sum
    """

    def __init__(self, name: str, dtype: DType, shape: TensorShape, average: bool) -> None:
        self.name = name
        self.dtype = dtype.base
        self.shape = shape
        self.average = average
        self._step = 0
        self._count = 0
        self._lock = threading.Lock()
        self._line: deque[_Take] = deque()
        self._over = False
        self._sum: np.ndarray[Any, Any] = np.zeros(())

    def apply(self, step: int, gradient: Any) -> None:
        """Add a gradient that was computed at `step`, unless it is stale."""
        with self._lock:
            if step >= self._step:
                self._add(gradient)
                self._count += 1
                self._serve()

    def take(self, count: int) -> Attempt:
        """The average as soon as `count` gradients came. InvalidArgumentError for a count below 1."""
        if count < 1:
            raise InvalidArgumentError(f"Argument num_required must be positive, got {count}")
        attempt = _Take(self._withdraw, count)
        with self._lock:
            if self._over:
                attempt.fail(CancelledError("TakeGrad operation was cancelled"))
                return attempt
            self._line.append(attempt)
            self._serve()
        return attempt

    def set_global_step(self, step: int) -> None:
        """Make gradients from before this step stale."""
        with self._lock:
            self._step = step

    def count(self) -> int:
        """How many gradients came since the last average."""
        with self._lock:
            return self._count

    def close_session(self) -> None:
        """End all that wait, and all that comes, with CancelledError."""
        with self._lock:
            self._over = True
            while self._line:
                self._line.popleft().fail(CancelledError("TakeGrad operation was cancelled"))

    def _withdraw(self, attempt: Any, error: OpError) -> None:
        with self._lock:
            if attempt not in self._line:
                return
            self._line.remove(attempt)
        attempt.fail(error)

    def _serve(self) -> None:
        while self._line and self._count >= self._line[0].count:
            self._step += 1
            result = self._result()
            self._count = 0
            self._line.popleft().succeed(result)

    # How gradients are kept

    def _add(self, gradient: Any) -> None:
        array = np.asarray(gradient)
        known = self.shape if self._count == 0 else TensorShape(self._sum.shape)
        if not known.is_compatible_with(TensorShape(array.shape)):
            raise InvalidArgumentError(f"Shape mismatch: expected {known}, got {TensorShape(array.shape)}")
        self._sum = array + self._sum if self._count else array.copy()

    def _result(self) -> Any:
        return self._sum / self.dtype.numpy.type(self._count) if self.average else self._sum


class SparseAccumulator(Accumulator):
    """Sums gradients of rows: (indices in rising order, rows, shape of the whole or nothing).

    The mean of a row is over the gradients that have the row.
    """

    def _add(self, gradient: Any) -> None:
        indices, values = (np.asarray(part) for part in gradient[:2])
        self._check(indices, values, gradient[2])
        ones = np.ones(len(indices), np.int64)
        if not self._count:
            self._indices, self._rows, self._seen = indices.copy(), values.copy(), ones
            return
        both = np.concatenate([self._indices, indices])
        unique, place = np.unique(both, return_inverse=True)
        rows = np.zeros((len(unique), *values.shape[1:]), values.dtype)
        np.add.at(rows, place, np.concatenate([self._rows, values]))
        seen = np.zeros(len(unique), np.int64)
        np.add.at(seen, place, np.concatenate([self._seen, ones]))
        self._indices, self._rows, self._seen = unique, rows, seen

    def _check(self, indices: Any, values: Any, shape: Any) -> None:
        if indices.ndim != 1:
            raise InvalidArgumentError(f"Input indices should be vector but received shape: {list(indices.shape)}")
        if values.ndim < 1 or len(values) != len(indices):
            raise InvalidArgumentError(
                f"Number of indices {len(indices)} and of values {list(values.shape)} should be the same"
            )
        if self._count and values.shape[1:] != self._rows.shape[1:]:
            raise InvalidArgumentError(
                f"Shape mismatch: expected rows of shape {list(self._rows.shape[1:])}, got {list(values.shape[1:])}"
            )
        whole = TensorShape(None) if shape is None else TensorShape(np.asarray(shape).tolist())
        # A scalar says nothing: SyncReplicasOptimizer passes it for every variable.
        if self.shape.rank and not self.shape.is_compatible_with(whole):
            raise InvalidArgumentError(f"Shape mismatch: expected {self.shape}, got {whole}")

    def _result(self) -> Any:
        rows = self._rows
        if self.average:
            seen = self._seen.reshape(-1, *(1,) * (rows.ndim - 1)).astype(rows.dtype)
            rows = rows / seen
        first = self.shape.as_list()[0] if self.shape.rank else None
        shape = np.array([-1 if first is None else first, *rows.shape[1:]], np.int64)
        return self._indices, rows, shape
