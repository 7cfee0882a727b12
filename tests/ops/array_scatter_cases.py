"""Rows of `ops/array_scatter.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
ROWS = np.array([[1], [0]], np.int32)
CELLS = np.array([[1, 2], [0, 1], [1, 2]])
THREE = F([7, 1, -2])
SHAPE = np.array([2, 3])

CASES = [
    Case("ScatterNd", [CELLS, THREE, SHAPE], grad=True),
    Case("ScatterNd", [ROWS, MATRIX, SHAPE.astype(np.int32)], grad=True),
    Case("ScatterNd", [ROWS, np.array([4, 5]), np.array([3], np.int32)]),
    Case("ScatterNd", [np.zeros((0, 2), np.int64), np.zeros(0, F), SHAPE]),
    Case("ScatterNd", [CELLS + 1, THREE, SHAPE], {"bad_indices_policy": "IGNORE"}),
    Case("ScatterNd", [CELLS + 1, THREE, SHAPE], fails="does not index into shape"),
    Case("ScatterNdNonAliasingAdd", [MATRIX, CELLS.astype(np.int32), THREE], grad=True),
    *[
        Case(f"TensorScatter{how}", [MATRIX, indices, updates], grad=True)
        for how in ("Update", "Add", "Sub", "Max", "Min")
        for indices, updates in ((CELLS[:2], THREE[:2]), (ROWS, MATRIX * 2 - 4))
    ],
    *[
        Case(f"TensorScatter{how}", [MATRIX.astype(np.int32), CELLS, THREE.astype(np.int32)])
        for how in ("Add", "Sub", "Max", "Min")
    ],
    *[Case(f"Inplace{how}", [MATRIX, np.array([1, 0], np.int32), -MATRIX]) for how in ("Update", "Add", "Sub")],
    Case("TensorScatterUpdate", [MATRIX, CELLS + 1, THREE], fails="does not index into shape"),
]  # fmt: skip
