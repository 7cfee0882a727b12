"""Rows of `ops/accumulators.py`: static shapes. `test_accumulators.py` runs the ops together."""

import numpy as np

from tests.ops.both import RESOURCE
from tests.ops.case import Case

REF = np.array([b"", b""], object)
MAKE = {"dtype": "float32", "shape": [2]}
STEP, COUNT, GRADIENT = np.int64(0), np.int32(1), np.float32([1, 2])
ROWS = [np.int64([0, 2]), np.float32([[1], [2]]), np.int64([3, 1])]

CASES = [
    *(Case(op, [], MAKE) for op in ("ConditionalAccumulator", "ResourceConditionalAccumulator")),
    Case("SparseConditionalAccumulator", [], MAKE),
    *(
        case
        for prefix, handle in (("", REF), ("Resource", RESOURCE))
        for case in (
            Case(f"{prefix}AccumulatorApplyGradient", [handle, STEP, GRADIENT]),
            Case(f"{prefix}AccumulatorTakeGradient", [handle, COUNT], {"dtype": "float32"}),
            Case(f"{prefix}AccumulatorNumAccumulated", [handle]),
            Case(f"{prefix}AccumulatorSetGlobalStep", [handle, STEP]),
        )
    ),
    Case("SparseAccumulatorApplyGradient", [REF, STEP, *ROWS], {"has_known_shape": True}),
    Case("SparseAccumulatorTakeGradient", [REF, COUNT], {"dtype": "float32"}),
]
