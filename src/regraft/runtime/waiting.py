"""Runs in which ops may wait for other threads: what can go on goes on, and only then the run waits.

An op that waits is a task (see `opkit.waiting`). While it waits, steps that do not depend on it run, and other tasks
start: a run that puts into a queue and takes out of it ends, whichever stands first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from regraft.base.errors import CancelledError, DeadlineExceededError, OpError
from regraft.opkit.waiting import Attempt, Task
from regraft.opkit.waking import wake_now
from regraft.runtime.evaluate import in_context
from regraft.runtime.plan import Node, Plan, Step


def step_order(steps: Sequence[Step]) -> tuple[frozenset[int], ...]:
    """For each step those before it that must be done first: by values, by control inputs, by variables."""
    maker: dict[int, int] = {}
    place: dict[Any, int] = {}
    readers: dict[str, set[int]] = {}
    writers: dict[str, set[int]] = {}
    order = []
    for i, step in enumerate(steps):
        first = {maker[n] for n in step.inputs if n in maker}
        first |= {place[op] for node in step.nodes for op in node.after if op in place}
        for name in step.reads:
            first |= writers.get(name, set())
            readers.setdefault(name, set()).add(i)
        for name in step.writes:
            first |= writers.get(name, set()) | readers.get(name, set())
            writers.setdefault(name, set()).add(i)
        for node in step.nodes:
            for op in (node.op, *getattr(node, "stands", ())):
                place.setdefault(op, i)
        maker.update((n, i) for n in step.outputs)
        order.append(frozenset(first - {i}))
    return tuple(order)


class Underway:
    """A node whose kernel is a task, as far as it has come."""

    def __init__(self, node: Node, task: Task) -> None:
        self.node = node
        self.results: tuple[Any, ...] = ()
        self._task = task
        self._attempt: Attempt | None = None

    @property
    def waits(self) -> bool:
        return self._attempt is not None and not self._attempt.done

    def advance(self) -> bool:
        """Go on until it must wait: False; or to its end: True."""
        while not self.waits:
            try:
                in_context(self.node, [], self._next)
            except StopIteration as end:
                self.results = end.value or ()
                return True
        return False

    def _next(self) -> tuple[Any, ...]:
        if self._attempt is None:
            self._attempt = next(self._task)
            return ()
        try:
            value = self._attempt.result()
        except OpError as e:
            self._attempt = self._task.throw(e)
        else:
            self._attempt = self._task.send(value)
        return ()

    def withdraw(self, error: OpError) -> None:
        """Take back what it waits for, which then ends with this error."""
        if self._attempt is not None:
            self._attempt.withdraw(error)

    def cancel(self, error: OpError) -> None:
        """Take back what it waits for, and end it."""
        self.withdraw(error)
        self._task.close()

    def notify(self, listener: threading.Event) -> None:
        if self._attempt is not None:
            self._attempt.notify(listener)


class Tasks:
    """What waits in the runs of a session."""

    def __init__(self) -> None:
        self._waiting: set[Underway] = set()
        self._over = False

    def stop(self) -> None:
        """End what waits, and what will, with CancelledError."""
        self._over = True
        for task in list(self._waiting):
            task.withdraw(_closed())

    def wait(self, tasks: Collection[Underway], deadline: float | None) -> None:
        """Wait until one of the tasks can go on. DeadlineExceededError when that takes too long."""
        wake_now()
        listener = threading.Event()
        self._waiting.update(tasks)
        try:
            if self._over:
                raise _closed()
            for task in tasks:
                task.notify(listener)
            woken = listener.wait(None if deadline is None else max(deadline - time.monotonic(), 0))
            # Who serves a task may put off to wake who waits for it.
            if not woken and all(task.waits for task in tasks):
                raise DeadlineExceededError("Timed out waiting for notification")
        finally:
            self._waiting.difference_update(tasks)


def finish(node: Node, task: Task, tasks: Tasks) -> tuple[Any, ...]:
    """Run a task to its end in this thread: its results."""
    underway = Underway(node, task)
    try:
        while not underway.advance():
            tasks.wait([underway], None)
    except BaseException:
        underway.cancel(_stopped())
        raise
    return underway.results


def run_steps(
    plan: Plan,
    run: Callable[[Step], object],
    begin: Callable[[Step], Underway],
    end: Callable[[Underway], None],
    tasks: Tasks,
    timeout: float | None = None,
) -> None:
    """Run the steps of a plan in which ops may wait.

    run      runs a step
    begin    starts a step that is a task
    end      takes the results of one
    tasks    those of the session
    timeout  seconds after which a run that waits fails with DeadlineExceededError
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    todo = list(range(len(plan.steps)))
    done: set[int] = set()
    underway: dict[int, Underway] = {}
    try:
        while todo or underway:
            ready = [i for i in todo if plan.order[i] <= done]
            for i in ready:
                todo.remove(i)
                step = plan.steps[i]
                if step.nodes[-1].spec.waits:
                    underway[i] = begin(step)
                else:
                    run(step)
                    done.add(i)
            ended = [i for i, task in underway.items() if not task.waits and task.advance()]
            for i in ended:
                end(underway.pop(i))
                done.add(i)
            if not ready and not ended and all(task.waits for task in underway.values()):
                tasks.wait(list(underway.values()), deadline)
    except BaseException:
        for task in underway.values():
            task.cancel(_stopped())
        raise


def _stopped() -> CancelledError:
    return CancelledError("the run was stopped: something else in it failed")


def _closed() -> CancelledError:
    return CancelledError("the run was stopped: its session was closed")
