"""Maxima and means over windows on images and volumes, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base.errors import UnimplementedError
from regraft.opkit.arrays import static_shape
from regraft.opkit.padding import output_size
from regraft.opkit.pooling import (
    Window,
    avg_pool,
    avg_pool_gradient,
    check_output,
    max_pool,
    max_pool_gather,
    max_pool_gradient,
    max_pool_gradient_to_all,
    window_of,
)
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank

_POOL = ("ksize", "strides")


def _attrs(node: Any, *names: str) -> dict[str, Any]:
    return {name: node.get_attr(name) for name in names}


def pooled_shape(c: ShapeContext, x: Sizes, ksize: Any, strides: Any) -> Sizes:
    """The shape of a pooled tensor of shape `x`."""
    x = with_rank(c, x, len(ksize))
    explicit = c.attr("explicit_paddings", ()) or (0,) * (2 * len(x))
    dims = []
    for i, n in enumerate(x):
        try:
            dims.append(output_size(n, ksize[i], strides[i], c.attr("padding"), tuple(explicit[2 * i : 2 * i + 2])))
        except ValueError as e:
            raise c.fail(str(e)) from None
    return tuple(dims)


def _pool_shape(c: ShapeContext) -> list[Sizes]:
    return [pooled_shape(c, c.input(0), c.attr("ksize"), c.attr("strides"))]


def _pool_input_shape(c: ShapeContext) -> list[Sizes]:
    ksize, strides = c.value(1), c.value(2)
    if ksize is None or strides is None:
        return [None]
    return [pooled_shape(c, c.input(0), [int(k) for k in ksize], [int(s) for s in strides])]


def _window(
    x: Any, ksize: Any, strides: Any, padding: bytes, data_format: bytes, explicit: Sequence[int] = ()
) -> Window:
    if data_format == b"NCHW_VECT_C":
        raise UnimplementedError("pooling in the layout NCHW_VECT_C is for quantized GPU kernels; use NHWC or NCHW")
    sizes = x if isinstance(x, tuple) else static_shape(x)
    return window_of(sizes, ksize, strides, padding, explicit if padding == b"EXPLICIT" else ())


# Maxima


@op("MaxPool", shape=_pool_shape, costly=True)
def max_pool_op(
    input: Any, *, ksize: Any, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes
) -> Any:
    """The largest value in each window; nan counts as the lowest.

    input           [batch, height, width, channels] for NHWC, [batch, channels, height, width] for NCHW
    ksize, strides  an entry for each dimension of the input
    differs         NCHW runs on the CPU too
    """
    return max_pool(input, _window(input, ksize, strides, padding, data_format, explicit_paddings))


@max_pool_op.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = _attrs(node, *_POOL, "padding", "explicit_paddings", "data_format")
    return [b.MaxPoolGrad(node.inputs[0], node.outputs[0], dy, **attrs)]


@op("MaxPoolV2", shape=_pool_input_shape, static=("ksize", "strides"), costly=True)
def max_pool_v2(input: Any, ksize: Any, strides: Any, *, padding: bytes, data_format: bytes) -> Any:
    """MaxPool with the window and its strides as inputs."""
    return max_pool(input, _window(input, ksize, strides, padding, data_format))


@max_pool_v2.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, ksize, strides = node.inputs
    attrs = _attrs(node, "padding", "data_format")
    return [b.MaxPoolGradV2(x, node.outputs[0], dy, ksize, strides, **attrs), None, None]


def _max_pool_grad(x: Any, y: Any, dy: Any, window: Window) -> Any:
    check_output("orig_output", static_shape(y), static_shape(x), window)
    check_output("grad", static_shape(dy), static_shape(x), window)
    return max_pool_gradient(x, y, dy, window)


def _image_gradient_shape(c: ShapeContext) -> list[Sizes]:
    return [with_rank(c, c.input(0), 4)]


@op("MaxPoolGrad", shape=_image_gradient_shape, costly=True)
def max_pool_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    *,
    ksize: Any,
    strides: Any,
    padding: bytes,
    explicit_paddings: Any,
    data_format: bytes,
) -> Any:
    """The gradient of MaxPool: each entry goes to the first largest cell of its window."""
    window = _window(orig_input, ksize, strides, padding, data_format, explicit_paddings)
    return _max_pool_grad(orig_input, orig_output, grad, window)


@max_pool_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[:2]
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.zeros_like(x), b.zeros_like(y), b.MaxPoolGradGrad(x, y, dy, **attrs)]


@op("MaxPoolGradV2", shape=_image_gradient_shape, static=("ksize", "strides"), costly=True)
def max_pool_grad_v2(
    orig_input: Any, orig_output: Any, grad: Any, ksize: Any, strides: Any, *, padding: bytes, data_format: bytes
) -> Any:
    """MaxPoolGrad with the window and its strides as inputs."""
    return _max_pool_grad(orig_input, orig_output, grad, _window(orig_input, ksize, strides, padding, data_format))


@max_pool_grad_v2.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y, _, ksize, strides = node.inputs
    attrs = _attrs(node, "padding", "data_format")
    first, second = b.zeros_like(x), b.zeros_like(y)
    return [first, second, b.MaxPoolGradGradV2(x, y, dy, ksize, strides, **attrs), None, None]


def _max_pool_grad_grad(x: Any, y: Any, grad: Any, window: Window) -> Any:
    check_output("orig_output", static_shape(y), static_shape(x), window)
    return max_pool_gather(x, y, grad, window)


@op("MaxPoolGradGrad", shape=_pool_shape, costly=True)
def max_pool_grad_grad(
    orig_input: Any, orig_output: Any, grad: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes
) -> Any:
    """The gradient of MaxPoolGrad: the entry of `grad`, sized like the input, at the first largest cell of a window."""
    return _max_pool_grad_grad(orig_input, orig_output, grad, _window(orig_input, ksize, strides, padding, data_format))


@max_pool_grad_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[:2]
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.zeros_like(x), b.zeros_like(y), b.MaxPoolGrad(x, y, dy, **attrs)]


def _grad_grad_input_shape(c: ShapeContext) -> list[Sizes]:
    ksize, strides = c.value(3), c.value(4)
    if ksize is None or strides is None:
        return [None]
    return [pooled_shape(c, c.input(0), [int(k) for k in ksize], [int(s) for s in strides])]


@op("MaxPoolGradGradV2", shape=_grad_grad_input_shape, static=("ksize", "strides"), costly=True)
def max_pool_grad_grad_v2(
    orig_input: Any, orig_output: Any, grad: Any, ksize: Any, strides: Any, *, padding: bytes, data_format: bytes
) -> Any:
    """MaxPoolGradGrad with the window and its strides as inputs."""
    return _max_pool_grad_grad(orig_input, orig_output, grad, _window(orig_input, ksize, strides, padding, data_format))


# Means


@op("AvgPool", shape=_pool_shape, costly=True)
def avg_pool_op(value: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Any:
    """The mean of each window, over the cells that lie on the input.

    value    [batch, height, width, channels] for NHWC, [batch, channels, height, width] for NCHW
    differs  NCHW runs on the CPU too; half and bfloat16 add up in float32
    """
    return avg_pool(value, _window(value, ksize, strides, padding, data_format))


@avg_pool_op.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.AvgPoolGrad(b.shape(node.inputs[0]), dy, **attrs)]


def _avg_gradient_shape(rank: int) -> Any:
    return lambda c: [with_rank(c, c.sizes(0), rank)]


def _avg_pool_grad(shape: Any, dy: Any, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Any:
    sizes = tuple(int(n) for n in shape)
    window = _window(sizes, ksize, strides, padding, data_format)
    check_output("grad", static_shape(dy), sizes, window)
    return avg_pool_gradient(sizes, dy, window)


@op("AvgPoolGrad", shape=_avg_gradient_shape(4), static="orig_input_shape", costly=True)
def avg_pool_grad(
    orig_input_shape: Any, grad: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes
) -> Any:
    """The gradient of AvgPool for an input of shape `orig_input_shape`."""
    return _avg_pool_grad(orig_input_shape, grad, ksize, strides, padding, data_format)


@avg_pool_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.stop_gradient(node.inputs[0]), b.AvgPool(dy, **attrs)]


# Volumes


@op("MaxPool3D", shape=_pool_shape, costly=True)
def max_pool_3d(input: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Any:
    """MaxPool on volumes: [batch, depth, height, width, channels] for NDHWC, channels second for NCDHW."""
    return max_pool(input, _window(input, ksize, strides, padding, data_format))


@max_pool_3d.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.MaxPool3DGrad(node.inputs[0], node.outputs[0], dy, **attrs)]


def _volume_gradient_shape(c: ShapeContext) -> list[Sizes]:
    return [with_rank(c, c.input(0), 5)]


@op("MaxPool3DGrad", shape=_volume_gradient_shape, costly=True)
def max_pool_3d_grad(
    orig_input: Any, orig_output: Any, grad: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes
) -> Any:
    """The gradient of MaxPool3D: each entry goes to all cells of its window that equal the maximum."""
    window = _window(orig_input, ksize, strides, padding, data_format)
    check_output("orig_output", static_shape(orig_output), static_shape(orig_input), window)
    check_output("grad", static_shape(grad), static_shape(orig_input), window)
    return max_pool_gradient_to_all(orig_input, orig_output, grad, window)


@max_pool_3d_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[:2]
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.zeros_like(x), b.zeros_like(y), b.MaxPool3DGradGrad(x, y, dy, **attrs)]


@op("MaxPool3DGradGrad", shape=_pool_shape, costly=True)
def max_pool_3d_grad_grad(
    orig_input: Any, orig_output: Any, grad: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes
) -> Any:
    """The gradient of MaxPool3DGrad: the entry of `grad` at the first largest cell of each window."""
    return _max_pool_grad_grad(orig_input, orig_output, grad, _window(orig_input, ksize, strides, padding, data_format))


@max_pool_3d_grad_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[:2]
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.zeros_like(x), b.zeros_like(y), b.MaxPool3DGrad(x, y, dy, **attrs)]


@op("AvgPool3D", shape=_pool_shape, costly=True)
def avg_pool_3d(input: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Any:
    """AvgPool on volumes."""
    return avg_pool(input, _window(input, ksize, strides, padding, data_format))


@avg_pool_3d.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.AvgPool3DGrad(b.shape(node.inputs[0]), dy, **attrs)]


@op("AvgPool3DGrad", shape=_avg_gradient_shape(5), static="orig_input_shape", costly=True)
def avg_pool_3d_grad(
    orig_input_shape: Any, grad: Any, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes
) -> Any:
    """The gradient of AvgPool3D for an input of shape `orig_input_shape`."""
    return _avg_pool_grad(orig_input_shape, grad, ksize, strides, padding, data_format)


@avg_pool_3d_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = _attrs(node, *_POOL, "padding", "data_format")
    return [b.stop_gradient(node.inputs[0]), b.AvgPool3D(dy, **attrs)]
