"""The attributes of convolutions over two spatial axes, read as geometry and as static shapes."""

from __future__ import annotations

from collections.abc import Sequence

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.convolution import Geometry
from regraft.opkit.padding import all_pads, explicit_pairs, extent, output_size
from regraft.opkit.shapes import Dim, ShapeContext, Sizes


def spatial_axes(data_format: bytes) -> tuple[int, int]:
    """The axes of height and width."""
    return (1, 2) if data_format == b"NHWC" else (2, 3)


def geometry(
    x_sizes: Sequence[int],
    filter_sizes: Sequence[int],
    strides: Sequence[int],
    padding: bytes,
    explicit_paddings: Sequence[int],
    data_format: bytes,
    dilations: Sequence[int],
) -> Geometry:
    """The attributes of a two-dimensional convolution as a Geometry.

    raises  InvalidArgumentError if the window also strides over batch or channels
    """
    axes = spatial_axes(data_format)
    channel = 3 if data_format == b"NHWC" else 1
    for name, values in (("strides", strides), ("dilations", dilations)):
        if len(values) != 4 or values[0] != 1 or values[channel] != 1:
            raise InvalidArgumentError(
                f"{name} in the batch and depth dimensions must be 1, got {name}={list(values)} for {data_format!r}"
            )
    two_strides, two_dilations = (tuple(v[a] for a in axes) for v in (strides, dilations))
    pads = all_pads(
        [x_sizes[a] for a in axes],
        [extent(k, d) for k, d in zip(filter_sizes, two_dilations, strict=False)],
        two_strides,
        padding,
        explicit_pairs(explicit_paddings, axes) if padding == b"EXPLICIT" else None,
    )
    return Geometry(two_strides, two_dilations, pads, data_format == b"NHWC")


def spatial_dims(c: ShapeContext, x: tuple[Dim, ...], filters: tuple[Dim, ...]) -> list[Dim]:
    """Height and width of a convolution's result."""
    axes = spatial_axes(c.attr("data_format"))
    padding, strides, dilations = c.attr("padding"), c.attr("strides"), c.attr("dilations")
    pairs = explicit_pairs(c.attr("explicit_paddings"), axes) if padding == b"EXPLICIT" else ((0, 0), (0, 0))
    dims = []
    for i, axis in enumerate(axes):
        k = filters[i]
        window = None if k is None else extent(k, dilations[axis])
        try:
            dims.append(output_size(x[axis], window, strides[axis], padding, pairs[i]))
        except ValueError as e:
            raise c.fail(str(e)) from None
    return dims


def layout(data_format: bytes, batch: Dim, spatial: Sequence[Dim], channels: Dim) -> Sizes:
    """The dimensions in the order of the data format."""
    if data_format == b"NHWC":
        return (batch, *spatial, channels)
    return (batch, channels, *spatial)


def check_gradient(dy_sizes: Sequence[int], x_sizes: Sequence[int], filter_sizes: Sequence[int], g: Geometry) -> None:
    """InvalidArgumentError unless the incoming gradient has the shape of the convolution's result."""
    for axis, k, d, s, pad in zip(g.axes, filter_sizes, g.dilations, g.strides, g.pads, strict=False):
        expected = (x_sizes[axis] + sum(pad) - extent(k, d)) // s + 1
        if dy_sizes[axis] != expected:
            raise InvalidArgumentError(
                f"Computed {expected} for dimension {axis} of the result, but out_backprop has {list(dy_sizes)} "
                f"(input {list(x_sizes)}, filter {list(filter_sizes)})"
            )
