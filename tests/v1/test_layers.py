"""Layers as objects: what they hold."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1 as tf


def test_weights_are_read_and_written_in_the_default_session():
    with tf.Graph().as_default(), tf.Session() as sess:
        layer = tf.layers.Dense(2)
        out = layer(tf.constant([[1.0, 2.0]]))
        kernel, bias = np.float32([[1, 2], [3, 4]]), np.float32([10, 20])
        layer.set_weights([kernel, bias])
        np.testing.assert_array_equal(sess.run(out), [[17, 30]])
        found = layer.get_weights()
        np.testing.assert_array_equal(found[0], kernel)
        np.testing.assert_array_equal(found[1], bias)
        with pytest.raises(ValueError, match="2 variables"):
            layer.set_weights([kernel])
        with pytest.raises(ValueError, match="shape"):
            layer.set_weights([kernel.T[:1], bias])


def test_weights_need_a_session():
    with tf.Graph().as_default():
        layer = tf.layers.Dense(2)
        layer(tf.constant([[1.0, 2.0]]))
        with pytest.raises(ValueError, match="no default session"):
            layer.get_weights()
