"""Rows of `ops.random_distributions`: TensorFlow's CPU kernels give the same numbers, run after run of one session."""

from typing import Any

import numpy as np

from tests.ops.case import Case

INT, LONG = np.int32, np.int64
HALF, FLOAT, DOUBLE = np.float16, np.float32, np.float64

SEEDS = {"seed": 3, "seed2": 5}
LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25], [0.9, 0.05, 0.05]])).astype(FLOAT)
ALPHA = np.array([[0.5, 1.0, 3.0], [0.125, 100.0, 1.5]], FLOAT)
RATES = np.array([0.5, 9.0, 25.0, 10.0], FLOAT)

SEED = np.array([-3, 2**40], LONG)
KEY, COUNTER = np.array([2**63 + 5], np.uint64), np.array([2**64 - 2, 7], np.uint64)


def sizes(*dims: int, dtype: Any = INT) -> Any:
    return np.array(dims, dtype)


CASES: list[Case] = [
    Case("Multinomial", [LOGITS, np.array(5, INT)], SEEDS, runs=3),
    Case("Multinomial", [np.tile(LOGITS, (50, 1)), np.array(7, INT)], {**SEEDS, "output_dtype": INT}, runs=2),
    Case("Multinomial", [np.array([[-np.inf, 1, 2]], DOUBLE), np.array(9, INT)], SEEDS, runs=2),
    Case("Multinomial", [LOGITS.astype(HALF), np.array(8, INT)], SEEDS, runs=2),
    Case("Multinomial", [LOGITS, np.array(0, INT)], SEEDS),
    Case("StatelessMultinomial", [LOGITS, np.array(6, INT), np.array([-7, 8], LONG)]),
    Case("StatelessMultinomial", [LOGITS, np.array(6, INT), np.array([7, 8], INT)], {"output_dtype": INT}),
    Case("RandomGamma", [sizes(7), ALPHA], SEEDS, runs=2, grad=True, grad_wrt=(1,)),
    Case("RandomGamma", [sizes(40, 5, dtype=LONG), ALPHA.astype(DOUBLE)], SEEDS, grad=True, grad_wrt=(1,)),
    Case("RandomGamma", [sizes(), ALPHA.astype(HALF)], SEEDS, runs=2),
    Case("RandomGamma", [sizes(2, 0), ALPHA], SEEDS, runs=2),
    Case("RandomPoissonV2", [sizes(50), RATES], {**SEEDS, "dtype": FLOAT}, runs=2),
    Case("RandomPoissonV2", [sizes(9, 2, dtype=LONG), RATES.astype(DOUBLE) * 4], {**SEEDS, "dtype": LONG}, runs=2),
    Case("RandomPoissonV2", [sizes(9), RATES.astype(INT)], {**SEEDS, "dtype": INT}, runs=2),
    Case("RandomPoissonV2", [sizes(), RATES], {**SEEDS, "dtype": HALF}, runs=2),
    Case("StatelessRandomGammaV2", [sizes(7, 2, 3), SEED, ALPHA], grad=True, grad_wrt=(2,)),
    Case("StatelessRandomGammaV2", [sizes(7, 3, dtype=LONG), SEED, ALPHA[0].astype(DOUBLE)]),
    Case("StatelessRandomGammaV2", [sizes(5), SEED, np.array(2.5, FLOAT)]),
    Case("StatelessRandomGammaV3", [sizes(7, 2, 3), KEY, COUNTER, np.array(1, INT), ALPHA], grad=True, grad_wrt=(4,)),
    Case("StatelessRandomPoisson", [sizes(50, 4), SEED, RATES], {"dtype": FLOAT}),
    Case("StatelessRandomPoisson", [sizes(50, 4), SEED, RATES.astype(DOUBLE)], {"dtype": LONG}),
]
