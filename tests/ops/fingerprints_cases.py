"""Rows of `ops/fingerprints.py`."""

import numpy as np

from tests.ops.case import Case

METHOD = np.array(b"farmhash64", object)

CASES = [
    Case("Fingerprint", [np.array([b"abc", b""], object), METHOD]),
    Case("Fingerprint", [np.array([[b"abc", b"x"], [b"", b"y"]], object), METHOD]),
    Case("Fingerprint", [np.int32([[1, 2], [3, 4]]), METHOD]),
    Case("Fingerprint", [np.float64([1.5, 2.5]), METHOD]),
    Case("Fingerprint", [np.int32([1]), np.array(b"md5", object)], fails="Unsupported"),
    Case("Timestamp", outputs=(9,), why="the time differs"),
]
