"""What TensorFlow's CPU kernels do not take (channels first; gradients with dilations or groups), written out in NumPy,
and the lowering for GPUs and TPUs run on the CPU. Each on NumPy too, in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.opkit import convolution, depthwise, host_convolution, registry

_RNG = np.random.default_rng(8)


def normal(*shape: int) -> np.ndarray:
    return _RNG.standard_normal(shape).astype(np.float32)


def attributes_of(op: str, attrs: dict[str, Any]) -> tuple[registry.OpSpec, dict[str, Any]]:
    """The op, and `attrs` beside the defaults."""
    spec = registry.lookup(op)
    assert spec is not None
    defaults = {"explicit_paddings": (), "data_format": b"NHWC", "dilations": (1, 1, 1, 1)}
    return spec, {name: attrs.get(name, defaults.get(name)) for name in spec.attr_names}


def compiled(op: str, *inputs: Any, **attrs: Any) -> np.ndarray:
    """The op's kernel, compiled, with its static inputs known."""
    spec, attrs = attributes_of(op, attrs)
    traced = [i for i, name in enumerate(spec.input_names) if name not in spec.static]

    def program(*arrays: Any) -> Any:
        values = list(inputs)
        for i, array in zip(traced, arrays, strict=True):
            values[i] = array
        return spec.kernel(*values, **attrs)

    with jax.enable_x64(True):
        return np.asarray(jax.jit(program)(*(inputs[i] for i in traced)))


def interpreted(op: str, *inputs: Any, **attrs: Any) -> np.ndarray:
    """The op's kernel on NumPy arrays."""
    spec, attrs = attributes_of(op, attrs)
    out = spec.kernel(*inputs, **attrs)
    assert type(out) is np.ndarray
    return out


Run = Callable[..., np.ndarray]
Tap = Callable[[tuple[int, int], tuple[int, int]], None]


def taps(x: Any, window: Any, strides: Any, dilations: Any, pads: Any) -> list[tuple[Any, Any, Any]]:
    """(position, place, cell) for every tap of the window that lies on the input [batch, height, width, channels]."""
    found = []
    places = [
        (n + sum(p) - (k - 1) * d - 1) // s + 1
        for n, p, k, d, s in zip(x[1:3], pads, window, dilations, strides, strict=True)
    ]
    for place in np.ndindex(*places):
        for position in np.ndindex(*window):
            cell = tuple(
                o * s + k * d - p[0] for o, s, k, d, p in zip(place, strides, position, dilations, pads, strict=True)
            )
            if all(0 <= c < n for c, n in zip(cell, x[1:3], strict=True)):
                found.append((position, place, cell))
    return found


def convolution_and_gradients(x: Any, w: Any, dy: Any, groups: int, all_taps: Any) -> tuple[Any, Any, Any]:
    """Straight from the definition."""
    y, dx, dw = np.zeros_like(dy), np.zeros_like(x), np.zeros_like(w)
    inner, outer = w.shape[2], w.shape[3] // groups
    for position, place, cell in all_taps:
        for g in range(groups):
            ins, outs = slice(g * inner, (g + 1) * inner), slice(g * outer, (g + 1) * outer)
            at, to = (slice(None), *cell, ins), (slice(None), *place, outs)
            kernel = w[position][:, outs]
            y[to] += x[at] @ kernel
            dx[at] += dy[to] @ kernel.T
            dw[position][:, outs] += x[at].T @ dy[to]
    return y, dx, dw


# x, filter, places, strides, dilations, pads, padding
CONVOLUTIONS = {
    "same": ((2, 5, 6, 3), (3, 3, 3, 4), (5, 6), (1, 1), (1, 1), ((1, 1), (1, 1)), b"SAME"),
    "strided": ((2, 7, 6, 16), (3, 3, 16, 4), (4, 3), (2, 2), (1, 1), ((1, 1), (0, 1)), b"SAME"),
    "dilated": ((2, 8, 9, 3), (3, 2, 3, 4), (4, 6), (1, 1), (2, 3), ((0, 0), (0, 0)), b"VALID"),
    "dilated, same": ((1, 6, 6, 2), (3, 3, 2, 2), (6, 6), (1, 1), (2, 2), ((2, 2), (2, 2)), b"SAME"),
    "dilated and strided": ((1, 9, 8, 2), (3, 2, 2, 3), (3, 3), (2, 2), (2, 3), ((0, 0), (0, 0)), b"VALID"),
    "groups": ((2, 5, 5, 4), (3, 3, 2, 6), (5, 5), (1, 1), (1, 1), ((1, 1), (1, 1)), b"SAME"),
    "groups, strided": ((2, 5, 5, 4), (3, 3, 1, 8), (3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)), b"SAME"),
    "point": ((2, 5, 4, 3), (1, 1, 3, 4), (3, 2), (2, 2), (1, 1), ((0, 0), (0, 0)), b"VALID"),
    "small": ((1, 4, 4, 128), (3, 3, 128, 3), (2, 2), (2, 2), (1, 1), ((0, 1), (0, 1)), b"SAME"),
    "explicit": ((1, 5, 5, 2), (3, 3, 2, 3), (3, 3), (2, 2), (1, 1), ((1, 1), (0, 2)), b"EXPLICIT"),
    # output channels are few beside the input's
    "few": ((2, 5, 4, 16), (3, 2, 16, 2), (5, 4), (1, 1), (1, 1), ((1, 1), (0, 1)), b"SAME"),
    "few, valid": ((2, 5, 4, 8), (3, 2, 8, 1), (3, 3), (1, 1), (1, 1), ((0, 0), (0, 0)), b"VALID"),
    "few, dilated": ((1, 6, 5, 16), (3, 3, 16, 2), (6, 5), (1, 1), (2, 1), ((2, 2), (1, 1)), b"SAME"),
    "few, small": ((3, 2, 1, 16), (3, 3, 16, 2), (2, 1), (1, 1), (1, 1), ((1, 1), (1, 1)), b"SAME"),
    "few, far": ((2, 5, 4, 16), (3, 3, 16, 2), (10, 7), (1, 1), (1, 1), ((3, 4), (0, 5)), b"EXPLICIT"),
}


@pytest.fixture(params=["cpu", "native", "numpy"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    for module in (convolution, depthwise):
        monkeypatch.setattr(module, "on_cpu", lambda: request.param == "cpu")
    # A piece is a row or two of one image.
    monkeypatch.setattr(host_convolution, "_PIECE", 2048)
    return interpreted if request.param == "numpy" else compiled


def attributes(strides: Any, dilations: Any, pads: Any, padding: bytes, first: bool) -> dict[str, Any]:
    def four(pair: Any, rest: Any) -> tuple[Any, ...]:
        return (rest, rest, *pair) if first else (rest, *pair, rest)

    explicit = sum(four(pads, (0, 0)), ()) if padding == b"EXPLICIT" else ()
    return {
        "strides": four(strides, 1),
        "dilations": four(dilations, 1),
        "padding": padding,
        "explicit_paddings": explicit,
        "data_format": b"NCHW" if first else b"NHWC",
    }


def to_first(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def close(value: np.ndarray, reference: np.ndarray) -> None:
    assert value.shape == reference.shape
    np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("first", [False, True], ids=["NHWC", "NCHW"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_is_its_definition(run: Run, name: str, first: bool) -> None:
    x_sizes, w_sizes, places, strides, dilations, pads, padding = CONVOLUTIONS[name]
    x, w, dy = normal(*x_sizes), normal(*w_sizes), normal(x_sizes[0], *places, w_sizes[3])
    groups = x_sizes[3] // w_sizes[2]
    found = taps(x_sizes, w_sizes[:2], strides, dilations, pads)
    y, dx, dw = convolution_and_gradients(x, w, dy, groups, found)
    attrs = attributes(strides, dilations, pads, padding, first)
    order = to_first if first else np.asarray
    x_shape = np.int32(order(x).shape)
    close(run("Conv2D", order(x), w, **attrs), order(y))
    close(run("Conv2DBackpropInput", x_shape, w, order(dy), **attrs), order(dx))
    close(run("Conv2DBackpropFilter", order(x), np.int32(w.shape), order(dy), **attrs), dw)


@pytest.mark.parametrize("first", [False, True], ids=["NHWC", "NCHW"])
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("name", ["same", "strided", "dilated", "dilated, same", "explicit"])
def test_depthwise_is_a_convolution_for_each_channel(run: Run, name: str, multiplier: int, first: bool) -> None:
    x_sizes, w_sizes, places, strides, dilations, pads, padding = CONVOLUTIONS[name]
    channels = x_sizes[3]
    w_sizes = (*w_sizes[:2], channels, multiplier)
    x, w, dy = normal(*x_sizes), normal(*w_sizes), normal(x_sizes[0], *places, channels * multiplier)
    found = taps(x_sizes, w_sizes[:2], strides, dilations, pads)
    grouped = w.reshape(*w_sizes[:2], 1, channels * multiplier)
    y, dx, dw = convolution_and_gradients(x, grouped, dy, channels, found)
    attrs = attributes(strides, dilations, pads, padding, first)
    order = to_first if first else np.asarray
    x_shape = np.int32(order(x).shape)
    close(run("DepthwiseConv2dNative", order(x), w, **attrs), order(y))
    close(run("DepthwiseConv2dNativeBackpropInput", x_shape, w, order(dy), **attrs), order(dx))
    close(
        run("DepthwiseConv2dNativeBackpropFilter", order(x), np.int32(w_sizes), order(dy), **attrs), dw.reshape(w_sizes)
    )


@pytest.mark.parametrize("cells", [1, 100, 1 << 15], ids=["one at a time", "three at a time", "all at once"])
@pytest.mark.parametrize("many", [2, 99], ids=["loop", "one after another"])
def test_depthwise_gradient_of_many_images(many: int, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depthwise, "_MANY", many)
    monkeypatch.setattr(depthwise, "_CELLS", cells)
    x, dy, w_sizes = normal(12, 7, 7, 3), normal(12, 3, 3, 3), (3, 3, 3, 1)
    found = taps(x.shape, (3, 3), (2, 2), (1, 1), ((0, 0), (0, 0)))
    *_, dw = convolution_and_gradients(x, normal(3, 3, 1, 3), dy, 3, found)
    attrs = attributes((2, 2), (1, 1), ((0, 0), (0, 0)), b"VALID", False)
    value = compiled("DepthwiseConv2dNativeBackpropFilter", x, np.int32(w_sizes), dy, **attrs)
    close(value, dw.reshape(w_sizes))


@pytest.mark.parametrize("run", [compiled, interpreted])
@pytest.mark.parametrize("padding", [b"SAME", b"VALID"])
def test_pooling_with_channels_first_is_that_with_channels_last(run: Run, padding: bytes) -> None:
    x, last, first = normal(2, 5, 6, 3), (1, 3, 2, 1), (1, 1, 3, 2)
    attrs = {"padding": padding}
    y = run("MaxPool", x, ksize=last, strides=last, **attrs)
    dy = normal(*y.shape)
    channels_first = {"ksize": first, "strides": first, "data_format": b"NCHW", **attrs}
    channels_last = {"ksize": last, "strides": last, **attrs}
    for op, inputs in (
        ("MaxPool", (x,)),
        ("AvgPool", (x,)),
        ("MaxPoolGrad", (x, y, dy)),
        ("MaxPoolGradGrad", (x, y, x)),
    ):
        wanted = run(op, *inputs, **channels_last)
        close(run(op, *map(to_first, inputs), **channels_first), to_first(wanted))
    wanted = run("AvgPoolGrad", np.int32(x.shape), dy, **channels_last)
    close(run("AvgPoolGrad", np.int32(to_first(x).shape), to_first(dy), **channels_first), to_first(wanted))
