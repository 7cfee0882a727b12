"""Rows of `ops/sparse_cross.py`."""

import numpy as np

from tests.ops.case import Case

SHAPE = np.array([3, 2], np.int64)
PLACES = [np.array([[0, 0], [0, 1], [1, 0]], np.int64), np.array([[0, 0], [1, 0], [1, 1]], np.int64)]
WORDS = np.array([b"a", b"bb", b"c"], object)
NUMBERS = np.array([7, -8, 9], np.int64)
DENSE = np.array([[b"x", b"y"], [b"z", b"w"], [b"u", b"v"]], object)


def text() -> dict[str, object]:
    return {
        "hashed_output": False,
        "num_buckets": 0,
        "hash_key": 0,
        "out_type": "string",
        "internal_type": "string",
    }


def hashed(num_buckets: int) -> dict[str, object]:
    return {
        "hashed_output": True,
        "num_buckets": num_buckets,
        "hash_key": 956888297470,
        "out_type": "int64",
        "internal_type": "int64",
    }


MIXED = [PLACES, [WORDS, NUMBERS], [SHAPE, SHAPE], [DENSE]]
OLD_RESULT = [
    np.array([[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1], [1, 2], [1, 3]], np.int64),
    np.array([454, 424, 586, 993, 588, 551, 747, 500], np.int64),
    np.array([3, 4], np.int64),
]

CASES = [
    Case("SparseCross", [PLACES, [WORDS, WORDS], [SHAPE, SHAPE], [DENSE]], text()),
    Case("SparseCross", MIXED, hashed(0)),
    Case("SparseCross", MIXED, hashed(1000)),
    Case("SparseCross", [[], [], [], [DENSE, DENSE[:2]]], text(), fails="atch size"),
    Case(
        "SparseFeatureCrossV2",
        [PLACES, [WORDS, np.abs(NUMBERS)], [SHAPE, SHAPE], [DENSE]],
        hashed(1000),
        expected=OLD_RESULT,
        shapes="looser",
        why="TensorFlow's SparseCross, which this op became; the shapes depend on values",
    ),
    Case("SparseCrossV2", [*MIXED, np.array(b"-", object)]),
]
