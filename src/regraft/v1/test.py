"""tf.test: the frame of tests, what the machine has, and gradients checked against finite differences."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest.mock as mock
from functools import cache
from typing import Any

import numpy as np
from absl.testing import absltest

from regraft.opkit.slices import IndexedSlices
from regraft.v1 import _context
from regraft.v1._benchmark import Benchmark as Benchmark
from regraft.v1._benchmark import benchmark_config as benchmark_config
from regraft.v1._test_case import TestCase as TestCase

__all__ = [
    "Benchmark",
    "StubOutForTesting",
    "TestCase",
    "assert_equal_graph_def",
    "benchmark_config",
    "compute_gradient",
    "compute_gradient_error",
    "get_temp_dir",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_gpu_available",
    "main",
    "mock",
    "test_src_dir_path",
]


def main(argv: Any = None) -> None:
    """Run the tests of `__main__`, and exit."""
    absltest.main(argv=argv)


@cache
def get_temp_dir() -> str:
    """A folder for the files of this process's tests."""
    return tempfile.mkdtemp(prefix="regraft_test_")


def test_src_dir_path(relative_path: str) -> str:
    """A path below the folder of the running program."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), relative_path)


test_src_dir_path.__test__ = False  # type: ignore[attr-defined]  # pytest asks for it


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether JAX runs on a GPU here."""
    return bool(gpu_device_name())


def gpu_device_name() -> str:
    """The device string of the first GPU, "" where there is none."""
    from regraft.opkit.arrays import jax

    return "/device:GPU:0" if any(d.platform == "gpu" for d in jax.devices()) else ""


def is_built_with_cuda() -> bool:
    """Whether CUDA is there: Regraft is built with nothing, JAX's plugin decides."""
    return is_gpu_available()


is_built_with_gpu_support = is_built_with_cuda


def is_built_with_rocm() -> bool:
    return False


def is_built_with_xla() -> bool:
    return True


def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False) -> None:
    """AssertionError unless two GraphDefs have equal nodes, in whatever order.

    checkpoint_v2  take the random part of a temporary checkpoint's name for equal
    """
    found, wanted = (_nodes(message, checkpoint_v2) for message in (actual, expected))
    wrong = [f"missing: {n}" for n in wanted if n not in found] + [
        f"superfluous: {n}" for n in found if n not in wanted
    ]
    wrong += [f"{n}: {found[n]}\nis not {wanted[n]}" for n in found if n in wanted and found[n] != wanted[n]]
    if wrong:
        raise AssertionError("\n".join(wrong))


def _nodes(graph_def: Any, checkpoint_v2: bool) -> dict[str, Any]:
    nodes = {}
    for node in graph_def.node:
        copy = type(node)()
        copy.CopyFrom(node)
        value = copy.attr["value"].tensor.string_val if copy.op == "Const" else ()
        if checkpoint_v2 and any(b"_temp_" in text for text in value):
            del copy.attr["value"]
        nodes[node.name] = copy
    return nodes


def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Any,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> Any:
    """The Jacobian dy/dx by `tf.gradients` and by finite differences: two arrays [size of x, size of y].

    x             a tensor, or a list of tensors, for which lists of shapes and values are given and of pairs returned
    x_init_value  where to differentiate; random numbers in [0, 1) without it
    init_targets  what the default session runs first
    extra_feed_dict  further feeds

    A complex element counts as two: its real and its imaginary part.
    """
    sess = _context.get_default_session()
    if sess is None:
        raise ValueError("compute_gradient needs a default session: use `with sess.as_default()`")
    if init_targets is not None:
        sess.run(init_targets)
    several = isinstance(x, list)
    xs, shapes = (x, x_shape) if several else ([x], [x_shape])
    values = x_init_value if several and x_init_value is not None else [x_init_value] * len(xs)
    arrays = [
        np.random.random_sample(shape).astype(t.dtype.as_numpy_dtype) if v is None else np.array(v)
        for t, shape, v in zip(xs, shapes, values, strict=True)
    ]
    feeds = {**(extra_feed_dict or {}), **{t: a for t, a in zip(xs, arrays, strict=True) if sess.graph.is_feedable(t)}}
    found = [_jacobians(sess, t, a, y, y_shape, feeds, delta) for t, a in zip(xs, arrays, strict=True)]
    return found if several else found[0]


def _jacobians(sess: Any, x: Any, value: Any, y: Any, y_shape: Any, feeds: Any, delta: float) -> tuple[Any, Any]:
    from regraft.v1._gradients import gradients
    from regraft.v1._graph import convert_to_tensor, placeholder

    dy = placeholder(y.dtype, y_shape)
    (dx,) = gradients(y, x, grad_ys=dy)
    if isinstance(dx, IndexedSlices):
        dx = convert_to_tensor(dx)
    real = np.float64 if value.dtype in (np.float64, np.complex128) else np.float32
    x_flat, seed = _parts(value.copy(), real), np.zeros(y_shape, y.dtype.as_numpy_dtype)
    y_flat = _parts(seed, real)
    exact = np.zeros((x_flat.size, y_flat.size), real)
    for column in range(y_flat.size):
        y_flat[column] = 1
        exact[:, column] = _parts(np.asarray(sess.run(dx, {**feeds, x: value, dy: seed})), real)
        y_flat[column] = 0
    numeric = np.zeros_like(exact)
    for row in range(x_flat.size):
        sides = []
        for step in (delta, -delta):
            moved = _parts(value.copy(), real)
            moved[row] += step
            sides.append(
                _parts(np.asarray(sess.run(y, {**feeds, x: moved.view(value.dtype).reshape(value.shape)})), real)
            )
        numeric[row] = (sides[0] - sides[1]) / (2 * delta)
    return exact, numeric


def _parts(array: Any, real: Any) -> Any:
    """The elements of an array in one line, each complex one as two; a view."""
    return array.reshape(-1).view(real) if array.dtype.kind == "c" else array.reshape(-1)


def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Any,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> float:
    """The largest difference between the two Jacobians of `compute_gradient`."""
    pairs = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    pairs = [pairs] if isinstance(pairs, tuple) else pairs
    return max((float(np.max(np.abs(a - b))) for a, b in pairs if a.size), default=0.0)


class StubOutForTesting:
    """Replaces attributes, and puts them back: `Set` and `UnsetAll`; a context manager does it at its end."""

    def __init__(self) -> None:
        self._saved: list[tuple[Any, str, Any]] = []

    def Set(self, parent: Any, child_name: str, new_child: Any) -> None:
        """Replace one attribute until `UnsetAll`."""
        self._saved.append((parent, child_name, getattr(parent, child_name)))
        setattr(parent, child_name, new_child)

    def SmartSet(self, obj: Any, attr_name: str, new_attr: Any) -> None:
        self.Set(obj, attr_name, new_attr)

    def UnsetAll(self) -> None:
        """Put back what `Set` replaced."""
        for parent, name, old in reversed(self._saved):
            setattr(parent, name, old)
        self._saved.clear()

    SmartUnsetAll = UnsetAll
    CleanUp = UnsetAll

    def __enter__(self) -> StubOutForTesting:
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self.UnsetAll()
