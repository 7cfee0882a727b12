"""Writing new files, large ones past the system's page cache.

A checkpoint is on the disk before it takes its name, so its pages in the cache are a detour, and new pages may cost
more than the disk: where a virtual machine gives free memory back to its host, 1.3 GB take 3 s to enter the cache and
0.5 s to leave it, and without it 0.5 to 0.9 s in all. Direct writes want aligned memory and sizes, which tensors side
by side in a file do not have: bytes are gathered in a buffer while a thread writes another.
"""

import contextlib
import errno
import mmap
import os
import threading
from queue import SimpleQueue

_BUFFER = 4 << 20  # bytes; a file that is smaller is written at once, through the cache
_BUFFERS = 2
_BLOCK = 4096  # bytes; what direct writes are multiples of
_DIRECT: int = getattr(os, "O_DIRECT", 0)


class DirectFile:
    """A new file, written from its beginning to its end. A later call may raise the OSError of a `write`."""

    def __init__(self, path: str) -> None:
        """FileExistsError if there is a file of that name."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._full: SimpleQueue[memoryview | None] = SimpleQueue()
        self._buffer = memoryview(mmap.mmap(-1, _BUFFER))
        self._filled = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    @property
    def closed(self) -> bool:
        return self._fd < 0

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; they are copied."""
        rest = memoryview(data).cast("B")
        while len(rest):
            part = rest[: _BUFFER - self._filled]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == _BUFFER:
                self._hand_over()

    def close(self) -> None:
        """Write what is left, and wait until all of it is on the disk."""
        try:
            self._join()
            if self._error is not None:
                raise self._error
            whole = self._filled - self._filled % _BLOCK
            self._put(self._buffer[:whole])
            _set_direct(self._fd, False)
            self._put(self._buffer[whole : self._filled])
            os.fsync(self._fd)
        finally:
            self.discard()

    def discard(self) -> None:
        """Close without writing what is left."""
        self._join()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _join(self) -> None:
        if self._thread is not None:
            self._full.put(None)
            self._thread.join()
            self._thread = None

    def _hand_over(self) -> None:
        """Let the thread write the buffer, and go on with another."""
        if self._thread is None:
            _set_direct(self._fd, True)
            for _ in range(_BUFFERS - 1):
                self._free.put(memoryview(mmap.mmap(-1, _BUFFER)))
            self._thread = threading.Thread(target=self._work, name="regraft-writer", daemon=True)
            self._thread.start()
        self._full.put(self._buffer)
        self._buffer = self._free.get()
        self._filled = 0
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (buffer := self._full.get()) is not None:
            try:
                if self._error is None:
                    self._put(buffer)
            except OSError as e:
                self._error = e
            self._free.put(buffer)

    def _put(self, data: memoryview) -> None:
        while len(data):
            try:
                data = data[os.write(self._fd, data) :]
            except OSError as e:
                # Some filesystems take the flag and refuse the write.
                if e.errno != errno.EINVAL or not _set_direct(self._fd, False):
                    raise


def _set_direct(fd: int, direct: bool) -> bool:
    """Turn direct writes on or off; whether that changed anything. Not every filesystem has them."""
    if not _DIRECT:
        return False
    import fcntl

    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    wanted = flags | _DIRECT if direct else flags & ~_DIRECT
    if wanted == flags:
        return False
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, fcntl.F_SETFL, wanted)
        return True
    return False
