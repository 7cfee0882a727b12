"""Rows of `ops/staging.py`: static shapes. `test_staging.py` runs the ops together."""

import numpy as np

from tests.ops.case import Case

TYPES = {"dtypes": ["int64", "float32"]}
VALUES = [np.int64(1), np.float32(2)]
KEY, BOTH = np.int64(5), np.array([0, 1], np.int32)

CASES = [
    Case("Stage", [VALUES]),
    Case("Unstage", [], TYPES),
    Case("StagePeek", [np.int32(0)], TYPES),
    Case("StageSize", [], TYPES),
    Case("StageClear", [], TYPES),
    *(
        case
        for prefix in ("Map", "OrderedMap")
        for case in (
            Case(f"{prefix}Stage", [KEY, BOTH, VALUES], TYPES),
            Case(f"{prefix}Unstage", [KEY, BOTH], TYPES),
            Case(f"{prefix}Peek", [KEY, BOTH], TYPES),
            Case(f"{prefix}UnstageNoKey", [BOTH], TYPES),
            Case(f"{prefix}Size", [], TYPES),
            Case(f"{prefix}IncompleteSize", [], TYPES),
            Case(f"{prefix}Clear", [], TYPES),
        )
    ),
]
