"""The gradient of broadcasting: the gradient of an elementwise result summed back to the shape of each input.

Which nodes are added depends on what is known: nothing for an input that was not broadcast, Sum and Reshape with
constant axes where the shapes say which axes were, BroadcastGradientArgs where only a run can tell.
"""

from __future__ import annotations

from typing import Any

from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder


def equal_and_known(x: Tensor, y: Tensor, dy: Any) -> bool:
    """Whether both inputs and the gradient have one and the same fully known shape."""
    return isinstance(dy, Tensor) and x.shape.known and x.shape.sizes == y.shape.sizes == dy.shape.sizes


def reduce_gradients(b: Builder, x: Tensor, y: Tensor, gx: Any, gy: Any) -> tuple[Any, Any]:
    """`gx` and `gy`, of the shape of the result, as gradients of `x` and `y`; None stays None."""
    if gx is None and gy is None:
        return None, None
    x_shape = b.shape(x)
    y_shape = b.shape(y)
    axes = _broadcast_axes(x, y)
    if axes is None:
        x_axes, y_axes = b.BroadcastGradientArgs(x_shape, y_shape)
        return _reduced(b, gx, x_axes, x_shape), _reduced(b, gy, y_axes, y_shape)
    x_rank, y_rank = len(x.shape.sizes or ()), len(y.shape.sizes or ())
    if axes[0] or x_rank < y_rank:
        gx = _reduced(b, gx, axes[0], x_shape)
    if axes[1] or y_rank < x_rank:
        gy = _reduced(b, gy, axes[1], y_shape)
    return gx, gy


def reduced_always(b: Builder, grad: Tensor, axes: Tensor, shape: Tensor) -> Tensor:
    """The older form, for what `gradient_args` returns: Sum and Reshape whatever the shapes."""
    return b.reshape(b.reduce_sum(grad, axes), shape)


def gradient_args(b: Builder, x: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The shapes of both inputs, and the axes by which their gradients are to be summed, as tensors."""
    shapes = (b.shape(x), b.shape(y))
    return shapes, b.BroadcastGradientArgs(*shapes)


def _reduced(b: Builder, grad: Any, axes: Any, shape: Tensor) -> Any:
    if grad is None:
        return None
    return b.reshape(b.reduce_sum(grad, axes, keepdims=True), shape)


def _broadcast_axes(x: Tensor, y: Tensor) -> tuple[list[int], list[int]] | None:
    """The axes along which each input was repeated; None where sizes that are not known decide."""
    xs, ys = x.shape.sizes, y.shape.sizes
    if xs is None or ys is None:
        return None
    rank = max(len(xs), len(ys))
    xs = (1,) * (rank - len(xs)) + xs
    ys = (1,) * (rank - len(ys)) + ys
    x_axes, y_axes = [], []
    for axis, (dx, dy) in enumerate(zip(xs, ys, strict=True)):
        if dx == 1 and dy != 1:
            x_axes.append(axis)
        elif dy == 1 and dx != 1:
            y_axes.append(axis)
        elif dx is None or dy is None:
            return None
    return x_axes, y_axes
