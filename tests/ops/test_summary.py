"""Summaries that rows can't compare: images, whose compressed bytes differ, and what carries its node's name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft import proto
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session
from tests.oracle import available, tensorflow

GENERATOR = np.random.default_rng(0)
NOISE = GENERATOR.standard_normal((3, 4, 5, 3)).astype(np.float32)
HOLES = NOISE.copy()
HOLES[0, 1, 2, 0], HOLES[1, 0, 0, 1] = np.nan, np.inf


@pytest.mark.skipif(not available(), reason="TensorFlow, the oracle, is not installed")
@pytest.mark.parametrize(
    ("images", "attrs"),
    [
        (np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3), {}),
        (np.abs(NOISE), {}),
        (NOISE, {"max_images": 1}),
        (HOLES, {}),
        (NOISE[..., :1].astype(np.float16), {}),
        (np.zeros((1, 2, 3, 4), np.float32), {}),
        (GENERATOR.uniform(0, 300, (1, 8, 8, 1)), {}),
    ],
    ids=["bytes", "positive", "negative", "holes", "half", "zeros", "double"],
)
def test_images(images: Any, attrs: dict[str, int]) -> None:
    tf = tensorflow()
    with tf.Graph().as_default(), tf.Session() as session:
        made = tf.raw_ops.ImageSummary(tag="t", tensor=images, **attrs)
        wanted = proto.Summary.FromString(session.run(made))
        b = Builder(Graph())
        got = proto.Summary.FromString(Session(b.graph).run(b.ImageSummary("t", images, **attrs)))
        assert [v.tag for v in got.value] == [v.tag for v in wanted.value]
        for mine, theirs in zip(got.value, wanted.value, strict=True):
            sizes = [(v.image.height, v.image.width, v.image.colorspace) for v in (mine, theirs)]
            assert sizes[0] == sizes[1]
            pixels = [session.run(tf.io.decode_png(v.image.encoded_image_string)) for v in (mine, theirs)]
            np.testing.assert_array_equal(*pixels)


def test_a_tensor_under_the_name_of_its_node() -> None:
    b = Builder(Graph())
    summary = proto.Summary.FromString(Session(b.graph).run(b.TensorSummary(np.array([1.0]), name="weights")))
    assert [(v.node_name, v.tensor.tensor_content) for v in summary.value] == [("weights", np.array([1.0]).tobytes())]
