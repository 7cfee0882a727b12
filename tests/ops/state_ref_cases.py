"""Rows of `ops.state_ref`."""

from typing import Any

import numpy as np

from tests.ops.case import Case

F, INT, LONG = np.float32, np.int32, np.int64

MATRIX = np.array([[1, 2], [-3, 4], [5, -6]], F)
ROWS = np.array([[10, 20], [30, -40], [0.5, 2]], F)


def f(*values: Any, dtype: Any = F) -> Any:
    return np.array(values, dtype)


INTS = np.array([-7, 7, 3, 9], INT)
POINTS = np.array([[2, 1], [0, 0], [2, 1]], INT)

CASES: list[Case] = [
    Case("Assign", [MATRIX, ROWS]),
    Case("Assign", [None, ROWS], {"validate_shape": False}),
    Case("Assign", [np.array(1.0), np.array(2.5)]),
    Case("Assign", [np.zeros((0, 2), F), np.zeros((0, 2), F)]),
    Case("Assign", [MATRIX, f(1, 2)], {"validate_shape": False}),
    Case("Assign", [f(True, dtype=bool), f(False, dtype=bool)]),
    Case("Assign", [np.array([b"a"], object), np.array([b"bc"], object)], compiled=False, why="strings"),
    Case("AssignAdd", [MATRIX, ROWS], runs=2),
    Case("AssignAdd", [np.array(5, LONG), np.array(1, LONG)], runs=3),
    Case("AssignAdd", [f(1, 2, dtype=np.float16), f(0.5, 0.25, dtype=np.float16)]),
    Case("AssignAdd", [f(250, dtype=np.uint8), f(10, dtype=np.uint8)]),
    Case("AssignAdd", [f(1 + 2j, dtype=np.complex64), f(2j, dtype=np.complex64)]),
    Case("AssignSub", [MATRIX, ROWS], runs=2),
    Case("AssignSub", [np.array(5, INT), np.array(7, INT)], runs=2),
    Case("CountUpTo", [np.array(0, LONG)], {"limit": 3}, runs=3),
    Case("CountUpTo", [np.array(-1, INT)], {"limit": 1}, runs=2),
    Case("ScatterUpdate", [MATRIX, f(2, 0, dtype=INT), ROWS[:2]]),
    Case("ScatterUpdate", [MATRIX, f(2, 0, dtype=LONG), np.array(7, F)]),
    Case("ScatterUpdate", [MATRIX, np.array(1, INT), ROWS[0]]),
    Case("ScatterUpdate", [MATRIX, np.zeros((0,), INT), np.zeros((0, 2), F)]),
    Case("ScatterUpdate", [f(True, False, dtype=bool), f(0, dtype=INT), f(False, dtype=bool)]),
    Case("ScatterAdd", [MATRIX, f(2, 0, 2, dtype=INT), ROWS], runs=2),
    Case("ScatterAdd", [INTS, np.array([[0, 1], [1, 3]], LONG), np.array([[1, 2], [3, 4]], INT)]),
    Case("ScatterAdd", [MATRIX, f(2, 2, dtype=INT), np.array(7, F)]),
    Case("ScatterSub", [MATRIX, f(2, 0, 2, dtype=INT), ROWS], runs=2),
    Case("ScatterSub", [INTS, f(1, 1, dtype=INT), f(1, 2, dtype=INT)]),
    Case("ScatterMul", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ScatterMul", [MATRIX, f(2, 0, 2, dtype=INT), np.array(3, F)]),
    Case("ScatterDiv", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ScatterDiv", [INTS, f(0, 1, 3, 3, dtype=INT), f(2, -2, 4, 2, dtype=INT)]),
    Case("ScatterMin", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ScatterMin", [INTS, f(1, 1, dtype=INT), f(5, -6, dtype=INT)]),
    Case("ScatterMax", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ScatterMax", [INTS, f(1, 1, dtype=INT), np.array(8, INT)]),
    Case("ScatterNdUpdate", [MATRIX, POINTS[:2], f(7, 8)]),
    Case("ScatterNdUpdate", [MATRIX, f([1], [0], dtype=INT), ROWS[:2]]),
    Case("ScatterNdUpdate", [MATRIX, f([[1], [0]], dtype=LONG), ROWS[None, :2]]),
    Case(
        "ScatterNdUpdate",
        [MATRIX, f([1], [7], dtype=INT), ROWS[:2]],
        {"bad_indices_policy": "IGNORE"},
    ),
    Case("ScatterNdAdd", [MATRIX, POINTS, f(7, 8, 9)], runs=2),
    Case("ScatterNdAdd", [INTS, f([1], [1], dtype=INT), f(5, 6, dtype=INT)]),
    Case("ScatterNdSub", [MATRIX, POINTS, f(7, 8, 9)]),
    Case("ScatterNdSub", [MATRIX, f([1], [1], dtype=INT), ROWS[:2]]),
    Case("ScatterNdMin", [MATRIX, POINTS, f(7, -8, -9)]),
    Case("ScatterNdMax", [MATRIX, POINTS, f(7, -8, 9)]),
    Case("StridedSliceAssign", [MATRIX, f(1, dtype=INT), f(3, dtype=INT), f(1, dtype=INT), ROWS[:2]]),
    Case("StridedSliceAssign", [MATRIX, f(0, 1, dtype=INT), f(3, 2, dtype=INT), f(2, 1, dtype=INT), np.array(9, F)]),
    Case(
        "StridedSliceAssign",
        [MATRIX, f(0, 1, dtype=INT), f(0, 2, dtype=INT), f(-2, 1, dtype=INT), f(7, 8)],
        {"begin_mask": 1, "end_mask": 1, "shrink_axis_mask": 2},
    ),
]
