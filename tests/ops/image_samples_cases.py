"""Rows of `ops/image_samples.py`."""

import numpy as np

from tests.ops.case import Case

BOXES = np.float32([[[0.1, 0.2, 0.7, 0.9], [0.0, 0.0, 0.3, 0.3]]])
NONE = np.zeros((1, 0, 4), np.float32)
LEAST = np.float32(0.3)
SEEDS = {"seed": 3, "seed2": 7}

CASES = [
    *(
        Case("SampleDistortedBoundingBoxV2", [np.array(size, np.int32), boxes, LEAST], {**SEEDS, **attrs}, runs=4)
        for size in ([40, 60, 3], [301, 17, 3])
        for boxes, attrs in (
            (BOXES, {}),
            (BOXES, {"aspect_ratio_range": [0.5, 3.0], "area_range": [0.3, 0.9], "max_attempts": 5}),
            (BOXES, {"area_range": [0.999, 1.0], "max_attempts": 2}),
            (NONE, {"use_image_if_no_bounding_boxes": True}),
        )
    ),
    Case("SampleDistortedBoundingBox", [np.int64([50, 50, 3]), BOXES], {**SEEDS, "min_object_covered": 0.9}, runs=3),
    Case("StatelessSampleDistortedBoundingBox", [np.int32([40, 60, 3]), BOXES, LEAST, np.int32([1, 2])]),
    Case(
        "StatelessSampleDistortedBoundingBox",
        [np.int32([40, 60, 3]), NONE, LEAST, np.int64([5, -6])],
        {"use_image_if_no_bounding_boxes": True},
    ),
    Case(
        "StatelessSampleDistortedBoundingBox", [np.int32([40, 60, 3]), NONE, LEAST, np.int32([1, 2])], fails="No bound"
    ),
    Case("StatelessSampleDistortedBoundingBox", [np.int32([40, 60]), BOXES, LEAST, np.int32([1, 2])], fails="."),
    Case("StatelessSampleDistortedBoundingBox", [np.int32([40, 60, 3]), -BOXES, LEAST, np.int32([1, 2])], fails="."),
]
