"""Barriers in sessions, with what TensorFlow 2.21 gives and says."""

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
FIRST = -(2**63)


class Program:
    """A graph with a barrier of an int64 and a float32."""

    def __init__(self) -> None:
        self.b = Builder(Graph())
        self.handle = self.b.Barrier(component_types=TYPES, shapes=[[], []], shared_name="b")
        self.session = Session(self.b.graph)

    def run(self, op: str, *inputs: Any, **attrs: Any) -> Any:
        node = self.b.operation(op, self.handle, *inputs, **attrs)
        return self.session.run(list(node.outputs) or node)

    def insert(self, keys: list[bytes], component: int, values: list[int]) -> None:
        numbers = np.array(values, TYPES[component])
        self.run("BarrierInsertMany", np.array(keys, object), numbers, component_index=component)

    def take(self, count: int, **attrs: bool) -> list[list[Any]]:
        found = self.run("BarrierTakeMany", np.int32(count), component_types=TYPES, **attrs)
        return [part.tolist() for part in found]

    def sizes(self) -> tuple[int, int]:
        """Complete elements, and others."""
        return int(self.run("BarrierReadySize")[0]), int(self.run("BarrierIncompleteSize")[0])


def test_complete_elements_are_taken() -> None:
    p = Program()
    p.insert([b"a", b"b", b"c"], 0, [1, 2, 3])
    assert p.sizes() == (0, 3)
    with pytest.raises(errors.InvalidArgumentError, match="Key a already has a value for component 0 in barrier b"):
        p.insert([b"a"], 0, [1])
    p.insert([b"c", b"a"], 1, [30, 10])
    assert p.sizes() == (2, 1)
    assert p.take(2) == [[FIRST, FIRST], [b"c", b"a"], [3, 1], [30.0, 10.0]]


def test_waiting_for_elements() -> None:
    p = Program()
    with Elsewhere(lambda: p.take(2)) as taking:
        p.insert([b"a", b"b"], 0, [1, 2])
        p.insert([b"a"], 1, [10])
        assert not taking.done
        p.insert([b"b"], 1, [20])
    assert taking.result[1:] == [[b"a", b"b"], [1, 2], [10.0, 20.0]]


def test_a_closed_barrier_lets_no_new_key_in() -> None:
    p = Program()
    p.insert([b"b"], 0, [2])
    p.run("BarrierClose")
    with pytest.raises(errors.CancelledError, match="Barrier b is closed, but attempted to insert a brand new key: z"):
        p.insert([b"z"], 0, [1])
    p.insert([b"b"], 1, [20])
    with pytest.raises(errors.OutOfRangeError, match=r"insufficient elements \(requested 2, total size 1\)"):
        p.take(2)
    assert p.take(2, allow_small_batch=True)[1:] == [[b"b"], [2], [20.0]]
    for small in (False, True):
        with pytest.raises(errors.OutOfRangeError, match=r"\(requested [01], total size 0\)"):
            p.take(1, allow_small_batch=small)
    with pytest.raises(errors.CancelledError, match="Barrier 'b' is already closed"):
        p.run("BarrierClose")
    p.run("BarrierClose", cancel_pending_enqueues=True)


def test_cancelling_drops_what_is_not_complete() -> None:
    p = Program()
    p.insert([b"b"], 0, [2])
    with Elsewhere(lambda: p.take(1)) as taking:
        p.run("BarrierClose", cancel_pending_enqueues=True)
    assert isinstance(taking.error, errors.OutOfRangeError)
    with pytest.raises(errors.CancelledError, match="Pending enqueues cancelled: 1"):
        p.insert([b"b"], 1, [20])


def test_the_end_of_the_session_ends_waiting() -> None:
    p = Program()
    with Elsewhere(lambda: p.take(1)) as taking:
        p.session.close()
    assert isinstance(taking.error, errors.CancelledError)


def test_wrong_values() -> None:
    p = Program()
    with pytest.raises(errors.InvalidArgumentError, match="Shape mismatch in component 0: 2 keys"):
        p.insert([b"a", b"b"], 0, [1])
    with pytest.raises(errors.InvalidArgumentError, match="component_index 5 is not one of the 2"):
        p.run("BarrierInsertMany", np.array([b"a"], object), np.array([1]), component_index=5)
    with pytest.raises(errors.InvalidArgumentError, match="Type mismatch in component 1. Expected float32, got int64"):
        p.run("BarrierInsertMany", np.array([b"a"], object), np.array([1]), component_index=1)
