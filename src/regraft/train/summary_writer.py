"""FileWriter: summaries, graphs and marks of a session on their way into event files, written by a thread."""

from __future__ import annotations

import atexit
import queue
import threading
import time
import warnings
from types import TracebackType
from typing import Any, Self

from regraft import proto
from regraft.checkpoint import files
from regraft.checkpoint.event_file import EventFile
from regraft.ir.graph import Graph
from regraft.metagraph.export_meta import create_meta_graph_def
from regraft.serde.graph import graph_to_proto
from regraft.variables.ambient import default_graph

_CLOSE = object()


class EventFileWriter:
    """Writes events to a folder, which it makes. Any thread may add events; one of its own writes them.

    max_queue    how many events wait before `add_event` blocks
    flush_secs   how long events may stay unwritten
    """

    def __init__(
        self, logdir: Any, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str | None = None
    ) -> None:
        self._logdir = files.as_text(logdir)
        files.make_folders(self._logdir)
        self._file = EventFile(self._logdir, filename_suffix or "")
        if filename_suffix:
            self._file.open()
        self._max_queue, self._flush_secs = max_queue, flush_secs
        self._closed = False
        self._start()

    def _start(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(self._max_queue)
        self._failure: Exception | None = None
        self._worker = threading.Thread(target=self._write_all, name="EventLoggerThread", daemon=True)
        self._worker.start()
        # A program that ends without closing the writer keeps what it wrote.
        atexit.register(self.close)

    def _write_all(self) -> None:
        next_flush = 0.0
        while (item := self._queue.get()) is not _CLOSE:
            try:
                if isinstance(item, threading.Event):
                    self._file.flush()
                elif self._failure is None:
                    self._file.write(item)
                    if time.time() > next_flush:
                        self._file.flush()
                        next_flush = time.time() + self._flush_secs
            except Exception as e:  # noqa: BLE001  raised where the program waits for the thread
                self._failure = e
            finally:
                if isinstance(item, threading.Event):
                    item.set()

    def get_logdir(self) -> str:
        return self._logdir

    def add_event(self, event: Any) -> None:
        """Queue an event; dropped while the writer is closed. Raises what made the writing fail before."""
        if self._closed:
            return
        self._check()
        self._queue.put(event)

    def _check(self) -> None:
        if self._failure is not None:
            failure = self._failure
            self._finish()
            raise failure

    def flush(self) -> None:
        """Wait until everything added is written."""
        if self._closed:
            return
        done = threading.Event()
        self._queue.put(done)
        done.wait()
        self._check()

    def close(self) -> None:
        """Write everything and close the file; once more does nothing."""
        if not self._closed:
            self.flush()
            self._finish()

    def _finish(self) -> None:
        self._closed = True
        atexit.unregister(self.close)
        self._queue.put(_CLOSE)
        self._worker.join()
        self._file.close()

    def reopen(self) -> None:
        """After `close`: events go to a new file."""
        if self._closed:
            self._closed = False
            self._start()


class SummaryToEventTransformer:
    """Wraps what programs hand in into events, and gives them to `event_writer`.

    graph, graph_def  added at once, with a MetaGraphDef that holds its nodes
    """

    def __init__(self, event_writer: Any, graph: Any = None, graph_def: Any = None) -> None:
        self.event_writer = event_writer
        self._run_tags: set[str] = set()
        self._seen_summary_tags: set[str] = set()
        if graph is None and graph_def is None:
            return
        self.add_graph(graph=graph, graph_def=graph_def)
        shown = graph if graph is not None else graph_def
        if isinstance(shown, Graph):
            self.add_meta_graph(create_meta_graph_def(shown))
        else:
            self.add_meta_graph(create_meta_graph_def(default_graph(), graph_def=shown))

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Add a Summary, or what a summary op gives: its bytes. A tag's metadata are written once."""
        if isinstance(summary, bytes):
            summary = proto.parse(summary, proto.Summary)
        else:
            summary = proto.as_ours(summary, proto.Summary)
        for value in summary.value:
            if value.tag in self._seen_summary_tags:
                value.ClearField("metadata")
            self._seen_summary_tags.add(value.tag)
        self._add_event(proto.Event(summary=summary), global_step)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Add a SessionLog: that a session started or stopped, or wrote a checkpoint."""
        self._add_event(proto.Event(session_log=proto.as_ours(session_log, proto.SessionLog)), global_step)

    def add_graph(self, graph: Any = None, global_step: Any = None, graph_def: Any = None) -> None:
        """Add a Graph with its static shapes, or a GraphDef as it is. ValueError for both, TypeError for neither."""
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        shown = graph if graph is not None else graph_def
        if isinstance(shown, Graph):
            message = graph_to_proto(shown, add_shapes=True)
        else:
            try:
                message = proto.as_ours(shown, proto.GraphDef)
            except TypeError as e:
                raise TypeError(
                    f"The passed graph must be an instance of `Graph` or the deprecated `GraphDef`, not {type(shown)}"
                ) from e
        self._add_event(proto.Event(graph_def=message.SerializeToString()), global_step)

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Add a MetaGraphDef. TypeError if it is none."""
        try:
            message = proto.as_ours(meta_graph_def, proto.MetaGraphDef)
        except TypeError as e:
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}") from e
        self._add_event(proto.Event(meta_graph_def=message.SerializeToString()), global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Add the RunMetadata of one run under a tag. ValueError for a tag that was used."""
        if tag in self._run_tags:
            raise ValueError("The provided tag was already used for this event type")
        self._run_tags.add(tag)
        tagged = proto.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add_event(proto.Event(tagged_run_metadata=tagged), global_step)

    def _add_event(self, event: Any, step: Any) -> None:
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)


class FileWriter(SummaryToEventTransformer):
    """Writes summaries and events to a new event file in `logdir`, for TensorBoard. Usable as a context manager.

    graph            shown in TensorBoard; `graph_def` is its older form
    max_queue        how many events wait before adding blocks
    flush_secs       how long events may stay unwritten
    filename_suffix  behind the name of the file
    session          accepted; events go the same way
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ) -> None:
        self._closed = False
        super().__init__(EventFileWriter(logdir, max_queue, flush_secs, filename_suffix), graph, graph_def)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The folder that the event files are in."""
        return str(self.event_writer.get_logdir())

    def _warn_if_closed(self) -> None:
        if self._closed:
            warnings.warn(
                "Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is "
                "explicitly reopened.",
                stacklevel=3,
            )

    def _add_event(self, event: Any, step: Any) -> None:
        self._warn_if_closed()
        super()._add_event(event, step)

    def add_event(self, event: Any) -> None:
        """Add a `proto.Event` as it is."""
        self._warn_if_closed()
        self.event_writer.add_event(event)

    def flush(self) -> None:
        """Wait until everything added is in the file."""
        self._warn_if_closed()
        self.event_writer.flush()

    def close(self) -> None:
        """Write everything and close the file. What is added afterwards is dropped, with a warning."""
        self.event_writer.close()
        self._closed = True

    def reopen(self) -> None:
        """After `close`: write to a new file."""
        self.event_writer.reopen()
        self._closed = False


SummaryWriter = FileWriter  # its name before 1.0


class FileWriterCache:
    """One FileWriter for each folder, shared by all who ask."""

    _cache: dict[str, FileWriter] = {}  # noqa: RUF012  the cache is the class's
    _lock = threading.RLock()

    @staticmethod
    def clear() -> None:
        """Close all writers and forget them."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._cache.values():
                writer.close()
            FileWriterCache._cache.clear()

    @staticmethod
    def get(logdir: Any) -> FileWriter:
        """The writer of a folder; a new one shows the default graph."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._cache:
                FileWriterCache._cache[logdir] = FileWriter(logdir, graph=default_graph())
            return FileWriterCache._cache[logdir]
