"""Convolutions in groups and products in batches by oneDNN, at sizes far below those from which it is used, against
TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from regraft.opkit import convolution, depthwise, onednn
from regraft.opkit.convolution import Geometry
from regraft.ops.array_order import transpose
from regraft.ops.math_matmul import matrix_product
from tests.oracle import run_op

pytestmark = pytest.mark.skipif(not onednn._carried(), reason="this XLA carries no oneDNN, or another release's")

RNG = np.random.default_rng(21)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("_WORTH_A_CONVOLUTION", "_WORTH_A_PRODUCT", "_WORTH_A_DEPTHWISE"):
        monkeypatch.setattr(onednn, limit, 1)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def by_onednn(function: Callable[..., Any], *args: Any) -> np.ndarray:
    before = onednn.traced_calls()
    out = np.asarray(jax.jit(function)(*args))
    assert onednn.traced_calls() == before + 1
    return out


def geometry(size: int, window: int, stride: int, dilation: int, padding: str) -> Geometry:
    reach = (window - 1) * dilation + 1
    over = max((-(-size // stride) - 1) * stride + reach - size, 0) if padding == "SAME" else 0
    pad = (over // 2, over - over // 2)
    return Geometry((stride, stride), (dilation, dilation), (pad, pad))


def expected(
    op: str, gradients: tuple[str, str], x: np.ndarray, filters: np.ndarray, stride: int, dilation: int, padding: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """TensorFlow's convolution, a gradient of it, and what that is worth towards the input and the filters.

    The filters have holes instead of dilations, for which TensorFlow has no gradients on CPUs.
    """
    window = (filters.shape[0] - 1) * dilation + 1
    wide = np.zeros((window, window, *filters.shape[2:]), np.float32)
    wide[::dilation, ::dilation] = filters
    attrs = {"strides": [1, stride, stride, 1], "padding": padding}
    (y,) = run_op(op, [x, wide], attrs)
    dy = normal(*y.shape)
    (dx,) = run_op(gradients[0], [np.int32(x.shape), wide, dy], attrs)
    (dw,) = run_op(gradients[1], [x, np.int32(wide.shape), dy], attrs)
    return y, dy, dx, dw[::dilation, ::dilation]


def close(got: np.ndarray, want: Any) -> None:
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * float(np.abs(want).max()))


# size, channels, multiplier, window, stride, dilation, padding
DEPTHWISE = [
    (9, 16, 1, 3, 1, 1, "SAME"),
    (9, 5, 2, 3, 1, 1, "SAME"),
    (10, 20, 3, 5, 1, 1, "VALID"),
    (10, 16, 1, 3, 2, 1, "SAME"),
    (9, 7, 2, 3, 2, 1, "VALID"),
    (11, 16, 1, 3, 1, 2, "SAME"),
    (8, 16, 1, 2, 1, 1, "SAME"),
    (7, 16, 2, 1, 1, 1, "VALID"),
]


@pytest.mark.parametrize(("size", "channels", "multiplier", "window", "stride", "dilation", "padding"), DEPTHWISE)
def test_depthwise_convolutions_and_their_gradients(
    size: int, channels: int, multiplier: int, window: int, stride: int, dilation: int, padding: str
) -> None:
    x, filters = normal(3, size, size, channels), normal(window, window, channels, multiplier)
    g = geometry(size, window, stride, dilation, padding)
    gradients = "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter"
    y, dy, want_x, want_filters = expected("DepthwiseConv2dNative", gradients, x, filters, stride, dilation, padding)
    close(by_onednn(lambda x, f: depthwise.depthwise(x, f, g), x, filters), y)
    close(by_onednn(lambda f, d: depthwise.depthwise_input_gradient(x.shape, f, d, g), filters, dy), want_x)
    towards_filters = jax.jit(lambda x, d: depthwise.depthwise_filter_gradient(x, filters.shape, d, g))
    close(np.asarray(towards_filters(x, dy)), want_filters)


@pytest.mark.parametrize(("stride", "dilation", "by_calls"), [(1, 1, 1), (2, 1, 0), (1, 2, 0)])
def test_the_gradient_towards_depthwise_filters_is_a_call_for_windows_without_gaps(
    stride: int, dilation: int, by_calls: int
) -> None:
    g = Geometry((stride, stride), (dilation, dilation), ((0, 0), (0, 0)))
    x, filters = normal(2, 9, 9, 4), normal(3, 3, 4, 1)
    dy = normal(2, *convolution.output_sizes(x.shape, filters.shape, g), 4)
    before = onednn.traced_calls()
    jax.jit(lambda x, d: depthwise.depthwise_filter_gradient(x, filters.shape, d, g)).lower(x, dy)
    assert onednn.traced_calls() == before + by_calls


# size, channels, groups, results, window, stride, dilation, padding
GROUPED = [
    (9, 8, 2, 8, 3, 1, 1, "SAME"),
    (9, 12, 3, 6, 3, 2, 1, "SAME"),
    (10, 32, 8, 32, 3, 2, 1, "VALID"),
    (11, 8, 4, 16, 2, 1, 2, "VALID"),
    (7, 6, 3, 12, 1, 1, 1, "SAME"),
    (7, 6, 6, 12, 3, 1, 1, "SAME"),
]


@pytest.mark.parametrize(("size", "channels", "groups", "results", "window", "stride", "dilation", "padding"), GROUPED)
@pytest.mark.parametrize("channels_last", [True, False])
def test_grouped_convolutions_and_their_gradients(
    size: int,
    channels: int,
    groups: int,
    results: int,
    window: int,
    stride: int,
    dilation: int,
    padding: str,
    channels_last: bool,
) -> None:
    x, filters = normal(3, size, size, channels), normal(window, window, channels // groups, results)
    g = geometry(size, window, stride, dilation, padding)
    gradients = "Conv2DBackpropInput", "Conv2DBackpropFilter"
    parts = [
        expected("Conv2D", gradients, part, some, stride, dilation, padding)
        for part, some in zip(np.split(x, groups, 3), np.split(filters, groups, 3), strict=True)
    ]
    out, dy, want_x, want_filters = (np.concatenate(found, 3) for found in zip(*parts, strict=True))
    if not channels_last:
        g = Geometry(g.strides, g.dilations, g.pads, channels_last=False)
        x, dy, out, want_x = (np.moveaxis(v, -1, 1) for v in (x, dy, out, want_x))
    close(by_onednn(lambda x, f: convolution.convolve(x, f, g), x, filters), out)
    close(by_onednn(lambda f, d: convolution.input_gradient(x.shape, f, d, g), filters, dy), want_x)
    close(by_onednn(lambda x, d: convolution.filter_gradient(x, filters.shape, d, g), x, dy), want_filters)


@pytest.mark.parametrize("transposed", [(), ("a",), ("b",), ("a", "b")])
@pytest.mark.parametrize("swapped", [(), ("a",), ("b",), ("a", "b")])
def test_batches_of_products_whose_axes_lie_in_any_order(transposed: tuple[str, ...], swapped: tuple[str, ...]) -> None:
    # Each factor [batch, heads, rows, columns], or [batch, rows, heads, columns] where it is swapped.
    sizes = {"a": (18, 17), "b": (17, 20)}
    factors = {}
    for name, matrix in sizes.items():
        rows, columns = matrix[::-1] if name in transposed else matrix
        factors[name] = normal(*((2, rows, 3, columns) if name in swapped else (2, 3, rows, columns)))

    def product(a: Any, b: Any) -> Any:
        a, b = (transpose(v, (0, 2, 1, 3)) if n in swapped else v for n, v in (("a", a), ("b", b)))
        return matrix_product(a, b, "a" in transposed, "b" in transposed, np.dtype(np.float32))

    a, b = (v.transpose(0, 2, 1, 3) if n in swapped else v for n, v in factors.items())
    (want,) = run_op("BatchMatMulV2", [a, b], {"adj_x": "a" in transposed, "adj_y": "b" in transposed})
    close(by_onednn(product, *factors.values()), want)


def test_batches_of_one_axis_and_products_that_are_transposed_back() -> None:
    a, b = normal(5, 18, 16), normal(5, 16, 17)
    plain = np.dtype(np.float32)
    close(by_onednn(lambda a, b: matrix_product(a, b, False, False, plain), a, b), np.matmul(a, b))

    scores, values = normal(2, 3, 16, 18), normal(2, 18, 3, 17)

    def attention(scores: Any, values: Any) -> Any:
        out = matrix_product(scores, transpose(values, (0, 2, 1, 3)), False, False, plain)
        return transpose(out, (0, 2, 1, 3)) + 1

    want = np.matmul(scores, values.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3) + 1
    close(by_onednn(attention, scores, values), want)
