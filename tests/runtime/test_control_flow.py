"""Control flow against TensorFlow: interpreted, compiled, and token by token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base.errors import OpError
from regraft.runtime.build import build_plan
from regraft.runtime.executor import Executor
from regraft.runtime.plan import Step
from regraft.runtime.state import SessionState
from regraft.serde.graph import graph_from_proto
from regraft.session import Session
from tests import oracle
from tests.golden.read import GOLDEN, expected
from tests.runtime.control_flow_programs import PROGRAMS

TIERS = ("interpret", "compile", "dataflow")

# Errors that only values tell: a compiled program does not look at each index.
UNCHECKED = {"write_beyond_the_end", "read_beyond_the_end", "write_twice", "read_twice", "pop_from_an_empty_stack"}

# What is interpreted although everything in it could be compiled, and what the reason speaks of.
INTERPRETED = {
    "loop_variable_that_grows": "changes from float32[2] to float32[4]",
    "map_in_a_map": "holds handles",
}

needs_tensorflow = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")


class Reference:
    """A program in TensorFlow: its GraphDef, initial values and results."""

    def __init__(self, name: str) -> None:
        tf = oracle.tensorflow()
        was_v2 = tf.control_flow_v2_enabled()
        tf.disable_control_flow_v2()
        try:
            with tf.Graph().as_default() as graph:
                fetches, self.feeds = PROGRAMS[name](tf)
                with tf.Session() as sess:
                    sess.run(tf.global_variables_initializer())
                    variables = tf.global_variables()
                    names = [v.op.name for v in variables]
                    self.variables = dict(zip(names, sess.run(variables), strict=True)) if variables else {}
                    self.results = [self._run(tf, sess, fetches, feed) for feed in self.feeds]
        finally:
            if was_v2:
                tf.enable_control_flow_v2()
        self.fetches = [t.name for t in fetches]
        self.graph_def = graph.as_graph_def()

    @staticmethod
    def _run(tf: Any, sess: Any, fetches: Any, feed: Any) -> Any:
        try:
            return sess.run(fetches, feed)
        except tf.errors.OpError as e:
            return e


@pytest.fixture(scope="module")
def reference() -> Any:
    known: dict[str, Reference] = {}

    def get(name: str) -> Reference:
        if name not in known:
            known[name] = Reference(name)
        return known[name]

    return get


class Ours:
    """The same graph in our runtime, on one tier."""

    def __init__(self, reference: Reference, tier: str) -> None:
        self.graph = graph_from_proto(reference.graph_def)
        self.state = SessionState()
        self.executor = Executor(self.state, "interpret" if tier == "dataflow" else tier)
        self.structured = tier != "dataflow"
        self.fetches = [self.graph.get_tensor_by_name(n) for n in reference.fetches]
        for name, value in reference.variables.items():
            self.state.variables.assign(name, value)

    def run(self, feed: dict[str, Any]) -> list[Any]:
        feeds = {self.graph.get_tensor_by_name(k): v for k, v in feed.items()}
        plan = build_plan(self.graph, self.fetches, list(feeds), self.structured)
        given = [(plan.feeds[t], np.asarray(v, t.dtype.numpy)) for t, v in feeds.items()]
        return self.executor.run(plan, given)


def steps_of(
    name: str,
    build: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-6,
) -> tuple[Step, ...]:
    """Run a program as TensorFlow does, interpreted and compiled, with nothing refused; its steps."""
    monkeypatch.setitem(PROGRAMS, name, build)
    wanted = Reference(name)
    for tier in ("interpret", "compile"):
        ours = Ours(wanted, tier)
        for feed, result in zip(wanted.feeds, wanted.results, strict=True):
            for got, want in zip(ours.run(feed), result, strict=True):
                assert got.dtype == want.dtype
                np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)
        assert ours.executor.refused == {}
    feeds = [ours.graph.get_tensor_by_name(k) for k in wanted.feeds[0]]
    return build_plan(ours.graph, ours.fetches, feeds).steps


@needs_tensorflow
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_tensorflow(reference: Any, name: str, tier: str) -> None:
    if tier == "compile" and name in UNCHECKED:
        pytest.skip("compiled programs do not check indices")
    wanted = reference(name)
    ours = Ours(wanted, tier)
    for feed, result in zip(wanted.feeds, wanted.results, strict=True):
        if isinstance(result, Exception):
            with pytest.raises(OpError) as caught:
                ours.run(feed)
            assert type(caught.value).__name__ == type(result).__name__
            continue
        for got, want in zip(ours.run(feed), result, strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@needs_tensorflow
@pytest.mark.parametrize("name", sorted(PROGRAMS.keys() - UNCHECKED - {"growing_array"}))
def test_what_is_compiled(reference: Any, name: str) -> None:
    """Everything that has no host op in it is one program, but for what is listed here."""
    wanted = reference(name)
    ours = Ours(wanted, "compile")
    for feed, result in zip(wanted.feeds, wanted.results, strict=True):
        if not isinstance(result, Exception):
            ours.run(feed)
    refused = list(ours.executor.refused.values())
    assert len(refused) == (name in INTERPRETED)
    assert all(INTERPRETED[name] in reason for reason in refused)
    feeds = [ours.graph.get_tensor_by_name(k) for k in wanted.feeds[0]]
    plan = build_plan(ours.graph, ours.fetches, feeds)
    assert plan.notes == ()
    assert [step.compiled for step in plan.steps if step.compiled] == [True]


@needs_tensorflow
def test_stack_without_room(reference: Any) -> None:
    """The first guess is 32 elements; a run that needs 40 is made again."""
    wanted = reference("loop")
    ours = Ours(wanted, "compile")
    for got, want in zip(ours.run(wanted.feeds[-1]), wanted.results[-1], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("tier", ["interpret", "compile"])
@pytest.mark.parametrize("case", ["control_flow", "control_flow_v2"])
def test_golden(case: str, tier: str) -> None:
    from regraft.checkpoint import open_checkpoint
    from regraft.metagraph import read_meta_graph_file

    wanted = expected(case)
    meta = read_meta_graph_file(str(GOLDEN / case / "model.meta"))
    session = Session(graph_from_proto(meta.graph_def, meta.meta_info_def.stripped_op_list.op), tier)
    reader = open_checkpoint(str(GOLDEN / case / "model"))
    for name in reader.shapes():
        session.variables.assign(name, reader.get_tensor(name))
    for tag in ("positive", "negative", "none"):
        names = list(wanted[f"{tag}-out"])
        for name, got in zip(names, session.run(names, wanted[f"{tag}-feed"]), strict=True):
            np.testing.assert_allclose(got, wanted[f"{tag}-out"][name], rtol=1e-5, err_msg=name)
    session.run("train_op", wanted["positive-feed"])


def test_training_step_with_loops_is_one_program() -> None:
    from regraft.metagraph import read_meta_graph_file

    meta = read_meta_graph_file(str(GOLDEN / "control_flow" / "model.meta"))
    session = Session(graph_from_proto(meta.graph_def))
    plan = session.plan(["train_op"], list(expected("control_flow")["positive-feed"]))
    assert [step.compiled for step in plan.steps] == [True]
    assert "loop while" in str(plan)
