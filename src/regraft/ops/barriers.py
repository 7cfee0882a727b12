"""Barriers: elements by key that are taken when all their components are there. See `opkit.barriers`."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.opkit.barriers import KIND, Barrier
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import found, made, shared
from regraft.opkit.shapes import fixed, no_outputs, scalar, unknown
from regraft.opkit.waiting import Task

_USE: dict[str, Any] = {"runs": Runs.HOST, "session": True}


def _barrier(session: Any, handle: Any) -> Barrier:
    return found(session, handle, KIND, Barrier)


@op("Barrier", shape=fixed((2,)), no_gradient="a handle", **_USE)
def barrier(
    *,
    component_types: tuple[DType, ...],
    shapes: tuple[Any, ...],
    container: bytes,
    shared_name: bytes,
    session: Any,
    node: str,
) -> Any:
    """The handle of a barrier. Its capacity is not bounded, whatever the attribute says, as in TensorFlow."""
    name = shared(container, shared_name, node)
    sizes = [TensorShape(s) for s in shapes] if shapes else None
    return made(session, KIND, name, lambda: Barrier(name, component_types, sizes))


@op("BarrierInsertMany", shape=no_outputs, **_USE)
def barrier_insert_many(handle: Any, keys: Any, values: Any, *, component_index: int, session: Any) -> None:
    """Set a component of the elements of some keys.

    raises  InvalidArgumentError for a component that is set already; CancelledError for a new key of a closed barrier
    """
    _barrier(session, handle).insert_many(component_index, keys.reshape(-1).tolist(), values)


@op("BarrierTakeMany", shape=unknown, blocking=True, **_USE)
def barrier_take_many(handle: Any, num_elements: Any, *, allow_small_batch: bool, session: Any) -> Task:
    """Take complete elements: the batches in which their keys came, the keys, and the components, stacked.

    raises  OutOfRangeError when the barrier is closed and there will not be so many
    """
    return (yield _barrier(session, handle).take_many(int(num_elements), allow_small_batch))


@op("BarrierClose", shape=no_outputs, **_USE)
def barrier_close(handle: Any, *, cancel_pending_enqueues: bool, session: Any) -> None:
    """Let no new key in. CancelledError if it is closed already."""
    _barrier(session, handle).close(cancel_pending_enqueues)


@op("BarrierReadySize", shape=scalar, **_USE)
def barrier_ready_size(handle: Any, *, session: Any) -> Any:
    """How many elements are complete, int32."""
    return np.array(_barrier(session, handle).ready_size(), np.int32)


@op("BarrierIncompleteSize", shape=scalar, **_USE)
def barrier_incomplete_size(handle: Any, *, session: Any) -> Any:
    """How many elements lack components, int32."""
    return np.array(_barrier(session, handle).incomplete_size(), np.int32)
