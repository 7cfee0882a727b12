"""tf.Session and tf.InteractiveSession: `regraft.session.Session` with TensorFlow's arguments and context managers."""

from __future__ import annotations

import contextlib
from typing import Any

from regraft import session as base
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context


class Session(base.Session):
    """A session on `graph`, or on the default graph.

    target  only "" (this process); ValueError for a cluster's address
    config  a ConfigProto; what it says of devices, growth and rewriting is accepted and changes no result
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"Argument `graph` must be a tf.Graph, but got {type(graph).__name__!r}")
        if target:
            raise ValueError(f"target {target!r}: sessions run in this process; leave target empty")
        super().__init__(graph or _context.get_default_graph())
        self._config = config
        self._target = target
        self._contexts: list[contextlib.ExitStack] = []

    @property
    def sess_str(self) -> str:
        return self._target

    @property
    def graph_def(self) -> Any:
        from regraft.serde.graph import graph_to_proto

        return graph_to_proto(self.graph)

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Run and fetch; see `regraft.session.Session.run`. `options` and `run_metadata` are accepted."""
        return super().run(fetches, feed_dict)

    def as_default(self) -> contextlib.AbstractContextManager[Any]:
        return _context.session_as_default(self)

    def __enter__(self) -> Session:
        stack = contextlib.ExitStack()
        stack.enter_context(_context.graph_as_default(self.graph))
        stack.enter_context(_context.session_as_default(self))
        self._contexts.append(stack)
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self._contexts.pop().close()
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Sessions hold their own state here: there is nothing to reset for a target."""


class InteractiveSession(Session):
    """A session that is the default one from the moment it is made until it is closed."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._explicit = graph is not None
        if self._explicit:
            stack = contextlib.ExitStack()
            stack.enter_context(_context.graph_as_default(self.graph))
            self._contexts.append(stack)
        _context.push_session(self)

    def close(self) -> None:
        super().close()
        _context.pop_session(self)
        if self._explicit and self._contexts:
            self._contexts.pop().close()


def _session_for(session: Any, graph: Graph, what: str) -> Any:
    if session is None:
        session = _context.get_default_session()
        if session is None:
            raise ValueError(
                f"Cannot {what}: No default session is registered. Use `with sess.as_default()` or pass a session to "
                f"`{'eval(session=sess)' if 'evaluate' in what else 'run(session=sess)'}`"
            )
    if session.graph is not graph:
        raise ValueError(f"Cannot use the given session to {what}: its graph is different from the session's graph.")
    return session


def evaluate(tensor: Any, feed_dict: Any = None, session: Any = None) -> Any:
    """`tensor.eval()`: its value in the given or the default session."""
    return _session_for(session, tensor.graph, "evaluate tensor using `eval()`").run(tensor, feed_dict)


def run_operation(op: Operation, feed_dict: Any = None, session: Any = None) -> None:
    """`operation.run()` in the given or the default session."""
    _session_for(session, op.graph, "execute operation using `run()`").run(op, feed_dict)


def install() -> None:
    """Give graphs, tensors and operations the methods that need the default session or a protobuf message."""
    from regraft.serde.graph import graph_to_proto, node_to_proto

    def as_graph_def(graph: Graph, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a GraphDef; with `add_shapes` each node carries its `_output_shapes`."""
        return graph_to_proto(graph, add_shapes=add_shapes)

    setattr(Tensor, "eval", evaluate)
    setattr(Operation, "run", run_operation)
    setattr(Operation, "node_def", property(node_to_proto))
    setattr(Graph, "as_graph_def", as_graph_def)
    setattr(Graph, "as_default", _context.graph_as_default)


install()
