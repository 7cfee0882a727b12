"""What the C library does with memory that is given back while programs run.

A program takes one block for all that it computes on the way to its results, and gives it back at its end. glibc
returns a block of that size to the system and asks for a new one in the next run, whose pages the system has to clear
and map again: up to a third of the time of a step. So the first program of a process tells glibc to keep what is given
back. `REGRAFT_KEEP_MEMORY=0` in the environment leaves glibc as it was; other C libraries have no such calls.
"""

from __future__ import annotations

import ctypes
import os
import time
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

# What is smaller lies here, and not in the place of a program's block.
_ROOM_FOR_SMALL = 32 << 20

# A smaller block finds a place, or is no loss.
_LARGE_BLOCK = 32 << 20

# A place is larger than the block by this part of it, and no smaller than the block and what aligning it may take.
_BESIDE = 8
_ALIGNED = 4096

# How long to wait for the thread that ran the program before to let go of its block: its results are there sooner.
_LETTING_GO = (0.001, 0.004, 0.016, 0.064)

# A place may be lost so often before that is taken for the rule.
_OFTEN = 8

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
    """A place for the block of a program, to which each run comes back.

    Where something lies in the place of the run before, its pages go back to the system, and the program gets another
    one. That costs up to a third of a step. Where it is of no use for long, it is done more and more seldom, and the
    program has two places.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lost = 0
        self._left_out = 0
        self._behind: Any = None

    def make(self) -> None:
        """Called before each run."""
        libc = _glibc()
        if libc is None or self._size < _LARGE_BLOCK:
            return
        if self._left_out:
            self._left_out -= 1
            return
        end = libc.sbrk(0)
        if self._fits(libc, end):
            return
        for seconds in _LETTING_GO:
            time.sleep(seconds)
            if self._fits(libc, end):
                return
        self._take_another(libc)

    def _fits(self, libc: Any, end: int) -> bool:
        """Whether the block has a place below `end`. True if no memory is left."""
        size = self._size + _ALIGNED
        place = libc.malloc(size)
        libc.free(place)
        return bool(place is None or place + size <= end)

    def _take_another(self, libc: Any) -> None:
        libc.free(self._behind)
        libc.malloc_trim(0)
        place = libc.malloc(self._size + self._size // _BESIDE)
        self._behind = libc.malloc(_LEAST_PIECE)
        libc.free(place)
        self._lost += 1
        self._left_out = 2 ** max(self._lost - _OFTEN, 0) - 1


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
    libc.malloc_trim(0)  # what was interpreted so far has left its arrays
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
    # All this comes from the end of the heap now, in order.
    before, room, behind = libc.malloc(_LEAST_PIECE), libc.malloc(_ROOM_FOR_SMALL), libc.malloc(_LEAST_PIECE)
    libc.free(room)
    _pieces.extend((before, behind))
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
