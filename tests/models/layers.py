"""The layers that several models share, in `tf.nn` and `tf.get_variable` alone."""

from __future__ import annotations

from typing import Any


def dense(tf: Any, x: Any, units: int, scope: str, initializer: Any = None) -> Any:
    """`x @ kernel + bias` for x [rows, in]."""
    with tf.variable_scope(scope):
        kernel = tf.get_variable(
            "kernel", [int(x.shape[-1]), units], initializer=initializer or tf.glorot_uniform_initializer()
        )
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)


def conv(tf: Any, x: Any, channels: int, size: int, scope: str, *, stride: int = 1, padding: str = "SAME") -> Any:
    """Convolution of x [batch, height, width, in] without bias."""
    with tf.variable_scope(scope):
        kernel = tf.get_variable(
            "kernel",
            [size, size, int(x.shape[-1]), channels],
            initializer=tf.variance_scaling_initializer(scale=2.0, mode="fan_in"),
        )
        return tf.nn.conv2d(x, kernel, strides=[1, stride, stride, 1], padding=padding)


def batch_norm(tf: Any, x: Any, training: bool, scope: str, *, scale: float = 1.0, decay: float = 0.8) -> Any:
    """Fused batch normalization with gamma starting at `scale`; in training, UPDATE_OPS take the moving moments on."""
    channels = int(x.shape[-1])
    with tf.variable_scope(scope):
        gamma = tf.get_variable("gamma", [channels], initializer=tf.constant_initializer(scale))
        beta = tf.get_variable("beta", [channels], initializer=tf.zeros_initializer())
        mean = tf.get_variable("moving_mean", [channels], initializer=tf.zeros_initializer(), trainable=False)
        variance = tf.get_variable("moving_variance", [channels], initializer=tf.ones_initializer(), trainable=False)
        if not training:
            return tf.nn.fused_batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3, is_training=False)[0]
        y, batch_mean, batch_variance = tf.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-3, is_training=True)
        for moving, batch in ((mean, batch_mean), (variance, batch_variance)):
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(moving, (moving - batch) * (1.0 - decay)))
        return y


def weight_decay(tf: Any, scale: float) -> Any:
    """`scale` times the sum of the L2 losses of all kernels."""
    kernels = [v for v in tf.trainable_variables() if "kernel" in v.op.name]
    return tf.multiply(scale, tf.add_n([tf.nn.l2_loss(v) for v in kernels]), name="weight_decay")
