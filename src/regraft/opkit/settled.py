"""Values that a program computes once, whoever reads them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from regraft.opkit.arrays import jax, lax
from regraft.opkit.platforms import on_cpu


def settled(x: Any) -> Any:
    """`x`, computed into memory by itself before anything reads it. It can be differentiated.

    XLA's CPU compiler fuses what makes an array into each loop that reads it, and computes a cell again for every time
    that it is read: nine times for a window of 3 x 3. Elsewhere, and where `x` is not of floating point, this is `x`.
    """
    return _barrier()(x) if on_cpu() and x.dtype.kind in "fV" and x.ndim and x.size else x


@cache
def _barrier() -> Any:
    barrier = jax.custom_jvp(_guarded)
    barrier.defjvp(lambda primals, tangents: (barrier(*primals), *tangents))
    return barrier


def _guarded(x: Any) -> Any:
    """`x` after a loop that may write to it: the compiler drops optimization barriers before it fuses, but no loops.

    The loop runs only where the first cell is nan, once, and writes what is there.
    """
    start = (np.int32(0),) * x.ndim
    cell = (1,) * x.ndim

    def write(state: tuple[Any, Any]) -> tuple[Any, Any]:
        again, array = state
        at = (lax.convert_element_type(again, np.int32) - 1, *start[1:])
        return np.False_, lax.dynamic_update_slice(array, lax.dynamic_slice(array, at, cell), start)

    first = lax.squeeze(lax.slice(x, start, cell), range(x.ndim))
    return lax.while_loop(lambda state: state[0], write, (lax.ne(first, first), x))[1]
