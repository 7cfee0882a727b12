"""tf.image where the nodes are not those of TensorFlow of today: the values are."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available, tensorflow

BOXES = np.float32([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 5, 1, 6], [0, 5.05, 1, 6.05], [0, 9, 1, 10]])
SCORES = np.float32([0.9, 0.75, 0.6, 0.95, 0.3])


def _selected(tf, pad):
    with tf.Graph().as_default(), tf.Session() as sess:
        found = tf.image.non_max_suppression_padded(tf.constant(BOXES), SCORES, 4, 0.5, 0.2, pad)
        return sess.run(found)


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.parametrize("pad", [True, False])
def test_padded_selection(pad):
    ours, theirs = _selected(regraft.v1, pad), _selected(tensorflow(), pad)
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])
