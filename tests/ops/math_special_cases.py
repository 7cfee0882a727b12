"""Rows for special functions."""

import ml_dtypes
import numpy as np

from tests.ops.case import Case

X = np.array([[-2.5, -1.5, -0.3], [0.25, 0.5, 3.5]], np.float32)
POSITIVE = np.array([0.25, 0.5, 1.0, 3.5, 8.0], np.float32)
UNIT = np.array([0.1, 0.3, 0.5, 0.9], np.float32)
A = np.array([[0.5], [2.0], [5.0]], np.float32)
ORDER = np.array([1.0, 2.0, 3.0], np.float32)


def of_one(op: str, x: np.ndarray) -> list[Case]:
    return [
        Case(op, [x], grad=True),
        Case(op, [x.astype(np.float64)]),
        Case(op, [x[..., 0]]),
        Case(op, [x[:0]]),
    ]


def of_two(op: str, x: np.ndarray, y: np.ndarray, grad: bool = True) -> list[Case]:
    return [
        Case(op, [x, y], grad=grad),
        Case(op, [x[:, 0], y[: len(x)]], grad=grad),
        Case(op, [x.astype(np.float64), y[0].astype(np.float64)], grad=grad),
    ]


CASES = [
    *of_one("Erf", X),
    *[Case(op, [POSITIVE.astype(np.float16)]) for op in ("Erf", "Erfc", "Lgamma", "Digamma")],
    Case("Erf", [X.astype(ml_dtypes.bfloat16)]),
    *of_one("Erfc", X),
    *of_one("Erfinv", UNIT),
    *of_one("Ndtri", UNIT),
    *of_one("Lgamma", POSITIVE),
    *of_one("Digamma", POSITIVE),
    *of_two("Polygamma", ORDER[:, None], POSITIVE),
    *of_two("Zeta", ORDER[:, None] + 0.5, POSITIVE),
    *of_two("Igamma", A, POSITIVE),
    *of_two("Igammac", A, POSITIVE),
    *of_two("IgammaGradA", A, POSITIVE, grad=False),
    *of_two("RandomGammaGrad", A, POSITIVE, grad=False),
    Case("Betainc", [POSITIVE[:4], POSITIVE[3::-1].copy(), UNIT], grad=True, grad_wrt=(2,)),
    Case("Betainc", [np.float32(2.0), POSITIVE[:4], np.float32(0.3)]),
    Case("Betainc", [np.float64(2.0), np.float64(0.5), np.float64(0.3)], grad=True, grad_wrt=(2,)),
    *of_one("Dawsn", X),
    *of_one("Expint", POSITIVE),
    *of_one("FresnelSin", X),
    *of_one("FresnelCos", X),
    *of_one("Spence", POSITIVE),
]
