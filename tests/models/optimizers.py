"""Optimizers by name, and the one that BERT brought along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def make_optimizer(tf: Any, name: str, learning_rate: Any) -> Any:
    """Make one of TensorFlow's optimizers; KeyError for a name that is not listed here."""
    makers = {
        "sgd": lambda: tf.train.GradientDescentOptimizer(learning_rate),
        "momentum": lambda: tf.train.MomentumOptimizer(learning_rate, momentum=0.9),
        "nesterov": lambda: tf.train.MomentumOptimizer(learning_rate, momentum=0.9, use_nesterov=True),
        "adam": lambda: tf.train.AdamOptimizer(learning_rate),
        "rmsprop": lambda: tf.train.RMSPropOptimizer(learning_rate, momentum=0.5),
        "centered_rmsprop": lambda: tf.train.RMSPropOptimizer(learning_rate, centered=True),
        "adagrad": lambda: tf.train.AdagradOptimizer(learning_rate),
        "adadelta": lambda: tf.train.AdadeltaOptimizer(learning_rate),
        "ftrl": lambda: tf.train.FtrlOptimizer(learning_rate, l1_regularization_strength=1e-4),
        "proximal_sgd": lambda: tf.train.ProximalGradientDescentOptimizer(
            learning_rate, l2_regularization_strength=1e-4
        ),
        "proximal_adagrad": lambda: tf.train.ProximalAdagradOptimizer(learning_rate, l2_regularization_strength=1e-4),
    }
    return makers[name]()


def adam_weight_decay(
    tf: Any,
    grads_and_vars: Sequence[tuple[Any, Any]],
    learning_rate: Any,
    global_step: Any,
    *,
    decay: float = 0.01,
) -> Any:
    """Adam without bias correction and with decoupled weight decay, in plain ops, as BERT's own code trains.

    The moments are variables named `<parameter>/adam_m` and `/adam_v`; biases and layer norms do not decay.
    """
    beta1, beta2, epsilon = 0.9, 0.999, 1e-6
    updates = []
    for gradient, parameter in grads_and_vars:
        if gradient is None:
            continue
        name = parameter.name.split(":")[0]
        first, second = (
            tf.get_variable(
                f"{name}/{slot}",
                shape=parameter.shape.as_list(),
                dtype=tf.float32,
                trainable=False,
                initializer=tf.zeros_initializer(),
            )
            for slot in ("adam_m", "adam_v")
        )
        next_first = tf.multiply(beta1, first) + tf.multiply(1.0 - beta1, gradient)
        next_second = tf.multiply(beta2, second) + tf.multiply(1.0 - beta2, tf.square(gradient))
        update = next_first / (tf.sqrt(next_second) + epsilon)
        if not re.search("LayerNorm|layer_norm|bias", name):
            update += decay * parameter
        updates += [
            parameter.assign(parameter - learning_rate * update),
            first.assign(next_first),
            second.assign(next_second),
        ]
    with tf.control_dependencies(updates):
        step = global_step.assign(global_step + 1)
    return tf.group(*updates, step, name="train_op")
