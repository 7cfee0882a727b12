"""Programs: which buffers their results take, and what they are compiled with."""

from __future__ import annotations

import pytest

import regraft.v1 as tf
from regraft.runtime.program import Program
from regraft.session.session import Session


def test_variables_take_their_own_buffers_in_whatever_order_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX pairs buffers and results of one shape by their order alone."""
    made: list[Program] = []
    compile_ = Program.compile
    monkeypatch.setattr(Program, "compile", lambda self, seconds: (made.append(self), compile_(self, seconds))[1])
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
