"""Parts of files as arrays that are not read: the system's own pages of the file.

New memory costs more than reading a file into it: the system clears each page before it hands it out. A map needs none.
What it shows is the file, though: who overwrites that in place changes the array, and who shortens it ends the process.
So a thread puts copies in place of the maps soon after, with little of the processor's time. Arrays that were replaced
by then cost nothing.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
import weakref
from collections import deque
from functools import cache
from mmap import PAGESIZE
from typing import Any

import numpy as np
import numpy.typing as npt

# From Linux's mman.h.
_PROT_READ = 1
_PROT_WRITE = 2
_MAP_PRIVATE = 2
_MAP_ANONYMOUS = 0x20
_MAP_FAILED = ctypes.c_void_p(-1).value
_MREMAP_TO = 1 | 2
_MADV_POPULATE_READ = 22

# Types of local filesystems, from magic.h: on others a file may become unreadable at any time.
_LOCAL = {
    0xEF53: "ext4",
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0xF2F52010: "f2fs",
    0x2FC12FC1: "zfs",
    0x01021994: "tmpfs",
    0x794C7630: "overlayfs",
}

_FIRST_WAIT = 1.0  # seconds: what follows a restore goes first
_PIECE = 16 << 20  # bytes that are copied at once
_REST = 2  # so many times as long as that took, the thread waits


class _Map:
    """Whole pages of memory, which are given back with it."""

    def __init__(self, libc: Any, size: int, protection: int, flags: int, fd: int = -1, start: int = 0) -> None:
        self._libc, self.size = libc, size
        self.address = libc.mmap(None, size, protection, flags, fd, start)
        if self.address == _MAP_FAILED:
            raise OSError(ctypes.get_errno(), "mmap")
        # Not `__del__`: while that ran, the thread that copies could still get at the map, and read what is gone.
        self.unmap = weakref.finalize(self, libc.munmap, self.address, size)
        self.unmap.atexit = False
        self.__array_interface__ = {"version": 3, "data": (self.address, True), "shape": (size,), "typestr": "|u1"}

    def readable(self, offset: int, size: int) -> bool:
        """Whether the pages can be read; they are in place then."""
        return not self._libc.madvise(self.address + offset, size, _MADV_POPULATE_READ)

    def copy(self, offset: int) -> int | None:
        """Put copies in place of the next pages. Where to go on; None at the end, or where that cannot be done."""
        size = min(_PIECE, self.size - offset)
        try:
            pages = _Map(self._libc, size, _PROT_READ | _PROT_WRITE, _MAP_PRIVATE | _MAP_ANONYMOUS)
        except OSError:
            return None
        if not self.readable(offset, size):
            return None
        ctypes.memmove(pages.address, self.address + offset, size)
        if self._libc.mremap(pages.address, size, size, _MREMAP_TO, self.address + offset) == _MAP_FAILED:
            return None
        pages.unmap.detach()
        return offset + size if offset + size < self.size else None


def private_map(fd: int, offset: int, size: int) -> npt.NDArray[np.uint8] | None:
    """Bytes of an open file as an array that cannot be written to; None where that cannot be done safely.

    The bytes must lie within the file. `REGRAFT_MAP_CHECKPOINTS=0` in the environment turns maps off.
    """
    libc = _libc()
    if libc is None or not size or not _is_local(libc, fd):
        return None
    start = offset // PAGESIZE * PAGESIZE
    before = offset - start
    try:
        found = _Map(libc, before + size, _PROT_READ, _MAP_PRIVATE, fd, start)
    except OSError:
        return None
    if not found.readable(0, found.size):
        return None
    _copying.add(found)
    return np.asarray(found)[before:]


class _Copying:
    """The thread that turns maps into memory of the process, as long as there are any."""

    def __init__(self) -> None:
        self._waiting: deque[weakref.ref[_Map]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, found: _Map) -> None:
        with self._lock:
            self._waiting.append(weakref.ref(found))
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(
                    target=self.run, args=(_FIRST_WAIT, _REST), name="regraft-copying", daemon=True
                )
                self._thread = thread
                thread.start()

    def run(self, first_wait: float = 0.0, rest: int = 0) -> None:
        """Copy until nothing waits, with a `rest` so many times as long as each piece took."""
        time.sleep(first_wait)
        while (reference := self._next()) is not None:
            offset: int | None = 0
            while offset is not None:
                started = time.perf_counter()
                offset = _copy_piece(reference, offset)
                time.sleep(rest * (time.perf_counter() - started))

    def _next(self) -> weakref.ref[_Map] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._thread = None  # the next map starts another
            return None


def _copy_piece(reference: weakref.ref[_Map], offset: int) -> int | None:
    """Copy the next pages of a map, which nothing holds in between; where to go on, or None."""
    found = reference()
    return None if found is None else found.copy(offset)


_copying = _Copying()


def copy_now() -> None:
    """Copy at once what still shows a file: from here on it may be overwritten."""
    _copying.run()


def _is_local(libc: Any, fd: int) -> bool:
    described = (ctypes.c_long * 64)()  # struct statfs, more than large enough; the type comes first
    return not libc.fstatfs(fd, described) and described[0] in _LOCAL


@cache
def _libc() -> Any:
    """The C library, where the system has all that is needed: 64-bit Linux from 5.14 on."""
    if sys.platform != "linux" or sys.maxsize < 2**32 or os.environ.get("REGRAFT_MAP_CHECKPOINTS") == "0":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mremap.argtypes = [ctypes.c_void_p, *[ctypes.c_size_t] * 2, ctypes.c_int, ctypes.c_void_p]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    libc.fstatfs.argtypes = [ctypes.c_int, ctypes.c_void_p]
    try:
        page = _Map(libc, PAGESIZE, _PROT_READ, _MAP_PRIVATE | _MAP_ANONYMOUS)
    except OSError:
        return None
    return libc if page.readable(0, PAGESIZE) else None
