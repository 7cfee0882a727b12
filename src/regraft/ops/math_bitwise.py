"""Operations on the bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.opkit.arrays import lax, namespace, on_host
from regraft.opkit.elementwise import binary
from regraft.opkit.registry import op
from regraft.opkit.shapes import broadcast as broadcast_shape
from regraft.opkit.shapes import same_as

_INTEGER = "integer result"


@op("BitwiseAnd", shape=broadcast_shape, elementwise=True, no_gradient=_INTEGER)
def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that are set in both."""
    return binary(x, y, np.bitwise_and, "bitwise_and")


@op("BitwiseOr", shape=broadcast_shape, elementwise=True, no_gradient=_INTEGER)
def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that are set in either."""
    return binary(x, y, np.bitwise_or, "bitwise_or")


@op("BitwiseXor", shape=broadcast_shape, elementwise=True, no_gradient=_INTEGER)
def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits that are set in one of the two."""
    return binary(x, y, np.bitwise_xor, "bitwise_xor")


def _distance(y: Any) -> Any:
    """How far to shift: no less than 0, no more than what leaves one bit."""
    return namespace(y).clip(y, np.asarray(0, y.dtype), np.asarray(y.dtype.itemsize * 8 - 1, y.dtype))


@op("LeftShift", shape=broadcast_shape, elementwise=True, no_gradient=_INTEGER)
def left_shift(x: Any, y: Any) -> Any:
    """x * 2^y, with y taken to be within 0 and the number of bits less one."""
    return binary(x, _distance(y), np.left_shift, "shift_left")


@op("RightShift", shape=broadcast_shape, elementwise=True, no_gradient=_INTEGER)
def right_shift(x: Any, y: Any) -> Any:
    """x / 2^y rounded down, with y taken as in LeftShift."""
    kind = "shift_right_arithmetic" if x.dtype.kind == "i" else "shift_right_logical"
    return binary(x, _distance(y), np.right_shift, kind)


@op("PopulationCount", shape=same_as(0), no_gradient=_INTEGER)
def population_count(x: Any) -> Any:
    """How many bits are set, as uint8."""
    if not on_host(x):
        return lax.convert_element_type(lax.population_count(x), np.uint8)
    as_bytes = np.ascontiguousarray(x).reshape(-1).view(np.uint8).reshape(*np.shape(x), x.dtype.itemsize)
    return np.unpackbits(as_bytes, axis=-1).sum(axis=-1, dtype=np.uint8)
