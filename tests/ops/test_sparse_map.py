"""Sparse tensors that a session keeps under numbers."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base.errors import InvalidArgumentError
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session

PARTS = (np.array([[0, 0], [0, 1], [2, 0]]), np.array([b"a", b"b", b"c"], object), np.array([3, 2]))


def test_what_is_added_is_taken_out_once():
    b = Builder(Graph())
    numbers = b.AddManySparseToTensorsMap(*PARTS, shared_name="kept")
    one = b.AddSparseToTensorsMap(PARTS[0][:, 1:], PARTS[1], PARTS[2][1:], shared_name="kept")
    wanted = b.Placeholder(dtype="int64")
    taken = b.TakeManySparseFromTensorsMap(wanted, dtype="string", shared_name="kept")
    session = Session(b.graph)
    held = session.run(numbers)
    last = session.run(one)
    assert len({*held.tolist(), int(last)}) == 4
    indices, values, shape = session.run(taken, {wanted: [held[2], last, held[1]]})
    assert indices.tolist() == [[0, 0], [1, 0], [1, 1], [1, 0]]
    assert values.tolist() == [b"c", b"a", b"b", b"c"]
    assert shape.tolist() == [3, 2]
    with pytest.raises(InvalidArgumentError, match="Unable to find SparseTensor"):
        session.run(taken, {wanted: [held[2]]})
