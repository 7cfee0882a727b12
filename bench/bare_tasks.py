"""The least that restoring and saving can cost: bytes read, checked and copied once; copied, checked and written once.

Nothing is parsed and nothing is looked up. Pieces fit into a processor's cache, and all cores work on them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from bench.machine import cores
from bench.memory import peak_memory
from bench.tasks import Clock, Job, Outcome

_PIECE = 1 << 20


class _Work(threading.local):
    """Each thread's buffer of one piece."""

    def __init__(self) -> None:
        self.buffer = np.empty(_PIECE, np.uint8)


def _pieces(size: int, work: Callable[[int], Any]) -> None:
    """Call `work` with the offset of every piece, on all cores."""
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(work, range(0, size, _PIECE)):
            pass


def _read(paths: list[Path]) -> list[Any]:
    """The bytes of files, each in a new array."""
    own = _Work()
    found = []
    for path in paths:
        whole = np.empty(path.stat().st_size, np.uint8)
        with path.open("rb", buffering=0) as file:

            def piece(offset: int, whole: Any = whole, number: int = file.fileno()) -> None:
                part = whole[offset : offset + _PIECE]
                buffer = own.buffer[: part.size]
                if os.preadv(number, [buffer], offset) != part.size:
                    raise EOFError("the checkpoint became shorter while it was read")
                google_crc32c.value(buffer)
                part[:] = buffer

            _pieces(whole.size, piece)
        found.append(whole)
    return found


def restoring(job: Job) -> Outcome:
    """Read, check and copy the bytes of the variables."""
    clock = Clock()
    _read(job.model.data_files())
    clock.lap("restore")
    return Outcome(clock.total, peak_memory())


def saving(job: Job) -> Outcome:
    """Copy, check and write as many bytes as the variables have."""
    own = _Work()
    arrays = _read(job.model.data_files())
    clock = Clock()
    for index, array in enumerate(arrays):
        with (job.scratch / f"saved-{index}").open("wb", buffering=0) as file:

            def piece(offset: int, array: Any = array, number: int = file.fileno()) -> None:
                part = array[offset : offset + _PIECE]
                buffer = own.buffer[: part.size]
                buffer[:] = part
                google_crc32c.value(buffer)
                os.pwrite(number, buffer, offset)

            _pieces(array.size, piece)
    clock.lap("save")
    return Outcome(clock.total, peak_memory())


TASKS: Mapping[str, Callable[[Job], Outcome]] = {task.__name__: task for task in (restoring, saving)}
