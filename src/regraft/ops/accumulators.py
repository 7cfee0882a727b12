"""Accumulators of gradients, dense and sparse: what synchronous training hands gradients over with."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.opkit.accumulators import KIND, Accumulator, SparseAccumulator
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, found, made, shared
from regraft.opkit.shapes import fixed, no_outputs, scalar, unknown
from regraft.opkit.waiting import Task

_pair = fixed((2,))


def _accumulator(session: Any, handle: Any) -> Accumulator:
    return found(session, handle, KIND, Accumulator)


def _register(cls: type[Accumulator], name: str, rule: Any) -> None:
    @op(name, shape=rule, runs=Runs.HOST, session=True, no_gradient="a handle")
    def kernel(
        *,
        dtype: DType,
        shape: Any,
        container: bytes,
        shared_name: bytes,
        reduction_type: bytes,
        session: Any,
        node: str,
    ) -> ResourceHandle:
        """The handle of an accumulator."""
        name = shared(container, shared_name, node)
        return made(
            session, KIND, name, lambda: cls(name, dtype, TensorShape(shape), average=reduction_type == b"MEAN")
        )


_register(Accumulator, "ConditionalAccumulator", _pair)
_register(Accumulator, "ResourceConditionalAccumulator", _pair)  # which TensorFlow says too
_register(SparseAccumulator, "SparseConditionalAccumulator", _pair)


@op("AccumulatorApplyGradient", "ResourceAccumulatorApplyGradient", shape=no_outputs, runs=Runs.HOST, session=True)
def accumulator_apply_gradient(handle: Any, local_step: Any, gradient: Any, *, session: Any) -> None:
    """Add a gradient, unless `local_step` is stale."""
    _accumulator(session, handle).apply(int(local_step), gradient)


@op(
    "AccumulatorTakeGradient",
    "ResourceAccumulatorTakeGradient",
    shape=unknown,
    runs=Runs.HOST,
    session=True,
    blocking=True,
)
def accumulator_take_gradient(handle: Any, num_required: Any, *, session: Any) -> Task:
    """The mean or sum of the gradients, when as many came."""
    return ((yield _accumulator(session, handle).take(int(num_required))),)


@op("AccumulatorNumAccumulated", "ResourceAccumulatorNumAccumulated", shape=scalar, runs=Runs.HOST, session=True)
def accumulator_num_accumulated(handle: Any, *, session: Any) -> Any:
    """How many gradients came, int32."""
    return np.array(_accumulator(session, handle).count(), np.int32)


@op("AccumulatorSetGlobalStep", "ResourceAccumulatorSetGlobalStep", shape=no_outputs, runs=Runs.HOST, session=True)
def accumulator_set_global_step(handle: Any, new_global_step: Any, *, session: Any) -> None:
    """Make gradients from before this step stale."""
    _accumulator(session, handle).set_global_step(int(new_global_step))


@op("SparseAccumulatorApplyGradient", shape=no_outputs, runs=Runs.HOST, session=True)
def sparse_accumulator_apply_gradient(
    handle: Any,
    local_step: Any,
    gradient_indices: Any,
    gradient_values: Any,
    gradient_shape: Any,
    *,
    has_known_shape: bool,
    session: Any,
) -> None:
    """Add a gradient of some rows, unless `local_step` is stale."""
    shape = gradient_shape if has_known_shape else None
    _accumulator(session, handle).apply(int(local_step), (gradient_indices, gradient_values, shape))


@op("SparseAccumulatorTakeGradient", shape=unknown, runs=Runs.HOST, session=True, blocking=True)
def sparse_accumulator_take_gradient(handle: Any, num_required: Any, *, session: Any) -> Task:
    """Indices, rows and shape of the mean or sum of the gradients, when as many came."""
    return (yield _accumulator(session, handle).take(int(num_required)))
