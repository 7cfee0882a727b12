"""Rows of `ops/barriers.py`: static shapes. `test_barriers.py` runs the ops together."""

import numpy as np

from tests.ops.case import Case

REF = np.array([b"", b""], object)
TYPES = {"component_types": ["int64", "float32"]}

CASES = [
    Case("Barrier", [], TYPES),
    Case("BarrierInsertMany", [REF, np.array([b"a", b"b"], object), np.array([1, 2])], {"component_index": 0}),
    Case("BarrierTakeMany", [REF, np.int32(2)], TYPES),
    Case("BarrierClose", [REF]),
    Case("BarrierReadySize", [REF]),
    Case("BarrierIncompleteSize", [REF]),
]
