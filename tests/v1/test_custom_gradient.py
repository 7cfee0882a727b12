"""Functions that bring their own gradients, and gradients registered by name: nodes and values are TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available
from tests.v1.both import build_ours, build_tensorflow, differences

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]


def softplus(tf: Any) -> None:
    @tf.custom_gradient
    def log1pexp(x: Any) -> Any:
        e = tf.exp(x)
        return tf.log(1 + e), lambda dy: dy * (1 - 1 / (1 + e))

    x = tf.constant([100.0, 0.0], name="x")
    y = log1pexp(x)
    tf.identity(tf.gradients(y, x)[0], name="out")


def several(tf: Any) -> None:
    @tf.custom_gradient
    def f(a: Any, b: Any) -> Any:
        return (a * b, a + b), lambda da, db: (da * 10.0, db * 100.0)

    a, b = tf.constant(2.0), tf.constant(3.0)
    y, z = f(a, b)
    tf.stack(tf.gradients([y, 2.0 * z], [a, b]), name="out")


def with_variables(tf: Any) -> None:
    with tf.variable_scope("s", use_resource=True):

        @tf.custom_gradient
        def f(x: Any) -> Any:
            w = tf.get_variable("w", initializer=3.0)
            v = tf.get_variable("v", initializer=5.0)

            def gradient(dy: Any, variables: Any = None) -> Any:
                return dy * 7.0, [dy * float(i + 1) for i in range(len(variables))]

            return x * w + v, gradient

        x = tf.constant(2.0)
        y = f(x)
        tf.stack(tf.gradients(y, [x, *tf.trainable_variables()]), name="out")


def passing_through(tf: Any) -> None:
    x = tf.constant([1.2, 2.7])
    tf.identity(tf.gradients(tf.grad_pass_through(tf.round)(x) * 3.0, x)[0], name="out")


def swish(tf: Any) -> None:
    x = tf.constant([0.0, 100.0])
    tf.identity(tf.gradients(tf.nn.swish(x), x)[0], name="out")


def overridden(tf: Any) -> None:
    name = f"Clipped{np.random.randint(1 << 60)}"

    @tf.RegisterGradient(name)
    def _(op: Any, dy: Any) -> Any:
        return tf.clip_by_value(dy, -0.5, 0.5) + 0.0 * op.inputs[0]

    x = tf.constant([1.0, 2.0])
    with tf.get_default_graph().gradient_override_map({"Identity": name}):
        y = tf.identity(x)
    tf.identity(tf.gradients(y * [4.0, 0.25], x)[0], name="out")


PROGRAMS = [softplus, several, with_variables, passing_through, swish, overridden]


@pytest.mark.parametrize("program", PROGRAMS)
def test_same_graph(program):
    found = differences(build_ours(regraft.v1, program), build_tensorflow(program))
    assert [line for line in found if "CustomGradient-" not in line and "Clipped" not in line] == []


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        (softplus, [1.0, 0.5]),
        (several, [10.0, 200.0]),
        (with_variables, [7.0, 2.0, 1.0]),  # the variables come sorted by name
        (passing_through, [3.0, 3.0]),
        (swish, [0.5, 1.0]),
        (overridden, [0.5, 0.25]),
    ],
)
def test_values(program, wanted):
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        program(tf)
        sess.run(tf.global_variables_initializer())
        assert sess.run("s/out:0" if program is with_variables else "out:0").tolist() == wanted


def test_a_gradient_function_must_take_the_variables():
    tf = regraft.v1

    @tf.custom_gradient
    def f(x: Any) -> Any:
        return x * tf.get_variable("w", initializer=1.0, use_resource=True), lambda dy: dy

    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="must accept keyword argument 'variables'.*w:0"):
            f(tf.constant(1.0))
        with pytest.raises(ValueError, match="keyword"):
            f(x=tf.constant(1.0))
