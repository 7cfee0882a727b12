"""The C library's memory, where it is glibc's."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

# A parameter of mallopt, from malloc.h.
_ARENA_MAX = -8


@cache
def one_heap() -> None:
    """Have all threads that start from now on take memory from one heap.

    glibc gives threads heaps of their own, and passes those of threads that ended on to new ones, which makes it matter
    that this comes early. A heap of a thread has no place for large blocks: they come from the system each time, and
    go back to it.
    """
    libc = glibc()
    if libc is not None:
        libc.mallopt(_ARENA_MAX, 1)


class _Use(ctypes.Structure):
    """What mallinfo2 says."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]  # fmt: skip


@cache
def glibc() -> Any:
    """The C library, or None where it is another one or `REGRAFT_KEEP_MEMORY=0` says to leave it alone."""
    if os.environ.get("REGRAFT_KEEP_MEMORY") == "0":
        return None
    try:
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):  # TypeError: Windows
        return None
    if not hasattr(libc, "gnu_get_libc_version"):
        return None
    libc.malloc.restype = libc.aligned_alloc.restype = libc.realloc.restype = ctypes.c_void_p
    libc.aligned_alloc.argtypes, libc.realloc.argtypes = [ctypes.c_size_t] * 2, [ctypes.c_void_p, ctypes.c_size_t]
    libc.malloc.argtypes = libc.malloc_trim.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.sbrk.argtypes, libc.sbrk.restype = [ctypes.c_ssize_t], ctypes.c_size_t
    if hasattr(libc, "mallinfo2"):
        libc.mallinfo2.restype = _Use
    return libc
