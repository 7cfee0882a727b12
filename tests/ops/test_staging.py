"""Staging areas in sessions, with what TensorFlow 2.21 gives and says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base import errors
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session
from tests.ops.test_queues import Elsewhere

TYPES = ["int64", "float32"]


class Program:
    """A graph with one staging area of an int64 and a float32."""

    def __init__(self, **attrs: Any) -> None:
        self.b = Builder(Graph())
        self.attrs = {"shared_name": "area", **attrs}
        self.session = Session(self.b.graph)

    def run(self, op: str, *inputs: Any, dtypes: Any = TYPES) -> Any:
        attrs = self.attrs if op == "Stage" else {**self.attrs, "dtypes": dtypes}
        node = self.b.operation(op, *inputs, **attrs)
        return [v.item() for v in self.session.run(list(node.outputs))] if node.outputs else self.session.run(node)

    def put(self, value: int) -> None:
        self.run("Stage", [np.int64(value), np.float32(value)])


def test_first_in_first_out() -> None:
    p = Program()
    for value in (1, 2, 3):
        p.put(value)
    assert p.run("StageSize") == [3]
    assert p.run("StagePeek", np.int32(1)) == [2, 2.0]
    assert p.run("Unstage") == [1, 1.0]
    p.run("StageClear")
    assert p.run("StageSize") == [0]


def test_waiting_for_an_element() -> None:
    p = Program()
    with Elsewhere(lambda: p.run("StagePeek", np.int32(1))) as peeking, Elsewhere(lambda: p.run("Unstage")) as taking:
        p.put(1)
        p.put(2)
        p.put(3)
    assert taking.result == [1, 1.0]
    assert peeking.result == [3, 3.0]


@pytest.mark.parametrize("attrs", [{"capacity": 1}, {"memory_limit": 12}])
def test_waiting_for_room(attrs: dict[str, int]) -> None:
    p = Program(**attrs)
    p.put(1)
    with Elsewhere(lambda: p.put(2)) as putting:
        assert not putting.done
        p.run("Unstage")
    assert p.run("Unstage") == [2, 2.0]
    p.put(3)
    with Elsewhere(lambda: p.put(4)) as putting:
        p.run("StageClear")
    assert p.run("Unstage") == [4, 4.0]


def test_what_is_too_large_never_gets_room() -> None:
    message = "combined size of '12' bytes into Staging Area with a memory limit of '10'"
    with pytest.raises(errors.ResourceExhaustedError, match=message):
        Program(memory_limit=10).put(1)


def test_the_end_of_the_session_ends_waiting() -> None:
    p = Program()
    with Elsewhere(lambda: p.run("Unstage")) as taking:
        p.session.close()
    assert isinstance(taking.error, errors.CancelledError)


def test_a_step_puts_in_what_the_next_takes() -> None:
    """The usual way: one run computes with what the run before has put in."""
    p = Program()
    x = p.b.Placeholder(dtype="int64", shape=[])
    put = p.b.operation("Stage", [x, p.b.Cast(x, DstT="float32")], **p.attrs)
    taken = p.b.Unstage(dtypes=TYPES, **p.attrs)
    p.session.run(put, {x: np.int64(0)})
    found = [p.session.run([p.b.graph.as_graph_element(taken[0]), put], {x: np.int64(i)})[0] for i in (1, 2, 3)]
    assert found == [0, 1, 2]


@pytest.fixture(params=["Map", "OrderedMap"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


BOTH = np.array([0, 1], np.int32)


def put(p: Program, prefix: str, key: int, value: int) -> None:
    p.run(f"{prefix}Stage", np.int64(key), BOTH, [np.int64(value), np.float32(value)])


def test_elements_by_key(prefix: str) -> None:
    p = Program()
    put(p, prefix, 5, 1)
    put(p, prefix, 5, 2)  # what is there stays
    p.run(f"{prefix}Stage", np.int64(3), BOTH[1:], [np.float32(7)])
    assert (p.run(f"{prefix}Size"), p.run(f"{prefix}IncompleteSize")) == ([1], [1])
    with pytest.raises(
        errors.InvalidArgumentError, match="tensor for index '1' for key '3' was already initialized '2'"
    ):
        p.run(f"{prefix}Stage", np.int64(3), BOTH[1:], [np.float32(7)])
    p.run(f"{prefix}Stage", np.int64(3), BOTH[:1], [np.int64(9)])
    assert (p.run(f"{prefix}Size"), p.run(f"{prefix}IncompleteSize")) == ([2], [0])
    assert p.run(f"{prefix}Peek", np.int64(3), BOTH) == [9, 7.0]
    assert p.run(f"{prefix}Unstage", np.int64(3), BOTH[1:], dtypes=["float32"]) == [7.0]
    for op in ("Unstage", "Peek"):
        with pytest.raises(
            errors.InvalidArgumentError, match="Tensor at index '1' for key '3' has already been removed"
        ):
            p.run(f"{prefix}{op}", np.int64(3), BOTH[1:], dtypes=["float32"])
    assert p.run(f"{prefix}Size") == [2]
    assert p.run(f"{prefix}Unstage", np.int64(3), BOTH[:1], dtypes=["int64"]) == [9]
    assert p.run(f"{prefix}UnstageNoKey", BOTH) == [5, 1, 1.0]
    put(p, prefix, 1, 1)
    p.run(f"{prefix}Clear")
    assert p.run(f"{prefix}Size") == [0]


def test_order_of_keys() -> None:
    p = Program()
    for key in (5, 3, 4):
        put(p, "OrderedMap", key, key)
    assert [p.run("OrderedMapUnstageNoKey", BOTH)[0] for _ in range(3)] == [3, 4, 5]


def test_wrong_indices(prefix: str) -> None:
    p = Program()
    with pytest.raises(errors.InvalidArgumentError, match="Indices are not strictly ordered"):
        p.run(f"{prefix}Stage", np.int64(3), BOTH[::-1], [np.float32(7), np.int64(8)])
    with pytest.raises(errors.InvalidArgumentError, match=r"indices \[0, 7\] of 2 values do not fit"):
        p.run(f"{prefix}Stage", np.int64(3), BOTH * 7, [np.int64(7), np.float32(8)])
    put(p, prefix, 1, 1)
    with pytest.raises(errors.InvalidArgumentError, match="Index '7' for key '1' was out of bounds '2'"):
        p.run(f"{prefix}Peek", np.int64(1), BOTH[1:] * 7, dtypes=["int64"])


def test_waiting_for_a_key_and_for_room(prefix: str) -> None:
    p = Program(capacity=1)
    with Elsewhere(lambda: p.run(f"{prefix}Unstage", np.int64(2), BOTH)) as taking:
        p.run(f"{prefix}Stage", np.int64(2), BOTH[:1], [np.int64(2)])
        with Elsewhere(lambda: put(p, prefix, 1, 1)) as putting:
            assert not putting.done and not taking.done
            p.run(f"{prefix}Stage", np.int64(2), BOTH[1:], [np.float32(2)])
    assert taking.result == [2, 2.0]
    assert p.run(f"{prefix}Size") == [1]
