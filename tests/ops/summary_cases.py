"""Rows of `ops/summary.py`. `test_summary.py` compares images, of which the compressed bytes may differ."""

import numpy as np

from tests.ops.case import Case

F = np.float32


def text(*items: str) -> np.ndarray:
    return np.array([i.encode() for i in items], object)


def one(item: bytes) -> np.ndarray:
    return np.array(item, object)


A, B = one(b"\n\x08\n\x01a\x15\x00\x00\x80?"), one(b"\n\x08\n\x01b\x15\x00\x00\x00@")
SOUND = F([[0, 0.5, -2, 1, 0.25, 0.123], [0, 0.1, 0.2, -0.3, 0.4, -0.00002]])
IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
CLIP = (
    b'\nY\n\tt/audio/02L\r\x00\x00\xfaE\x10\x01\x18\x05"6RIFF.\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00'
    b"@\x1f\x00\x00\x80>\x00\x00\x02\x00\x10\x00data\n\x00\x00\x00\x00\x00\x00@\x00\x80\xff\x7f\x00 *\taudio/wav"
)
GENERATOR = np.random.default_rng(1)

CASES = [
    Case("ScalarSummary", [one(b"a"), F(1.5)]),
    Case("ScalarSummary", [text("a", "b"), np.int32([1, 0])]),
    Case("ScalarSummary", [one(b"a"), np.float64(0.1)]),
    Case("ScalarSummary", [one(b"a"), F(np.nan)]),
    Case("ScalarSummary", [text("a", "b"), F([1, 2, 3])], fails="tags and values are not the same shape"),
    Case("HistogramSummary", [one(b"h"), F([1, 2, -3, 0, 1e-13, 5e30, -1e-12, 1e-12])]),
    Case("HistogramSummary", [one(b"h"), F([])]),
    Case("HistogramSummary", [one(b"h"), np.int32([[1, 7]])]),
    Case("HistogramSummary", [one(b"h"), GENERATOR.standard_normal((50, 40)).astype(F)]),
    Case("HistogramSummary", [one(b"h"), F([1, np.nan])], fails="Nan in summary histogram for: "),
    Case("HistogramSummary", [one(b"h"), F([1, np.inf])], fails="Infinity in Histogram for: "),
    Case("MergeSummary", [[A, B]]),
    Case("MergeSummary", [[one(b""), np.array([A[()], B[()]], object)]]),
    Case("MergeSummary", [[A, A]], fails="Duplicate tag a found in summary inputs"),
    Case("ImageSummary", [one(b"t"), IMAGE], compiled=False, outputs=(1,), why="PNG files differ; see test_summary.py"),
    Case(
        "AudioSummary",
        [one(b"t"), F([[0, 0.5, -1, 1, 0.25]])],
        {"sample_rate": 8000.0},
        expected=[one(CLIP)],
        why="the op was removed; AudioSummaryV2 of TensorFlow 2.21 gives this",
    ),
    Case("AudioSummaryV2", [one(b"t"), SOUND, F(44100)], {"max_outputs": 1}),
    Case("AudioSummaryV2", [one(b"t"), SOUND.reshape(2, 3, 2), F(8000)]),
    Case("TensorSummary", [F([1, 2])]),
    Case("TensorSummaryV2", [one(b"t"), F([[1, 2]]), one(b"")]),
    Case("TensorSummaryV2", [one(b"t"), text("x"), one(b"\n\x06\n\x04text")]),
]
