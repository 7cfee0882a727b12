"""Event files, which TensorBoard reads: a TFRecord file of `proto.Event`, one new file for each time it is opened."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from regraft import proto
from regraft.checkpoint import files
from regraft.wire import tfrecord

# The first record says which format the others have. TensorBoard looks for exactly this.
VERSION = "brain.Event:2"


class EventFile:
    """Writes events to `<folder>/events.out.tfevents.<seconds>.<host><suffix>`.

    The file is made when the first event comes, and a new one when an event comes after `close`.
    """

    def __init__(self, folder: files.PathLike, suffix: str = "") -> None:
        self._prefix = os.path.join(files.as_text(folder), "events")
        self._suffix = suffix
        self._sink: files.Sink | None = None

    def open(self) -> None:
        """Make the file now, unless it is open."""
        if self._sink is not None:
            return
        now = int(time.time())
        path = f"{self._prefix}.out.tfevents.{now:010d}.{socket.gethostname()}{self._suffix}"
        number = 0
        unique = path
        while files.exists(unique):  # of a writer opened in the same second
            number += 1
            unique = f"{path}.{number}"
        self._sink = files.Sink(unique)
        head = proto.Event(wall_time=float(now), file_version=VERSION)
        head.source_metadata.writer = "regraft.checkpoint.event_file"
        self._put(self._sink, head)
        self._sink.flush()

    def write(self, event: Any) -> None:
        """Add an event, of our class or TensorFlow's."""
        self.open()
        assert self._sink is not None
        self._put(self._sink, event)

    @staticmethod
    def _put(sink: files.Sink, event: Any) -> None:
        sink.write(tfrecord.frame(event.SerializeToString()))

    def flush(self) -> None:
        """Make what was written readable."""
        if self._sink is not None:
            self._sink.flush()

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None
