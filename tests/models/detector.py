"""A single-shot detector: separable convolutions down to two maps of features, boxes and classes for each cell of them,
suppression of boxes that overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.models.layers import batch_norm, conv
from tests.models.model import Feeds, Model, step_rng
from tests.models.optimizers import make_optimizer

_ANCHORS = 3


@dataclass(frozen=True)
class DetectorConfig:
    """Sizes; `image` a multiple of 32."""

    image: int = 64
    classes: int = 4
    batch: int = 2
    width: int = 8
    kept: int = 5


def _separable(tf: Any, x: Any, channels: int, scope: str, training: bool, stride: int = 1) -> Any:
    with tf.variable_scope(scope):
        kernel = tf.get_variable("depthwise", [3, 3, int(x.shape[-1]), 1])
        x = tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")
        x = tf.nn.relu6(batch_norm(tf, x, training, "bn1"))
        return tf.nn.relu6(batch_norm(tf, conv(tf, x, channels, 1, "pointwise"), training, "bn2"))


def _anchors(config: DetectorConfig) -> np.ndarray:
    """[anchors, 4]: centre and size of each, as parts of the image."""
    found = []
    for stride in (16, 32):
        cells = (np.arange(config.image // stride) + 0.5) * stride / config.image
        y, x = np.meshgrid(cells, cells, indexing="ij")
        for scale in (1.0, 1.5, 2.0):
            size = np.full_like(x, scale * stride / config.image)
            found.append(np.stack([y, x, size, size], -1).reshape(-1, 1, 4))
    per_map = [np.concatenate(found[i : i + _ANCHORS], 1).reshape(-1, 4) for i in (0, _ANCHORS)]
    return np.concatenate(per_map).astype(np.float32)


def build(tf: Any, config: DetectorConfig, optimizer: str) -> Model:
    """Add the model to the default graph."""
    shape = (config.image, config.image, 3)
    anchors = _anchors(config)
    images = tf.placeholder(tf.float32, [None, *shape], name="images")
    offsets = tf.placeholder(tf.float32, [None, len(anchors), 4], name="offsets")
    labels = tf.placeholder(tf.int32, [None, len(anchors)], name="labels")

    def tower(training: bool) -> tuple[Any, Any]:
        x = tf.nn.relu6(batch_norm(tf, conv(tf, images, config.width, 3, "stem", stride=2), training, "bn"))
        maps = []
        for i, (factor, stride) in enumerate(((2, 1), (4, 2), (4, 1), (8, 2), (8, 1), (16, 2), (16, 1), (32, 2))):
            x = _separable(tf, x, factor * config.width, f"block{i}", training, stride)
            if i in (6, 7):
                maps.append(x)
        boxes, scores = [], []
        for i, features in enumerate(maps):
            for made, size, name in ((boxes, 4, "boxes"), (scores, config.classes + 1, "scores")):
                head = conv(tf, features, _ANCHORS * size, 3, f"{name}{i}")
                made.append(tf.reshape(head, [tf.shape(head)[0], -1, size]))
        return tf.concat(boxes, 1), tf.concat(scores, 1)

    with tf.variable_scope("net"), tf.name_scope("train"):
        boxes, scores = tower(True)
    with tf.variable_scope("net", reuse=True), tf.name_scope("eval"):
        eval_boxes, eval_scores = tower(False)

    centres = eval_boxes[..., :2] * 0.1 * anchors[:, 2:] + anchors[:, :2]
    halves = tf.exp(0.2 * eval_boxes[..., 2:]) * anchors[:, 2:] / 2.0
    corners = tf.concat([centres - halves, centres + halves], -1, name="corners")
    probabilities = tf.nn.softmax(eval_scores, name="probabilities")
    best = tf.reduce_max(probabilities[0, :, 1:], axis=-1)
    kept = tf.image.non_max_suppression(corners[0], best, config.kept, iou_threshold=0.5)
    detections = tf.gather(corners[0], kept, name="detections")

    found = tf.cast(labels > 0, tf.float32)
    delta = tf.abs(boxes - offsets)
    smooth = tf.where(delta < 1.0, 0.5 * tf.square(delta), delta - 0.5)
    count = tf.maximum(tf.reduce_sum(found), 1.0)
    location = tf.reduce_sum(tf.reduce_sum(smooth, -1) * found) / count
    classification = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores))
    loss = tf.add(location, classification, name="loss")
    step = tf.train.get_or_create_global_step()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = make_optimizer(tf, optimizer, 0.001).minimize(loss, global_step=step, name="train_op")

    def feeds(number: int) -> Feeds:
        rng = step_rng(number)
        there = rng.integers(0, config.classes + 1, (config.batch, len(anchors)))
        return {
            "images:0": rng.standard_normal((config.batch, *shape)).astype(np.float32),
            "offsets:0": rng.standard_normal((config.batch, len(anchors), 4)).astype(np.float32),
            "labels:0": np.where(rng.random(there.shape) < 0.1, there, 0).astype(np.int32),
        }

    return Model(
        loss=loss,
        train_op=train_op,
        outputs=(detections, probabilities),
        inference_feeds={"images:0": feeds(-1)["images:0"]},
        training_feeds=feeds,
    )
