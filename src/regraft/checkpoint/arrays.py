"""Arrays that tensors are read into: aligned, of the dtype that the file names, and the checks before they are made."""

import math
import mmap
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft import proto
from regraft.base.dtypes import DType, as_dtype, string
from regraft.base.errors import DataLossError

Array = npt.NDArray[Any]

Allocate = Callable[[Sequence[int], DType], Array]
"""`new_array`, or another source of arrays."""

_MOST_IN_SLAB = 64 << 20  # bytes; the larger, the more one small array keeps from being free
_FIRST_SLAB = 4 << 20  # bytes; slabs grow with what was read, so that sizes which are lies cost little
ALIGNMENT = 64  # XLA takes a host buffer as it is, without a copy, if it is aligned so
_LARGE_PAGE = 2 << 20
_SLOW_PAGE = 1e-3  # seconds for a large page: zeroing one takes a tenth of it


def aligned_empty(shape: Sequence[int], dtype: npt.DTypeLike) -> Array:
    """An uninitialised C-contiguous array whose first element is aligned to 64 bytes."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    room = np.empty(size + ALIGNMENT, np.uint8)
    skip = -int(room.__array_interface__["data"][0]) % ALIGNMENT
    return room[skip : skip + size].view(kind).reshape(shape)


def new_array(shape: Sequence[int], dtype: DType) -> Array:
    """An array to read a tensor into; of objects for strings."""
    return np.empty(shape, object) if dtype == string else aligned_empty(shape, dtype.numpy)


class Slabs:
    """Memory for many arrays, small ones side by side in slabs.

    The system hands out new memory in pages, and a page costs more than reading a file into it. Large pages halve that,
    as long as there is memory behind them: a virtual machine may have given its large free pages back to the host, and
    gets them again so slowly that small ones are three times faster. A slab is free again when the last array in it is,
    so it is an eighth of everything at most.
    """

    def __init__(self, total: int) -> None:
        """`total`  bytes of all arrays that will be asked for."""
        self._total = self._left = total
        self._size = min(_MOST_IN_SLAB, total // 8)
        self._slab: Array = np.empty(0, np.uint8)
        self._large_pages = hasattr(mmap, "MADV_HUGEPAGE") and hasattr(mmap, "MADV_NOHUGEPAGE")
        self._lock = Lock()

    def new_array(self, shape: Sequence[int], dtype: DType) -> Array:
        """As the function `new_array`. Any thread may call it."""
        if dtype == string:
            return new_array(shape, dtype)
        size = math.prod(shape) * dtype.numpy.itemsize
        room = size + -size % ALIGNMENT
        if 2 * room > self._size:
            return self._memory(size)[:size].view(dtype.numpy).reshape(shape)
        with self._lock:
            if room > len(self._slab):
                grown = max(_FIRST_SLAB, self._total - self._left)
                self._slab = self._memory(max(room, min(self._size, self._left, grown)))
            array, self._slab = self._slab[:size], self._slab[room:]
            self._left -= room
        return array.view(dtype.numpy).reshape(shape)

    def _memory(self, size: int) -> Array:
        """At least `size` bytes, in the larger pages until one of them turns out to be slow."""
        if size < _FIRST_SLAB:
            return aligned_empty((size,), np.uint8)
        pages = mmap.mmap(-1, size)
        if self._large_pages:
            pages.madvise(mmap.MADV_HUGEPAGE)
            started = time.perf_counter()
            pages[_LARGE_PAGE] = 0
            if time.perf_counter() - started > _SLOW_PAGE:
                self._large_pages = False
        if not self._large_pages and hasattr(mmap, "MADV_NOHUGEPAGE"):
            pages.madvise(mmap.MADV_NOHUGEPAGE)
        return np.frombuffer(pages, np.uint8)


def as_octets(array: Array) -> npt.NDArray[np.uint8]:
    """The bytes of a C-contiguous array, in place."""
    return array.reshape(-1).view(np.uint8)


def stored_dtype(number: int, where: str) -> DType:
    """The dtype behind an enum number in a file. DataLossError if there is none such."""
    try:
        dtype = as_dtype(number)
    except TypeError as e:
        raise DataLossError(f"dtype {number} is no TensorFlow dtype", where=(where,)) from e
    if dtype.is_ref:
        raise DataLossError(f"dtype {dtype.name} is a reference, which no file holds", where=(where,))
    return dtype


def stored_shape(message: proto.TensorShapeProto, where: str) -> tuple[int, ...]:
    """The shape in a file. DataLossError if it has unknown or negative sizes."""
    shape = tuple([dim.size for dim in message.dim])
    if message.unknown_rank or (shape and min(shape) < 0):
        raise DataLossError(f"shape {list(shape)} is not fully known", where=(where,))
    return shape
