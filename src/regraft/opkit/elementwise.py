"""Elementwise functions on arrays of either kind: shapes broadcast, dtypes never change, NumPy stays quiet.

The NumPy function is handed in, the lax function is named, so that host values never load JAX.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import LazyModule, lax, on_host, static_shape

scipy_special: Any = LazyModule("scipy.special")

F = TypeVar("F", bound=Callable[..., Any])

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextlib.contextmanager
def quiet_numpy() -> Iterator[None]:
    """NumPy gives no warning inside the block: inf and nan are values, as they are in TensorFlow.

    Telling NumPy takes three times as long as adding two small arrays; within the block nothing tells it again.
    """
    with np.errstate(all="ignore"):
        before = _QUIET.set(True)
        try:
            yield
        finally:
            _QUIET.reset(before)


def _quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if _QUIET.get():
        return function(*args, **kwargs)
    with np.errstate(all="ignore"):
        return function(*args, **kwargs)


def quiet(kernel: F) -> F:
    """NumPy gives no warning inside the kernel."""

    @functools.wraps(kernel)
    def run(*args: Any, **kwargs: Any) -> Any:
        return _quietly(kernel, *args, **kwargs)

    return run  # type: ignore[return-value]  # it takes what the kernel takes


def host_array(value: Any) -> Any:
    """A NumPy result as an array: bytes, which NumPy unpacks from arrays of no dimensions, stay objects."""
    return np.asarray(value, object) if isinstance(value, bytes) else np.asarray(value)


def unary(x: Any, on_numpy: Callable[..., Any], on_lax: str) -> Any:
    """`on_numpy(x)` for a host value, `lax.<on_lax>(x)` for a traced one."""
    if on_host(x):
        return np.asarray(_quietly(on_numpy, x))
    return getattr(lax, on_lax)(x)


def binary(x: Any, y: Any, on_numpy: Callable[..., Any], on_lax: str) -> Any:
    """`on_numpy(x, y)` for host values, `lax.<on_lax>` of the broadcast values where one is traced."""
    if on_host(x, y):
        try:
            return host_array(_quietly(on_numpy, x, y))
        except ValueError as e:
            raise incompatible(x, y) from e
    x, y = broadcast(x, y)
    return getattr(lax, on_lax)(x, y)


def on_scipy(name: str, x: Any) -> Any:
    """`scipy.special.<name>(x)` of a host value, in its dtype: floats of 16 bits by way of float32."""
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    return np.asarray(getattr(scipy_special, name)(wide)).astype(x.dtype)


def incompatible(*values: Any) -> InvalidArgumentError:
    """The error for shapes that do not broadcast."""
    shapes = " vs. ".join(f"[{','.join(map(str, static_shape(v)))}]" for v in values)
    return InvalidArgumentError(f"Incompatible shapes: {shapes}")


def broadcast(*values: Any) -> tuple[Any, ...]:
    """The values in the one shape that they broadcast to. InvalidArgumentError when there is none."""
    shapes = [static_shape(v) for v in values]
    if all(s == shapes[0] for s in shapes):
        return values
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError as e:
        raise incompatible(*values) from e
    return tuple(v if s == shape else broadcast_to(v, shape) for v, s in zip(values, shapes, strict=True))


def broadcast_to(value: Any, shape: tuple[int, ...]) -> Any:
    """The value in the larger shape `shape`, which it is known to broadcast to."""
    if on_host(value):
        return np.broadcast_to(value, shape)
    rank = len(static_shape(value))
    return lax.broadcast_in_dim(value, shape, tuple(range(len(shape) - rank, len(shape))))
