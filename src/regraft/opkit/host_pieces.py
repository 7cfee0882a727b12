"""Elementwise functions of large NumPy arrays, a piece that fits the cache at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from regraft.opkit.arrays import on_host

F = TypeVar("F", bound=Callable[..., Any])

# Elements of a piece. A chain of operations on so many stays in the cache of a core.
PIECE = 1 << 15


def in_pieces(function: F) -> F:
    """Call an elementwise `function` for one piece of its arrays after another, where these are large host arrays.

    Arrays of the first one's shape are cut; anything else is handed in whole. The results have that shape too.
    """

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        first = args[0]
        if np.size(first) <= PIECE or not on_host(*(a for a in args if a is not None)):
            return function(*args)
        flat = {i: a.reshape(-1) for i, a in enumerate(args) if np.shape(a) == first.shape}
        out: list[Any] = []
        single = False
        for start in range(0, first.size, PIECE):
            part = slice(start, start + PIECE)
            results = function(*(flat[i][part] if i in flat else a for i, a in enumerate(args)))
            if not out:
                single = not isinstance(results, tuple)
                out = [np.empty(first.size, r.dtype) for r in ([results] if single else results)]
            for whole, piece in zip(out, [results] if single else results, strict=True):
                whole[part] = piece
        shaped = tuple(o.reshape(first.shape) for o in out)
        return shaped[0] if single else shaped

    return run  # type: ignore[return-value]  # it takes what the function takes
