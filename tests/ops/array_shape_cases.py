"""Rows of `ops/array_shape.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
CUBE = np.arange(24, dtype=F).reshape(2, 3, 4)
EMPTY = np.zeros((0, 3), F)
TEXT = np.array([b"a", b"bc"], object)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def longs(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


CASES = [
    Case("Shape", [CUBE]),
    Case("Shape", [F(1)], {"out_type": np.int64}),
    Case("Shape", [TEXT], compiled=False),
    Case("ShapeN", [[CUBE, EMPTY]]),
    Case("ShapeN", [[CUBE, MATRIX]], {"out_type": np.int64}),
    Case("Size", [CUBE]),
    Case("Size", [EMPTY], {"out_type": np.int64}),
    Case("Rank", [CUBE]),
    Case("Rank", [F(0)]),
    Case("BroadcastArgs", [ints(2, 1, 3), ints(4, 1)]),
    Case("BroadcastArgs", [longs(), longs(4, 1)]),
    Case("BroadcastArgs", [ints(2), ints(3)], fails="ncompatible shapes"),
    Case("BroadcastGradientArgs", [ints(2, 1, 3), ints(4, 1)]),
    Case("BroadcastGradientArgs", [ints(2, 3), ints(2, 3)]),
    Case("BroadcastGradientArgs", [ints(1, 3), ints(1, 3)]),
    Case("BroadcastGradientArgs", [ints(1, 1, 3), ints(1, 2, 3)]),
    Case("BroadcastGradientArgs", [ints(1, 3), ints(3)]),
    Case("BroadcastGradientArgs", [ints(), ints(1)]),
    Case("BroadcastGradientArgs", [longs(), longs(5, 0)]),
    Case("BroadcastGradientArgs", [ints(2), ints(3)], fails="ncompatible shapes"),
    Case("Fill", [ints(2, 3), F(7)], grad=True),
    Case("Fill", [longs(), np.array(7, np.int64)]),
    Case("Fill", [ints(2), np.array(b"x", object)], compiled=False),
    Case("Fill", [ints(0, 2), np.array(True)]),
    Case("Fill", [ints(-1, 2), np.array(True)], fails=">= 0"),
    Case("ZerosLike", [CUBE]),
    Case("ZerosLike", [TEXT], compiled=False),
    Case("ZerosLike", [np.array([True])]),
    Case("OnesLike", [CUBE]),
    Case("OnesLike", [np.array([False])]),
    Case("OnesLike", [np.array([1, 2], np.complex64)]),
    Case("Empty", [ints(2, 3)], {"dtype": np.float32, "init": True}),
    Case("Range", [np.int32(3), np.int32(18), np.int32(4)]),
    Case("Range", [np.int32(5), np.int32(0), np.int32(-2)]),
    Case("Range", [np.int64(5), np.int64(5), np.int64(1)]),
    Case("Range", [F(0), F(1), F(0.1)]),
    Case("Range", [np.float64(3), np.float64(1), np.float64(-0.3)]),
    Case("Range", [np.int32(5), np.int32(0), np.int32(2)], fails="Requires start <= limit when delta > 0"),
    Case("Range", [np.int32(5), np.int32(0), np.int32(0)], fails="Requires delta != 0"),
    Case("LinSpace", [F(0), F(1), np.int32(7)]),
    Case("LinSpace", [np.float64(3), np.float64(-1), np.int64(4)]),
    Case("LinSpace", [F(5), F(9), np.int32(1)]),
    Case("LinSpace", [F(5), F(9), np.int32(0)], fails="Requires num > 0"),
    Case("Reshape", [CUBE, ints(6, 4)], grad=True),
    Case("Reshape", [CUBE, longs(4, -1, 2)], grad=True),
    Case("Reshape", [F(3), ints(1, 1)]),
    Case("Reshape", [F([3]), ints()]),
    Case("Reshape", [EMPTY, ints(3, -1)]),
    Case("Reshape", [TEXT, ints(2, 1)], compiled=False),
    Case("Reshape", [CUBE, ints(5, -1)], fails="requires a multiple of 5"),
    Case("Reshape", [CUBE, ints(5, 2)], fails="a tensor with 24 values, but the requested shape has 10"),
    Case("ExpandDims", [MATRIX, np.int32(1)], grad=True),
    Case("ExpandDims", [MATRIX, np.int64(-1)]),
    Case("ExpandDims", [MATRIX, ints(0)]),
    Case("ExpandDims", [MATRIX, np.int32(4)], fails="."),
    Case("Squeeze", [CUBE.reshape(1, 6, 1, 4)], grad=True),
    Case("Squeeze", [CUBE.reshape(1, 6, 1, 4)], {"squeeze_dims": [-2]}, grad=True),
    Case("Squeeze", [CUBE.reshape(1, 6, 1, 4)], {"squeeze_dims": [1]}, fails="Can not squeeze dim"),
    Case("BroadcastTo", [MATRIX.reshape(2, 1, 3), ints(5, 2, 4, 3)], grad=True),
    Case("BroadcastTo", [MATRIX, longs(2, 3)], grad=True),
    Case("BroadcastTo", [F(1), ints(0, 2)]),
    Case("BroadcastTo", [MATRIX, ints(3, 3)], fails="."),
]
