"""Programs of tf.layers, a row each: `PROGRAMS[name](tf)`. TensorFlow has it with `tf-keras` alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _images(tf: Any) -> Any:
    return tf.placeholder(tf.float32, [None, 8, 8, 3], name="images")


@program
def dense(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    deep = tf.placeholder(tf.float32, [None, 5, 4], name="deep")
    tf.layers.dense(x, 3)
    tf.layers.dense(x, 3, tf.nn.relu, name="fc1")
    tf.layers.dense(x, 3, activation=tf.nn.tanh, use_bias=False)
    tf.layers.dense(deep, 6)
    tf.layers.dense(x, 3, name="fc1", reuse=True)
    tf.layers.dense(
        x,
        units=2,
        kernel_initializer=tf.truncated_normal_initializer(stddev=0.1),
        bias_initializer=tf.constant_initializer(0.1),
        kernel_regularizer=lambda v: 0.01 * tf.nn.l2_loss(v),
        activity_regularizer=lambda v: tf.reduce_sum(v),
        name="regularized",
    )
    tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))


@program
def scopes(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    with tf.variable_scope("net"):
        h = tf.layers.dense(x, 3)
        h = tf.layers.dense(h, 3, name="named")
        tf.layers.dense(h, 3)
    with tf.variable_scope("net", reuse=True):
        h = tf.layers.dense(x, 3)
        tf.layers.dense(h, 3, name="named")
    with tf.name_scope("names"):
        tf.layers.dense(x, 2)
        tf.layers.dense(x, 2, name="inside")
    with tf.variable_scope("auto", reuse=tf.AUTO_REUSE):
        tf.layers.dense(x, 2, name="d")
        tf.layers.dense(x, 2, name="d")
    with tf.variable_scope("initialized", initializer=tf.ones_initializer()):
        tf.layers.dense(x, 2)


@program
def objects(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    layer = tf.layers.Dense(3, activation=tf.nn.relu)
    layer(x)
    layer(x)
    named = tf.layers.Dense(3, name="named", use_bias=False)
    named.apply(x)
    assert [v.op.name for v in layer.trainable_weights] == ["dense/kernel", "dense/bias"]
    conv = tf.layers.Conv2D(2, 3)
    conv(_images(tf))
    conv(_images(tf))


@program
def convolutions(tf: Any) -> None:
    images = _images(tf)
    sequences = tf.placeholder(tf.float32, [None, 10, 3], name="sequences")
    volumes = tf.placeholder(tf.float32, [None, 4, 4, 4, 3], name="volumes")
    tf.layers.conv2d(images, 16, 3)
    tf.layers.conv2d(images, 16, [3, 3], strides=(2, 2), padding="same", activation=tf.nn.relu, name="conv1")
    tf.layers.conv2d(images, 16, 3, dilation_rate=2)
    tf.layers.conv2d(images, 16, 3, use_bias=False, padding="SAME")
    tf.layers.conv1d(sequences, 5, 3, padding="same")
    tf.layers.conv1d(sequences, 5, 3, 2, activation=tf.nn.relu)
    tf.layers.conv3d(volumes, 5, 2)
    tf.layers.separable_conv2d(images, 8, 3)
    tf.layers.separable_conv2d(images, 8, 3, padding="same", depth_multiplier=2, name="sep")
    tf.layers.separable_conv1d(sequences, 8, 3)
    tf.layers.conv2d(tf.transpose(images, [0, 3, 1, 2]), 4, 3, data_format="channels_first")


@program
def transposed_convolutions(tf: Any) -> None:
    images = _images(tf)
    tf.layers.conv2d_transpose(images, 4, 3, strides=2, padding="same")
    tf.layers.conv2d_transpose(images, 4, 5, (2, 2), activation=tf.nn.relu, name="up")
    tf.layers.conv2d_transpose(tf.placeholder(tf.float32, [None, None, None, 3]), 4, 3, 2)
    tf.layers.conv3d_transpose(tf.placeholder(tf.float32, [None, 4, 4, 4, 3]), 4, 2, 2)


@program
def pooling(tf: Any) -> None:
    images = _images(tf)
    sequences = tf.placeholder(tf.float32, [None, 10, 3], name="sequences")
    volumes = tf.placeholder(tf.float32, [None, 4, 4, 4, 3], name="volumes")
    tf.layers.max_pooling2d(images, 2, 2)
    tf.layers.max_pooling2d(images, [2, 2], strides=2, padding="same", name="pool1")
    tf.layers.average_pooling2d(images, 2, 2)
    tf.layers.max_pooling1d(sequences, 2, 2)
    tf.layers.average_pooling1d(sequences, 2, 2, name="mean")
    tf.layers.max_pooling3d(volumes, 2, 2)
    tf.layers.average_pooling3d(volumes, 2, 2)


@program
def small_layers(tf: Any) -> None:
    images = _images(tf)
    tf.layers.flatten(images)
    tf.layers.flatten(tf.placeholder(tf.float32, [None, None, 3]), name="flat")
    tf.layers.flatten(tf.placeholder(tf.float32, [5, None, 3]))
    tf.layers.flatten(tf.placeholder(tf.float32, [None]))
    tf.layers.dropout(images)
    tf.layers.dropout(images, 0.3, training=True)
    tf.layers.dropout(images, rate=0.3, training=True, seed=3, noise_shape=[None, 1, 1, 3], name="drop")
    tf.layers.dropout(images, 0.0, training=True)


@program
def batch_normalization(tf: Any) -> None:
    images = _images(tf)
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    tf.layers.batch_normalization(images)
    tf.layers.batch_normalization(images, training=True, name="bn")
    tf.layers.batch_normalization(images, center=False, scale=False, training=True)
    tf.layers.batch_normalization(x, training=True)
    tf.layers.batch_normalization(x, momentum=0.9, epsilon=1e-5)
    tf.layers.batch_normalization(images, fused=False, training=True)
    tf.layers.batch_normalization(images, axis=1, training=False, fused=False)
    tf.layers.batch_normalization(images, training=True, name="bn", reuse=True)
    tf.group(*tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@program
def flags_that_are_fed(tf: Any) -> None:
    images = _images(tf)
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    training = tf.placeholder(tf.bool, [], name="training")
    tf.layers.dropout(x, 0.4, training=training)
    tf.layers.batch_normalization(images, training=training)
    tf.layers.batch_normalization(x, training=training)


@program
def layers_of_programs(tf: Any) -> None:
    class Scaled(tf.layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_variable("scale", [int(input_shape[-1])], initializer=tf.ones_initializer())
            self.shift = self.add_weight("shift", shape=[1], trainable=False)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale + self.shift

    x = tf.placeholder(tf.float32, [None, 4], name="x")
    layer = Scaled(3, name="mine")
    layer(x)
    layer.apply(x)
    Scaled(2)(x)
    assert [v.op.name for v in layer.variables] == ["mine/scale", "mine/shift"]
    assert layer.count_params() == 5
    norm = tf.layers.BatchNormalization()
    norm.apply(x, training=True)
    assert len(norm.get_updates_for(x)) == len(norm.updates) == 2
