"""Rows of `ops/array_format.py`."""

import numpy as np

from tests.ops.case import Case

J = np.int32

CASES = [
    Case("DataFormatDimMap", [J([0, 1, 2, 3, -1, -4])]),
    Case("DataFormatDimMap", [np.int64([[0, 1], [2, -1]])], {"src_format": "NHWC", "dst_format": "HWNC"}),
    Case("DataFormatDimMap", [J(2)], {"src_format": "NCHW", "dst_format": "NHWC"}),
    Case("DataFormatVecPermute", [J([1, 2, 3, 4])]),
    Case("DataFormatVecPermute", [np.int64([1, 2, 3, 4])], {"src_format": "NCHW", "dst_format": "NHWC"}),
    Case("DataFormatVecPermute", [J([5, 6])]),
    Case("DataFormatVecPermute", [J([5, 6])], {"src_format": "NHWC", "dst_format": "WHNC"}),
    Case("DataFormatVecPermute", [J([[1, 2], [3, 4], [5, 6], [7, 8]])], {"src_format": "NCHW", "dst_format": "NHWC"}),
    Case("DataFormatVecPermute", [J([[1, 2], [3, 4]])]),
    Case("DataFormatVecPermute", [J([1, 2, 3])], fails="."),
]
