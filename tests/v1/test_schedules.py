"""Decayed learning rates and moving averages run to TensorFlow's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available, tensorflow

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]

STEPS = (0, 1, 9, 10, 11, 25, 60)


def _rates(tf: Any) -> np.ndarray:
    train = tf.train
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        step = tf.placeholder(tf.int64, [])
        rates = [
            train.exponential_decay(0.5, step, 10, 0.9),
            train.exponential_decay(0.5, step, 10, 0.9, staircase=True),
            train.natural_exp_decay(0.5, step, 10, 0.3),
            train.inverse_time_decay(0.5, step, 10, 0.3, staircase=True),
            train.piecewise_constant(step, [10, 20], [1.0, 0.5, 0.25]),
            train.polynomial_decay(0.5, step, 10, 0.1, power=2.0),
            train.polynomial_decay(0.5, step, 10, 0.1, cycle=True),
            train.cosine_decay(0.5, step, 20, alpha=0.1),
            train.cosine_decay_restarts(0.5, step, 10, t_mul=2.0, m_mul=0.5),
            train.cosine_decay_restarts(0.5, step, 10, t_mul=1.0),
            train.linear_cosine_decay(0.5, step, 20),
            train.noisy_linear_cosine_decay(0.5, step, 20),
        ]
        return np.array([session.run(rates, {step: s}) for s in STEPS])


def test_rates():
    np.testing.assert_allclose(_rates(regraft.v1), _rates(tensorflow()), rtol=1e-5, atol=1e-7)


def _averages(tf: Any, folder: str) -> tuple[Any, ...]:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [])
        w = tf.get_variable("w", initializer=1.0)
        ema = tf.train.ExponentialMovingAverage(0.5, num_updates=tf.constant(4))
        debiased = tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="debiased")
        moved = w.assign(x)
        with tf.control_dependencies([moved]):
            update = ema.apply([w])
        updates = tf.group(update, debiased.apply([x * 2.0]))
        session.run(tf.global_variables_initializer())
        seen = []
        for value in (3.0, -1.0, 5.0):
            session.run(updates, {x: value})
            seen.append(session.run([ema.average(w), *tf.global_variables()]))
        tf.train.Saver().save(session, folder + "/model.ckpt")
        names = {name: v.op.name for name, v in ema.variables_to_restore().items()}
        known = ema.average_name(w), ema.average(x), tf.moving_average_variables()[0].op.name
        saver = tf.train.Saver(ema.variables_to_restore([w]))
        saver.restore(session, folder + "/model.ckpt")
        return np.array(seen), names, known, session.run(w)


def test_averages(tmp_path):
    ours, theirs = _averages(regraft.v1, str(tmp_path / "ours")), _averages(tensorflow(), str(tmp_path / "theirs"))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    assert ours[1:] == theirs[1:]
