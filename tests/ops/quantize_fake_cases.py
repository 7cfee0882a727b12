"""Rows of `ops/quantize_fake.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
X = F([[-7.0, -0.1, 0.0, 0.06], [0.31, 1.0, 6.2, 100.0]])
DY = F([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
LOW, HIGH = F([-1.0, -0.5, 0.1, 0.0]), F([1.0, 2.0, 3.0, 0.0])
SETTINGS = ({}, {"num_bits": 4}, {"narrow_range": True})

CASES = [
    *(Case("FakeQuantWithMinMaxArgs", [X], s, grad=True) for s in (*SETTINGS, {"min": 0.5, "max": 2.0})),
    Case("FakeQuantWithMinMaxArgs", [X], {"min": -3.0, "max": -1.0}),
    *(Case("FakeQuantWithMinMaxArgsGradient", [DY, X], s) for s in SETTINGS),
    *(Case("FakeQuantWithMinMaxVars", [X, F(-1.5), F(2.25)], s, grad=True) for s in SETTINGS),
    Case("FakeQuantWithMinMaxVars", [X, F(0), F(0)]),
    Case("FakeQuantWithMinMaxVars", [X[0, 0], F(-10), F(20)]),
    *(Case("FakeQuantWithMinMaxVarsGradient", [DY, X, F(-1.5), F(2.25)], s) for s in SETTINGS),
    Case("FakeQuantWithMinMaxVarsGradient", [DY, X, F(0), F(0)]),
    *(Case("FakeQuantWithMinMaxVarsPerChannel", [X, LOW, HIGH], s, grad=True) for s in SETTINGS),
    Case("FakeQuantWithMinMaxVarsPerChannel", [X[0], LOW, HIGH]),
    Case("FakeQuantWithMinMaxVarsPerChannel", [X.reshape(1, 2, 1, 4), LOW, HIGH]),
    Case("FakeQuantWithMinMaxVarsPerChannel", [X, LOW[:2], HIGH], fails="min has incorrect size"),
    *(Case("FakeQuantWithMinMaxVarsPerChannelGradient", [DY, X, LOW, HIGH], s) for s in SETTINGS),
    Case("FakeQuantWithMinMaxVarsPerChannelGradient", [DY[0], X[0], LOW, HIGH]),
]
