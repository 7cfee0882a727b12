"""Reductions, gathers and broadcasts between workers and devices: on the one worker that there is, all by itself.

A sum or mean over workers is this worker's value. What needs the values of other devices is refused.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.ir.node import Operation
from regraft.opkit.arrays import namespace
from regraft.opkit.builder import Builder
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, from_attr, merged, same_as, scalar

_ALONE = "other workers"


@op("CollectiveReduce", "CollectiveBcastSend", shape=same_as(0), no_gradient=_ALONE)
def collective(input: Any) -> Any:
    return input


def _gathered(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    if not sizes:
        return [None]
    first = None if sizes[0] is None else sizes[0] * c.attr("group_size")
    return [(first, *sizes[1:])]


@op("CollectiveGather", shape=_gathered, no_gradient=_ALONE)
def collective_gather(input: Any, *, group_size: int) -> Any:
    """UnimplementedError for a group of several: the result would have rows of the others."""
    if group_size != 1:
        raise UnimplementedError(f"CollectiveGather over {group_size} workers: there is one")
    return input


@op("CollectiveReduceV2", shape=same_as(0), no_gradient=_ALONE)
def collective_reduce_v2(input: Any, group_size: Any, group_key: Any, instance_key: Any, ordering_token: Any) -> Any:
    return input


_REDUCTIONS = {b"sum": "add", b"prod": "multiply", b"min": "minimum", b"max": "maximum"}


@op("NcclReduce", shape=merged())
def nccl_reduce(input: tuple[Any, ...], *, reduction: bytes) -> Any:
    """The sum, product, least or largest of the tensors of all devices."""
    if reduction not in _REDUCTIONS:
        raise InvalidArgumentError(f"reduction must be one of min, max, prod, sum, not {reduction.decode()!r}")
    return reduce(getattr(namespace(*input), _REDUCTIONS[reduction]), input)


@nccl_reduce.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    if node.get_attr("reduction") != b"sum":
        raise LookupError("No gradient defined for NcclReduce except reduction='sum'.")
    return [dy] * len(node.inputs)


@op("NcclAllReduce", shape=same_as(0))
def nccl_all_reduce(input: Any, *, num_devices: int, shared_name: bytes) -> Any:
    """UnimplementedError for several devices: each has a node of its own, which would have to wait for the others."""
    if num_devices != 1:
        raise UnimplementedError(
            f"NcclAllReduce {shared_name.decode()!r} over {num_devices} devices: feed its output, or "
            "fetch what does not need it"
        )
    return input


@nccl_all_reduce.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy]


@op("NcclBroadcast", shape=from_attr("shape"))
def nccl_broadcast(input: Any) -> Any:
    return input


@nccl_broadcast.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy]


@op("HorovodAllreduce", shape=same_as(0))
def horovod_allreduce(tensor: Any, *, prescale_factor: float, postscale_factor: float) -> Any:
    """The tensor times both factors."""
    factor = (1.0 if prescale_factor is None else prescale_factor) * (
        1.0 if postscale_factor is None else postscale_factor
    )
    return tensor if factor == 1.0 else tensor * np.asarray(factor, tensor.dtype)[()]


@horovod_allreduce.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {
        name: node.attrs[name] for name in ("reduce_op", "prescale_factor", "postscale_factor") if name in node.attrs
    }
    return [b.HorovodAllreduce(dy, **attrs, name=_named("HorovodAllreduce", dy))]


def _named(op_type: str, tensor: Any) -> str:
    return f"{op_type}_{re.sub('[^a-zA-Z0-9_]', '_', tensor.name)}"


@op("HorovodAllgather", shape=lambda c: [_rows_open(c)])
def horovod_allgather(tensor: Any) -> Any:
    return tensor


def _rows_open(c: ShapeContext) -> Sizes:
    sizes = c.input(0)
    return None if not sizes else (None, *sizes[1:])


@horovod_allgather.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.HorovodAllreduce(dy, reduce_op=1, name=_named("HorovodAllreduce", dy))]


@op("HorovodBroadcast", shape=same_as(0))
def horovod_broadcast(tensor: Any) -> Any:
    return tensor


@horovod_broadcast.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.HorovodAllreduce(dy, reduce_op=1, name=_named("HorovodAllreduce", dy))]


@op("HorovodSize", "HorovodLocalSize", shape=scalar, no_gradient="a number of workers")
def horovod_size() -> Any:
    return np.int32(1)


@op("HorovodRank", "HorovodLocalRank", shape=scalar, no_gradient="a number")
def horovod_rank() -> Any:
    return np.int32(0)
