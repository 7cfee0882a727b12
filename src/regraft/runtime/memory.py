"""What the C library does with memory that is given back while programs run.

A program takes one block for all that it computes on the way to its results, and gives it back at its end. glibc
returns a block of that size to the system and asks for a new one in the next run, whose pages the system has to clear
and map again: up to a third of the time of a step. So the first program of a process tells glibc to keep what is given
back. `REGRAFT_KEEP_MEMORY=0` in the environment leaves glibc as it was; other C libraries have no such calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from regraft.base.heap import glibc, one_heap

# Parameters of mallopt, from malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4

# Pieces of these sizes are taken; larger ones are not many.
_LEAST_PIECE = 4 << 10
_MOST_PIECE = 1 << 20

# What is smaller lies here, and not in the place of a program's block.
_ROOM_FOR_SMALL = 32 << 20

# A smaller block finds a place, or is no loss.
_LARGE_BLOCK = 32 << 20

# A place is larger than the block by this part of it: small things may lie beside the block.
_BESIDE = 8

# As XLA aligns blocks. What is asked for here must be what XLA asks for: glibc takes the smallest place that is enough.
_ALIGNMENT = 64

# What is kept in front of a place, and how much of it a block takes at once that has become too large for its place.
_FRONT = 512 << 10
_MORE = 4 << 10

# Of each piece of the heap glibc takes so much for itself.
_HEAD = 8

# How long to wait for the thread that ran the program before to let go of its block: its results are there sooner.
_LETTING_GO = (0.001, 0.004, 0.016, 0.064)

# A place may be lost so often before that is taken for the rule.
_OFTEN = 8

# So many other places are looked at.
_OTHERS = 32

# Places that are out of the way until the next run begins.
_aside: list[int] = []
_aside_lock = threading.RLock()  # a collection of garbage in between may close a session

_pieces: list[int] = []
_pieces_lock = threading.Lock()


@cache
def keep_memory() -> None:
    """Have memory that is given back stay in the process, in one heap for all threads that start from now on."""
    one_heap()
    libc = glibc()
    if libc is not None:
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, -1)


def release_memory() -> None:
    """Return the pages that hold nothing to the system."""
    libc = glibc()
    if libc is not None:
        with _aside_lock:
            _free_all(libc, _aside)
        libc.malloc_trim(0)


class Room:
    """A place for the block of a program, to which each run comes back.

    glibc gives a block any place that is large enough. A run that finds its place taken, or another one that fits it
    better, would have two in the end. So each run waits until the thread that ran the program before has let go of its
    block, and what else would fit is out of the way while it begins.

    Of what glibc takes to align a block it gives the end back to the thread, which keeps it or uses it, and so the next
    block may be some bytes too large for the place. Then the place grows towards its front.

    Where something else lies in the place for good, its pages go back to the system, and the program gets another one,
    which costs up to a third of a step. Where that is of no use for long, it is done more and more seldom.
    """

    def __init__(self, size: int) -> None:
        self._libc: Any = glibc() if size >= _LARGE_BLOCK else None
        self._size = size
        self._place: int | None = None
        self._front: int | None = None
        self._front_size = 0
        self._behind: int | None = None
        self._moved = False
        self._thread = 0
        self._lost = 0
        self._left_out = 0

    def __del__(self) -> None:
        for address in (self._front, self._behind):
            if address is not None:
                self._libc.free(address)

    def make(self) -> None:
        """Called before each run."""
        if self._libc is None:
            return
        if self._left_out:
            self._left_out -= 1
            return
        if self._place is None:
            self._take_another()
        elif self._thread == threading.get_ident():
            self._come_back()
        # Else a run of another thread may be under way, and this one needs a place beside it.
        self._thread = threading.get_ident()

    def _come_back(self) -> None:
        found = self._find()
        for seconds in _LETTING_GO:
            if found:
                return
            time.sleep(seconds)
            found = self._find()
        if not found:
            self._take_another()
            self._lost += 1
            self._left_out = 2 ** max(self._lost - _OFTEN, 0) - 1

    def _find(self) -> bool:
        """Whether the block will come to its place, which grows if that is all it needs. True if no memory is left."""
        with _aside_lock:
            if self._is_free(self._size):
                return True
            if self._front_size <= 2 * _MORE or not self._is_free(self._size - _MORE):
                return False
            self._cut_front(self._front_size - _MORE)
            return self._is_free(self._size)

    def _is_free(self, size: int) -> bool:
        """Whether a block of that size will come to the place. If so, what would fit as well is out of the way."""
        libc = self._libc
        _free_all(libc, _aside)
        end = libc.sbrk(0)  # what lies behind was taken because there is no other place
        found = libc.aligned_alloc(_ALIGNMENT, size)
        while found is not None and not self._is_here(found) and found + size <= end and len(_aside) < _OTHERS:
            _aside.append(found)
            found = libc.aligned_alloc(_ALIGNMENT, size)
        here = found is None or self._is_here(found)
        if here and self._moved:
            libc.malloc_trim(0)  # the place before, which the last run may still have had; this one is taken
            self._moved = False
        libc.free(found)
        if not here:
            _free_all(libc, _aside)
        return here

    def _is_here(self, place: int) -> bool:
        return self._place is not None and abs(place - self._place) <= self._size // _BESIDE

    def _cut_front(self, size: int) -> None:
        self._front = self._libc.realloc(self._front, size - _HEAD)
        self._front_size = size

    def _take_another(self) -> None:
        libc = self._libc
        libc.free(self._front)
        libc.free(self._behind)
        libc.malloc_trim(0)
        self._front = libc.malloc(_FRONT + self._size + self._size // _BESIDE)
        self._behind = libc.malloc(_LEAST_PIECE)
        if self._front is None:
            self._place = None
            return
        # Where the place is aligned, nothing is given back in front of the block.
        self._cut_front(_FRONT - self._front % _ALIGNMENT)
        self._place = self._front + self._front_size
        self._moved = True


def _free_all(libc: Any, addresses: list[int]) -> None:
    while addresses:
        libc.free(addresses.pop())


@contextmanager
def compiling() -> Iterator[None]:
    """Keep what a compiler leaves of the heap from programs, and give it to the next compiler.

    It leaves tens of thousands of free pieces of all sizes between what it made. glibc walks through lists of them for
    each buffer that a product packs its operands into: a seventh of the time of a detector's training step. They are
    taken here, after their pages went back to the system, and buffers come from where memory is in one piece.
    """
    libc = glibc()
    if libc is None or not hasattr(libc, "mallinfo2"):
        yield
        return
    with _pieces_lock:
        _free_all(libc, _pieces)
    release_memory()  # what was interpreted so far has left its arrays
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
