"""Products and convolutions by oneDNN, at sizes far below those from which it is used, against TensorFlow.

A call that oneDNN refuses ends the process: every form that the lowerings can give it belongs here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import ml_dtypes
import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.opkit import onednn, registry
from tests.oracle import run_op

pytestmark = pytest.mark.skipif(not onednn._carried(), reason="this XLA carries no oneDNN, or another release's")

RNG = np.random.default_rng(12)


@pytest.fixture(autouse=True)
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the calls that were traced; a few multiplications are enough for one."""
    for limit in ("_WORTH_A_PRODUCT", "_WORTH_A_CONVOLUTION", "_LONG_SUM"):
        monkeypatch.setattr(onednn, limit, 1)
    names: list[str] = []
    call = onednn.Call.__call__

    def noted(self: onednn.Call, *args: Any) -> Any:
        names.append(self.name)
        return call(self, *args)

    monkeypatch.setattr(onednn.Call, "__call__", noted)
    return names


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def kernel(op: str, *inputs: Any, **attrs: Any) -> Any:
    spec = registry.lookup(op)
    assert spec is not None
    return spec.kernel(*inputs, **{name: attrs[name] for name in spec.attr_names if name in attrs})


def close(value: Any, expected: Any) -> None:
    assert value.shape == expected.shape
    np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-5, atol=1e-4)


# Products.


@pytest.mark.parametrize(
    "sizes", [(3, 5, 7), (1, 128, 10), (1, 1, 4), (4, 1, 1), (17, 9, 1), (2, 300, 3), (65, 129, 33)]
)
def test_products_with_each_factor_transposed_or_not(used: list[str], sizes: tuple[int, int, int]) -> None:
    n, k, m = sizes
    a, b = normal(n, k), normal(k, m)
    ways = list(itertools.product([False, True], repeat=2))

    def program(a: Any, b: Any, a_t: Any, b_t: Any) -> Any:
        return [kernel("MatMul", a_t if ta else a, b_t if tb else b, transpose_a=ta, transpose_b=tb) for ta, tb in ways]

    expected = a.astype(np.float64) @ b
    for found in jax.jit(program)(a, b, a.T.copy(), b.T.copy()):
        close(found, expected)
    assert used == ["matmul"] * 4


@pytest.mark.parametrize(("n", "k", "m"), [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_products_of_nothing_go_elsewhere(used: list[str], n: int, k: int, m: int) -> None:
    found = jax.jit(lambda a, b: kernel("MatMul", a, b, transpose_a=False, transpose_b=False))(
        normal(n, k), normal(k, m)
    )
    assert not used
    np.testing.assert_array_equal(found, np.zeros((n, m)))


OTHER_DTYPES = [np.float16, ml_dtypes.bfloat16, np.float64, np.int32, np.complex64]


@pytest.mark.parametrize("dtype", OTHER_DTYPES)
def test_products_of_other_dtypes_go_elsewhere(used: list[str], dtype: Any) -> None:
    a, b = (np.arange(12).reshape(shape).astype(dtype) for shape in ((3, 4), (4, 3)))
    with jax.enable_x64(True):
        found = jax.jit(lambda a, b: kernel("MatMul", a, b, transpose_a=False, transpose_b=False))(a, b)
    assert not used and found.dtype == dtype
    np.testing.assert_array_equal(
        np.asarray(found).astype(np.complex64), a.astype(np.complex64) @ b.astype(np.complex64)
    )


# Convolutions. Which of the result, the input's gradient and the filters' go to oneDNN stands behind each.

# input, filters, strides, padding, dilations
Case = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], Any, tuple[int, ...]]

CONVOLUTIONS: dict[str, tuple[Case, str]] = {
    "odd channels": (((2, 6, 7, 5), (3, 3, 5, 17), (1, 1), "SAME", (1, 1)), "y dx dw"),
    "one image": (((1, 6, 5, 17), (3, 2, 17, 3), (1, 1), "VALID", (1, 1)), "y dx dw"),
    "one channel": (((2, 6, 7, 1), (5, 5, 1, 3), (1, 1), "SAME", (1, 1)), "y"),
    "one channel, strided": (((3, 9, 8, 1), (3, 3, 1, 1), (2, 2), "SAME", (1, 1)), "y dw"),
    "many channels": (((3, 14, 14, 128), (3, 3, 128, 4), (1, 1), "SAME", (1, 1)), "y dx"),
    "strided": (((3, 7, 8, 3), (3, 3, 3, 5), (2, 2), "SAME", (1, 1)), "y dw"),
    "rows left over": (((2, 9, 9, 5), (3, 3, 5, 3), (5, 3), "VALID", (1, 1)), "y dw"),
    "strides beyond the window": (((2, 11, 10, 3), (2, 2, 3, 5), (4, 3), "VALID", (1, 1)), "y dw"),
    "one place": (((4, 5, 5, 8), (5, 5, 8, 3), (1, 1), "VALID", (1, 1)), "y dx dw"),
    "one place, much left over": (((4, 6, 8, 8), (3, 2, 8, 3), (7, 9), "VALID", (1, 1)), "y dw"),
    "window larger than the map": (((2, 2, 3, 5), (5, 7, 5, 4), (1, 1), "SAME", (1, 1)), "y dx dw"),
    "one cell": (((2, 1, 1, 5), (3, 3, 5, 4), (1, 1), "SAME", (1, 1)), "y dx dw"),
    "dilated": (((2, 9, 8, 5), (3, 2, 5, 3), (1, 1), "VALID", (2, 3)), "y dx dw"),
    "dilated, same": (((1, 6, 6, 8), (3, 3, 8, 2), (1, 1), "SAME", (2, 2)), "y dx dw"),
    "dilated, not on the last axis": (((2, 9, 8, 5), (3, 2, 5, 3), (1, 1), "SAME", (3, 1)), "y dx dw"),
    "dilated and strided": (((1, 9, 8, 5), (3, 2, 5, 3), (2, 2), "VALID", (2, 3)), "y dw"),
    "filters one cell wide, dilated": (((1, 9, 8, 5), (3, 1, 5, 3), (1, 1), "SAME", (2, 3)), "y dx dw"),
    "explicit": (((2, 5, 6, 5), (3, 3, 5, 3), (1, 1), [(2, 0), (1, 2)], (1, 1)), "y dx dw"),
    "explicit, strided": (((2, 5, 6, 5), (3, 3, 5, 3), (2, 3), [(1, 1), (0, 2)], (1, 1)), "y dw"),
    "explicit, far behind": (((2, 4, 5, 5), (3, 2, 5, 3), (1, 1), [(0, 5), (1, 6)], (1, 1)), ""),
    "explicit, far ahead": (((2, 4, 5, 5), (3, 2, 5, 3), (1, 1), [(3, 0), (0, 0)], (1, 1)), ""),
    "only ahead": (((2, 4, 5, 64), (3, 2, 64, 3), (2, 2), [(2, 0), (1, 0)], (1, 1)), "y dw"),
    "beside the map": (((2, 2, 2, 5), (2, 2, 5, 3), (9, 9), [(4, 0), (4, 0)], (1, 1)), ""),
    "1x1": (((2, 5, 4, 5), (1, 1, 5, 3), (1, 1), "SAME", (1, 1)), ""),
    "1x1, strided": (((2, 7, 6, 5), (1, 1, 5, 4), (2, 2), "VALID", (1, 1)), "y"),
    "1x1, padded": (((2, 3, 2, 5), (1, 1, 5, 4), (1, 1), [(0, 2), (0, 1)], (1, 1)), ""),
    "volumes": (((2, 4, 5, 6, 5), (2, 3, 3, 5, 3), (1, 1, 1), "SAME", (1, 1, 1)), "y dx dw"),
    "volumes, one channel": (((1, 5, 6, 4, 1), (3, 3, 3, 1, 3), (1, 1, 2), "VALID", (1, 1, 1)), "y dw"),
    "volumes, strided": (((2, 5, 6, 7, 3), (2, 3, 2, 3, 17), (2, 3, 4), "VALID", (1, 1, 1)), "y dw"),
    "volumes, dilated": (((1, 5, 6, 7, 5), (2, 3, 2, 5, 3), (1, 1, 1), "VALID", (2, 1, 3)), "y dx dw"),
    "volumes, dilated, not on the last axis": (
        ((2, 5, 6, 4, 5), (2, 3, 2, 5, 3), (1, 1, 1), "SAME", (2, 3, 1)),
        "y dx dw",
    ),
    "volumes, window larger": (((2, 2, 1, 3, 5), (3, 3, 5, 5, 4), (1, 1, 1), "SAME", (1, 1, 1)), "y dx dw"),
}


def with_holes(filters: np.ndarray, dilations: tuple[int, ...]) -> tuple[np.ndarray, tuple[slice, ...]]:
    """Filters that cover as much as dilated ones, since TensorFlow has no gradients of these; and where taps are."""
    taps = tuple(slice(None, None, d) for d in dilations)
    sizes = [(k - 1) * d + 1 for k, d in zip(filters.shape, dilations, strict=False)]
    wide = np.zeros((*sizes, *filters.shape[-2:]), np.float32)
    wide[taps] = filters
    return wide, taps


def attributes(case: Case, first: bool, dilated: bool = True) -> dict[str, Any]:
    strides, padding, dilations = case[2:]
    rank = len(strides)

    def every(values: Any, rest: Any) -> list[Any]:
        return [rest, rest, *values] if first else [rest, *values, rest]

    explicit = [] if isinstance(padding, str) else [n for pair in every(padding, (0, 0)) for n in pair]
    letters = "DHW"[3 - rank :]
    return {
        "strides": every(strides, 1),
        "padding": padding if isinstance(padding, str) else "EXPLICIT",
        "dilations": every(dilations if dilated else (1,) * rank, 1),
        "data_format": f"NC{letters}" if first else f"N{letters}C",
        **({"explicit_paddings": explicit} if rank == 2 else {}),
    }


def expected(case: Case, x: np.ndarray, filters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """TensorFlow's result, a gradient of it, and what that is worth towards the input and the filters."""
    attrs = attributes(case, False, dilated=False)
    wide, taps = with_holes(filters, case[4])
    name, version = ("Conv2D", "") if len(case[2]) == 2 else ("Conv3D", "V2")
    (y,) = run_op(name, [x, wide], attrs)
    dy = normal(*y.shape)
    (dx,) = run_op(f"{name}BackpropInput{version}", [np.int32(x.shape), wide, dy], attrs)
    (dw,) = run_op(f"{name}BackpropFilter{version}", [x, np.int32(wide.shape), dy], attrs)
    return y, dy, dx, dw[taps]


def ours(case: Case, first: bool, used: list[str]) -> tuple[Callable[..., Any], list[str]]:
    """A program of (x, filters, dy) that gives all three; and the names of those that oneDNN made."""
    attrs = {k: v.encode() if isinstance(v, str) else tuple(v) for k, v in attributes(case, first).items()}
    name, version = ("Conv2D", "") if len(case[2]) == 2 else ("Conv3D", "V2")
    made: list[str] = []

    def program(x: Any, filters: Any, dy: Any) -> Any:
        def noting(result: str, op: str, *inputs: Any) -> Any:
            before = used.count("convolution")
            value = kernel(op, *inputs, **attrs)
            made.extend([result] * (used.count("convolution") - before))
            return value

        x_sizes, filter_sizes = np.int32(x.shape), np.int32(filters.shape)
        return (
            noting("y", name, x, filters),
            noting("dx", f"{name}BackpropInput{version}", x_sizes, filters, dy),
            noting("dw", f"{name}BackpropFilter{version}", x, filter_sizes, dy),
        )

    return program, made


def to_first(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def check(case: Case, first: bool, used: list[str]) -> list[str]:
    order = to_first if first else np.asarray
    x, filters = normal(*case[0]), normal(*case[1])
    y, dy, dx, dw = expected(case, x, filters)
    program, made = ours(case, first, used)
    found = jax.jit(program)(order(x), filters, order(dy))
    close(found[0], order(y))
    close(found[1], order(dx))
    close(found[2], dw)
    return made


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_and_their_gradients(used: list[str], name: str) -> None:
    case, by_onednn = CONVOLUTIONS[name]
    assert check(case, False, used) == by_onednn.split()


def test_one_channel_in_a_result_of_one_column(used: list[str]) -> None:
    """oneDNN takes wrong rows where it is told of a stride to a second column: so does TensorFlow's."""
    x, filters = normal(2, 7, 4, 1), normal(3, 3, 1, 8)
    case = x.shape, filters.shape, (1, 2), "VALID", (1, 1)
    windows = np.lib.stride_tricks.sliding_window_view(x[..., 0], (3, 3), axis=(1, 2))[:, :, ::2]
    program, made = ours(case, False, used)
    y, _, _ = jax.jit(program)(x, filters, normal(2, 5, 1, 8))
    assert made[0] == "y"
    close(y, np.einsum("bhwij,ijo->bhwo", windows, filters[:, :, 0]))


@pytest.mark.parametrize("name", ["explicit, strided", "one channel", "dilated", "volumes"])
def test_channels_first(used: list[str], name: str) -> None:
    case, by_onednn = CONVOLUTIONS[name]
    assert check(case, True, used) == by_onednn.split()


def random_case(random: np.random.Generator) -> Case:
    rank = int(random.choice([2, 2, 3]))

    def some(low: int, high: int) -> tuple[int, ...]:
        return tuple(random.integers(low, high, rank).tolist())

    inner, outer = random.choice([1, 2, 3, 5, 8, 16, 17], 2).tolist()
    window, strides = some(1, 5), some(1, 4)
    dilations = some(1, 4) if random.random() < 0.4 else (1,) * rank
    extents = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    kind = random.choice(["SAME", "VALID", "EXPLICIT"] if rank == 2 else ["SAME", "VALID"])
    sizes = [int(n) + (e if kind == "VALID" else 0) for n, e in zip(some(1, 7), extents, strict=True)]
    padding: Any = str(kind)
    if kind == "EXPLICIT":
        ahead = [int(random.integers(0, e + 1)) for e in extents]
        padding = [
            (a, max(0, e - a - n) + int(random.integers(0, 3))) for a, e, n in zip(ahead, extents, sizes, strict=True)
        ]
    return (int(random.integers(1, 4)), *sizes, inner), (*window, inner, outer), strides, padding, dilations


@pytest.mark.parametrize("seed", range(40))
def test_convolutions_of_any_geometry(used: list[str], seed: int) -> None:
    check(random_case(np.random.default_rng(seed)), seed % 4 == 3, used)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_convolutions_of_other_dtypes_go_elsewhere(used: list[str], dtype: Any) -> None:
    case, _ = CONVOLUTIONS["odd channels"]
    x, filters, dy = (normal(*shape).astype(dtype) for shape in (case[0], case[1], (2, 6, 7, 17)))
    with jax.enable_x64(True):
        found = jax.eval_shape(ours(case, False, used)[0], x, filters, dy)
    assert not used and all(v.dtype == dtype for v in found)


@pytest.mark.parametrize(
    ("x", "filters", "places"),
    [
        ((0, 5, 5, 3), (3, 3, 3, 4), (5, 5)),
        ((2, 0, 5, 3), (3, 3, 3, 4), (0, 5)),
        ((2, 5, 5, 3), (3, 3, 3, 0), (5, 5)),
    ],
)
def test_convolutions_of_nothing_go_elsewhere(used: list[str], x: Any, filters: Any, places: Any) -> None:
    case = x, filters, (1, 1), "SAME", (1, 1)
    dy = np.zeros((x[0], *places, filters[-1]), np.float32)
    y, dx, dw = jax.jit(ours(case, False, used)[0])(normal(*x), normal(*filters), dy)
    assert not used
    for found, shape in zip((y, dx, dw), (dy.shape, x, filters), strict=True):
        np.testing.assert_array_equal(found, np.zeros(shape))


def test_an_empty_map_in_zeros_goes_elsewhere(used: list[str]) -> None:
    case = (2, 0, 5, 8), (3, 3, 8, 4), (1, 1), [(2, 2), (0, 0)], (1, 1)
    y, dx, dw = jax.jit(ours(case, False, used)[0])(normal(2, 0, 5, 8), normal(3, 3, 8, 4), normal(2, 2, 3, 4))
    assert not used and dx.shape == (2, 0, 5, 8)
    np.testing.assert_array_equal(y, np.zeros((2, 2, 3, 4)))
    np.testing.assert_array_equal(dw, np.zeros((3, 3, 8, 4)))
