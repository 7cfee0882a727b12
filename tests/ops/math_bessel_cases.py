"""Rows for Bessel functions."""

import numpy as np

from tests.ops.case import Case

X = np.array([[-2.5, -1.5, -0.3], [0.25, 0.5, 3.5]], np.float32)
POSITIVE = np.array([0.25, 0.5, 1.0, 3.5, 8.0], np.float32)
KINDS = ["I0", "I0e", "I1", "I1e", "J0", "J1"]

CASES = [
    case
    for kind in [*KINDS, "K0", "K0e", "K1", "K1e", "Y0", "Y1"]
    for x in [X if kind in KINDS else POSITIVE]
    for case in (
        Case(f"Bessel{kind}", [x], grad=True),
        Case(f"Bessel{kind}", [x.astype(np.float64)]),
        Case(f"Bessel{kind}", [x.astype(np.float16)]),
        Case(f"Bessel{kind}", [x[..., 0]]),
    )
]
