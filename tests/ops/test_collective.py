"""Collectives of one worker in graphs: their gradients, and what needs more than one."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.base.errors import UnimplementedError


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as s:
        yield s


def test_a_model_of_horovod_trains_alone(session):
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    loss = tf.square(w - 3.0)
    gradient = tf.gradients(loss, w)[0]
    mean = tf.raw_ops.HorovodAllreduce(tensor=gradient, reduce_op=0) / tf.cast(tf.raw_ops.HorovodSize(), tf.float32)
    step = tf.train.GradientDescentOptimizer(0.25).apply_gradients([(mean, w)])
    session.run(tf.global_variables_initializer())
    session.run(step)
    assert session.run(w) == 2.0


@pytest.mark.parametrize("op", ["HorovodAllreduce", "HorovodAllgather", "HorovodBroadcast", "NcclAllReduce"])
def test_gradients_pass_through(session, op):
    x = tf.placeholder(tf.float32, [2])
    attrs = {"HorovodBroadcast": {"root_rank": 0}, "NcclAllReduce": {"reduction": "sum", "num_devices": 1}}.get(op, {})
    argument = {"input": x, "shared_name": "a"} if op == "NcclAllReduce" else {"tensor": x}
    y = getattr(tf.raw_ops, op)(**argument, **attrs)
    np.testing.assert_array_equal(session.run(tf.gradients(y * y, x), {x: [3, 4]})[0], [6, 8])


def test_the_sum_of_nccl_hands_its_gradient_to_all(session):
    x, y = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    total = tf.raw_ops.NcclReduce(input=[x, y], reduction="sum")
    assert session.run(tf.gradients(total * total, [x, y]), {x: 1.0, y: 2.0}) == [6.0, 6.0]


def test_several_devices_are_refused(session):
    many = tf.raw_ops.NcclAllReduce(input=tf.ones([2]), reduction="sum", num_devices=4, shared_name="a")
    with pytest.raises(UnimplementedError, match="over 4 devices"):
        session.run(many)
    rows = tf.raw_ops.CollectiveGather(input=tf.ones([2]), group_size=2, group_key=1, instance_key=1, shape=[2])
    with pytest.raises(UnimplementedError, match="over 2 workers"):
        session.run(rows)
