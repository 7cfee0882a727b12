"""tf.Session and tf.InteractiveSession: `regraft.session.Session` with TensorFlow's arguments and context managers."""

from __future__ import annotations

import bisect
import contextlib
import functools
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from regraft import proto
from regraft import session as base
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import threads
from regraft.v1 import _context
from regraft.variables import Variable

_TASK = "/job:localhost/replica:0/task:0"


class Session(base.Session):
    """A session on `graph`, or on the default graph.

    target  "" for this process, or that of a `tf.train.Server` in it; NotFoundError for another
    config  a ConfigProto, of which these fields count:

            intra_op_parallelism_threads  threads that share the work of an operation, in programs that XLA compiled
                                          and in NumPy's BLAS, where the program's own use of NumPy has them as well
            inter_op_parallelism_threads  calls of a dataset's function that run at a time, at most. The operations of
                                          a run come one by one, or are one program.
            operation_timeout_in_ms       how long a run may wait for a queue
            device_count                  what `list_devices` lists
            isolate_session_state         variables and queues are not those of the target's other sessions

            The first session of a process decides how many threads there are, for all that follow; 0 is as many as
            cores. Other fields are accepted and change nothing: sessions have no pools of their own
            (`use_per_session_threads`, `session_inter_op_thread_pool`), operations run where JAX runs programs,
            whatever is said of placement and of the memory of devices, and XLA decides what is rewritten and fused.

    assets_dir  a folder with input files that are not where the graph says they are; TensorFlow has no such argument
    """

    def __init__(
        self, target: str = "", graph: Graph | None = None, config: Any = None, *, assets_dir: str = ""
    ) -> None:
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f'Argument `graph` must be a tf.Graph, but got "{type(graph).__name__}"')
        if not isinstance(target, (str, bytes)):
            raise TypeError(f'Argument `target` must be a string, but got "{type(target).__name__}"')
        if config is not None and not hasattr(config, "device_count"):
            raise TypeError(f'Argument `config` must be a tf.ConfigProto, but got "{type(config).__name__}"')
        intra, inter = _context.threads()
        if config is not None:
            intra, inter = config.intra_op_parallelism_threads, config.inter_op_parallelism_threads
        threads.settle(intra, inter)
        state = None
        if target:
            from regraft.v1._server import state_of

            state = state_of(target.decode() if isinstance(target, bytes) else target)
            if config is not None and config.isolate_session_state:
                state = None
        super().__init__(_context.get_default_graph() if graph is None else graph, state=state, assets_dir=assets_dir)
        self._config = config
        self._target = target
        self._contexts: list[contextlib.ExitStack] = []

    @property
    def sess_str(self) -> bytes:
        return self._target.encode() if isinstance(self._target, str) else self._target

    @property
    def graph_def(self) -> Any:
        from regraft.serde.graph import graph_to_proto

        return graph_to_proto(self.graph)

    def run(  # type: ignore[override]  # `options` says how long it may take
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Run and fetch; see `regraft.session.Session.run`.

        options       a RunOptions; with a trace level, `run_metadata` gets the time that the run took
        run_metadata  a RunMetadata to fill
        """
        traced = _traced(options, run_metadata)
        started = time.time_ns()
        values = super().run(fetches, feed_dict, timeout=self._timeout(options))
        if traced:
            _put_times(run_metadata, started, time.time_ns())
        return values

    def make_callable(self, fetches: Any, feed_list: Sequence[Any] = (), accept_options: bool = False) -> Any:
        """A function of the values of `feed_list`, in order, that returns what `run(fetches, ...)` would.

        accept_options  the function takes `options` and `run_metadata` as well
        """
        if fetches is None:
            fetches = []
        call = super().make_callable(fetches, () if feed_list is None else feed_list)
        if not accept_options:
            limit = self._timeout(None)
            return call if limit is None else functools.partial(call, timeout=limit)

        def with_options(*values: Any, options: Any = None, run_metadata: Any = None) -> Any:
            traced = _traced(options, run_metadata)
            started = time.time_ns()
            found = call(*values, timeout=self._timeout(options))
            if traced:
                _put_times(run_metadata, started, time.time_ns())
            return found

        return with_options

    def partial_run(self, handle: str, fetches: Any, feed_dict: Any = None) -> Any:  # type: ignore[override]  # as above
        return super().partial_run(handle, fetches, feed_dict, timeout=self._timeout(None))

    def _timeout(self, options: Any) -> float | None:
        """How many seconds a run may wait, by its options, else by the session's configuration.

        raises  InvalidArgumentError for options that name a pool of threads that the configuration does not have
        """
        limit, config = 0, self._config
        if options is not None:
            limit, pool = options.timeout_in_ms, options.inter_op_thread_pool
            if not -1 <= pool < max(0 if config is None else len(config.session_inter_op_thread_pool), 1):
                raise InvalidArgumentError(f"Invalid inter_op_thread_pool: {pool}")
        if limit <= 0 and config is not None:
            limit = config.operation_timeout_in_ms
        return limit / 1000 if limit > 0 else None

    def list_devices(self) -> list[DeviceAttributes]:
        """The CPUs that the config speaks of, one where it does not: devices are names here."""
        if self.closed:
            raise RuntimeError("Attempted to use a closed Session.")
        count = 1 if self._config is None else self._config.device_count["CPU"] or 1
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return [DeviceAttributes(f"{_TASK}/device:CPU:{i}", "CPU", memory, i) for i in range(count)]

    def as_default(self) -> contextlib.AbstractContextManager[Any]:
        return _context.session_as_default(self)

    def __enter__(self) -> Session:
        if self._contexts:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` if you want to enter a "
                "session multiple times."
            )
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
        """Forget the variables and resources of a server in this process. NotFoundError for another target."""
        from regraft.v1._server import reset

        reset(target.decode() if isinstance(target, bytes) else target)


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


class DeviceAttributes(NamedTuple):
    """What is said of a device: its full name, "CPU", its memory in bytes, and a number that tells it from others."""

    name: str
    device_type: str
    memory_limit_bytes: int
    incarnation: int


def _traced(options: Any, run_metadata: Any) -> bool:
    """Whether the run is to be timed. TypeError for what is no RunOptions, no RunMetadata."""
    if options is not None and not hasattr(options, "trace_level"):
        raise TypeError(f"options must be a RunOptions, not a {type(options).__name__}")
    if run_metadata is not None and not hasattr(run_metadata, "step_stats"):
        raise TypeError(f"run_metadata must be a RunMetadata, not a {type(run_metadata).__name__}")
    return run_metadata is not None and options is not None and options.trace_level > 0


def _put_times(run_metadata: Any, started: int, ended: int) -> None:
    """One entry for the whole run: what runs as one program has no times of its own for its operations."""
    stats = run_metadata.step_stats.dev_stats.add(device=f"{_TASK}/device:CPU:0")
    took = (ended - started) // 1000
    stats.node_stats.add(
        node_name="run", timeline_label="run", all_start_micros=started // 1000, op_end_rel_micros=took,
        all_end_rel_micros=took,
    )  # fmt: skip


def _session_for(session: Any, graph: Graph, what: str, method: str) -> Any:
    default = session is None
    if session is None:
        session = _context.get_default_session()
        if session is None:
            raise ValueError(
                f"Cannot {what} using `{method}()`: No default session is registered. Use `with sess.as_default()` or "
                f"pass an explicit session to `{method}(session=sess)`"
            )
    if session.graph is not graph:
        kind = what.rpartition(" ")[2]
        raise ValueError(
            f"Cannot use the {'default' if default else 'given'} session to {what}: the {kind}'s graph is different "
            "from the session's graph."
        )
    return session


def evaluate(tensor: Any, feed_dict: Any = None, session: Any = None) -> Any:
    """`tensor.eval()`: its value in the given or the default session."""
    return _session_for(session, tensor.graph, "evaluate tensor", "eval").run(tensor, feed_dict)


def run_operation(op: Operation, feed_dict: Any = None, session: Any = None) -> None:
    """`operation.run()` in the given or the default session."""
    _session_for(session, op.graph, "execute operation", "run").run(op, feed_dict)


def evaluate_variable(variable: Variable, session: Any = None) -> Any:
    """`variable.eval()`: its value in the given or the default session."""
    return _session_for(session, variable.graph, "evaluate variable", "eval").run(variable._as_graph_element())


def load_variable(variable: Variable, value: Any, session: Any = None) -> None:
    """`variable.load(value)`: give it a value in the given or the default session; nothing is added to the graph."""
    run = _session_for(session, variable.graph, "load variable", "load").run
    run(variable.initializer, {variable.initializer.inputs[1]: value})


def install() -> None:
    """Give graphs, tensors and operations the methods that need the default session or a protobuf message."""
    from regraft.serde.attr import attr_from_proto, shape_to_proto
    from regraft.serde.graph import graph_to_proto, node_to_proto, put_versions
    from regraft.serde.op_def import op_def_to_proto

    def as_graph_def(graph: Graph, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a GraphDef.

        from_version  leave out the nodes that were there when `graph.version` had this value
        add_shapes    each node carries its `_output_shapes`
        """
        message = graph_to_proto(graph, add_shapes=add_shapes)
        if from_version is not None:
            del message.node[: bisect.bisect_right(graph.get_operations(), from_version, key=lambda op: op._version)]
        return message

    def versions(graph: Graph) -> Any:
        message = proto.VersionDef()
        put_versions(graph, message)
        return message

    def attr_scope(graph: Graph, attr_map: Any) -> contextlib.AbstractContextManager[None]:
        if not isinstance(attr_map, Mapping):
            raise TypeError("attr_map must be a dictionary mapping strings to AttrValue protocol buffers")
        values = {
            name: None if message is None else attr_from_proto(proto.as_ours(message, proto.AttrValue))
            for name, message in attr_map.items()
        }
        return graph.attr_scope(values)

    setattr(Graph, "_attr_scope", attr_scope)
    setattr(Tensor, "eval", evaluate)
    setattr(Variable, "eval", evaluate_variable)
    setattr(Variable, "load", load_variable)
    setattr(Operation, "run", run_operation)
    setattr(Operation, "node_def", property(node_to_proto))
    setattr(Operation, "op_def", property(lambda op: op_def_to_proto(op.graph.op_def(op.type))))
    setattr(Operation, "__str__", lambda op: proto.to_text(node_to_proto(op)))
    setattr(Graph, "graph_def_versions", property(versions))
    setattr(TensorShape, "as_proto", shape_to_proto)
    setattr(Graph, "as_graph_def", as_graph_def)
    setattr(Graph, "as_default", _context.graph_as_default)


install()
