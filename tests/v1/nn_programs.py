"""Programs of tf.nn, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _images(tf: Any, batch: int | None = None) -> Any:
    return tf.placeholder(tf.float32, [batch, 8, 8, 3], name="images")


def _filters(tf: Any, *shape: int) -> Any:
    return tf.placeholder(tf.float32, shape, name="filters")


@program
def activations(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    for name in [
        "relu",
        "relu6",
        "elu",
        "selu",
        "softplus",
        "softsign",
        "sigmoid",
        "tanh",
        "leaky_relu",
        "crelu",
        "log_softmax",
        "softmax",
    ]:
        getattr(tf.nn, name)(x)
        getattr(tf.nn, name)(x, name=f"my_{name}")
    tf.nn.leaky_relu(x, 0.1)
    tf.nn.l2_loss(x)


@program
def softmax_of_other_axes(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 3, 4], name="x")
    tf.nn.softmax(x, axis=1)
    tf.nn.softmax(x, dim=0, name="first")
    tf.nn.log_softmax(x, axis=-2)
    tf.nn.softmax(x, 2)


@program
def cross_entropies(tf: Any) -> None:
    logits = tf.placeholder(tf.float32, [None, 10], name="logits")
    labels = tf.placeholder(tf.float32, [None, 10], name="labels")
    classes = tf.placeholder(tf.int64, [None], name="classes")
    tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, name="loss")
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
    tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    tf.nn.weighted_cross_entropy_with_logits(labels, logits, 2.0)
    tf.nn.log_poisson_loss(labels, logits)
    tf.nn.log_poisson_loss(labels, logits, compute_full_loss=True)


@program
def cross_entropies_of_higher_rank(tf: Any) -> None:
    logits = tf.placeholder(tf.float32, [5, 6, 10], name="logits")
    labels = tf.placeholder(tf.float32, [5, 6, 10], name="labels")
    classes = tf.placeholder(tf.int32, [5, 6], name="classes")
    tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
    tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=1)
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
    half = tf.placeholder(tf.float16, [5, 10], name="half")
    tf.nn.softmax_cross_entropy_with_logits_v2(labels=half, logits=half)
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 2, 3, 4, 5], logits=half)


@program
def convolutions(tf: Any) -> None:
    images, filters = _images(tf), _filters(tf, 3, 3, 3, 16)
    tf.nn.conv2d(images, filters, [1, 1, 1, 1], "SAME")
    tf.nn.conv2d(images, filters, strides=2, padding="VALID", name="strided")
    tf.nn.conv2d(images, filters, [1, 2, 2, 1], [[0, 0], [1, 1], [2, 2], [0, 0]])
    tf.nn.conv2d(tf.transpose(images, [0, 3, 1, 2]), filters, [1, 1, 1, 1], "SAME", data_format="NCHW")
    tf.nn.conv2d(images, filters, [1, 1], "VALID", dilations=2)
    tf.nn.conv2d_transpose(tf.ones([2, 4, 4, 16]), filters, [2, 8, 8, 3], [1, 2, 2, 1])
    tf.nn.conv2d_transpose(tf.ones([2, 4, 4, 16]), filters, tf.stack([tf.shape(images)[0], 8, 8, 3]), 2, name="up")


@program
def convolutions_of_sequences_and_volumes(tf: Any) -> None:
    sequences = tf.placeholder(tf.float32, [None, 10, 3], name="sequences")
    volumes = tf.placeholder(tf.float32, [None, 4, 4, 4, 3], name="volumes")
    tf.nn.conv1d(sequences, tf.ones([3, 3, 5]), 1, "SAME")
    tf.nn.conv1d(sequences, tf.ones([3, 3, 5]), stride=2, padding="VALID", data_format="NWC", name="c")
    tf.nn.conv3d(volumes, tf.ones([2, 2, 2, 3, 4]), [1, 1, 1, 1, 1], "SAME")
    tf.nn.conv3d_transpose(volumes, tf.ones([2, 2, 2, 5, 3]), [2, 8, 8, 8, 5], [1, 2, 2, 2, 1])
    tf.nn.conv1d_transpose(tf.ones([2, 5, 3]), tf.ones([3, 4, 3]), [2, 10, 4], 2)
    tf.nn.conv3d_transpose(volumes, tf.ones([2, 2, 2, 5, 3]), [2, 8, 8, 8, 5], 2, name="up")


@program
def general_convolutions(tf: Any) -> None:
    images, filters = _images(tf), _filters(tf, 3, 3, 3, 16)
    sequences = tf.placeholder(tf.float32, [None, 10, 3], name="sequences")
    tf.nn.convolution(images, filters, "SAME")
    tf.nn.convolution(images, filters, "VALID", strides=[2, 2], name="conv")
    tf.nn.convolution(images, filters, "SAME", dilation_rate=[2, 2])
    tf.nn.convolution(images, filters, "VALID", dilation_rate=[2, 3])
    tf.nn.convolution(sequences, tf.ones([3, 3, 5]), "SAME", dilation_rate=[2])
    tf.nn.convolution(sequences, tf.ones([3, 3, 5]), "SAME", strides=[2])
    tf.nn.convolution(tf.ones([1, 4, 4, 4, 2]), tf.ones([2, 2, 2, 2, 3]), "SAME")
    tf.nn.convolution(tf.placeholder(tf.float32, [None, None, None, 3]), filters, "SAME", dilation_rate=[2, 2])


@program
def atrous_convolutions(tf: Any) -> None:
    images, filters = _images(tf), _filters(tf, 3, 3, 3, 16)
    tf.nn.atrous_conv2d(images, filters, 2, "SAME")
    tf.nn.atrous_conv2d(images, filters, 1, "VALID")
    tf.nn.atrous_conv2d_transpose(tf.ones([2, 8, 8, 16]), filters, [2, 8, 8, 3], 2, "SAME")
    tf.nn.atrous_conv2d_transpose(tf.ones([2, 4, 4, 16]), filters, [2, 8, 8, 3], 2, "VALID")
    tf.nn.atrous_conv2d_transpose(tf.ones([2, 8, 8, 16]), filters, [2, 8, 8, 3], 1, "SAME")


@program
def depthwise_convolutions(tf: Any) -> None:
    images = _images(tf)
    tf.nn.depthwise_conv2d(images, tf.ones([3, 3, 3, 2]), [1, 1, 1, 1], "SAME")
    tf.nn.depthwise_conv2d(images, tf.ones([3, 3, 3, 2]), [1, 1, 1, 1], "VALID", rate=[2, 2], name="holes")
    tf.nn.depthwise_conv2d(images, tf.ones([3, 3, 3, 2]), [1, 1, 1, 1], "SAME", rate=[2, 2])
    tf.nn.depthwise_conv2d_native(images, tf.ones([3, 3, 3, 2]), [1, 2, 2, 1], "SAME")
    tf.nn.separable_conv2d(images, tf.ones([3, 3, 3, 2]), tf.ones([1, 1, 6, 4]), [1, 1, 1, 1], "SAME")
    tf.nn.separable_conv2d(images, tf.ones([3, 3, 3, 2]), tf.ones([1, 1, 6, 4]), [1, 1, 1, 1], "VALID", rate=[2, 2])


@program
def pooling(tf: Any) -> None:
    images = _images(tf)
    tf.nn.max_pool(images, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    tf.nn.max_pool(images, 2, 2, "VALID", name="pool1")
    tf.nn.avg_pool(images, ksize=[1, 3, 3, 1], strides=[1, 1, 1, 1], padding="SAME")
    tf.nn.max_pool2d(images, 2, 2, "SAME")
    tf.nn.avg_pool2d(images, 2, 2, "SAME")
    tf.nn.max_pool1d(images[:, 0], 2, 2, "SAME")
    tf.nn.avg_pool1d(images[:, 0], 2, 2, "VALID")
    volumes = tf.placeholder(tf.float32, [None, 4, 4, 4, 3], name="volumes")
    tf.nn.max_pool3d(volumes, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME")
    tf.nn.avg_pool3d(volumes, 2, 2, "SAME")
    tf.nn.max_pool_with_argmax(images, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    tf.nn.max_pool_v2(images, 2, 2, "SAME")
    tf.nn.avg_pool_v2(images, 2, 2, "SAME")


@program
def general_pooling(tf: Any) -> None:
    images = _images(tf)
    tf.nn.pool(images, [2, 2], "MAX", "SAME", strides=[2, 2])
    tf.nn.pool(images, [2, 2], "AVG", "VALID", name="mean")
    tf.nn.pool(images, [2, 2], "MAX", "VALID", dilation_rate=[2, 2])
    tf.nn.pool(images[:, 0], [2], "MAX", "SAME", strides=[2])


@program
def normalization(tf: Any) -> None:
    images = _images(tf, 4)
    mean, variance = tf.nn.moments(images, [0, 1, 2])
    tf.nn.moments(images, [0], keep_dims=True, name="m")
    tf.nn.batch_normalization(images, mean, variance, None, None, 1e-3)
    tf.nn.batch_normalization(images, mean, variance, tf.zeros([3]), tf.ones([3]), 1e-3, name="bn")
    tf.nn.weighted_moments(images, [0, 1], tf.ones([4, 8, 8, 3]))
    tf.nn.sufficient_statistics(images, [0, 1])
    tf.nn.normalize_moments(*tf.nn.sufficient_statistics(images, [0, 1], shift=tf.ones([3])))
    tf.nn.fused_batch_norm(images, tf.ones([3]), tf.zeros([3]))
    tf.nn.fused_batch_norm(images, [1.0] * 3, [0.0] * 3, mean, variance, is_training=False, name="fused")
    tf.nn.lrn(images, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name="norm1")
    tf.nn.local_response_normalization(images)
    tf.nn.l2_normalize(images, 1)
    tf.nn.l2_normalize(images, dim=[1, 2], epsilon=1e-10, name="unit")


@program
def dropouts(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    keep = tf.placeholder(tf.float32, name="keep")
    scalar = tf.placeholder(tf.float32, [], name="scalar")
    tf.nn.dropout(x, 0.5)
    tf.nn.dropout(x, keep_prob=scalar)
    tf.nn.dropout(x, rate=0.3, name="drop")
    tf.nn.dropout(x, 1.0)
    tf.nn.dropout(tf.ones([3, 4]), 0.8, noise_shape=[3, 1], seed=1)
    tf.nn.dropout(tf.ones([3, 4]), 0.8, noise_shape=[None, 1])
    tf.nn.dropout(x, rate=keep)


@program
def layers_by_hand(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    tf.nn.bias_add(x, tf.zeros([4]))
    tf.nn.bias_add(_images(tf), np.zeros(3, np.float32), data_format="NHWC", name="bias")
    tf.nn.xw_plus_b(x, tf.ones([4, 2]), tf.zeros([2]))
    tf.nn.xw_plus_b(x, tf.ones([4, 2]), tf.zeros([2]), name="scores")
    tf.nn.relu_layer(x, tf.ones([4, 2]), tf.zeros([2]))
    tf.nn.top_k(x, k=2, name="best")
    tf.nn.in_top_k(x, tf.constant([1, 2, 3]), 2)


@program
def embeddings(tf: Any) -> None:
    table = tf.placeholder(tf.float32, [10, 4], name="table")
    other = tf.placeholder(tf.float32, [10, 4], name="other")
    ids = tf.placeholder(tf.int32, [None, 3], name="ids")
    tf.nn.embedding_lookup(table, ids)
    tf.nn.embedding_lookup(table, ids, name="words")
    tf.nn.embedding_lookup([table, other], ids)
    tf.nn.embedding_lookup([table, other], ids, partition_strategy="div")
    tf.nn.embedding_lookup(table, ids, max_norm=1.0)
    tf.nn.embedding_lookup(table, [1, 2])


@program
def embeddings_in_variables(tf: Any) -> None:
    ids = tf.placeholder(tf.int64, [None], name="ids")
    tf.nn.embedding_lookup(tf.get_variable("table", [10, 4]), ids)
    parts = tf.get_variable("parts", [10, 4], partitioner=tf.fixed_size_partitioner(3))
    tf.nn.embedding_lookup(parts, ids, partition_strategy="div")
    tf.nn.embedding_lookup(tf.get_variable("resource", [10, 4], use_resource=True), ids)
    tf.gather(tf.get_variable("again", [10, 4], use_resource=True), ids)


@program
def sampled_losses(tf: Any) -> None:
    weights = tf.placeholder(tf.float32, [100, 8], name="weights")
    biases = tf.placeholder(tf.float32, [100], name="biases")
    inputs = tf.placeholder(tf.float32, [16, 8], name="inputs")
    labels = tf.placeholder(tf.int32, [16, 1], name="labels")
    tf.nn.nce_loss(weights, biases, labels, inputs, 5, 100)
    tf.nn.sampled_softmax_loss(weights, biases, labels, inputs, 5, 100)
    tf.nn.sampled_softmax_loss(weights, biases, tf.cast(labels, tf.int64), inputs, 5, 100, remove_accidental_hits=False)
    tf.nn.uniform_candidate_sampler(tf.cast(labels, tf.int64), 1, 4, True, 100, seed=3)


@program
def zero_fractions(tf: Any) -> None:
    tf.nn.zero_fraction(tf.placeholder(tf.float32, [None, 4], name="x"))
