"""Programs: what they take, which buffers their results take, and how results get to the caller."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.runtime.program import Program
from regraft.session.session import Session


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """The programs that were compiled."""
    found: list[Program] = []
    compile_ = Program.compile
    monkeypatch.setattr(Program, "compile", lambda self, seconds: (found.append(self), compile_(self, seconds))[1])
    return found


def test_variables_take_their_own_buffers_in_whatever_order_they_are_written(made: list[Program]) -> None:
    """JAX pairs buffers and results of one shape by their order alone."""
    with tf.Graph().as_default() as graph:
        one, two = (
            tf.get_variable(name, initializer=[n, n], use_resource=True) for name, n in (("a", 1.0), ("b", 2.0))
        )
        total = two + one
        with tf.control_dependencies([one.assign(total)]):
            step = two.assign(2.0 * total)
        sess = Session(graph, tier="compile")
        sess.run(tf.global_variables_initializer())
        made.clear()
        sess.run(step)
        assert [v.tolist() for v in sess.run([one, two])] == [[3.0, 3.0], [6.0, 6.0]]
    program = made[0]
    assert sorted(program.donated) == ["a", "b"]
    assert program.written == program.donated


@pytest.mark.parametrize(
    ("constant", "arguments"),
    [
        (np.zeros([40, 50], np.float32), 1),
        (np.full([40, 50], -7, np.int64), 1),
        (np.full([40, 50], np.nan, np.float32), 1),
        (np.full([40, 50], 1 + 2j, np.complex128), 1),
        (np.zeros([40, 50], np.float32) * np.where(np.arange(50) == 49, -1, 1).astype(np.float32), 2),
        (np.arange(2000.0).reshape(40, 50), 2),
    ],
    ids=["zeros", "of integers", "of nan", "complex", "of zeros with signs", "of different numbers"],
)
def test_a_large_constant_that_repeats_one_number_is_no_argument(
    made: list[Program], constant: np.ndarray[Any, Any], arguments: int
) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.as_dtype(constant.dtype), [40, 50])
        y = x * tf.constant(constant)
        given = np.full([40, 50], 3, constant.dtype)
        value = Session(graph, tier="compile").run(y, {x: given})
    assert value.tobytes() == (given * constant).tobytes()  # signs of zeros, too
    (program,) = made
    assert len(program.inputs) == arguments


def test_large_results_are_the_callers_own() -> None:
    two = np.full([300, 300], 2, np.float32)
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [300, 300])
        v = tf.get_variable("v", initializer=np.ones([300, 300], np.float32), use_resource=True)
        y = v + x
        with tf.control_dependencies([y]):
            added = v.assign_add(x, read_value=False)
        sess = Session(graph, tier="compile")
        sess.run(tf.global_variables_initializer())
        names = [y, tf.identity(y), x, added]
        found = [array for array in sess.run(names, {x: two}) if array is not None]
        assert not found[0].flags.owndata  # it was not copied
        for array in found:
            array += 100
        assert [array[3, 3] for array in found] == [103, 103, 102]
        assert two[3, 3] == 2
        after = sess.run([v, y], {x: two})
        assert [array[3, 3] for array in after] == [3, 5]
        sess.close()
    for array in (*found, *after):
        array += 1
    assert [array[3, 3] for array in (*found, *after)] == [104, 104, 103, 4, 6]
