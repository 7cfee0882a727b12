"""Rows of `ops/strings_hash.py`: strings of every length at which the hashes change their ways."""

import numpy as np

from tests.ops.case import Case

LONG = bytes(range(256)) * 2
SIZES = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 192, 200, 257, 500]
ALL = np.array([LONG[i : i + n] for i, n in enumerate(SIZES)], object)

CASES = [
    *(
        case
        for buckets in (2**63 - 1, 10)
        for case in (
            Case("StringToHashBucketFast", [ALL], {"num_buckets": buckets}),
            Case("StringToHashBucketStrong", [ALL], {"num_buckets": buckets, "key": (1, -2)}),
            Case("StringToHashBucket", [ALL], {"num_buckets": buckets}),
        )
    ),
    Case("StringToHashBucketFast", [np.array(b"x", object)], {"num_buckets": 7}),
]
