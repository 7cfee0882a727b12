"""tf.contrib.summary in graph mode: summaries that write themselves to the writer that is the default where they stand.

Every op here is a bool that says whether it wrote, and is in the collection of `all_summary_ops`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.train.global_step import get_or_create_global_step
from regraft.v1 import _context
from regraft.v1._control_flow import cond
from regraft.v1._graph import name_scope
from regraft.v1._layer import known_bool
from regraft.v1._math import equal
from regraft.v1.summary import _scope

__all__ = [
    "all_summary_ops",
    "always_record_summaries",
    "audio",
    "create_file_writer",
    "create_summary_file_writer",
    "eval_dir",
    "flush",
    "generic",
    "graph",
    "histogram",
    "image",
    "import_event",
    "initialize",
    "never_record_summaries",
    "record_summaries_every_n_global_steps",
    "scalar",
    "should_record_summaries",
    "summary_writer_initializer_op",
]

# The collections of writers' initializers and of what writes, as TensorFlow names them.
_INITIALIZERS = "_SUMMARY_WRITER_V2"
_OPS = "_SUMMARY_V2"


class SummaryWriter:
    """A writer of event files.

    handle   the resource
    make_op  makes an operation that creates the resource in a session
    """

    def __init__(self, handle: Tensor, make_op: Callable[[Tensor], Operation]) -> None:
        self._resource = handle
        self._make_op = make_op
        handle.graph.add_to_collection(_INITIALIZERS, self.init())

    def set_as_default(self) -> None:
        """Let summaries go to this writer from here on."""
        _context.summaries().writer = self

    @contextlib.contextmanager
    def as_default(self) -> Iterator[SummaryWriter]:
        """Let summaries made inside go to this writer."""
        state = _context.summaries()
        before, state.writer = state.writer, self
        try:
            yield self
        finally:
            self.flush()
            state.writer = before

    def init(self) -> Operation:
        """An operation that creates the writer in a session; once more does nothing."""
        return self._make_op(self._resource)

    def flush(self) -> Operation:
        """An operation that writes what waits."""
        with _cpu() as b:
            return b.operation("FlushSummaryWriter", self._resource)

    def close(self) -> Operation:
        """An operation that writes what waits and closes the file."""
        graph = self._resource.graph
        with graph.control_dependencies([self.flush()]), _cpu() as b:
            return b.operation("CloseSummaryWriter", self._resource)


class _NoWriter:
    """What `create_file_writer(None)` gives: summaries go nowhere."""

    def set_as_default(self) -> None: ...

    @contextlib.contextmanager
    def as_default(self) -> Iterator[None]:
        yield

    def init(self) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


@contextlib.contextmanager
def _cpu() -> Iterator[Builder]:
    b = _context.builder()
    with b.graph.device("cpu:0"):
        yield b


def create_file_writer(
    logdir: Any, max_queue: Any = None, flush_millis: Any = None, filename_suffix: Any = None, name: str | None = None
) -> SummaryWriter | _NoWriter:
    """A writer to a new event file in `logdir`, made when `init()` or `initialize` runs. None gives one that drops all.

    max_queue     how many events may wait unwritten (10)
    flush_millis  and how long (two minutes)
    name          shared by writers to the same file
    """
    if logdir is None:
        return _NoWriter()
    logdir = str(logdir)
    with _cpu() as b:
        most = b.constant(10) if max_queue is None else max_queue
        millis = b.constant(2 * 60 * 1000) if flush_millis is None else flush_millis
        suffix = b.constant(".v2") if filename_suffix is None else filename_suffix
        handle = b.op("SummaryWriter", shared_name=name or f"logdir:{logdir}")

        def make(writer: Tensor) -> Operation:
            return Builder(writer.graph).operation("CreateSummaryFileWriter", writer, logdir, most, millis, suffix)

        return SummaryWriter(handle, make)


create_summary_file_writer = create_file_writer


@contextlib.contextmanager
def _record_if(condition: Any) -> Iterator[None]:
    state = _context.summaries()
    before, state.recording = state.recording, condition
    try:
        yield
    finally:
        state.recording = before


def always_record_summaries() -> contextlib.AbstractContextManager[None]:
    """Let summaries made inside write in every run."""
    return _record_if(True)


def never_record_summaries() -> contextlib.AbstractContextManager[None]:
    """Let summaries made inside never write."""
    return _record_if(False)


def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> contextlib.AbstractContextManager[None]:
    """Let summaries made inside write when the global step is a multiple of `n`."""
    step = get_or_create_global_step() if global_step is None else global_step
    with _cpu():
        return _record_if(equal(step % n, 0))


def should_record_summaries() -> Tensor:
    """Whether summaries made here write: a scalar bool."""
    b, state = _context.builder(), _context.summaries()
    if state.writer is None or known_bool(state.recording) is False:
        return b.constant(False)
    both: Tensor = b.op("LogicalAnd", True, False if state.recording is None else state.recording)
    return both


def _written(
    name: str, tensor: Any, family: str | None, step: Any, write: Callable[[Builder, Any, str, str], Any]
) -> Any:
    """An op behind `write(builder, handle, tag, scope)` where summaries are recorded; a NoOp without a writer."""
    if step is not None:
        _step(step)  # TensorFlow converts it here, and again where it writes
    b, state = _context.builder(), _context.summaries()
    here = b.graph.get_name_scope()
    writer = state.writer
    if writer is None:
        return b.no_op()

    def record() -> Any:
        with (
            name_scope(here + "/" if here else ""),
            _scope(name, family, tensor) as (_, tag, scope),
            b.graph.control_dependencies([write(b, writer._resource, tag, scope)]),
        ):
            return b.constant(True)

    with _cpu():
        wanted = should_record_summaries()
        known = known_bool(state.recording)
        if known is None and state.recording is not None:
            op = cond(wanted, record, lambda: b.constant(False), name="")
        else:
            op = record() if known else b.constant(False)
        b.graph.add_to_collection(_OPS, op)
    return op


def _step(step: Any) -> Any:
    if step is None:
        return get_or_create_global_step()
    step = _context.builder().convert(step, dtypes.int64)
    if step.shape.num_elements() != 1:
        raise ValueError(f"Argument `step` must be a scalar. Received step with shape {step.shape}.")
    return step


def generic(name: str, tensor: Any, metadata: Any = None, family: str | None = None, step: Any = None) -> Any:
    """Write a whole tensor; `metadata`, a SummaryMetadata or its bytes, say which plugin shows it."""

    def write(b: Builder, writer: Any, tag: str, scope: str) -> Any:
        said = "" if metadata is None else metadata
        if hasattr(said, "SerializeToString"):
            said = said.SerializeToString()
        said = said if isinstance(said, Tensor) else b.constant(said)
        return b.operation("WriteSummary", writer, _step(step), b.identity(tensor), tag, said, name=scope)

    return _written(name, tensor, family, step, write)


def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write a number.

    family  put before the tag, so that TensorBoard shows those of one family together
    step    None for the global step
    """

    def write(b: Builder, writer: Any, tag: str, scope: str) -> Any:
        return b.operation("WriteScalarSummary", writer, _step(step), tag, b.identity(tensor), name=scope)

    return _written(name, tensor, family, step, write)


def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write a histogram of all values."""

    def write(b: Builder, writer: Any, tag: str, scope: str) -> Any:
        return b.operation("WriteHistogramSummary", writer, _step(step), tag, b.identity(tensor), name=scope)

    return _written(name, tensor, family, step, write)


def image(
    name: str, tensor: Any, bad_color: Any = None, max_images: int = 3, family: str | None = None, step: Any = None
) -> Any:
    """Write the first images of [batch, height, width, channels]; `bad_color` where values are not finite (red)."""

    def write(b: Builder, writer: Any, tag: str, scope: str) -> Any:
        color = b.constant([255, 0, 0, 255], dtypes.uint8) if bad_color is None else bad_color
        inputs = (writer, _step(step), tag, b.identity(tensor), color)
        return b.operation("WriteImageSummary", *inputs, max_images=max_images, name=scope)

    return _written(name, tensor, family, step, write)


def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int, family: str | None = None, step: Any = None
) -> Any:
    """Write the first clips of [batch, frames] or [batch, frames, channels]; `sample_rate` is in hertz."""

    def write(b: Builder, writer: Any, tag: str, scope: str) -> Any:
        inputs = (writer, _step(step), tag, b.identity(tensor), sample_rate)
        return b.operation("WriteAudioSummary", *inputs, max_outputs=max_outputs, name=scope)

    return _written(name, tensor, family, step, write)


def graph(param: Any, step: Any = None, name: str | None = None) -> Operation:
    """Write a graph: `param` is a string tensor, a serialized GraphDef. TypeError for what is no tensor."""
    if not isinstance(param, Tensor):
        raise TypeError(
            "graph() needs a argument `param` to be tf.Tensor (e.g. tf.placeholder) in graph mode, but received "
            f"param={param} of type {type(param).__name__}."
        )
    writer = _context.summaries().writer
    if step is not None:
        _step(step)  # as above
    if writer is None:
        return _context.builder().no_op()
    with _cpu() as b:
        data = b.identity(param)
        return b.operation("WriteGraphSummary", writer._resource, _step(step), data, name=name)


def import_event(tensor: Any, name: str | None = None) -> Operation:
    """Write a serialized Event as it is."""
    return _context.builder().operation("ImportEvent", _context.summaries().writer._resource, tensor, name=name)


def flush(writer: Any = None, name: str | None = None) -> Operation:
    """An operation that writes what waits in a writer, or in the default one."""
    writer = writer or _context.summaries().writer
    if writer is None:
        return _context.builder().no_op()
    if isinstance(writer, SummaryWriter):
        return writer.flush()
    with _cpu() as b:
        return b.operation("FlushSummaryWriter", writer, name=name)


def all_summary_ops() -> list[Any]:
    """All summaries of the default graph that write themselves."""
    return _context.get_default_graph().get_collection(_OPS)


def summary_writer_initializer_op() -> list[Any]:
    """The operations that create the writers of the default graph."""
    return _context.get_default_graph().get_collection(_INITIALIZERS)


def initialize(graph: Any = None, session: Any = None) -> None:
    """Create the writers in a session (the default one), and write `graph`, a Graph or a GraphDef, at step 0.

    raises  RuntimeError without a default writer, ValueError without a session
    """
    if _context.summaries().writer is None:
        raise RuntimeError("No default tf.contrib.summary.SummaryWriter found")
    session = session or _context.get_default_session()
    if session is None:
        raise ValueError("Argument `session must be passed if no default session exists")
    session.run(summary_writer_initializer_op())
    if graph is not None:
        message = graph.as_graph_def(add_shapes=True) if isinstance(graph, Graph) else graph
        data = _context.builder().op("Placeholder", dtype=dtypes.string)
        session.run(_graph(data, 0), feed_dict={data: message.SerializeToString()})


_graph = graph


def eval_dir(model_dir: str, name: str | None = None) -> str:
    """The folder of the summaries of an evaluation."""
    return os.path.join(model_dir, "eval" if not name else f"eval_{name}")
