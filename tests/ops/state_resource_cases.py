"""Rows of `ops.state_resource`."""

from typing import Any

import numpy as np

from tests.ops.case import Case

F, INT, LONG = np.float32, np.int32, np.int64

MATRIX = np.array([[1, 2], [-3, 4], [5, -6]], F)
ROWS = np.array([[10, 20], [30, -40], [0.5, 2]], F)
CUBE = np.arange(24, dtype=F).reshape(2, 3, 4)


def f(*values: Any, dtype: Any = F) -> Any:
    return np.array(values, dtype)


INTS = np.array([-7, 7, 3, 9], INT)
POINTS = np.array([[2, 1], [0, 0], [2, 1]], INT)
FLOAT = {"dtype": F}

CASES: list[Case] = [
    Case("ReadVariableOp", [MATRIX], FLOAT, grad=True, grad_wrt=(0,)),
    Case("ReadVariableOp", [np.array(3, LONG)], {"dtype": LONG}),
    Case("VariableShape", [MATRIX]),
    Case("VariableShape", [np.array(1.0, F)], {"out_type": LONG}),
    Case("AssignVariableOp", [MATRIX, ROWS]),
    Case("AssignVariableOp", [None, ROWS]),
    Case("AssignVariableOp", [MATRIX, ROWS], {"validate_shape": True}),
    Case("AssignVariableOp", [np.array(True), np.array(False)]),
    Case("AssignAddVariableOp", [MATRIX, ROWS], runs=2),
    Case("AssignAddVariableOp", [np.array(5, LONG), np.array(1, LONG)], runs=2),
    Case("AssignSubVariableOp", [MATRIX, ROWS], runs=2),
    Case("AssignSubVariableOp", [np.array(5, INT), np.array(7, INT)]),
    Case("ResourceCountUpTo", [np.array(0, LONG)], {"limit": 3, "T": LONG}, runs=3),
    Case("ResourceCountUpTo", [np.array(-1, INT)], {"limit": 1, "T": INT}, runs=2),
    Case("ResourceGather", [MATRIX, f(2, 0, 2, dtype=INT)], FLOAT, grad=True, grad_wrt=(0,)),
    Case("ResourceGather", [MATRIX, f([2, 0], [1, 1], dtype=LONG)], FLOAT, grad=True, grad_wrt=(0,)),
    Case("ResourceGather", [INTS, np.array(1, INT)], {"dtype": INT}),
    Case("ResourceGather", [CUBE, f([2, 0], [1, 1], dtype=INT)], {"dtype": F, "batch_dims": 1}),
    Case("ResourceGatherNd", [MATRIX, POINTS], FLOAT),
    Case("ResourceGatherNd", [CUBE, f([[1, 2]], [[0, 0]], dtype=LONG)], FLOAT),
    Case("ResourceGatherNd", [MATRIX, np.zeros((2, 0), INT)], FLOAT),
    Case("ResourceScatterUpdate", [MATRIX, f(2, 0, dtype=INT), ROWS[:2]]),
    Case("ResourceScatterUpdate", [MATRIX, f(2, 0, dtype=LONG), np.array(7, F)]),
    Case("ResourceScatterUpdate", [f(True, False, dtype=bool), f(0, dtype=INT), f(False, dtype=bool)]),
    Case("ResourceScatterAdd", [MATRIX, f(2, 0, 2, dtype=INT), ROWS], runs=2),
    Case("ResourceScatterAdd", [INTS, np.array([[0, 1], [1, 3]], LONG), np.array([[1, 2], [3, 4]], INT)]),
    Case("ResourceScatterAdd", [MATRIX, np.zeros((0,), INT), np.zeros((0, 2), F)]),
    Case("ResourceScatterSub", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ResourceScatterMul", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ResourceScatterDiv", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ResourceScatterDiv", [INTS, f(0, 1, 3, 3, dtype=INT), f(2, -2, 4, 2, dtype=INT)]),
    Case("ResourceScatterMin", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ResourceScatterMax", [MATRIX, f(2, 0, 2, dtype=INT), ROWS]),
    Case("ResourceScatterNdUpdate", [MATRIX, POINTS[:2], f(7, 8)]),
    Case("ResourceScatterNdUpdate", [MATRIX, f([1], [0], dtype=INT), ROWS[:2]]),
    Case("ResourceScatterNdAdd", [MATRIX, POINTS, f(7, 8, 9)], runs=2),
    Case("ResourceScatterNdSub", [MATRIX, POINTS, f(7, 8, 9)]),
    Case("ResourceScatterNdMin", [MATRIX, POINTS, f(7, -8, -9)]),
    Case("ResourceScatterNdMax", [MATRIX, POINTS, f(7, -8, 9)]),
    Case("ResourceStridedSliceAssign", [MATRIX, f(1, dtype=INT), f(3, dtype=INT), f(1, dtype=INT), ROWS[:2]]),
    Case("ResourceStridedSliceAssign", [MATRIX, f(1, dtype=LONG), f(3, dtype=LONG), f(1, dtype=LONG), np.array(9, F)]),
]
