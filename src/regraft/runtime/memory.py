"""What the C library does with memory that is given back while programs run.

A program takes one block for all that it computes on the way to its results, and gives it back at its end. glibc
returns a block of that size to the system and asks for a new one in the next run, whose pages the system has to clear
and map again: up to a third of the time of a step. So the first program of a process tells glibc to keep what is given
back. `REGRAFT_KEEP_MEMORY=0` in the environment leaves glibc as it was; other C libraries have no such calls.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from functools import cache
from typing import Any

# Parameters of mallopt, from malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4
_ARENA_MAX = -8

_LARGE_PAGE = 2 << 20


@cache
def keep_memory() -> None:
    """Have memory that is given back stay in the process, in one heap for all threads that start from now on."""
    libc = _glibc()
    if libc is None:
        return
    for parameter, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
        libc.mallopt(parameter, value)
    _prefer_large_pages(libc, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)


def release_memory() -> None:
    """Return the pages that hold nothing to the system."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library, or None where it is another one or is to be left alone."""
    if os.environ.get("REGRAFT_KEEP_MEMORY") == "0":
        return None
    try:
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):  # TypeError: Windows
        return None
    if not hasattr(libc, "gnu_get_libc_version"):
        return None
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = libc.malloc_trim.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return libc


def _prefer_large_pages(libc: Any, size: int) -> None:
    """Ask for large pages in the next `size` bytes by which the heap will grow."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return
    block = libc.malloc(size)
    if block is not None:
        start = block + -block % _LARGE_PAGE
        libc.madvise(start, (size - _LARGE_PAGE) // _LARGE_PAGE * _LARGE_PAGE, mmap.MADV_HUGEPAGE)
        libc.free(block)
