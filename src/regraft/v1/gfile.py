"""tf.gfile: files and folders by the names and errors of TensorFlow, local or of any URL that fsspec opens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from regraft.base import errors
from regraft.checkpoint import files

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "FileError",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]

_MODES = ("r", "w", "a", "r+", "w+", "a+")

FileError = errors.OpError


class GFile:
    """A file. It is opened when it is first read or written, and so are its errors raised.

    mode  "r", "w", "a", "r+", "w+" or "a+"; with "b", `read` gives bytes, else text decoded as UTF-8. Sizes and
          positions count bytes in both. InvalidArgumentError for other modes
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        self._name = name
        self._mode = mode
        self._binary = "b" in mode
        self._kind = mode.replace("b", "")
        if self._kind not in _MODES:
            raise errors.InvalidArgumentError(f"mode is not 'r' or 'w' or 'a' or 'r+' or 'w+' or 'a+': {mode!r}")
        self._file: Any = None
        self._read_to = 0

    @property
    def name(self) -> Any:
        return self._name

    @property
    def mode(self) -> str:
        return self._mode

    def _opened(self) -> Any:
        if self._file is None:
            self._file = files.open_binary(self._name, self._kind + "b")
        return self._file

    def _to_read(self) -> Any:
        if self._kind in ("w", "a"):
            raise errors.PermissionDeniedError(f"File isn't open for reading: {self._name!r}, mode {self._mode!r}")
        file = self._opened()
        if self._kind == "a+":  # what is written goes to the end, what is read begins where the last read ended
            file.seek(self._read_to)
        return file

    def _given(self, data: bytes) -> Any:
        self._read_to += len(data)
        return data if self._binary else data.decode()

    def read(self, n: int = -1) -> Any:
        """The next `n` bytes, as text unless the file is binary; all the rest for -1; nothing at the end."""
        with files.as_status(str(self._name)):
            return self._given(self._to_read().read(-1 if n is None else n))

    def readline(self) -> Any:
        """The next line with its end; nothing at the end of the file."""
        with files.as_status(str(self._name)):
            line = self._to_read().readline()
        given = self._given(line)
        # TensorFlow takes the carriage return out of a line's end.
        end = b"\r\n" if self._binary else "\r\n"
        return given[:-2] + end[1:] if given.endswith(end) else given

    def readlines(self) -> list[Any]:
        """All lines that are left."""
        return list(iter(self.readline, b"" if self._binary else ""))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    next = __next__

    def write(self, file_content: Any) -> None:
        """Append text (as UTF-8) or bytes. PermissionDeniedError for a file that is open for reading."""
        if self._kind == "r":
            raise errors.PermissionDeniedError(f"File isn't open for writing: {self._name!r}, mode {self._mode!r}")
        if not isinstance(file_content, (str, bytes)):
            raise TypeError(f"Expected binary or unicode string, got {file_content!r}")
        data = file_content.encode() if isinstance(file_content, str) else file_content
        with files.as_status(str(self._name)):
            self._opened().write(data)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Go to a byte: from the start (0), from here (1) or from the end (2). `position` is `offset`'s older name."""
        offset = position if offset is None else offset
        if offset is None:
            raise TypeError("seek(): offset argument required")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2.")
        file = self._to_read()
        end = self.size()
        target = offset + (0, file.tell(), end)[whence]
        if not 0 <= target <= end:
            raise errors.OutOfRangeError(f"reached end of file: byte {target} of {self._name!r}, which has {end}")
        file.seek(target)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        """The byte at which the next read or write begins."""
        if self._kind != "r":
            return int(self._opened().tell())
        return int(self._to_read().tell())

    def size(self) -> int:
        """The bytes in the file as others see it."""
        return files.size(self._name)

    def flush(self) -> None:
        """Hand what was written to the system."""
        if self._file is not None and self._kind != "r":
            with files.as_status(str(self._name)):
                self._file.flush()

    def close(self) -> None:
        """Close it; the next use opens it again."""
        if self._file is not None:
            with files.as_status(str(self._name)):
                self._file.close()
            self._file = None

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self._file.close()


class FastGFile(GFile):
    """`GFile`, by the name that it had first."""


Open = GFile


class FileStatistics(NamedTuple):
    """Bytes, time of the last change in nanoseconds since 1970, and whether it is a folder."""

    length: int
    mtime_nsec: int
    is_directory: bool


def Exists(path: Any) -> bool:
    """Whether there is a file or folder of this name."""
    return files.exists(path)


def IsDirectory(dirname: Any) -> bool:
    """Whether there is a folder of this name."""
    return files.is_folder(dirname)


def Stat(filename: Any) -> FileStatistics:
    """Size and time of a file. NotFoundError where there is none."""
    return FileStatistics(files.size(filename), int(files.modified(filename) * 1e9), files.is_folder(filename))


def Remove(filename: Any) -> None:
    """Remove a file. NotFoundError where there is none, FailedPreconditionError for a folder."""
    if files.is_folder(filename):
        raise errors.FailedPreconditionError(f"{files.as_text(filename)}; Is a directory")
    files.remove(filename)


def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """Rename a file or folder. AlreadyExistsError where the new name is taken, unless it may be overwritten."""
    _check_free(newname, overwrite)
    files.rename(oldname, newname)


def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """Copy a file. AlreadyExistsError where the new name is taken, unless it may be overwritten."""
    _check_free(newpath, overwrite)
    files.copy(oldpath, newpath)


def _check_free(path: Any, overwrite: bool) -> None:
    if not overwrite and files.exists(path):
        raise errors.AlreadyExistsError(f"file already exists: {files.as_text(path)}; overwrite=True replaces it")


def MkDir(dirname: Any) -> None:
    """Make one folder, in one that exists; nothing happens if it is there."""
    if not files.is_folder(dirname):
        files.make_folder(dirname)


def MakeDirs(dirname: Any) -> None:
    """Make a folder and those above it, where they are missing."""
    files.make_folders(dirname)


def ListDirectory(dirname: Any) -> list[str]:
    """The names in a folder, sorted. NotFoundError where there is none."""
    if not files.is_folder(dirname):
        raise errors.NotFoundError(f"Could not find directory {files.as_text(dirname)}")
    return files.files_in(dirname)


def DeleteRecursively(dirname: Any) -> None:
    """Remove a folder with all that it holds. NotFoundError where there is none."""
    if not files.exists(dirname):
        raise errors.NotFoundError(f"{files.as_text(dirname)} not found")
    if files.is_folder(dirname):
        files.remove_folder(dirname)
    else:
        files.remove(dirname)


def Glob(filename: Any) -> list[str]:
    """The files that a pattern, or any of several, matches. `*` and `?` do not match "/"."""
    patterns = [filename] if isinstance(filename, (str, bytes, os.PathLike)) else filename
    return [found for pattern in patterns for found in files.matching(pattern)]


def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder below `top` with the folders and files in it; before those in it, or after them."""
    root = files.as_text(top)
    if not files.is_folder(root):
        return
    folders: list[str] = []
    others: list[str] = []
    for name in files.files_in(root):
        (folders if files.is_folder(os.path.join(root, name)) else others).append(name)
    here = (root, folders, others)
    if in_order:
        yield here
    for name in folders:
        yield from Walk(os.path.join(root, name), in_order)
    if not in_order:
        yield here
