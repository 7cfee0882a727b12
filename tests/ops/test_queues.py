"""Queues in sessions: order, waiting, closing and cancelling, with what TensorFlow 2.21 gives and says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base import errors
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session

LONG = 20.0


class Program:
    """A graph with one queue of int64 scalars, called q."""

    def __init__(self, op: str = "FIFOQueueV2", **attrs: Any) -> None:
        self.b = Builder(Graph())
        given = {"component_types": ["int64"], "shapes": [[]], "capacity": 4, **attrs}
        self.queue = self.b.op(op, name="q", **given)
        self.types = given["component_types"]
        self.version = "V2" if op.endswith("V2") else ""
        self.session = Session(self.b.graph)

    def op(self, op: str, *inputs: Any, **attrs: Any) -> Any:
        return self.b.operation(f"{op}{self.version}", self.queue, *inputs, **attrs)

    def run(self, node: Any) -> Any:
        return self.session.run(list(node.outputs) or node)

    def put(self, *values: int) -> None:
        self.run(self.op("QueueEnqueueMany", [np.array(values, np.int64)]))

    def take(self, count: int, op: str = "QueueDequeueMany") -> list[int]:
        found: list[int] = self.run(self.op(op, np.int32(count), component_types=self.types))[0].tolist()
        return found

    def take_one(self) -> int:
        return int(self.run(self.op("QueueDequeue", component_types=self.types))[0])

    def close(self, cancel: bool = False) -> None:
        self.run(self.op("QueueClose", cancel_pending_enqueues=cancel))

    def size(self) -> int:
        return int(self.run(self.op("QueueSize"))[0])


class Elsewhere:
    """A call in another thread. Leaving the block waits for its end; `error` is what it raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: Exception | None = None
        self.done = False
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)

    def _run(self, call: Callable[[], Any]) -> None:
        try:
            self.result = call()
        except Exception as e:  # noqa: BLE001  the test looks at it
            self.error = e
        self.done = True

    def __enter__(self) -> Elsewhere:
        self._thread.start()
        time.sleep(0.05)
        return self

    def __exit__(self, *error: Any) -> None:
        self._thread.join(LONG)
        assert not self._thread.is_alive(), "it still waits"


@pytest.mark.parametrize("op", ["FIFOQueue", "FIFOQueueV2"])
def test_first_in_first_out(op: str) -> None:
    p = Program(op)
    p.put(1, 2, 3)
    p.run(p.op("QueueEnqueue", [np.int64(4)]))
    assert p.size() == 4
    assert p.take_one() == 1
    assert p.take(3) == [2, 3, 4]
    assert p.take(0) == []
    assert not p.run(p.op("QueueIsClosed"))[0]


def test_elements_of_several_components_with_shapes_of_their_own() -> None:
    p = Program(component_types=["int64", "string"], shapes=[])
    p.run(p.op("QueueEnqueue", [np.arange(3), np.array([b"a", b"b"], object)]))
    p.run(p.op("QueueEnqueue", [np.int64(7), np.array(b"c", object)]))
    numbers, words = p.run(p.op("QueueDequeue", component_types=p.types))
    assert numbers.tolist() == [0, 1, 2] and words.tolist() == [b"a", b"b"]
    message = "FIFOQueue's DequeueMany and DequeueUpTo require the components to have specified shapes"
    with pytest.raises(errors.InvalidArgumentError, match=message):
        p.take(1)


def test_what_was_put_in_is_not_what_the_caller_changes_later() -> None:
    p = Program(shapes=[[2]])
    fed = p.b.Placeholder(dtype="int64", shape=[2])
    values = np.array([1, 2])
    p.session.run(p.op("QueueEnqueue", [fed]), {fed: values})
    values[:] = 9
    assert p.run(p.op("QueueDequeue", component_types=p.types))[0].tolist() == [1, 2]


def test_padding() -> None:
    """As TensorFlow 2.21 pads the same elements."""
    p = Program("PaddingFIFOQueueV2", component_types=["int64", "string"], shapes=[[None, 2], [None]])
    for count in (1, 3):
        p.run(p.op("QueueEnqueue", [np.ones((count, 2), np.int64), np.array([b"a"] * count, object)]))
    numbers, words = p.run(p.op("QueueDequeueMany", np.int32(2), component_types=p.types))
    assert numbers.tolist() == [[[1, 1], [0, 0], [0, 0]], [[1, 1], [1, 1], [1, 1]]]
    assert words.tolist() == [[b"a", b"", b""], [b"a", b"a", b"a"]]
    with pytest.raises(errors.InvalidArgumentError, match=r"tuple component 0. Expected \[\?,2\], got \[3,3\]"):
        p.run(p.op("QueueEnqueue", [np.ones((3, 3), np.int64), np.array([b"a"], object)]))


def test_priorities_and_their_ties_come_in_the_order_of_tensorflow() -> None:
    p = Program("PriorityQueueV2", capacity=10)
    p.types = ["int64", "int64"]
    p.run(p.op("QueueEnqueueMany", [np.array([2, 1, 2, 1, 1, 2, 0, 1]), np.arange(8)]))
    priorities, values = p.run(p.op("QueueDequeueMany", np.int32(8), component_types=p.types))
    assert priorities.tolist() == [0, 1, 1, 1, 1, 2, 2, 2]
    assert values.tolist() == [6, 1, 3, 4, 7, 2, 5, 0]


def test_shuffling_with_seeds_gives_the_order_of_tensorflow() -> None:
    p = Program("RandomShuffleQueueV2", capacity=100, min_after_dequeue=3, seed=87654321, seed2=7)
    p.put(*range(20))
    assert p.take(10) == [7, 4, 19, 15, 0, 8, 10, 11, 14, 6]
    assert p.take_one() == 16
    assert p.take(4) == [1, 12, 3, 17]


def test_shuffling_keeps_some_back_until_it_is_closed() -> None:
    p = Program("RandomShuffleQueueV2", capacity=10, min_after_dequeue=3)
    p.put(1, 2, 3, 4, 5)
    with Elsewhere(lambda: p.take(3)) as taking:
        assert not taking.done and p.size() == 3
        p.close()
    assert taking.error is None
    assert sorted([*taking.result, *p.take(2)]) == [1, 2, 3, 4, 5]


def test_a_full_queue_makes_wait() -> None:
    p = Program(capacity=2)
    with Elsewhere(lambda: p.put(1, 2, 3)) as putting:
        assert not putting.done and p.size() == 2
        assert p.take_one() == 1
    assert p.take(2) == [2, 3]


def test_an_empty_queue_makes_wait() -> None:
    p = Program()
    p.put(1)
    with Elsewhere(lambda: p.take(3)) as taking:
        assert not taking.done and p.size() == 0
        p.put(2, 3)
    assert taking.result == [1, 2, 3]


def test_who_waits_longest_is_served_first() -> None:
    p = Program()
    with Elsewhere(lambda: p.take(2)) as first, Elsewhere(lambda: p.take(1)) as second:
        p.put(1)
        assert not first.done and not second.done
        p.put(2, 3)
    assert (first.result, second.result) == ([1, 2], [3])


def test_one_run_puts_in_what_it_takes_out() -> None:
    """Whichever stands first in the graph, nobody waits for ever."""
    p = Program()
    taken = p.op("QueueDequeue", component_types=p.types).outputs[0]
    x = p.b.Placeholder(dtype="int64", shape=[])
    put = p.op("QueueEnqueue", [p.b.Mul(x, np.int64(2))])
    again = p.op("QueueEnqueue", [p.b.Add(taken, np.int64(1))])
    with Elsewhere(lambda: p.session.run([taken, put, again], {x: np.int64(5)})) as run:
        pass
    assert run.error is None and run.result[0] in (10, 11)
    assert p.size() == 1


def test_closing() -> None:
    p = Program()
    p.put(1, 2)
    p.close()
    assert p.run(p.op("QueueIsClosed"))[0]
    with pytest.raises(errors.CancelledError, match="FIFOQueue 'q' is closed."):
        p.put(3)
    with pytest.raises(errors.CancelledError, match="Queue 'q' is already closed."):
        p.close()
    p.close(cancel=True)
    message = r"FIFOQueue 'q' is closed and has insufficient elements \(requested 3, current size 2\)"
    with pytest.raises(errors.OutOfRangeError, match=message):
        p.take(3)
    assert p.take(3, "QueueDequeueUpTo") == [1, 2]
    for op in ("QueueDequeueMany", "QueueDequeueUpTo"):
        with pytest.raises(errors.OutOfRangeError, match=r"\(requested 3, current size 0\)"):
            p.take(3, op)
    with pytest.raises(errors.OutOfRangeError, match=r"\(requested 1, current size 0\)"):
        p.take_one()


@pytest.mark.parametrize(("op", "left"), [("QueueDequeueMany", [1]), ("QueueDequeueUpTo", [])])
def test_closing_ends_waiting_for_more(op: str, left: list[int]) -> None:
    p = Program()
    p.put(1)
    with Elsewhere(lambda: p.take(3, op)) as taking:
        assert not taking.done
        p.close()
    if left:
        assert isinstance(taking.error, errors.OutOfRangeError)
    else:
        assert taking.result == [1]
    assert p.size() == len(left)


def test_closing_waits_for_those_before_it() -> None:
    p = Program(capacity=1)
    p.put(1)
    with Elsewhere(lambda: p.put(2)) as putting, Elsewhere(p.close) as closing:
        assert not closing.done
        assert p.take(2) == [1, 2]
    assert putting.error is None and closing.error is None


def test_closing_may_cancel_those_before_it() -> None:
    p = Program(capacity=1)
    p.put(1)
    with Elsewhere(lambda: p.put(2)) as putting:
        p.close(cancel=True)
    assert isinstance(putting.error, errors.CancelledError) and "Enqueue operation was cancelled" in str(putting.error)
    assert p.take_one() == 1


@pytest.mark.parametrize("what", ["Enqueue", "Dequeue"])
def test_the_end_of_the_session_ends_waiting(what: str) -> None:
    p = Program(capacity=1)
    if what == "Enqueue":
        p.put(1)
    with Elsewhere(lambda: p.put(2) if what == "Enqueue" else p.take_one()) as waiting:
        assert not waiting.done
        p.session.close()
    assert isinstance(waiting.error, errors.CancelledError)
    assert f"{what} operation was cancelled" in str(waiting.error)


def test_an_error_elsewhere_in_the_run_takes_back_what_waits() -> None:
    p = Program()
    taken = p.op("QueueDequeue", component_types=p.types).outputs[0]
    x = p.b.Placeholder(dtype="int64", shape=None)
    wrong = p.b.CheckNumerics(p.b.Cast(x, DstT="float32") / np.float32(0), message="not a number")
    with pytest.raises(errors.InvalidArgumentError, match="not a number"):
        p.session.run([taken, wrong], {x: np.int64(1)})
    p.put(5)
    assert p.size() == 1


def test_wrong_components() -> None:
    p = Program(shapes=[[2]])
    with pytest.raises(errors.InvalidArgumentError, match=r"tuple component 0. Expected \[2\], got \[3\]"):
        p.run(p.op("QueueEnqueue", [np.arange(3)]))
    with pytest.raises(errors.InvalidArgumentError, match=r"tuple component 0. Expected \[1,2\], got \[1,3\]"):
        p.run(p.op("QueueEnqueueMany", [np.arange(3)[None]]))
    with pytest.raises(errors.InvalidArgumentError, match="Expected 1, got 2"):
        p.run(p.op("QueueEnqueue", [np.arange(2), np.arange(2)]))
    with pytest.raises(errors.InvalidArgumentError, match="tuple component 0. Expected int64, got float32"):
        p.run(p.op("QueueEnqueue", [np.zeros(2, np.float32)]))


@pytest.mark.parametrize(
    ("op", "attrs", "message"),
    [
        ("FIFOQueueV2", {"capacity": 5}, "Shared queue 'sh' has capacity 4 but requested capacity was 5"),
        ("FIFOQueueV2", {"component_types": ["float32"]}, "types int64 but requested component types were float"),
        ("FIFOQueueV2", {"shapes": [[2]]}, "component shapes"),
        ("PaddingFIFOQueueV2", {}, "Expected FIFOQueue, found PaddingFIFOQueue"),
    ],
)
def test_queues_of_one_shared_name_are_one(op: str, attrs: dict[str, Any], message: str) -> None:
    p = Program(shared_name="sh")
    p.put(1)
    p.queue = p.b.FIFOQueueV2(component_types=["int64"], shapes=[[]], capacity=4, shared_name="sh")
    assert p.size() == 1
    p.queue = p.b.op(op, **{"component_types": ["int64"], "shapes": [[]], "capacity": 4, "shared_name": "sh", **attrs})
    with pytest.raises(errors.InvalidArgumentError, match=message):
        p.size()


def test_a_variable_is_put_in_as_it_is_then() -> None:
    """By a reference, which is read where the op stands, and which another run may overwrite."""
    p = Program()
    v = p.b.VariableV2(shape=[], dtype="int64")
    p.session.run(p.b.operation("Assign", v, np.int64(3)))
    put = p.op("QueueEnqueue", [v])
    p.session.run(put)
    p.session.run(p.b.operation("AssignAdd", v, np.int64(4)))
    p.session.run(put)
    assert p.take(2) == [3, 7]


def test_a_run_that_waits_does_not_stop_runs_that_write_variables() -> None:
    p = Program()
    v = p.b.VariableV2(shape=[], dtype="int64")
    p.session.run(p.b.operation("Assign", v, np.int64(3)))
    taken = p.op("QueueDequeue", component_types=p.types).outputs[0]
    add = p.b.operation("AssignAdd", v, taken)
    with Elsewhere(lambda: p.session.run(add.outputs[0])) as adding:
        assert not adding.done
        assert p.session.run(p.b.operation("AssignAdd", v, np.int64(10)).outputs[0]) == 13
        p.put(100)
    assert adding.result == 113


def test_the_end_of_one_of_two_sessions_with_one_state_ends_its_own_waiting() -> None:
    p = Program()
    other = Session(p.b.graph, state=p.session.state)
    p.session, own = other, p.session
    with Elsewhere(p.take_one) as waiting:
        other.close()
    assert isinstance(waiting.error, errors.CancelledError) and "its session was closed" in str(waiting.error)
    p.session = own
    p.put(5)
    assert p.take_one() == 5
