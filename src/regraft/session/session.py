"""Session: a graph, the state its variables have, and the plans for what was asked of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base.errors import InvalidArgumentError
from regraft.base.heap import one_heap
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.runtime.build import build_plan
from regraft.runtime.executor import Executor
from regraft.runtime.plan import Plan, Step
from regraft.runtime.state import SessionState, VariableStore
from regraft.session.feeds import feed_array
from regraft.session.fetches import expand, expand_feed
from regraft.session.partial import PartialRun


class Session:
    """Runs parts of one graph, and keeps its variables from run to run. Several threads may use it.

    tier        "auto" interprets small and rare runs and compiles heavy and frequent ones; "interpret" and "compile" do
                one of them always. Results are the same, apart from rounding.
    state       shared with other sessions, which it outlives; None for one of its own
    assets_dir  a folder with input files that are not where the graph says they are
    """

    def __init__(
        self, graph: Graph, tier: str = "auto", state: SessionState | None = None, assets_dir: str = ""
    ) -> None:
        one_heap()
        self._graph = graph
        self._shares = state is not None
        self._state = SessionState() if state is None else state
        self._state.assets_dir = os.fspath(assets_dir) or self._state.assets_dir
        self._executor = Executor(self._state, tier)
        self._plans: dict[Any, tuple[int, Plan]] = {}
        self._partial: dict[str, PartialRun] = {}
        self._closed = False

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def variables(self) -> VariableStore:
        """The variables of this session by name (`shared_name`, else the node's name)."""
        return self._state.variables

    @property
    def state(self) -> SessionState:
        return self._state

    @property
    def closed(self) -> bool:
        return self._closed

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, *, timeout: float | None = None) -> Any:
        """The values of `fetches` as NumPy arrays, in the same nesting; None for operations.

        timeout  seconds that it may wait for other threads, which fill a queue or empty it; None for any time

        raises  RuntimeError when the session is closed or the graph is empty
                TypeError, ValueError for fetches and feeds that are none
                errors of `regraft.base.errors` for what fails while running, DeadlineExceededError after `timeout`
        """
        self._check_open()
        feeds = self._feeds(feed_dict)
        elements, rebuild = expand(self._graph, fetches)
        return rebuild(self._run(elements, feeds, timeout))

    def make_callable(self, fetches: Any, feed_list: Sequence[Any] = ()) -> Callable[..., Any]:
        """A function of the values of `feed_list`, in order, that returns what `run(fetches, ...)` would.

        It takes `timeout` as well, as `run` does. What depends on the fetches and the fed tensors is found out once.
        """
        self._check_open()
        if not isinstance(feed_list, (list, tuple)):
            raise TypeError(f"Argument `feed_list` must be a list or tuple. Received: feed_list={feed_list}")
        elements, rebuild = expand(self._graph, fetches)
        wanted = tuple(elements)
        keys = [self._feed_key(k) for k in feed_list]
        ordered = _ordered(set(keys))

        def call(*values: Any, timeout: float | None = None) -> Any:
            self._check_open()
            if len(values) != len(keys):
                raise ValueError(f"Expected {len(keys)} feed values, got {len(values)}")
            plan = self._plan(wanted, ordered)
            feeds = [(plan.feeds[k], feed_array(k, v)) for k, v in zip(keys, values, strict=True)]
            return rebuild(self._executor.run(plan, feeds, timeout=timeout))

        return call

    def make_repeated(self, operation: Any) -> Callable[[], None]:
        """A function for who runs `operation` again and again: it runs it, and more than once where nobody can tell.

        See `runtime.repeated`.
        """
        once = self.make_callable(operation)
        elements, _ = expand(self._graph, operation)

        def run() -> None:
            self._check_open()
            if not self._executor.run_several(self._plan(tuple(elements), ())):
                once()

        return run

    def partial_run_setup(self, fetches: Any, feeds: Sequence[Any] | None = None) -> str:
        """Begin a run whose parts `partial_run` does; everything that will be fetched and fed is named here.

        raises  InvalidArgumentError where nothing is fetched
        """
        self._check_open()
        elements, _ = expand(self._graph, fetches)
        run = PartialRun(elements, [self._feed_key(k) for k in feeds or ()])
        handle = f"partial_run_{len(self._partial)}_{id(run):x}"
        self._partial[handle] = run
        return handle

    def partial_run(
        self, handle: str, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, *, timeout: float | None = None
    ) -> Any:
        """Do one more part of a run: as `run`, with what earlier parts fed and computed.

        raises  InvalidArgumentError for what was not set up, or comes a second time
        """
        self._check_open()
        run = self._partial.get(handle)
        if run is None:
            raise InvalidArgumentError("Must run 'setup' before performing partial runs!")
        wanted, rebuild = expand(self._graph, fetches)
        elements, feeds = run.part(wanted, self._feeds(feed_dict))
        values = self._run(elements, feeds, timeout)
        run.record(wanted, elements, values)
        if run.done:
            del self._partial[handle]
        return rebuild(values[: len(wanted)])

    def plan(self, fetches: Any, feeds: Sequence[Any] = ()) -> Plan:
        """The plan that `run` would follow for these fetches and fed tensors."""
        elements, _ = expand(self._graph, fetches)
        return self._plan(tuple(elements), tuple(self._feed_key(k) for k in feeds))

    @property
    def refused(self) -> Mapping[Step, str]:
        """Steps that should have become programs and were found not to, and why; they are interpreted."""
        return self._executor.refused

    def close(self) -> None:
        """Give back all state. Runs that wait on a queue end with CancelledError."""
        if not self._closed:
            self._closed = True
            if not self._shares:
                self._state.close()
            self._executor.stop()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if not len(self._graph):
            raise RuntimeError("The Session graph is empty.  Add operations to the graph before calling run().")

    def _feed_key(self, key: Any) -> Tensor:
        try:
            element = self._graph.as_graph_element(key, allow_operation=False)
        except (TypeError, ValueError, KeyError) as e:
            raise TypeError(f"Cannot interpret feed_dict key as Tensor: {e.args[0] if e.args else e}") from e
        assert isinstance(element, Tensor)
        if not self._graph.is_feedable(element):
            raise ValueError(f"Tensor {element.name} may not be fed.")
        return element

    def _feeds(self, feed_dict: Mapping[Any, Any] | None) -> dict[Tensor, Any]:
        feeds: dict[Tensor, Any] = {}
        if not feed_dict:
            return feeds
        if not isinstance(feed_dict, Mapping):
            raise TypeError(f"feed_dict must be a mapping from tensors to values, not a {type(feed_dict).__name__}")
        for key, value in feed_dict.items():
            for part, one in expand_feed(key, value):
                tensor = self._feed_key(part)
                feeds[tensor] = feed_array(tensor, one)
        return feeds

    def _plan(self, elements: tuple[Tensor | Operation, ...], feeds: tuple[Tensor, ...]) -> Plan:
        key = (elements, feeds)
        found = self._plans.get(key)
        if found is None or found[0] != self._graph.version:
            found = (self._graph.version, build_plan(self._graph, elements, feeds))
            self._plans[key] = found
        return found[1]

    def _run(
        self, elements: Sequence[Tensor | Operation], feeds: dict[Tensor, Any], timeout: float | None = None
    ) -> list[Any]:
        ordered = _ordered(feeds)
        plan = self._plan(tuple(elements), ordered)
        return self._executor.run(plan, [(plan.feeds[t], feeds[t]) for t in ordered], timeout=timeout)


def _ordered(tensors: Collection[Tensor]) -> tuple[Tensor, ...]:
    """Fed tensors in the order in which plans are found by them."""
    if len(tensors) < 2:
        return tuple(tensors)
    return tuple(sorted(tensors, key=lambda t: (t.op._id, t.value_index)))
