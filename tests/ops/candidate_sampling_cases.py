"""Rows of `ops.candidate_sampling`: the same samples as TensorFlow's, run after run of one session."""

from typing import Any

import numpy as np

from tests.ops.case import Case

TRUE = np.array([[3, 4], [0, 17]], np.int64)


def row(name: str, unique: bool, range_max: int, num_sampled: int = 20, **attrs: Any) -> Case:
    common = {"num_true": 2, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return Case(name, [TRUE % range_max], {**common, "seed": 3, "seed2": 5, **attrs}, runs=3)


CASES: list[Case] = [
    row("UniformCandidateSampler", False, 64),
    row("UniformCandidateSampler", False, 1000),
    row("UniformCandidateSampler", False, 3 * 2**40),
    row("UniformCandidateSampler", True, 25),
    row("LogUniformCandidateSampler", False, 1000),
    row("LogUniformCandidateSampler", True, 50),
    row("LogUniformCandidateSampler", True, 30, 30),
    row("FixedUnigramCandidateSampler", False, 5, unigrams=[1.0, 2.0, 3.0, 4.0, 5.0]),
    row("FixedUnigramCandidateSampler", True, 5, 3, unigrams=[1.0, 2.0, 3.0, 4.0, 5.0]),
    row(
        "FixedUnigramCandidateSampler",
        False,
        5,
        unigrams=[1.0, 2.0, 3.0, 4.0],
        num_reserved_ids=1,
        distortion=0.75,
    ),
    Case("AllCandidateSampler", [TRUE % 6], {"num_true": 2, "num_sampled": 6, "unique": True}),
    Case("ComputeAccidentalHits", [TRUE, np.array([7, 4, 3, 0, 4], np.int64)], {"num_true": 2}),
    Case("ComputeAccidentalHits", [TRUE[:1], np.array([9], np.int64)], {"num_true": 2}),
]
