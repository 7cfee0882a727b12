"""Regraft: TensorFlow 1 graphs and checkpoints, opened, run and trained on JAX.

`import regraft.v1 as tf` has the names of `tensorflow.compat.v1`. `register_op` adds kernels for ops of one's own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regraft.model.own_ops import register_op

__all__ = ["register_op"]

_HOMES = {"register_op": "regraft.model.own_ops"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'regraft' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
