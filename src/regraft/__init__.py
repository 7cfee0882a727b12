"""Regraft: TensorFlow 1 graphs and checkpoints, opened, run and trained on JAX.

`import regraft.v1 as tf` has the names of `tensorflow.compat.v1`. `register_op` adds kernels for ops of one's own, and
`register_op_def` their signatures (see `regraft.model.own_ops`); `bind_py_func` gives imported PyFunc nodes functions.
"""

from __future__ import annotations

import importlib
from typing import Any

# What the package offers by itself, and where it lives. Looked up when used: the package imports nothing.
_HOMES = {
    "bind_py_func": "regraft.opkit.py_functions",
    "register_op": "regraft.model.own_ops",
    "register_op_def": "regraft.model.own_ops",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'regraft' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
