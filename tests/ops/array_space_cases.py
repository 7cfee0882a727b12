"""Rows of `ops/array_space.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
IMAGES = np.arange(48, dtype=F).reshape(1, 4, 6, 2)
BATCH = np.arange(96, dtype=F).reshape(8, 2, 3, 2)
TWO = np.array([2, 2], np.int32)
PADS = np.array([[0, 0], [1, 1]], np.int32)
PATCHES = {"ksizes": [1, 2, 3, 1], "strides": [1, 2, 1, 1], "rates": [1, 1, 2, 1]}

CASES = [
    Case("SpaceToBatchND", [IMAGES, TWO, PADS], grad=True),
    Case("SpaceToBatchND", [IMAGES[0, :, :, 0], np.array([4]), np.array([[1, 1]])], grad=True),
    Case("SpaceToBatchND", [IMAGES, TWO, PADS[::-1] * 2]),
    Case("SpaceToBatchND", [IMAGES, TWO + 1, PADS], fails="."),
    Case("BatchToSpaceND", [BATCH, TWO, PADS], grad=True),
    Case("BatchToSpaceND", [BATCH, np.array([4]), np.array([[3, 1]])], grad=True),
    Case("BatchToSpaceND", [BATCH, TWO + 1, PADS], fails="."),
    Case("SpaceToBatch", [IMAGES, PADS], {"block_size": 2}, grad=True),
    Case("BatchToSpace", [BATCH, PADS], {"block_size": 2}, grad=True),
    Case("SpaceToDepth", [IMAGES], {"block_size": 2}, grad=True),
    Case("SpaceToDepth", [IMAGES], {"block_size": 4}, fails="."),
    Case("DepthToSpace", [BATCH.reshape(1, 4, 3, 8)], {"block_size": 2}, grad=True),
    Case("DepthToSpace", [BATCH], {"block_size": 2}, fails="."),
    Case("ExtractImagePatches", [IMAGES], {**PATCHES, "padding": "VALID"}, grad=True),
    Case("ExtractImagePatches", [IMAGES], {**PATCHES, "padding": "SAME"}, grad=True),
    Case("ExtractImagePatches", [IMAGES.astype(np.int32)], {**PATCHES, "padding": "SAME"}),
]
