"""The one place that opens files: local paths, `file://` URLs, and any URL of fsspec where fsspec is installed.

Reads are by position, so that threads may share a file. Writes go to a temporary file beside the target, which takes
the target's place when it is complete; a failure leaves the target as it was.
"""

import contextlib
import errno
import fnmatch
import glob as local_glob
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from regraft.base import errors
from regraft.checkpoint.direct import DirectFile
from regraft.checkpoint.mapping import private_map

PathLike = str | bytes | os.PathLike[Any]
_BUFFER = 1 << 20


def as_text(path: PathLike) -> str:
    """The path as text, without `file://`."""
    text = os.fsdecode(path)
    if text.startswith("file://"):
        return unquote(text.removeprefix("file://"))
    return text


def is_remote(path: PathLike) -> bool:
    """Whether the path is a URL that fsspec must open."""
    return "://" in as_text(path)


def _remote(path: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL, and the path within it."""
    try:
        import fsspec  # type: ignore[import-untyped, import-not-found, unused-ignore]  # an extra
    except ImportError as e:
        raise errors.UnimplementedError(
            f"File system scheme '{path.partition('://')[0]}' not implemented (file: '{path}')",
            hint="install regraft[remote], which brings fsspec",
        ) from e
    try:
        return fsspec.core.url_to_fs(path)  # type: ignore[no-any-return, unused-ignore]  # it has no types
    except (ImportError, ValueError) as e:
        raise errors.UnimplementedError(
            f"File system scheme '{path.partition('://')[0]}' not implemented (file: '{path}')", hint=str(e)
        ) from e


_STATUS_OF: dict[int, type[errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.ENOTDIR: errors.FailedPreconditionError,
    errno.ENOTEMPTY: errors.FailedPreconditionError,
    errno.ENOSPC: errors.ResourceExhaustedError,
    errno.EMFILE: errors.ResourceExhaustedError,
}


@contextlib.contextmanager
def as_status(path: str) -> Iterator[None]:
    """OSError inside becomes the status class of its kind, with the path in the message."""
    try:
        yield
    except OSError as e:
        raise _status(e, path) from e


def _status(error: OSError, path: str) -> errors.OpError:
    kind = _STATUS_OF.get(error.errno or 0, errors.UnknownError)
    if isinstance(error, FileNotFoundError):  # fsspec raises it without a number
        kind = errors.NotFoundError
    return kind(f"{path}; {error.strerror or error}")


class Source(Protocol):
    """A file open for reading."""

    name: str
    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on; fewer than `size` only at the end of the file."""

    def read_into(self, offset: int, out: memoryview) -> int:
        """Fill `out` from `offset` on; returns the number of bytes, less than len(out) only at the end."""

    def mapped(self, offset: int, size: int) -> npt.NDArray[np.uint8] | None:
        """The bytes from `offset` on as an array that shows the file, see `private_map`; None where there is none."""

    def close(self) -> None: ...


class _LocalSource:
    def __init__(self, path: str) -> None:
        self.name = path
        with as_status(path):
            self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.size = os.fstat(self._fd).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        # A size is checked against the file's before a buffer of that size is made.
        left = max(0, min(size, self.size - offset))
        parts: list[bytes] = []
        try:
            while left and (part := os.pread(self._fd, left, offset)):
                parts.append(part)
                offset += len(part)
                left -= len(part)
        except OSError as e:
            raise _status(e, self.name) from e
        return b"".join(parts)  # of one part that part itself

    def read_into(self, offset: int, out: memoryview) -> int:
        done = 0
        try:
            while done < len(out):
                count = os.preadv(self._fd, [out[done:]], offset + done)
                if not count:
                    break
                done += count
        except OSError as e:
            raise _status(e, self.name) from e
        return done

    def mapped(self, offset: int, size: int) -> npt.NDArray[np.uint8] | None:
        return private_map(self._fd, offset, size) if offset + size <= self.size else None

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        # The collector may call it before the generator that reads the file closes it.
        if hasattr(self, "_fd"):
            self.close()


class _SeekingSource:
    """A file object with one position, shared under a lock."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._lock = threading.Lock()
        with as_status(path):
            if is_remote(path):
                system, inner = _remote(path)
                self.size = int(system.size(inner))
                self._file: Any = system.open(inner, "rb")
            else:
                self._file = open(path, "rb")  # noqa: SIM115  # closed by close
                self.size = os.fstat(self._file.fileno()).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        with self._lock, as_status(self.name):
            self._file.seek(offset)
            return bytes(self._file.read(max(0, min(size, self.size - offset))))

    def read_into(self, offset: int, out: memoryview) -> int:
        done = 0
        with self._lock, as_status(self.name):
            self._file.seek(offset)
            while done < len(out):
                count = self._file.readinto(out[done:])
                if not count:
                    break
                done += count
        return done

    def mapped(self, offset: int, size: int) -> None:
        return None

    def close(self) -> None:
        self._file.close()


def open_source(path: PathLike) -> Source:
    """Open a file for reading. NotFoundError, PermissionDeniedError, ... if that fails."""
    text = as_text(path)
    if is_remote(text) or not hasattr(os, "preadv"):
        return _SeekingSource(text)
    return _LocalSource(text)


class Sink:
    """A file being written piece by piece, open to readers meanwhile: a log, not a result.

    append  go on behind what the file holds; otherwise it begins empty
    """

    def __init__(self, path: PathLike, append: bool = False) -> None:
        self.name = as_text(path)
        mode = "ab" if append else "wb"
        with as_status(self.name):
            if is_remote(self.name):
                system, inner = _remote(self.name)
                self._file: Any = system.open(inner, mode)
            else:
                self._file = open(self.name, mode)  # noqa: SIM115  # closed by close

    def write(self, data: bytes) -> None:
        with as_status(self.name):
            self._file.write(data)

    def flush(self) -> None:
        """Hand everything to the system, so that readers see it."""
        with as_status(self.name):
            self._file.flush()

    def close(self) -> None:
        with as_status(self.name):
            self._file.close()


class Publication:
    """A file being written. `commit` puts it in its place, complete; without it nothing is left behind.

    Used as a context manager, it commits at the end of the block, and gives up if the block raises.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = as_text(path)
        self._temporary = f"{self.path}.tempstate{secrets.randbits(63)}"
        self._open = True
        with as_status(self.path):
            if is_remote(self.path):
                system, inner = _remote(self._temporary)
                self._file: Any = system.open(inner, "wb")
            else:
                self._file = DirectFile(self._temporary)

    def write(self, data: bytes | memoryview) -> None:
        with as_status(self.path):
            self._file.write(data)

    def seal(self) -> None:
        """Flush to the disk: from here on, `commit` is only a rename."""
        if self._file.closed:
            return
        try:
            with as_status(self.path):
                self._file.close()
        except BaseException:
            self.abort()
            raise

    def commit(self) -> None:
        """Flush to the disk, and rename to the final name."""
        self.seal()
        try:
            rename(self._temporary, self.path)
            if not is_remote(self.path):
                _sync_folder(self.path)
        except BaseException:
            self.abort()
            raise
        self._open = False

    def abort(self) -> None:
        """Give up: remove what was written. Nothing happens after a commit."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(OSError):
            self._file.discard() if isinstance(self._file, DirectFile) else self._file.close()
        with contextlib.suppress(errors.OpError):
            remove(self._temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()


def _sync_folder(path: str) -> None:
    """Make a rename durable, where the system can."""
    if os.name != "posix":
        return
    fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some filesystems refuse it for folders
            os.fsync(fd)
    finally:
        os.close(fd)


def open_binary(path: PathLike, mode: str) -> Any:
    """A Python file object that moves through a file: "rb", "wb", "ab", "r+b", ... What it does is not atomic."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            return system.open(inner, mode)
        return open(text, mode)


def read_bytes(path: PathLike) -> bytes:
    """The whole content of a file."""
    source = open_source(path)
    try:
        return source.read_at(0, source.size)
    finally:
        source.close()


def write_bytes(path: PathLike, data: bytes) -> None:
    """Replace the content of a file, all or nothing."""
    with Publication(path) as file:
        file.write(data)


def exists(path: PathLike) -> bool:
    """Whether there is a file or folder of this name."""
    text = as_text(path)
    if is_remote(text):
        system, inner = _remote(text)
        return bool(system.exists(inner))
    return os.path.exists(text)


def is_folder(path: PathLike) -> bool:
    """Whether there is a folder of this name."""
    text = as_text(path)
    if is_remote(text):
        system, inner = _remote(text)
        return bool(system.isdir(inner))
    return os.path.isdir(text)


def matching(pattern: PathLike) -> list[str]:
    """The files that a pattern with `*`, `?` and `[...]` matches, sorted; a wildcard does not match "/"."""
    text = as_text(pattern)
    if is_remote(text):
        system, inner = _remote(text)
        return sorted(str(system.unstrip_protocol(path)) for path in system.glob(inner))
    return sorted(local_glob.glob(text))


def files_in(folder: PathLike, pattern: str = "*") -> list[str]:
    """The names, without folder, of the files whose name matches `pattern`; no characters of `folder` are special."""
    text = as_text(folder)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            names = [str(path).rstrip("/").rpartition("/")[2] for path in system.ls(inner, detail=False)]
        else:
            names = os.listdir(text or ".")
    return sorted(fnmatch.filter(names, pattern))


def modified(path: PathLike) -> float:
    """When a file was last written, in seconds since 1970."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            return float(system.modified(inner).timestamp())
        return os.stat(text).st_mtime


def size(path: PathLike) -> int:
    """The bytes in a file; for a folder what the system says of it."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            return int(system.size(inner) or 0)
        return os.stat(text).st_size


def copy(source: PathLike, target: PathLike) -> None:
    """Copy a file, over another if there is one."""
    reader = open_binary(source, "rb")
    with reader, Publication(target) as writer, as_status(as_text(source)):
        while data := reader.read(_BUFFER):
            writer.write(data)


def make_folder(path: PathLike) -> None:
    """Make one folder. NotFoundError where the one above it is missing, AlreadyExistsError where it is there."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            system.mkdir(inner, create_parents=False)
        else:
            os.mkdir(text)


def make_folders(path: PathLike) -> None:
    """Make a folder and those above it, where they are missing."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            system.makedirs(inner, exist_ok=True)
        elif text:
            os.makedirs(text, exist_ok=True)


def rename(old: PathLike, new: PathLike) -> None:
    """Rename a file, over another if there is one."""
    source, target = as_text(old), as_text(new)
    with as_status(source):
        if is_remote(source):
            system, inner = _remote(source)
            system.mv(inner, _remote(target)[1])
        else:
            os.replace(source, target)


def remove(path: PathLike) -> None:
    """Remove a file. NotFoundError if there is none."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            system.rm_file(inner)
        else:
            os.unlink(text)


def folder_of(path: PathLike) -> str:
    """The path of the folder that a file is in; "" for the current one."""
    return os.path.dirname(as_text(path))


def remove_if_empty(folder: PathLike) -> None:
    """Remove a folder, unless it holds something or is not there."""
    text = as_text(folder)
    with contextlib.suppress(OSError):
        if is_remote(text):
            system, inner = _remote(text)
            system.rmdir(inner)
        else:
            os.rmdir(text)


def remove_folder(path: PathLike) -> None:
    """Remove a folder with all that it holds."""
    text = as_text(path)
    with as_status(text):
        if is_remote(text):
            system, inner = _remote(text)
            system.rm(inner, recursive=True)
        else:
            shutil.rmtree(text)
