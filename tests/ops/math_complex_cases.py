"""Rows for complex numbers."""

import numpy as np

from regraft.base.dtypes import complex128, float64
from tests.ops.case import Case

Z = np.array([[1 + 2j, -0.5 + 0.25j], [0.3 - 1j, 0]], np.complex64)
X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], np.float32)
WIDE = Z.astype(np.complex128)

CASES = [
    *[Case(op, [Z], grad=True) for op in ("Real", "Imag", "Conj", "ComplexAbs", "Angle")],
    *[Case(op, [WIDE], {"Tout": float64}) for op in ("Real", "Imag", "ComplexAbs", "Angle")],
    Case("Conj", [WIDE]),
    *[Case("Complex", [X, y], grad=True) for y in (X[::-1].copy(), X[0], np.float32(0.5))],
    Case("Complex", [X.astype(np.float64), X.astype(np.float64)], {"Tout": complex128}, grad=True),
]
