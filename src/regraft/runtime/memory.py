"""What the C library does with memory that is given back while programs run.

A program takes one block for all that it computes on the way to its results, and gives it back at its end. glibc
returns a block of that size to the system and asks for a new one in the next run, whose pages the system has to clear
and map again: up to a third of the time of a step. So the first program of a process tells glibc to keep what is given
back. `REGRAFT_KEEP_MEMORY=0` in the environment leaves glibc as it was; other C libraries have no such calls.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

# Parameters of mallopt, from malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4
_ARENA_MAX = -8

# Pieces of these sizes are taken; larger ones are not many.
_LEAST_PIECE = 4 << 10
_MOST_PIECE = 1 << 20

# A smaller block finds a place, or is no loss.
_LARGE_BLOCK = 32 << 20

_pieces: list[int] = []
_pieces_lock = Lock()


@cache
def keep_memory() -> None:
    """Have memory that is given back stay in the process, in one heap for all threads that start from now on."""
    libc = _glibc()
    if libc is None:
        return
    for parameter, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
        libc.mallopt(parameter, value)


def release_memory() -> None:
    """Return the pages that hold nothing to the system."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


class Room:
    """Room for the block of a program: it should not come on top of the place of an earlier one that it no longer fits.

    Where something small lies in that place by now, its pages go back to the system before the block takes new ones.
    That costs as much as a third of a step. Where it is of no use for long, it is done more and more seldom, and the
    program gets a second place.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left_out = 0
        self._next = 1

    def make(self) -> None:
        """Called before each run."""
        libc = _glibc()
        if libc is None or self._size < _LARGE_BLOCK:
            return
        if self._left_out:
            self._left_out -= 1
            return
        end = libc.sbrk(0)
        libc.free(libc.malloc(self._size))
        if libc.sbrk(0) > end:
            libc.malloc_trim(0)
            self._left_out = self._next
            self._next *= 2


@contextmanager
def compiling() -> Iterator[None]:
    """Keep what a compiler leaves of the heap from programs, and give it to the next compiler.

    It leaves tens of thousands of free pieces of all sizes between what it made. glibc walks through lists of them for
    each buffer that a product packs its operands into: a seventh of the time of a detector's training step. They are
    taken here, after their pages went back to the system, and buffers come from where memory is in one piece.
    """
    libc = _glibc()
    if libc is None or not hasattr(libc, "mallinfo2"):
        yield
        return
    with _pieces_lock:
        while _pieces:
            libc.free(_pieces.pop())
    try:
        yield
    finally:
        libc.malloc_trim(0)
        with _pieces_lock:
            _take_pieces(libc)


def _take_pieces(libc: Any) -> None:
    """Put the free pieces below the heap's end into `_pieces`, but for the large ones."""
    heap = libc.mallinfo2()
    end = libc.sbrk(0) - heap.keepcost  # what lies behind is in one piece
    # No more than there is: at a size that it cannot serve, glibc gives the thread another heap for good.
    large = list(_free_pieces(libc, end, heap.fordblks - heap.keepcost, _MOST_PIECE))
    _pieces.extend(_free_pieces(libc, end, _MOST_PIECE, _LEAST_PIECE))
    for piece in large:
        libc.free(piece)


def _free_pieces(libc: Any, end: int, most: int, least: int) -> Iterator[int]:
    """Take free pieces below the address `end` from the heap, large ones first."""
    size = most
    while size >= least:
        piece = libc.malloc(size)
        if piece is not None and piece < end:
            yield piece
        else:
            libc.free(piece)
            size = size * 7 // 8


class _Use(ctypes.Structure):
    """What mallinfo2 says."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]  # fmt: skip


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
    libc.sbrk.argtypes, libc.sbrk.restype = [ctypes.c_ssize_t], ctypes.c_size_t
    if hasattr(libc, "mallinfo2"):
        libc.mallinfo2.restype = _Use
    return libc
