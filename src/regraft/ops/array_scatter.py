"""Writing slices by index into a new tensor: ScatterNd and TensorScatter*."""

from __future__ import annotations

from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit import scatter
from regraft.opkit.arrays import namespace
from regraft.opkit.builder import Builder
from regraft.opkit.registry import Kernel, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge, merge_dim, product, same_as


def _check(c: ShapeContext, indices: Sizes, updates: Sizes, target: Sizes) -> None:
    """What TensorFlow refuses before it runs: an empty target, and dimensions that do not match."""
    if target is not None and product(target) == 0:
        for sizes in (indices, updates):
            count = None if sizes is None else product(sizes)
            if count is not None and count > 0:
                raise c.fail("Indices and updates specified for empty output")
    if indices is None or updates is None:
        return
    batch = len(indices) - 1
    for i in range(min(batch, len(updates))):
        merge_dim(c, indices[i], updates[i], i)
    if len(updates) < batch:
        raise c.fail(f"Dimensions [0,{batch}) of indices must match dimensions [0,{batch}) of updates")
    depth = indices[-1]
    if depth is not None and target is not None:
        merge(c, target[depth:], updates[batch:])


def _scatter_nd_shape(c: ShapeContext) -> list[Sizes]:
    indices, updates = at_least_rank(c, c.input(0), 1), at_least_rank(c, c.input(1), 1)
    target = c.sizes(2)
    _check(c, indices, updates, target)
    return [target]


@op("ScatterNd", shape=_scatter_nd_shape, static="shape")
def scatter_nd(indices: Any, updates: Any, shape: Any, *, bad_indices_policy: bytes) -> Any:
    """Zeros of `shape`, to which `updates` are added at `indices`.

    raises   InvalidArgumentError for an index out of range, unless `bad_indices_policy` is IGNORE
    differs  a compiled program passes over such an index
    """
    sizes = tuple(int(d) for d in shape)
    if any(d < 0 for d in sizes):
        raise InvalidArgumentError(f"Dimension {min(sizes)} must be >= 0")
    zeros = namespace(indices, updates).zeros(sizes, updates.dtype)
    return scatter.scatter_nd("add", zeros, indices, updates, bad_indices_policy == b"IGNORE")


@scatter_nd.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [None, b.GatherNd(dy, node.inputs[0]), None]


def _into_tensor_shape(c: ShapeContext) -> list[Sizes]:
    target, indices = at_least_rank(c, c.input(0), 1), at_least_rank(c, c.input(1), 1)
    _check(c, indices, c.input(2), target)
    return [target]


@op("ScatterNdNonAliasingAdd", shape=_into_tensor_shape)
def scatter_nd_non_aliasing_add(input: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    """The input with `updates` added at `indices`. Indices out of range as for ScatterNd."""
    return scatter.scatter_nd("add", input, indices, updates, bad_indices_policy == b"IGNORE")


@scatter_nd_non_aliasing_add.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy, None, b.GatherNd(dy, node.inputs[1])]


def _tensor_scatter(name: str, how: str) -> Kernel:
    @op(name, shape=_into_tensor_shape)
    def kernel(tensor: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
        return scatter.scatter_nd(how, tensor, indices, updates, bad_indices_policy == b"IGNORE")

    return kernel


tensor_scatter_update = _tensor_scatter("TensorScatterUpdate", "update")
tensor_scatter_add = _tensor_scatter("TensorScatterAdd", "add")
tensor_scatter_sub = _tensor_scatter("TensorScatterSub", "sub")
tensor_scatter_max = _tensor_scatter("TensorScatterMax", "max")
tensor_scatter_min = _tensor_scatter("TensorScatterMin", "min")


@tensor_scatter_update.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    indices = node.inputs[1]
    d_updates = b.GatherNd(dy, indices)
    cleared = b.identity(dy)
    return [b.TensorScatterUpdate(cleared, indices, b.zeros_like(node.inputs[2], dtype=dy.dtype)), None, d_updates]


@tensor_scatter_add.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    d_updates = b.GatherNd(dy, node.inputs[1])
    return [b.identity(dy), None, d_updates]


@tensor_scatter_sub.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    d_updates = b.GatherNd(dy, node.inputs[1])
    return [b.identity(dy), None, -d_updates]


@tensor_scatter_max.gradient
@tensor_scatter_min.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x, indices, y = node.inputs
    out = node.outputs[0]
    policy = {"bad_indices_policy": node.get_attr("bad_indices_policy")}
    from_x: Any = b.cast(b.Equal(x, out), dy.dtype.base)
    chosen = b.GatherNd(out, indices, **policy)
    from_y: Any = b.cast(b.Equal(y, chosen), dy.dtype.base)
    counted = b.ScatterNd(indices, from_y, b.shape(x, out_type=indices.dtype.base), **policy)
    # Elements that are equally large share the gradient.
    holders: Any = from_x + counted
    dx = dy * from_x / holders
    d_updates = b.GatherNd(dy / holders, indices, **policy) * from_y
    return [dx, None, d_updates]


def _inplace(name: str, how: str) -> Kernel:
    @op(name, shape=same_as(0))
    def kernel(x: Any, i: Any, v: Any) -> Any:
        return scatter.scatter_rows(how, x, i, v)

    return kernel


_inplace("InplaceUpdate", "update")
_inplace("InplaceAdd", "add")
_inplace("InplaceSub", "sub")
