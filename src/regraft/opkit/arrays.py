"""The array namespace of a kernel's inputs: NumPy where values are known on the host, jax.numpy where they are traced.

`jnp`, `lax` and `jax` here stand for the modules and load them when first used, so that importing ops costs no JAX.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

_lock = threading.RLock()
# What is done at the first use of JAX; None when that has been.
_before_use: list[Callable[[], None]] | None = []


class LazyModule:
    """A part of JAX that is imported when one of its names is first asked for."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attr: str) -> Any:
        value = getattr(importlib.import_module(self._name), attr)
        if _before_use is not None:
            _first_use()
        self.__dict__[attr] = value
        return value


jax: Any = LazyModule("jax")
jnp: Any = LazyModule("jax.numpy")
lax: Any = LazyModule("jax.lax")


def before_jax(action: Callable[[], None]) -> None:
    """Call `action` when JAX is there and before we use it; at once where we do already."""
    with _lock:
        if _before_use is not None:
            _before_use.append(action)
            return
    action()


def _first_use() -> None:
    global _before_use
    with _lock:
        actions, _before_use = _before_use, None
        for action in actions or ():
            action()


_HOST = (np.ndarray, np.generic, bool, int, float, complex, bytes, str)


def on_host(*values: Any) -> bool:
    """Whether all values (arrays, or lists of them) are host values: a kernel may use NumPy on them."""
    for value in values:
        if type(value) is np.ndarray:
            continue
        if isinstance(value, (list, tuple)):
            if not on_host(*value):
                return False
        elif not isinstance(value, _HOST):
            return False
    return True


def namespace(*values: Any) -> Any:
    """`numpy` if all values are on the host, else `jax.numpy`.

    xp = namespace(x, y)
    return xp.where(x > 0, x, y)
    """
    return np if on_host(*values) else jnp


def static_shape(value: Any) -> tuple[int, ...]:
    """The shape of an array of either kind; it is known even when the values are traced."""
    return tuple(np.shape(value))


def shape_text(value: Any) -> str:
    """The shape of an array as TensorFlow writes it in its messages: [2,3]."""
    return f"[{','.join(str(d) for d in np.shape(value))}]"
