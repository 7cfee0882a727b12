"""Rows of `ops/quantize.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
X = np.linspace(-9, 9, 24, dtype=F).reshape(2, 3, 4)
DY = np.cos(X)
LOW, HIGH = F(-3.3), F(5.2)
LOWS, HIGHS = F([-1, -2, 0, -8]), F([1, 0.5, 7, 0])
FEW = {"num_bits": 3, "narrow_range": True}

CASES = [
    Case("FakeQuantWithMinMaxArgs", [X], grad=True),
    Case("FakeQuantWithMinMaxArgs", [X], {"min": 0.5, "max": 4.0, **FEW}, grad=True),
    Case("FakeQuantWithMinMaxArgsGradient", [DY, X], FEW),
    Case("FakeQuantWithMinMaxVars", [X, LOW, HIGH], grad=True),
    Case("FakeQuantWithMinMaxVars", [X, LOW, HIGH], FEW),
    Case("FakeQuantWithMinMaxVars", [X, F(0), F(0)]),
    Case("FakeQuantWithMinMaxVarsGradient", [DY, X, LOW, HIGH], FEW),
    Case("FakeQuantWithMinMaxVarsGradient", [DY, X, F(0), F(0)]),
    Case("FakeQuantWithMinMaxVarsPerChannel", [X, LOWS, HIGHS], grad=True),
    Case("FakeQuantWithMinMaxVarsPerChannel", [X[0, 0], LOWS, HIGHS], FEW),
    Case("FakeQuantWithMinMaxVarsPerChannelGradient", [DY, X, LOWS, HIGHS]),
    Case("FakeQuantWithMinMaxVarsPerChannelGradient", [DY[0, 0], X[0, 0], LOWS, HIGHS], FEW),
]
