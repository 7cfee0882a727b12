"""Rows of `ops/summary_writer.py`: static shapes. tests/v1/test_contrib_summary.py runs the ops together."""

import numpy as np

from tests.ops.both import RESOURCE
from tests.ops.case import Case

STEP, TAG, EMPTY = np.int64(1), np.array(b"t", object), np.array(b"", object)

CASES = [
    Case("SummaryWriter"),
    Case("CreateSummaryFileWriter", [RESOURCE, TAG, np.int32(10), np.int32(1000), EMPTY]),
    Case("FlushSummaryWriter", [RESOURCE]),
    Case("CloseSummaryWriter", [RESOURCE]),
    Case("WriteSummary", [RESOURCE, STEP, np.float32([1, 2]), TAG, EMPTY]),
    Case("WriteScalarSummary", [RESOURCE, STEP, TAG, np.float32(1)]),
    Case("WriteHistogramSummary", [RESOURCE, STEP, TAG, np.float32([1, 2])]),
    Case("WriteImageSummary", [RESOURCE, STEP, TAG, np.zeros((1, 2, 2, 1), np.float32), np.uint8([255, 0, 0, 255])]),
    Case("WriteAudioSummary", [RESOURCE, STEP, TAG, np.zeros((1, 4), np.float32), np.float32(100)]),
    Case("WriteRawProtoSummary", [RESOURCE, STEP, EMPTY]),
    Case("WriteGraphSummary", [RESOURCE, STEP, EMPTY]),
    Case("ImportEvent", [RESOURCE, EMPTY]),
]
