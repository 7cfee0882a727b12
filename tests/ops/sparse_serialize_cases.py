"""Rows of `ops/sparse_serialize.py`."""

import numpy as np

from tests.ops.case import Case

INDICES = np.array([[0, 0], [0, 1], [2, 0]], np.int64)
VALUES = np.array([1.0, 2.0, 3.0], np.float32)
WORDS = np.array([b"a", b"", b"c"], object)
SHAPE = np.array([3, 2], np.int64)

# What a serialized TensorProto of int64 [[0]], [[1]], of float32 [1], [2], of int64 [2], [3] looks like.
ONE = [b"\x08\x09\x12\x08\x12\x02\x08\x01\x12\x02\x08\x01\x22\x08" + bytes([i, *[0] * 7]) for i in (0, 1)]
VALUE = [b"\x08\x01\x12\x04\x12\x02\x08\x01\x22\x04" + v for v in (b"\0\0\x80?", b"\0\0\0@")]
SIZE = [b"\x08\x09\x12\x04\x12\x02\x08\x01\x22\x08" + bytes([i, *[0] * 7]) for i in (2, 3)]
SERIALIZED = np.array([[ONE[0], VALUE[0], SIZE[0]], [ONE[1], VALUE[1], SIZE[1]]], object)

CASES = [
    Case("SerializeSparse", [INDICES, VALUES, SHAPE]),
    Case("SerializeSparse", [INDICES[0], VALUES, SHAPE], fails="should be a matrix"),
    Case("SerializeManySparse", [INDICES, VALUES, SHAPE]),
    Case("SerializeManySparse", [INDICES[:, :1], VALUES, SHAPE[:1]], fails="Rank of input SparseTensor should be > 1"),
    Case("DeserializeManySparse", [SERIALIZED], {"dtype": "float32"}),
    Case("DeserializeManySparse", [SERIALIZED], {"dtype": "int32"}, fails="Requested SparseTensor|Type mismatch"),
    Case("DeserializeSparse", [SERIALIZED], {"dtype": "float32"}),
    Case("DeserializeSparse", [SERIALIZED[0]], {"dtype": "float32"}),
    Case("DeserializeSparse", [SERIALIZED.reshape(2, 1, 3)], {"dtype": "float32"}),
    Case("AddSparseToTensorsMap", [INDICES, WORDS, SHAPE]),
    Case("AddManySparseToTensorsMap", [INDICES, VALUES, SHAPE]),
    Case("TakeManySparseFromTensorsMap", [np.array([0, 1], np.int64)], {"dtype": "float32"}),
]
